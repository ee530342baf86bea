"""The five tracks of a week: what each takes for a promote, and the words where it is none."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_weekops.core.week.attempts import attempts_of
from pytest_weekops.core.week.channel import ChannelState
from pytest_weekops.core.week.entry import RunEntry, run_entries
from pytest_weekops.core.week.tracks import (
    Files,
    RunEvidence,
    driver_problems,
    rollback_proofs,
    week_channel,
    week_tracks,
)
from tests.support.entries import HEALTHY, W48, Part, evidence_of, failure, numbered, promote, stage

NEXT_WEEK = "2026-12-01T12:00:00+00:00"
VERIFIED = (stage("begun"), stage("switched"), stage("verified", seconds=4.5))
NEVER: dict[str, Any] = {"policy": {"policy_id": "p", "rollback": {"mode": "never"}}}


def tracks(*parts: Part, evidence: list[RunEvidence] | None = None, **files: Files) -> dict[str, dict[str, Any]]:
    """The tracks of a week with these entries; ``files`` by ledger record, as ``r7``."""
    entries = numbered(*parts)
    found = evidence_of(entries) if evidence is None else evidence
    rollbacks = {int(name[1:]): one for name, one in files.items()}
    return week_tracks(
        attempts_of(run_entries(entries), W48), week_channel(entries, W48, found), entries, found, rollbacks
    )


def decisions(found: dict[str, dict[str, Any]]) -> dict[str, str]:
    """The tracks that do not promote, with their words."""
    return {name: track["rationale"] for name, track in found.items() if track["decision"] != "promote"}


# -- the channel of a week ---------------------------------------------------------------------------------------


def week_state(*parts: Part, without: str = "") -> ChannelState:
    """The channel that decides the week, where one run is left out of the evidence."""
    entries = numbered(*parts)
    return week_channel(entries, W48, evidence_of(entries, without=without)).state


def test_a_promote_of_the_week_counts_with_its_evidence() -> None:
    """A rerun that nobody looked at answers no failure."""
    parts = (promote("a"), failure("bad"), promote("rerun"))
    assert week_state(*parts) is ChannelState.PROMOTED
    assert week_state(*parts, without="rerun") is ChannelState.FROZEN


def test_a_failure_counts_without_its_evidence() -> None:
    """Leaving a bad run out makes no good week."""
    assert week_state(promote("a"), failure("bad"), without="bad") is ChannelState.FROZEN


def test_what_the_next_week_promoted_answers_nothing_and_what_it_failed_holds_back() -> None:
    """A week is decided on what it had; a driver that fails since is not promoted all the same."""
    later = promote("later", created_at=NEXT_WEEK)
    assert week_state(promote("a"), failure("bad"), later) is ChannelState.FROZEN
    assert week_state(promote("a"), failure("later", created_at=NEXT_WEEK)) is ChannelState.FROZEN
    assert week_state(failure("early", created_at="2026-11-17T12:00:00+00:00"), promote("a")) is ChannelState.PROMOTED


def test_a_rollback_counts_in_whatever_week_it_was() -> None:
    """It has no week: what is active now is what consumers get."""
    assert week_state(promote("a"), *VERIFIED) is ChannelState.ROLLED_BACK


# -- gate, replay and split --------------------------------------------------------------------------------------


def test_a_healthy_week_promotes_on_every_track() -> None:
    """With all its files as evidence; a rollback was not required."""
    found = tracks(*HEALTHY)
    assert decisions(found) == {}
    assert list(found) == ["gate", "replay", "split", "severity", "rollback"]
    assert [file["path"] for file in found["replay"]["evidence"]] == ["replay/decision.json", "replay/journal.jsonl"]
    assert found["rollback"]["rationale"] == "Not required. No run of the week was at SEV1."


@pytest.mark.parametrize(("left_out", "track"), [(0, "gate"), (1, "replay"), (2, "split")])
def test_a_step_without_a_run_is_missing(left_out: int, track: str) -> None:
    """It iterates alone, and is told from one that failed."""
    found = tracks(*(run for place, run in enumerate(HEALTHY) if place != left_out))
    assert list(decisions(found)) == [track]
    assert found[track]["missing"]
    assert found[track]["rationale"].startswith("MISSING: no ")


def test_a_run_without_whole_evidence_is_no_promote() -> None:
    """Any run of the kind: the one that counts may rest on it. Its files stay on record."""
    entries = numbered(*HEALTHY, promote("again"))
    found = tracks(*HEALTHY, promote("again"), evidence=evidence_of(entries, problems={"replay": "It was changed."}))
    assert decisions(found) == {"replay": "Evidence is missing or does not match its recorded hash."}
    assert len(found["replay"]["evidence"]) == 4
    assert not found["replay"]["missing"]


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({}, "all_runs_success"),
        ({"failed_checks": ()}, "exit status 10"),
        ({"failed_checks": (), "counts": {"planned": 12, "measured": 9}}, "9 of 12 planned cases were measured"),
    ],
)
def test_the_last_run_of_a_kind_decides_its_track(facts: dict[str, Any], words: str) -> None:
    """And its words say how it failed: checks, what was not measured, or the exit status alone."""
    found = tracks(*HEALTHY, failure("bad", **NEVER, **facts))
    assert decisions(found)["replay"] == f"Run bad ended in iterate at SEV1: {words}."
    assert "replay" not in decisions(tracks(*HEALTHY, failure("bad", **NEVER, **facts), promote("rerun", **NEVER)))


# -- severity ----------------------------------------------------------------------------------------------------


def test_a_week_without_a_run_maps_no_severity() -> None:
    """No failure is no evidence of health."""
    found = tracks(promote("later", created_at=NEXT_WEEK))
    assert found["severity"]["rationale"] == "MISSING: there is no run to map."
    assert all(found[name]["missing"] for name in ("gate", "replay", "split", "severity"))


def test_a_failure_that_stands_open_is_the_severitys() -> None:
    """In the channel's own words, with the runs' decisions as evidence."""
    found = tracks(*HEALTHY, failure("bad", **NEVER))["severity"]
    assert found["decision"] == "iterate"
    assert found["rationale"].startswith("Run bad (weekly, 2026-W48) ended in iterate at SEV1")
    assert {file["path"].partition("/")[2] for file in found["evidence"]} == {"decision.json"}


def test_a_rollback_that_stands_is_the_severitys_too() -> None:
    """Though no run failed."""
    assert "rolled back to clover" in decisions(tracks(*HEALTHY, *VERIFIED))["severity"]


def test_answered_failures_are_counted() -> None:
    """They leave the track, not the record."""
    found = tracks(*HEALTHY, failure("bad", **NEVER), promote("rerun", **NEVER))["severity"]
    assert (found["decision"], found["rationale"]) == (
        "promote",
        "1 failed attempts, each answered by a rerun; nothing is open.",
    )


# -- rollback ----------------------------------------------------------------------------------------------------

INTACT = Files(({"path": "runtime/checks/decision.json", "intact": True},))
BAD = failure("bad")  # record 4, behind the three of a healthy week
UNPROVED: dict[str, tuple[tuple[Part, ...], str, bool]] = {
    "nothing": ((BAD,), "and none is recorded", True),
    "only begun": ((BAD, stage("begun")), "and none is recorded", True),
    "a rehearsal": ((BAD, stage("rehearsed")), "and none is recorded", True),
    "failed": ((BAD, stage("begun"), stage("switched"), stage("unverified")), "and its verification failed", False),
    "one before it that was undone": ((*VERIFIED, stage("undone"), BAD), "and none is recorded", True),
    "one before it that was not verified": ((stage("begun"), stage("switched"), BAD), "and none is recorded", True),
    "one on top of a verified one": ((*VERIFIED, stage("begun"), stage("switched"), BAD), "and none is recorded", True),
    "one before it that failed": ((stage("begun"), stage("unverified"), BAD), "and none is recorded", True),
}


@pytest.mark.parametrize("name", UNPROVED)
def test_a_sev1_requires_a_verified_rollback(name: str) -> None:
    """Nothing less answers it; a verification that failed is no missing step, it was done and failed."""
    parts, words, missing = UNPROVED[name]
    found = tracks(*HEALTHY, *parts)["rollback"]
    assert (found["decision"], found["missing"]) == ("iterate", missing)
    assert found["rationale"] == f"MISSING: run bad at SEV1 requires a verified rollback, {words}."


def test_a_verified_rollback_answers_with_its_files() -> None:
    """How long it took, and the record that says so."""
    found = tracks(*HEALTHY, BAD, *VERIFIED, r7=INTACT)["rollback"]
    assert (found["decision"], found["rationale"]) == ("promote", "Verified 4.5 s after the trigger (ledger record 7).")
    assert found["evidence"] == [dict(INTACT.files[0])]


@pytest.mark.parametrize(
    "files",
    [{}, {"r7": Files()}, {"r7": Files(INTACT.files, ("It was changed.",))}],
    ids=["unchecked", "none", "changed"],
)
def test_a_verified_rollback_without_whole_files_answers_nothing(files: dict[str, Any]) -> None:
    """The word alone proves nothing, and files that nobody looked at prove nothing either."""
    found = tracks(*HEALTHY, BAD, *VERIFIED, **files)["rollback"]
    assert (found["decision"], found["missing"]) == ("iterate", False)
    assert found["rationale"].endswith("Its evidence is missing or does not match its recorded hash.")


def test_one_rollback_may_answer_two_failures() -> None:
    """One before it, and one while it stands: its files are listed once."""
    parts = (*HEALTHY, BAD, *VERIFIED, failure("worse"))
    found = tracks(*parts, r7=INTACT)["rollback"]
    assert (found["decision"], len(found["evidence"])) == ("promote", 1)
    entries = numbered(*parts)
    assert [proof.seq for proof in rollback_proofs(attempts_of(run_entries(entries), W48), entries)] == [7]


@pytest.mark.parametrize(
    ("policy", "demanded"),
    [
        ({"rollback": {"mode": "never"}}, False),
        ({"rollback": {"mode": "plan"}}, True),
        ({"rollback": {"mode": "auto"}}, True),
        ({"rollback": {}}, True),
        ({"rollback": "never"}, True),
        ({}, True),
    ],
    ids=str,
)
def test_only_a_policy_that_says_never_demands_no_rollback(policy: dict[str, Any], demanded: bool) -> None:
    """In its own place and word: what is not understood demands one."""
    found = tracks(*HEALTHY, failure("bad", policy=policy))["rollback"]
    assert (found["decision"] == "iterate") is demanded
    assert demanded or found["rationale"] == "Not required. The policy says never to roll back."


def test_a_milder_failure_demands_no_rollback() -> None:
    """SEV2 freezes, and switches nothing back."""
    assert tracks(*HEALTHY, failure("bad", severity=2))["rollback"]["decision"] == "promote"


# -- drivers -----------------------------------------------------------------------------------------------------


def problems(*runs: RunEntry) -> list[str]:
    """What the drivers of the week's runs are told for."""
    return [*driver_problems(evidence_of(numbered(*runs)))]


def test_runs_of_one_driver_have_no_problem() -> None:
    """Nor have runs of platforms that the others do not know."""
    other = promote("split", "split", drivers={"clover": "9"}, hardware={"clover": "another"})
    assert problems(*HEALTHY) == problems(HEALTHY[0], HEALTHY[1], other) == []


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"drivers": {"pocl": "2"}}, "another driver in run split (2) than in run gate (1)"),
        ({"hardware": {"pocl": "other"}}, "another hardware in run split (other) than in run gate (a processor)"),
        ({"hardware": {}}, "another hardware in run split (None) than in run gate (a processor)"),
    ],
)
def test_runs_that_decide_a_week_measured_one_driver_on_one_machine(facts: dict[str, Any], words: str) -> None:
    """What one of them proved does not hold for the other."""
    (found,) = problems(HEALTHY[0], HEALTHY[1], promote("split", "split", **facts))
    assert words in found


def test_an_attempt_that_no_longer_decides_may_have_had_another_driver() -> None:
    """A new driver is the point of a rerun."""
    assert problems(promote("old", drivers={"pocl": "0"}), *HEALTHY) == []
