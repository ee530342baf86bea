"""The channel's state, drawn from what was recorded: what freezes it, what lifts that, and what does not."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_weekops.core.calendar import week_of
from pytest_weekops.core.week.attempts import attempts_of, compare, looser
from pytest_weekops.core.week.channel import (
    Channel,
    ChannelState,
    channel_of,
    last_rehearsal,
    rollback_in_effect,
)
from pytest_weekops.core.week.entry import DEPLOYED, ROLLBACK, Entry
from pytest_weekops.policies.files import default_policy
from tests.support.entries import numbered, promote, stage
from tests.support.history import crashed, entries_of, promoted, runs_of
from tests.support.synthetic import make_plan

TUESDAY, WEDNESDAY, NEXT_WEEK = (f"2026-{day}T12:00:00+00:00" for day in ("11-24", "11-25", "12-01"))


def state(*documents: dict[str, Any], **options: Any) -> Channel:
    """The channel after these runs."""
    return channel_of(entries_of(*documents), **options)


def mild(run_id: str, **facts: Any) -> dict[str, Any]:
    """An iterate that freezes nothing by itself."""
    return promoted(run_id, **facts) | {
        "decision": "iterate",
        "exit_status": 1,
        "severity": 3,
        "failed_checks": ["p95_ms_bound"],
    }


def test_nothing_recorded_is_no_promote() -> None:
    """An empty ledger lets nothing through."""
    assert state().state is ChannelState.ITERATE


def test_a_complete_promote_promotes() -> None:
    """The ordinary week."""
    channel = state(promoted("a"))
    assert channel.state is ChannelState.PROMOTED
    assert channel.since == TUESDAY
    assert [run.run_id for run in channel.promoted_by] == ["a"]


UNEARNED: dict[str, dict[str, Any]] = {
    "exit status": {"exit_status": 2},
    "decision": {"decision": "iterate", "exit_status": 0, "severity": 4},
    "failed checks": {"failed_checks": ["drift"]},
    "nothing measured": {"counts": {"planned": 0, "measured": 0}},
    "counts missing": {"counts": {}},
    "cases missing": {"counts": {"planned": 12, "measured": 11}},
    "deselected": {"counts": {"planned": 12, "measured": 12, "deselected": 1}},
}


@pytest.mark.parametrize("name", UNEARNED)
def test_a_promote_that_was_not_earned_does_not_promote(name: str) -> None:
    """Decision, exit status, checks and counts must all say so."""
    assert state(promoted("a") | UNEARNED[name]).state is not ChannelState.PROMOTED
    assert state(crashed("a"), promoted("b") | UNEARNED[name]).state is ChannelState.FROZEN


def test_a_canonical_gate_alone_promotes_nothing() -> None:
    """It says that machine and kernels are sane, not that the driver is good."""
    assert state(promoted("a", plan=make_plan("weekly")) | {"kind": "canonical"}).state is ChannelState.ITERATE


@pytest.mark.parametrize("severity", [1, 2])
def test_severe_failures_freeze_until_answered(severity: int) -> None:
    """Only a later promote of the same kind at the same profile lifts it."""
    failed = crashed("bad") | {"severity": severity}
    channel = state(promoted("a"), failed)
    assert channel.state is ChannelState.FROZEN
    assert channel.since == TUESDAY
    assert "bad" in channel.why[0]
    assert "pytest suites/weekly" in channel.lifts[0]
    assert state(failed, promoted("b", created_at=WEDNESDAY)).state is ChannelState.PROMOTED


def test_a_freeze_outlasts_its_week() -> None:
    """Waiting is no answer; a promote that was made before the failure is none either."""
    assert state(crashed("bad"), mild("m", created_at=NEXT_WEEK)).state is ChannelState.FROZEN
    channel = state(crashed("bad", created_at=WEDNESDAY), promoted("early", created_at=TUESDAY))
    assert channel.state is ChannelState.FROZEN
    assert "made before the failure" in channel.why[0]


def test_a_milder_failure_binds_within_its_week() -> None:
    """The next week's promote answers it; within the week it takes one at full strength."""
    assert state(promoted("a"), mild("m")).state is ChannelState.ITERATE
    assert state(mild("m"), promoted("b", created_at=WEDNESDAY)).state is ChannelState.PROMOTED
    weaker = make_plan("weekly", sizes=(128,))
    assert state(mild("m"), promoted("b", created_at=WEDNESDAY, plan=weaker)).state is ChannelState.ITERATE
    assert state(mild("m"), promoted("b", created_at=NEXT_WEEK, plan=weaker)).state is ChannelState.PROMOTED


