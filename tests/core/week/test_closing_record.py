"""The week's decision document: what blocks it, how grave that is, what is owed, and the exit status it asks for."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_weekops.core.week.closing_record import (
    WeekRecord,
    closed_actions,
    exit_status_of,
    open_actions,
    week_record,
)
from pytest_weekops.core.week.entry import ACTION, WEEK
from pytest_weekops.core.week.tracks import Files
from pytest_weekops.report.acta import render_acta
from tests.support.entries import HEALTHY, W48, Part, evidence_of, failure, numbered, promote, stage

CLOSED_AT = "2026-11-29T20:00:00+00:00"
NEVER: dict[str, Any] = {"policy": {"policy_id": "p", "rollback": {"mode": "never"}}}


def closed(*parts: Part, wrong: dict[str, str] | None = None, **facts: Any) -> WeekRecord:
    """Week 48 with these entries, closed on Sunday; ``wrong`` are problems of evidence by run id."""
    entries = numbered(*parts)
    options: dict[str, Any] = {"rollbacks": {}, "depends_on": None, "closed_at": CLOSED_AT, **facts}
    return week_record(W48, entries, evidence_of(entries, problems=wrong), **options)


def test_a_healthy_week_promotes() -> None:
    """Nothing is missing, found or owed, and the status is 0."""
    found = closed(*HEALTHY)
    document = found.document
    assert (found.exit_status, document["block_decision"]) == (0, "promote")
    assert (document["missing_steps"], document["findings"], document["open_actions"]) == ([], [], [])
    assert document["block_rationale"].startswith("Every step of the runbook has its evidence")
    assert document["severity"] == {
        "level": 4,
        "owner": "somebody",
        "action": "record and continue",
        "deadline": None,
        "run_id": "split",
    }


def test_a_drop_that_the_policy_does_not_allow_is_a_finding_that_somebody_owes() -> None:
    """However well its runs ended."""
    found = closed(*HEALTHY, drops=("it fell",))
    assert (found.exit_status, found.document["block_decision"]) == (1, "iterate")
    assert found.document["findings"] == ["it fell"]
    assert [action["text"] for action in found.document["new_actions"]] == ["clear up: it fell"]


def test_a_week_without_runs_is_decided_all_the_same() -> None:
    """Nothing ran, so every step is missing: iterate for want of evidence, at SEV3, with an owner and a deadline."""
    found = closed()
    document = found.document
    assert (found.exit_status, document["block_decision"]) == (11, "iterate")
    assert {"gate", "replay"} <= set(document["missing_steps"])
    assert (document["severity"]["level"], document["severity"]["owner"]) == (3, "policy owner")
    assert document["severity"]["deadline"] == "2026-11-30T00:00:00+00:00"
    assert document["ledger"] == {"records": 0, "head": None}
    assert render_acta(document).startswith("# Week 2026-W48: iterate")


def test_the_document_says_what_was_looked_at() -> None:
    """Days, platforms, sizes and policies of the week's own runs, each once, and the ledger's length."""
    other = promote("other", policy_id="q", plan={"platforms": ["clover", "pocl"], "sizes": [512, "odd"]})
    strange = promote("later", created_at="2026-12-01T12:00:00+00:00", plan={"platforms": ["rusticl"]})
    document = closed(*HEALTHY, other, strange).document
    assert document["scope"] == {
        "week": "2026-W48",
        "from": "2026-11-23",
        "to": "2026-11-29",
        "platforms": ["clover", "pocl"],
        "sizes": [128, 256, 512],
        "policies": ["p aaaaaaaaaaaaaaaa", "q aaaaaaaaaaaaaaaa"],
    }
    assert document["ledger"] == {"records": 5, "head": ""}
    assert [(one["run_id"], one["n"], one["ledger_record"]) for one in document["attempts"]] == [
        ("gate", 1, 1),
        ("replay", 1, 2),
        ("split", 1, 3),
        ("other", 2, 4),
    ]


def test_a_weaker_rerun_is_told_in_its_attempt() -> None:
    """What it measured less of, and what else it changed."""
    fewer = promote("again", plan={**HEALTHY[1].plan, "snapshots": 4})
    attempt = closed(*HEALTHY, fewer).document["attempts"][-1]
    assert attempt["weaker_than_before"] == ["snapshots 4, was 6"]
    assert attempt["changed"] == ["snapshots changed"]


def test_evidence_is_counted() -> None:
    """Two files of each run, and those that are not what was recorded."""
    assert closed(*HEALTHY, failure("bad"), wrong={"replay": "It was changed."}).document["summary"] == {
        "attempts": 4,
        "promoted": 3,
        "not_promoted": 1,
        "evidence_files": 8,
        "evidence_files_wrong": 2,
    }


# -- what blocks -------------------------------------------------------------------------------------------------


def test_a_missing_step_alone_is_for_want_of_evidence() -> None:
    """Status 11 and SEV3; the step is owed within what the policy gives SEV3, from the closing on."""
    policy = {"severity": {"levels": {"3": {"within_minutes": 90, "owner": "the team"}}}}
    found = closed(HEALTHY[0], promote("replay", policy=policy))
    assert (found.exit_status, found.document["missing_steps"]) == (11, ["split"])
    severity = found.document["severity"]
    assert (severity["level"], severity["owner"], severity["deadline"]) == (3, "the team", "2026-11-29T21:30:00+00:00")
    (action,) = found.document["new_actions"]
    assert action == {
        "id": "2026-W48-1",
        "text": "split: MISSING: no split run of this week is recorded.",
        "owner": "the team",
        "due": "2026-11-29T21:30:00+00:00",
        "run_id": "",
        "opened": CLOSED_AT,
        "week": "2026-W48",
    }
    assert found.document["block_rationale"] == "Missing steps: split."


@pytest.mark.parametrize("policy", [{}, {"severity": {}}, {"severity": {"levels": ["3"]}}], ids=str)
def test_a_policy_that_says_nothing_of_sev3_gives_four_hours(policy: dict[str, Any]) -> None:
    """And names nobody in particular: somebody must owe it."""
    severity = closed(HEALTHY[0], promote("replay", policy=policy)).document["severity"]
    assert (severity["owner"], severity["deadline"]) == ("policy owner", "2026-11-30T00:00:00+00:00")


FINDINGS: dict[str, tuple[tuple[Part, ...], dict[str, Any], str]] = {
    "evidence": (HEALTHY, {"wrong": {"replay": "Evidence x was changed."}}, "Evidence x was changed."),
    "the week before": (HEALTHY, {"depends_problems": ["Week 47 was changed."]}, "Week 47 was changed."),
    "a stray run": (HEALTHY, {"stray": ["Run y is not in the ledger."]}, "Run y is not in the ledger."),
    "another driver": (
        (*HEALTHY[:2], promote("split", "split", drivers={"pocl": "2"})),
        {},
        (
            "Platform pocl had another driver in run split (2) than in run gate (1): what one of them proved does not "
            "hold for the other."
        ),
    ),
}


@pytest.mark.parametrize("name", FINDINGS)
def test_a_finding_about_the_evidence_blocks(name: str) -> None:
    """Every run promoted, and what speaks for them is not whole: status 1, and it is owed to clear it up."""
    parts, facts, words = FINDINGS[name]
    found = closed(*parts, **facts)
    assert (found.exit_status, found.document["block_decision"]) == (1, "iterate")
    assert found.document["findings"] == [words]
    assert f"clear up: {words}" in [action["text"] for action in found.document["new_actions"]]
    assert "1 findings about the evidence" in found.document["block_rationale"]
    assert found.document["severity"]["level"] == 3


def test_a_missing_step_beside_a_finding_is_no_mere_want_of_evidence() -> None:
    """Status 1: something is wrong, too."""
    assert closed(*HEALTHY[:2], stray=["Run y is not in the ledger."]).exit_status == 1


def test_an_open_failure_decides_how_grave_the_week_is() -> None:
    """The gravest of them; its deadline runs from when it failed, not from the closing."""
    mild = failure("mild", severity=2, respond_within_minutes=60, exit_status=1, action="rerun")
    found = closed(*HEALTHY, mild, failure("bad", **NEVER))
    assert (found.exit_status, found.document["severity"]["run_id"]) == (10, "bad")
    assert found.document["severity"]["deadline"] == "2026-11-24T12:15:00+00:00"
    assert found.document["severity"]["action"] == "roll back"
    assert closed(*HEALTHY, mild).exit_status == 1
    assert found.document["channel"]["state"] == "frozen"
    assert found.document["block_rationale"] == "Not promoted: replay, severity; the channel is frozen."


def test_each_open_failure_is_owed_in_its_own_words() -> None:
    """By whom the policy named, with what failed; a rollback that is missing besides."""
    partial = failure("partial", failed_checks=(), counts={"planned": 12, "measured": 9}, action="")
    bare = failure("bare", failed_checks=(), exit_status=3)
    found = closed(*HEALTHY, failure("bad"), partial, bare)
    owed = {action["text"]: (action["owner"], action["due"]) for action in found.document["new_actions"]}
    due = ("on call", "2026-11-24T12:15:00+00:00")
    assert owed == {
        "roll back (bad: all_runs_success)": due,
        "rerun (partial: 9 of 12 planned cases were measured)": due,
        "roll back (bare: exit status 3)": due,
        "rollback: MISSING: run bad at SEV1 requires a verified rollback, and none is recorded.": due,
    }


def test_a_rollback_that_stands_is_owed_its_undoing() -> None:
    """No run failed: what lifts the channel is the action."""
    found = closed(*HEALTHY, stage("begun"), stage("switched"), stage("verified"))
    assert found.document["channel"]["state"] == "rolled_back"
    (action,) = found.document["new_actions"]
    assert action["text"].startswith("a complete weekly or split run of pocl that promotes")
    assert found.document["lifted_by"] == [action["text"]]
    assert "the channel is rolled_back" in found.document["block_rationale"]


def test_a_rollbacks_evidence_that_is_wrong_is_owed() -> None:
    """It is no missing step, and blocks with its problem."""
    parts = (*HEALTHY, failure("bad"), stage("begun"), stage("verified", seconds=2.0), promote("rerun"))
    intact = Files(({"path": "runtime/x", "intact": True},))
    assert closed(*parts, rollbacks={6: intact}).exit_status == 0
    found = closed(*parts, rollbacks={6: Files(intact.files, ("Evidence runtime/x was changed.",))})
    assert (found.exit_status, found.document["findings"]) == (1, ["Evidence runtime/x was changed."])
    assert any(action["text"].startswith("rollback: Verified 2.0 s") for action in found.document["new_actions"])


# -- the exit status ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("decision", "level", "failing", "missing", "findings", "status"),
    [
        ("promote", 4, [], [], [], 0),
        ("iterate", 1, ["split"], ["split"], [], 10),
        ("iterate", 3, ["split"], ["split"], [], 11),
        ("iterate", 3, ["split", "gate"], ["split", "gate"], [], 11),
        ("iterate", 3, ["split", "gate"], ["split"], [], 1),
        ("iterate", 3, ["split"], ["split"], ["It was changed."], 1),
        ("iterate", 2, ["replay"], [], [], 1),
        ("iterate", 3, [], [], ["It was changed."], 1),
    ],
)
def test_the_exit_status_of_a_document(
    decision: str, level: int, failing: list[str], missing: list[str], findings: list[str], status: int
) -> None:
    """0 for a promote alone, 10 for SEV1, 11 where nothing but steps is missing, 1 for all else."""
    document = {
        "block_decision": decision,
        "severity": {"level": level},
        "tracks": {
            name: {"decision": "iterate" if name in failing else "promote"} for name in ("gate", "replay", "split")
        },
        "missing_steps": missing,
        "findings": findings,
    }
    assert exit_status_of(document) == status


# -- actions over weeks ------------------------------------------------------------------------------------------


def week(name: str, *actions: tuple[str, str]) -> Part:
    """A week that was closed with these actions, each an id and the run it is about."""
    return WEEK, name, {"new_actions": [{"id": one, "run_id": run} for one, run in actions]}


OWED = week("2026-W47", ("2026-W47-1", "bad"), ("2026-W47-2", ""))
DONE: Part = (ACTION, "2026-W47-2", {"note": "by hand"})


def test_an_action_is_open_until_somebody_closes_it() -> None:
    """By its id; the oldest stands first."""
    entries = numbered(OWED, week("2026-W46", ("2026-W46-1", "")), DONE)
    assert [action["id"] for action in open_actions(entries)] == ["2026-W47-1", "2026-W46-1"]
    assert [entry.seq for entry in closed_actions(entries).values()] == [3]


def test_what_an_earlier_week_owes_is_carried_over_and_not_owed_twice() -> None:
    """A failure that still stands open has its action already."""
    early = failure("bad", created_at="2026-11-17T12:00:00+00:00", **NEVER)
    document = closed(early, OWED, DONE, HEALTHY[0], HEALTHY[2]).document
    assert document["carried_over"] == ["2026-W47-1"]
    assert [action["text"].partition(":")[0] for action in document["new_actions"]] == ["replay"]
    assert [action["id"] for action in document["open_actions"]] == ["2026-W47-1", "2026-W48-1"]
    assert document["severity"]["run_id"] == "bad"


# -- what it rests on --------------------------------------------------------------------------------------------


def test_the_last_rehearsal_is_told() -> None:
    """However it ended; without one there is none."""
    assert closed(*HEALTHY).document["last_rehearsal"] is None
    rehearsals = [stage("rehearsed", verified=verified, seconds=s) for verified, s in ((True, 9.0), (False, 3.5))]
    assert closed(*HEALTHY, *rehearsals).document["last_rehearsal"] == {
        "at": "2026-11-24T12:00:00+00:00",
        "ledger_record": 5,
        "verified": False,
        "seconds": 3.5,
    }


def test_the_week_before_is_named_where_there_is_one() -> None:
    """With its hash, as it was given."""
    before = {"week": "2026-W47", "sha256": "0" * 64}
    assert closed(*HEALTHY, depends_on=before).document["depends_on"] == before
    assert closed(*HEALTHY).document["depends_on"] is None
