"""What became of each test between two drivers, and which of that is held against the second."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pytest_weekops.core.conformance.results import Result, Status, SuiteResults

Kind = Literal[
    "crash", "timeout", "failure", "lost", "skip", "flaky",  # held against it
    "known", "old", "fixed", "new", "same",
]  # fmt: skip
WORSE: tuple[Kind, ...] = ("crash", "timeout", "failure", "lost", "skip", "flaky")  # in the order people read them
_BAD: dict[str, tuple[int, Kind]] = {"fail": (1, "failure"), "timeout": (2, "timeout"), "crash": (3, "crash")}


@dataclass(frozen=True)
class Change:
    """One test before and after; a status is None where the test has no result. ``why`` is an expectation's reason."""

    test: str
    before: Status | None
    after: Status | None
    kind: Kind
    output: str = ""
    why: str = ""

    @property
    def words(self) -> str:
        """The test and what became of it."""
        return f"{self.test} ({self.before or 'absent'}, now {self.after or 'absent'})"


def kind_of(before: Status | None, after: Status | None) -> Kind:
    """What became of a test. Whatever hides a failure, a skip or an absence, is worse and not better than it."""
    if after is None:
        return "same" if before is None else "lost"
    if after in _BAD:
        grave, kind = _BAD[after]
        was = _BAD[before][0] if before in _BAD else 0
        return kind if grave > was else "old"
    if after == "skip":
        return "new" if before is None else "same" if before == "skip" else "skip"
    if after == "flaky":
        return "old" if before in ("flaky", *_BAD) else "flaky"
    return "same" if before == "pass" else "new" if before in (None, "skip") else "fixed"


def compare(before: SuiteResults, after: SuiteResults, known: Mapping[tuple[str, str], str]) -> tuple[Change, ...]:
    """Every test of either, sorted by name. ``known`` has the reason of each expected (test, status) of the second."""
    old, new = before.by_test, after.by_test
    return tuple(_change(name, old, new, known) for name in sorted({*old, *new}))


def _change(
    name: str, old: Mapping[str, Result], new: Mapping[str, Result], known: Mapping[tuple[str, str], str]
) -> Change:
    was, now = old.get(name), new.get(name)
    before, after = was.status if was else None, now.status if now else None
    kind, why = kind_of(before, after), known.get((name, after), "") if after is not None else ""
    if why and kind in WORSE:
        kind = "known"
    return Change(name, before, after, kind, now.output if now else "", why)