def test_another_kind_lifts_nothing() -> None:
    """A split that promotes does not answer a weekly replay that crashed."""
    split = promoted("s", plan=make_plan("split"), created_at=WEDNESDAY)
    assert state(crashed("bad"), split).state is ChannelState.FROZEN


WEAKER_PLANS: dict[str, dict[str, Any]] = {
    "snapshots 5, was 6": {"snapshots": 5},
    "session_ms 40, was 80": {"session_ms": 40.0},
    "session_ms unknown, was 80": {"session_ms": None},
    "without sizes 256": {"sizes": (128,)},
    "without seeds 12": {"seeds": (11,)},
    "without platforms clover": {"platforms": ("pocl",)},
    "without kernels tile20": {"kernels": ("auto",)},
    "pressure pulses": {"pressure": {"pulses": 0, "iterations": 1}},
}


@pytest.mark.parametrize("expected", WEAKER_PLANS)
def test_a_weaker_profile_lifts_nothing_and_says_what_is_weaker(expected: str) -> None:
    """A rerun that measures less answers nothing."""
    before = make_plan("weekly", seeds=(11, 12), platforms=("pocl", "clover"), kernels=("auto", "tile20"))
    failed = crashed("bad", plan=before)
    rerun = promoted("b", created_at=WEDNESDAY, plan=before)
    rerun["plan"] = {**rerun["plan"], **WEAKER_PLANS[expected]}
    channel = state(failed, rerun)
    assert channel.state is ChannelState.FROZEN
    assert "at a weaker profile" in channel.why[0]
    assert expected in channel.why[0]


def test_a_looser_policy_lifts_nothing() -> None:
    """Whoever fails at one limit does not pass by stating another."""
    policy = default_policy().effective()
    guardrails = dict(policy["guardrails"])
    name = next(key for key, value in guardrails.items() if key.startswith("max_") and isinstance(value, int | float))
    loose = {**policy, "guardrails": {**guardrails, name: guardrails[name] + 1}}
    rerun = promoted("b", created_at=WEDNESDAY)
    rerun["policy"] = {**rerun["policy"], "effective": loose}
    channel = state(crashed("bad"), rerun)
    assert channel.state is ChannelState.FROZEN
    assert f"policy.guardrails.{name}" in channel.why[0]
    tight = {**policy, "guardrails": {**guardrails, name: guardrails[name] / 2}}
    rerun["policy"] = {**rerun["policy"], "effective": tight}
    assert state(crashed("bad"), rerun).state is ChannelState.PROMOTED


def test_what_a_policy_no_longer_states_is_looser() -> None:
    """Leaving a limit out, waiving it or knowing no policy at all are looser; a note is not."""
    old: dict[str, Any] = {"guardrails": {"max_p95_drift": 0.1, "min_gflops": 3}, "notes": "x"}
    assert looser(old, old) == ()
    assert looser({**old, "notes": "y"}, old) == ()
    assert looser({"guardrails": {"min_gflops": 3}}, old) == ("policy.guardrails.max_p95_drift not stated, was 0.1",)
    assert looser({"guardrails": {"max_p95_drift": float("nan"), "min_gflops": 3}}, old) != ()
    assert looser({"guardrails": {"max_p95_drift": True, "min_gflops": "3"}}, old) != ()
    graded = {"severity": {"checks": {"canonical_gate": 1}}}
    for level in (2, None, True, "1", float("nan")):
        assert looser({"severity": {"checks": {"canonical_gate": level}}}, graded) != ()
    assert looser({"guardrails": {**old["guardrails"], "waiver": "no"}}, old) == ("policy.guardrails is waived now",)
    assert looser({}, old) == ("the policy is unknown",)


