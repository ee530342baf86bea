"""Each defence switched off, as if it had never been built: what a sabotage would then come to."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest

from pytest_weekops.core.judge.checks import evidence, possible_clocks
from pytest_weekops.core.measurement.records import GateRecord, Measurement
from pytest_weekops.evidence.judging import judge_records
from pytest_weekops.plugin import asked, benchmark, hooks, session, tiers
from pytest_weekops.plugin.attendance import Attendance
from pytest_weekops.plugin.failure import GateFailure
from pytest_weekops.plugin.last_word import LastWord, Outcome
from pytest_weekops.plugin.session import GateSession
from pytest_weekops.run import conclusion
from tests.support.replayed import seen_to_work
from tests.support.synthetic import make_records, stamped

ASKED_OF_THE_LEDGER = {"": True}  # whether a deployment job asks the ledger; without, it believes pytest's status
_outcome = LastWord._outcome


def _unasked(self: LastWord) -> Outcome:
    return _outcome(self)._replace(wishes=())


def _believed(self: Attendance, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
    """What reports say is true."""
    if report.failed and not (call.excinfo is not None and isinstance(call.excinfo.value, GateFailure)):
        self.unexplained[item.nodeid] = "failed"


def _judge_of_the_rest(policy: Any, plan: Any, records: Iterable[Any], **facts: Any) -> Any:
    """A judge to whom what is missing is as good as what is there."""

    def key(record: Any) -> tuple[Any, ...]:
        if isinstance(record, Measurement):
            return (record.case,)
        if isinstance(record, GateRecord):
            return (record.stage, record.gate)
        return (record.type, getattr(record, "snapshot", None))

    there = {key(record): record for record in records}
    whole = [there.get(key(record), record) for record in seen_to_work(make_records(plan))]
    return judge_records(policy, plan, stamped(whole, facts["created_at"]), **facts)


def _run_checks(run: Any, checks: Iterable[Mapping[str, Callable[..., str | None]]]) -> None:
    """Checks that may leave, and may be skipped."""
    measurements = [record for record in run.records if isinstance(record, Measurement)]
    for name, check in (pair for each in checks for pair in each.items()):
        with contextlib.suppress(pytest.skip.Exception):
            check(run.plan, measurements)
        run.record(GateRecord(gate=name, stage="check", passed=True))


def switch_off(defence: str, patch: pytest.MonkeyPatch) -> None:
    """Take one of the defences of ``docs/sabotage.yaml`` away. Raises ``KeyError`` for one that is not known here."""
    if defence == "ledger":
        patch.setitem(ASKED_OF_THE_LEDGER, "", False)
        return
    place, name, instead = _OFF[defence]
    patch.setattr(place, name, instead)
    if defence == "attendance":
        patch.setattr(Attendance, "reported", _believed)
    if defence == "each try":
        patch.setattr(Attendance, "unasked", lambda *_arguments: {})
    if defence == "one after the other":
        patch.setattr(possible_clocks, "_out_of_turn", instead)
    if defence == "ini":
        patch.setattr(hooks, name, instead)


_OFF: dict[str, tuple[Any, str, Any]] = {
    "asked": (LastWord, "_outcome", _unasked),
    "last word": (LastWord, "_settle", lambda _self, status: status),
    "conftests": (LastWord, "over_conftests", lambda _self, _args: contextlib.nullcontext()),
    "ini": (asked, "refuse_unknown_demand", lambda _config: None),
    "kept hooks": (session, "kept_from_leaving", lambda hook, _name: (hook(), "")),
    "kept checks": (conclusion, "run_checks", _run_checks),
    "whole suite": (GateSession, "_suite_problem", lambda _self, _status: ""),
    "attendance": (Attendance, "unasked", lambda *_arguments: {}),
    "each try": (Attendance, "reported", lambda *_report: None),
    "benchmark": (benchmark, "is_fed", lambda config: config.pluginmanager.hasplugin("benchmark")),
    "one process": (tiers, "is_parallel", lambda _config: False),
    "each kernel": (evidence, "_unasked", lambda _campaign, _gates: {}),
    "one after the other": (possible_clocks, "_behind_later_ones", lambda _campaign: []),
    "judge": (conclusion, "judge_records", _judge_of_the_rest),
}
KNOWN = frozenset(_OFF) | {"ledger"}
