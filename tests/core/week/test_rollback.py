"""The pure side of a rollback: which profile the records lead to, and the words for how it ended."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pytest_weekops.core.week.entry import ROLLBACK, RUN, Entry
from pytest_weekops.core.week.rollback import last_target, plan_rollback, rehearsal_story, rollback_story
from tests.support.rollbacks import NEW, OLD, profile


def entries(*stages: tuple[str, dict[str, Any] | None]) -> list[Entry]:
    """Rollback entries of these stages and targets, with a run after each."""
    found: list[Entry] = []
    for stage, to in stages:
        body = {"stage": stage} | ({} if to is None else {"to": to})
        found.append(Entry(len(found) + 1, ROLLBACK, f"r{len(found)}", "2026-11-24T12:00:00+00:00", body))
        found.append(Entry(len(found) + 1, RUN, f"run{len(found)}", "2026-11-24T12:00:00+00:00", {"to": "nonsense"}))
    return found


@pytest.mark.parametrize(
    ("stages", "expected"),
    [
        ([], ""),
        ([("begun", {"sha256": "a"}), ("switched", {"sha256": "a"}), ("verified", {"sha256": "a"})], "a"),
        ([("verified", {"sha256": "a"}), ("begun", {"sha256": "b"})], "b"),
        ([("verified", {"sha256": "a"}), ("rehearsed", {"sha256": "b"})], "a"),
        ([("verified", {"sha256": "b"}), ("undone", {"file": None, "sha256": ""})], ""),
        ([("verified", {"sha256": "b"}), ("undone", {"sha256": "a"})], "a"),
        ([("verified", None)], ""),
    ],
)
def test_the_last_target_is_where_the_records_led(stages: list[tuple[str, dict[str, Any]]], expected: str) -> None:
    """A rehearsal led nowhere, an undo led back, and a record without a target names none."""
    assert last_target(entries(*stages)) == expected


def test_a_rollback_that_went_well_says_how_long_it_took() -> None:
    """One line, from trigger to verified."""
    assert [*rollback_story("clover", [], 2.5)] == ["clover is active and verified, 2.5 s after the trigger."]


def test_a_rollback_that_failed_says_first_what_is_active_and_then_every_problem() -> None:
    """And last what to do now."""
    first, *problems, last = rollback_story("clover", ["gate", "floor"], 2.5)
    assert "NOT VERIFIED: clover is active NOW" in first
    assert problems == ["  gate", "  floor"]
    assert "weekops rollback --undo" in last


@pytest.mark.parametrize("problems", [[], ["gate"]])
def test_a_rehearsal_says_what_is_untouched(problems: list[str]) -> None:
    """Never that something else is active."""
    text = "\n".join(rehearsal_story("clover", "rusticl", problems, 2.5))
    assert "The active profile is untouched (rusticl)." in text
    assert "2.5 s" in text
    assert "NOW" not in text
    assert ("REHEARSAL FAILED" in text) == bool(problems)
    assert "(no profile)" in "\n".join(rehearsal_story("clover", "", problems, 2.5))


def test_a_plan_names_what_will_be_done_in_the_order_of_doing() -> None:
    """Switch, record, own steps, gate, measurement, report; without a profile before, it says so."""
    plan = plan_rollback(active="", target=NEW, same=False, own_steps=[["a", "b c"], ["d"]], gate=["the", "gate"])
    order = ["write", "switch", "record", "own step: a b c", "own step: d", "the gate", "measure", "report"]
    for word, step in zip(order, plan.steps, strict=True):
        assert word in step
    assert "from no profile to clover" in plan.steps[1]
    assert not plan.already_active


def test_a_profile_is_named_after_its_content() -> None:
    """Another value is another file, so that a written profile is never written over; the same value is the same."""
    assert re.fullmatch(r"clover-[0-9a-f]{16}\.env", NEW.file_name)
    assert profile({"LP_CL": "1"}) == NEW
    assert profile({"LP_CL": "1"}).file_name == NEW.file_name
    assert profile({"LP_CL": "2"}).file_name != NEW.file_name
    assert OLD.sha256 != NEW.sha256
    assert NEW.text.encode().isascii()
