"""Entries of the ledger: one spelling, a chain that shows every change, and runs that are read whole or not at all."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from pytest_weekops.core.errors import InputError
from pytest_weekops.core.week.entry import GENESIS, RUN, Entry, canonical_json, chain_problems, run_entries
from tests.support.entries import HEALTHY, failure, numbered, promote, stage


def test_a_value_has_one_spelling() -> None:
    """Whatever the order of its keys, in ASCII and without blanks: hashes are taken of it."""
    assert canonical_json({"b": 1, "a": ["ü", None]}) == '{"a":["\\u00fc",null],"b":1}'


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_json_cannot_say_is_not_hashed(value: float) -> None:
    """Every reader would take it for something else."""
    with pytest.raises(ValueError, match="JSON"):
        canonical_json({"a": value})


def chained(*entries: Entry) -> list[Entry]:
    """The entries with the hashes that they must have."""
    found: list[Entry] = []
    for entry in entries:
        found.append(replace(entry, hash=entry.chained(found[-1].hash if found else GENESIS)))
    return found


CHAIN = chained(*numbered(*HEALTHY, stage("begun"), stage("verified")))


def test_a_whole_chain_has_no_problem() -> None:
    """Nor has an empty one."""
    assert chain_problems(CHAIN) == chain_problems([]) == []


@pytest.mark.parametrize(
    "change",
    [{"body": {"stage": "undone"}}, {"key": "other"}, {"kind": RUN}, {"recorded_at": "2026-01-01"}, {"hash": "0" * 64}],
    ids=lambda change: next(iter(change)),
)
def test_a_change_of_anything_in_an_entry_is_seen(change: dict[str, Any]) -> None:
    """At its own record."""
    problems = chain_problems([*CHAIN[:3], replace(CHAIN[3], **change), CHAIN[4]])
    assert problems[0].startswith("Record 4 (")
    assert problems[0].endswith("does not match its hash: it was changed.")


@pytest.mark.parametrize(
    ("left", "words"),
    [
        ((0, 1, 3, 4), "Record 3 is missing before record 4: it was removed."),
        ((0, 4), "Record 2 to 4 is missing before record 5: it was removed."),
        ((1, 2, 3, 4), "Record 1 is missing before record 2: it was removed."),
    ],
)
def test_an_entry_that_was_removed_is_missed(left: tuple[int, ...], words: str) -> None:
    """By its number, where those behind it kept theirs."""
    assert chain_problems([CHAIN[place] for place in left]) == [words]


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (
            (0, 1, 3, 2, 4),
            ["Record 3 is missing before record 4", "Record 3 (", "stands behind record 4"],
        ),
        ((0, 1, 1, 2, 3, 4), ["Record 2 (", "stands behind record 2: it was put there."]),
        ((1, 0), ["Record 1 is missing before record 2", "Record 1 (", "stands behind record 2: it was put there."]),
        ((0, 1, 2, 3, 4, 0, 1), ["Record 1 (", "behind record 5", "Record 2 (", "behind record 5"]),
    ],
)
def test_an_entry_in_another_place_is_told_by_its_own_number(order: tuple[int, ...], words: list[str]) -> None:
    """Once, with the record that it stands behind; no range goes backwards, and what follows rightly is no problem."""
    said = " ".join(chain_problems([CHAIN[place] for place in order]))
    for part in words:
        assert part in said
        said = said.partition(part)[2]
    assert "Record" not in said


def test_an_entry_that_was_removed_and_closed_up_is_seen_by_the_hash() -> None:
    """The next one was chained to it."""
    closed_up = [*CHAIN[:2], *(replace(entry, seq=entry.seq - 1) for entry in CHAIN[3:])]
    assert len(chain_problems(closed_up)) == 2


@pytest.mark.parametrize(
    "body",
    [
        {"run_id": "x"},
        {**promote("x").model_dump(mode="json"), "severity": 0},
        {**promote("x").model_dump(mode="json"), "created_at": "yesterday"},
        {**promote("x").model_dump(mode="json"), "counts": {"planned": "many"}},
    ],
    ids=["bare", "no severity", "no time", "no counts"],
)
def test_a_record_that_is_no_run_is_refused(body: dict[str, Any]) -> None:
    """Somebody rewrote the chain: a run that is passed over could be the one that failed."""
    with pytest.raises(InputError, match=r"Record 4 of the ledger \(run 'x'\) is no run: "):
        run_entries(numbered(*HEALTHY, (RUN, "x", body)))


def test_what_is_no_run_is_no_run() -> None:
    """Rollbacks and the rest are left to others."""
    assert [run.run_id for run in run_entries(numbered(stage("begun"), *HEALTHY))] == ["gate", "replay", "split"]


@pytest.mark.parametrize(
    ("facts", "freezes"),
    [
        ({"severity": 1}, True),
        ({"severity": 2}, True),
        ({"severity": 3}, False),
        ({"severity": 3, "policy": {"severity": {"levels": {"3": {"freeze": True}}}}}, True),
        ({"severity": 3, "policy": {"severity": {"levels": {"3": {"freeze": "yes"}}}}}, False),
        ({"severity": 3, "policy": {"severity": {"levels": {"3": True}}}}, False),
        ({"severity": 3, "policy": {"severity": {"levels": ["3"]}}}, False),
        ({"severity": 1, "decision": "promote"}, True),
        ({"severity": 1, "decision": "promote", "exit_status": 0}, False),
    ],
)
def test_which_outcomes_freeze(facts: dict[str, Any], freezes: bool) -> None:
    """The two gravest always; a milder one where the policy says so in its own word."""
    assert failure("a", **facts).freezes is freezes


def test_a_run_that_was_entered_late_stands_where_it_was_made() -> None:
    """Before what was made after it; behind everything where nothing was."""
    early, after = promote("a", created_at="2026-11-24T09:00:00+00:00"), promote("c", created_at="2026-11-24T11:00:00Z")
    late = failure("b", created_at="2026-11-24T10:00:00+00:00", late_s=7200.0)
    assert [run.run_id for run in run_entries(numbered(early, after, late))] == ["a", "b", "c"]
    assert [run.run_id for run in run_entries(numbered(early, late))] == ["a", "b"]