def test_other_hardware_is_weaker_and_another_driver_is_listed() -> None:
    """The failed machine is not answered for by another one; a new driver is the point of a rerun."""
    failed, rerun = runs_of(crashed("bad"), promoted("b", created_at=WEDNESDAY))
    other = rerun.model_copy(update={"hardware": {"pocl": "another processor"}})
    assert "other hardware" in compare(other, failed).weaker[0]
    newer = rerun.model_copy(update={"drivers": {"pocl": "2"}})
    change = compare(newer, failed)
    assert change.weaker == ()
    assert any("another driver" in text for text in change.other)


def floors(**rows: Any) -> dict[str, Any]:
    """A pinned baseline of the synthetic device as a decision document has it."""
    cells = {"auto:128": (30.0, 0.15), "auto:256": (120.0, 0.3), **rows}
    return {
        "baselines": [
            {
                "profile": "pocl",
                "hardware": "a processor x 2",
                "run_id": "pinned",
                "rows": [
                    {"kernel": key.split(":")[0], "size": int(key.split(":")[1]), "mean_gflops": gflops, "p95_ms": p95}
                    for key, (gflops, p95) in cells.items()
                    if gflops is not None
                ],
            }
        ]
    }


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ({"baselines": []}, "pocl without its pinned baseline pinned"),
        (floors(**{"auto:128": (29.0, 0.15)}), "pocl with a baseline that demands less of auto:128"),
        (floors(**{"auto:256": (120.0, 0.4)}), "demands less of auto:256"),
        (floors(**{"auto:128": (None, None)}), "demands less of auto:128"),
        (floors(**{"auto:128": (float("nan"), 0.1)}), "demands less of auto:128"),
        (floors(), ""),
        (floors(**{"auto:128": (31.0, 0.1), "auto:512": (1.0, 9.0)}), ""),
    ],
    ids=["gone", "lower floor", "higher ceiling", "row gone", "no number", "same", "stricter"],
)
def test_a_rerun_without_its_floors_is_weaker(now: dict[str, Any], expected: str) -> None:
    """Whoever fails against the pinned baseline does not pass by unpinning it, or by pinning a slower run."""
    failed, rerun = crashed("bad") | floors(), promoted("b", created_at=WEDNESDAY) | now
    channel = state(failed, rerun)
    assert channel.state is (ChannelState.FROZEN if expected else ChannelState.PROMOTED)
    assert expected in channel.why[0]


def test_an_old_promote_expires_where_it_is_asked() -> None:
    """With a greatest age, last month's promote is none."""
    now = "2026-12-20T12:00:00+00:00"
    assert state(promoted("a"), now=now, max_age_days=30).state is ChannelState.PROMOTED
    assert state(promoted("a"), now=now, max_age_days=7).state is ChannelState.ITERATE


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-11-24T11:00:00+00:00", ChannelState.PROMOTED),
        ("2026-11-24T10:59:59+00:00", ChannelState.ITERATE),
    ],
)
def test_a_promote_from_the_future_is_none(now: str, expected: ChannelState) -> None:
    """Two machines may differ by an hour; beyond that a clock was wrong, and the promote's age is not known."""
    channel = channel_of(numbered(promote("a")), now=now)
    assert channel.state is expected
    assert (expected is ChannelState.PROMOTED) or "promoted in the future" in channel.why[0]


def test_attempts_of_a_week_are_counted_per_kind() -> None:
    """Each is compared with the one before; other weeks do not count."""
    runs = runs_of(
        promoted("older", created_at="2026-11-17T12:00:00+00:00"),
        crashed("one"),
        promoted("split", plan=make_plan("split")),
        promoted("two", plan=make_plan("weekly", sizes=(128,)), created_at=WEDNESDAY),
    )
    attempts = attempts_of(runs, week_of(TUESDAY))
    assert [(a.run.run_id, a.n) for a in attempts] == [("one", 1), ("split", 1), ("two", 2)]
    assert attempts[2].change.weaker == ("without sizes 256",)


def rollback(seq: int, stage: str, **body: Any) -> Entry:
    """A rollback's record."""
    return Entry(seq, ROLLBACK, f"rb-{seq}", f"2026-11-24T13:0{seq % 10}:00+00:00", {"stage": stage, **body})


