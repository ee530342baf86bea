"""Which campaign items were collected, and which of them really came to the end of what they assert.

A measurement is on disk before the test that asked for it goes on to its assertions. Evidence that is whole therefore
says nothing of an assertion that somebody left out, skipped, or reported as passed although it failed.
"""

from __future__ import annotations

import inspect
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

import pytest

from pytest_weekops.plugin.failure import GateFailure, GateSkip
from pytest_weekops.plugin.items import is_campaign, is_empty, parameter


class Attendance:
    """The campaign items of one pytest run, from collection to their reports."""

    def __init__(self) -> None:
        self._collected: dict[str, pytest.Item] = {}
        self._settled: set[str] = set()
        self._excused: dict[str, tuple[pytest.Item, str]] = {}  # that a record explains, by their own word
        self._skipped: dict[str, str] = {}
        self._raised: dict[str, BaseException] = {}
        self._functions: dict[str, object] = {}
        self._replaced: dict[str, str] = {}
        self.unexplained: dict[str, str] = {}  # node id -> what happened, of failures that no record explains

    def __len__(self) -> int:
        """How many campaign items were collected, before anybody left any out."""
        return len(self._collected)

    def collected(self, item: pytest.Item) -> None:
        """Expect a campaign item."""
        if is_campaign(item) and not is_empty(item):
            self._collected[item.nodeid] = item
            self._functions[item.nodeid] = _function_of(item)

    def left_out_by_tier(self, items: Iterable[pytest.Item]) -> None:
        """Expect these no longer: the tier that was asked for is without them."""
        for item in items:
            self._collected.pop(item.nodeid, None)

    def called(self, item: pytest.Item) -> None:
        """Look at what is about to be called: something may have been put around a test, and nothing in its place."""
        own, now = self._functions.get(item.nodeid), _function_of(item)
        if own is not None and own not in (now, inspect.unwrap(now, stop=lambda function: function is own)):
            self._replaced[item.nodeid] = "was called as another function than the one that was collected"

    def raised(self, item: pytest.Item, error: BaseException) -> None:
        """Remember what a test raised, seen where no other plugin's hook can have swallowed it."""
        self._raised[item.nodeid] = error

    def reported(self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
        """Take a phase of any item for what it was, whatever its report was turned into."""
        error = call.excinfo.value if call.excinfo is not None else None
        if error is None and call.when == "call":
            error = self._raised.pop(item.nodeid, None)
        if isinstance(error, GateFailure | GateSkip):
            self._excused[item.nodeid] = item, type(error).__name__
            self._settled.add(item.nodeid)
        elif report.failed:
            self.unexplained[item.nodeid] = "failed"
            self._settled.add(item.nodeid)
        elif error is not None and is_campaign(item):
            self._not_passed(item.nodeid, error, report)
        elif call.when == "call":
            self._settled.add(item.nodeid)

    def _not_passed(self, nodeid: str, error: BaseException, report: pytest.TestReport) -> None:
        name = type(error).__name__
        if report.passed:
            self.unexplained[nodeid] = f"raised {name}, which a hook reported as passed"
            self._settled.add(nodeid)
        elif isinstance(error, pytest.skip.Exception):
            self._skipped[nodeid] = f"was skipped ({error})"
        else:
            self._skipped[nodeid] = f"was let off with xfail ({name})"

    def unasked(self, records: Iterable[Any], unusable: Container[str] = ()) -> dict[str, str]:
        """Items whose evidence is there, or that give none, and that did not come to their end, with what happened.

        Where the evidence is missing the judge says so, and nothing need be said here. ``unusable`` are platforms that
        are not measured any more.
        """
        there = {key: record for record in records for key in _keys_of(record)}
        return (
            dict(self._unexplained(there, unusable))
            | self._replaced
            | {
                nodeid: self._skipped.get(nodeid, "was collected and never ran")
                for nodeid, item in self._collected.items()
                if nodeid not in self._settled and (not (key := _key_of(item)) or key in there)
            }
        )

    def _unexplained(
        self, there: Mapping[tuple[object, ...], Any], unusable: Container[str]
    ) -> Iterator[tuple[str, str]]:
        """Items that said that a record explains how they ended, and whose own record does not."""
        for nodeid, (item, name) in self._excused.items():
            key = _key_of(item) if is_campaign(item) else ()
            if not key:
                explained = is_campaign(item) and parameter(item, "weekops_platform") in unusable
            else:
                explained = key not in there or _is_bad(there[key])
            if not explained:
                yield nodeid, f"raised {name} of its own accord"


def _function_of(item: pytest.Item) -> Any:
    """The function of a test, whichever instance it is bound to; None of an item that has none."""
    found = getattr(item, "obj", None)
    return getattr(found, "__func__", found)


def _key_of(item: pytest.Item) -> tuple[object, ...]:
    """What the record of an item's evidence is known by; empty where an item leaves none."""
    if (case := parameter(item, "weekops_case")) is not None:
        return ("measurement", case)
    if (gate := parameter(item, "weekops_gate")) is not None:
        return ("gate", gate[0], "canonical", gate[1])
    if (pulse := parameter(item, "weekops_pulse")) is not None:
        return ("pressure", *pulse)
    if (smoked := parameter(item, "weekops_smoke")) is not None:
        return ("gate", "smoke", "driver", smoked)
    if (looked := parameter(item, "weekops_microscope")) is not None:
        return ("gate", "canonical", "microscope", looked)
    named = item.get_closest_marker("weekops_gate_name")
    if named is not None and (label := parameter(item, "weekops_platform")) is not None:
        return ("gate", "canonical", named.args[0], label)
    return ()


def _keys_of(record: Any) -> list[tuple[object, ...]]:
    if record.type == "measurement":
        return [("measurement", record.case)]
    if record.type == "gate":
        return [("gate", record.stage, record.gate, record.platform)]
    return [("pressure", record.platform, record.snapshot)] if record.type == "pressure" else []


def _is_bad(record: Any) -> bool:
    """Whether a record lets its item fail or skip; one that was void was measured again, or counts for nothing."""
    if record.type == "measurement":
        return bool(record.status != "ok" or record.flaky)
    if record.type == "gate":
        return not bool(record.passed)
    return record.type == "pressure" and bool(record.failures or record.completed < record.requested)


class CallWatch:
    """Sees what campaign tests raise before anybody's hook does; registered last, so that it stands innermost."""

    def __init__(self, attendance: Attendance) -> None:
        self._attendance = attendance

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> Any:
        """Tell the attendance what is called, and what it raised."""
        self._attendance.called(pyfuncitem)
        try:
            return (yield)
        except BaseException as error:
            if is_campaign(pyfuncitem):
                self._attendance.raised(pyfuncitem, error)
            raise