SWITCH = {"from": {"platform": "rusticl"}, "to": {"platform": "clover"}}


@pytest.mark.parametrize("stage", ["begun", "switched", "verified", "unverified"])
def test_a_rollback_in_effect_holds_the_channel(stage: str) -> None:
    """From its first step on, also where it crashed after it, until a promote of what was rolled away from."""
    stages = [rollback(2, "begun", **SWITCH)] + ([rollback(3, stage, seconds=2.5)] if stage != "begun" else [])
    entries = (*entries_of(promoted("a")), *stages)
    channel = channel_of(entries)
    assert channel.state is ChannelState.ROLLED_BACK
    assert "clover" in channel.why[0]
    later = entries_of(promoted("b", created_at="2026-11-24T14:00:00+00:00", plan=make_plan("weekly")))[0]
    of_baseline = Entry(9, later.kind, "b", later.recorded_at, {**later.body, "plan": {"platforms": ["clover"]}})
    assert channel_of((*entries, of_baseline)).state is ChannelState.ROLLED_BACK
    of_candidate = Entry(9, later.kind, "b", later.recorded_at, {**later.body, "plan": {"platforms": ["rusticl"]}})
    answered = channel_of((*entries, of_candidate))
    assert answered.state is ChannelState.PROMOTED
    assert "still clover's" in answered.notes[0]
    deployed = Entry(10, DEPLOYED, "d", "2026-11-24T15:00:00+00:00", {"stage": "begun", "to": {"platform": "rusticl"}})
    given = channel_of((*entries, of_candidate, deployed))
    assert given.state is ChannelState.PROMOTED
    assert given.notes == (
        "A staged promotion made rusticl's runtime profile the active one on 2026-11-24T15:00:00+00:00.",
    )
    assert channel_of((*entries, of_baseline, deployed)).state is ChannelState.ROLLED_BACK


def test_an_undone_rollback_is_over_and_a_rehearsal_is_none() -> None:
    """Undo lifts the rollback, not the failure; a rehearsal changes nothing."""
    undone = (*entries_of(promoted("a")), rollback(2, "begun", **SWITCH), rollback(3, "undone"))
    assert channel_of(undone).state is ChannelState.PROMOTED
    assert channel_of((*entries_of(crashed("a")), *undone[1:])).state is ChannelState.FROZEN
    rehearsed = (*entries_of(promoted("a")), rollback(2, "rehearsed", seconds=1.5, verified=True))
    assert channel_of(rehearsed).state is ChannelState.PROMOTED
    rehearsal = last_rehearsal(rehearsed)
    assert rehearsal is not None
    assert rehearsal.body["seconds"] == 1.5


def test_a_rollback_that_is_begun_again_is_one() -> None:
    """It stands since its first beginning, and one undo takes it back; one from another profile is a second."""
    away = {"platform": "pocl", "sha256": "a"}
    again = numbered(
        promote("a"), stage("begun", **{"from": away}), stage("begun", **{"from": away}), stage("switched")
    )
    standing = rollback_in_effect(again)
    assert standing is not None
    assert (standing.seq, standing.stage) == (2, "switched")
    undone = (*again, *numbered(stage("undone")))
    assert rollback_in_effect(undone) is None
    other = numbered(promote("a"), stage("begun", **{"from": away}), stage("begun", **{"from": {"sha256": "b"}}))
    assert rollback_in_effect((*other, *numbered(stage("undone")))) == rollback_in_effect(other[:2])


@pytest.mark.parametrize("origin", [{}, {"platform": "clover"}], ids=["unknown", "the same platform"])
def test_a_rollback_from_an_unknown_platform_is_answered_by_any_but_the_baseline(origin: dict[str, str]) -> None:
    """What was rolled away from is then whatever is not what was rolled back to."""
    begun = (promote("a"), stage("begun", **{"from": origin}), stage("verified"))
    for platforms, expected in ((["clover"], ChannelState.ROLLED_BACK), (["clover", "pocl"], ChannelState.PROMOTED)):
        rerun = promote("b", plan={"platforms": platforms})
        assert channel_of(numbered(*begun, rerun)).state is expected
