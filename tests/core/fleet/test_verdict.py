"""The fleet's verdict: every host that was asked for is in it, whatever became of it."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_weekops.core.fleet.outcome import HostOutcome, HostState, HostVerdict, state_of
from pytest_weekops.core.fleet.verdict import FleetDecision, FleetVerdict, judge_fleet
from pytest_weekops.core.judge.finding import CheckStatus, Decision, ExitStatus, Finding, Severity, Verdict
from tests.support.fleets import OPEN, SLOW, WRONG, make_asked, make_fleet, make_outcome, make_outcomes

FORGIVING: dict[str, Any] = {"promotes": {"x": {"share": 0.75}}}


def judged(states: dict[str, str], **changes: Any) -> FleetVerdict:
    """The verdict over four hosts of which some are in other states."""
    fleet = make_fleet(**changes)
    return judge_fleet(fleet, make_outcomes(fleet, **states), make_asked(fleet))


def finding(verdict: FleetVerdict, check: str) -> Finding:
    """The only finding of a check."""
    (found,) = [each for each in verdict.findings if each.check == check]
    return found


def test_a_fleet_promotes_where_every_host_did() -> None:
    """And says how many that were."""
    verdict = judged({})
    assert (verdict.decision, verdict.severity, verdict.exit_status) == (FleetDecision.PROMOTE, 4, 0)
    assert verdict.failed_checks == ()
    (count,) = verdict.labels
    assert (count.promoted, count.needed, count.counted, count.states) == (4, 4, 4, {"promoted": 4})
    assert finding(verdict, "fleet_share").message == "Label x: 4 of 4 hosts promoted, 4 must"


@pytest.mark.parametrize(
    ("state", "decision", "severity", "status"),
    [
        ("iterate", "iterate", 2, ExitStatus.ITERATE),
        ("refused", "iterate", 2, ExitStatus.ITERATE),
        ("other_driver", "iterate", 2, ExitStatus.ITERATE),
        ("inconclusive", "inconclusive", 3, ExitStatus.INCONCLUSIVE),
        ("no_data", "no_data", 2, ExitStatus.INCONCLUSIVE),
        ("lost", "no_data", 2, ExitStatus.INCONCLUSIVE),
        ("late", "no_data", 2, ExitStatus.INCONCLUSIVE),
    ],
)
def test_one_host_that_did_not_promote_counts_as_what_it_is(
    state: str, decision: str, severity: int, status: ExitStatus
) -> None:
    """Each with its severity, and with the exit status that a run would have."""
    verdict = judged({"a_2": state})
    assert (verdict.decision, verdict.severity, verdict.exit_status) == (decision, severity, status)
    assert verdict.failed_checks == ("fleet_share",)
    assert finding(verdict, "fleet_share").rows == ("a-2",)
    assert "a-2" in finding(verdict, "fleet_share").message


def test_a_host_without_an_outcome_is_the_worst_there_is() -> None:
    """What was taken away can have been a wrong result: the verdict is no milder than if it had been."""
    fleet = make_fleet()
    verdict = judge_fleet(fleet, make_outcomes(fleet)[:3], make_asked(fleet))
    assert (verdict.decision, verdict.exit_status) == ("iterate", ExitStatus.ROLLBACK_REQUIRED)
    assert finding(verdict, "fleet_complete").rows == ("a-4",)


def test_nothing_promotes_a_fleet_of_which_nobody_answered() -> None:
    """No outcome at all is no promote."""
    fleet = make_fleet()
    assert judge_fleet(fleet, [], make_asked(fleet)).exit_status is ExitStatus.ROLLBACK_REQUIRED


def test_a_share_lets_one_fail_and_no_two() -> None:
    """Three of four must promote; who did not is told all the same."""
    verdict = judged({"a_2": "iterate"}, **FORGIVING)
    assert verdict.decision == "promote"
    assert "allowed to be: a-2 iterate" in finding(verdict, "fleet_share").message
    assert judged({"a_2": "iterate", "a_3": "iterate"}, **FORGIVING).decision == "iterate"


def test_a_share_does_not_let_a_host_be_silent_unless_the_label_does() -> None:
    """Silence is allowed apart from failure, and counts against the same share."""
    silent = judged({"a_2": "lost"}, **FORGIVING)
    assert (silent.decision, finding(silent, "fleet_share").reason_code) == ("no_data", "missing")
    allowed = {**FORGIVING, "labels": {"x": {"profiles": ["pocl"], "may_be_missing": 1}}}
    assert judged({"a_2": "lost"}, **allowed).decision == "promote"
    both = judged({"a_2": "lost", "a_3": "iterate"}, **allowed)
    assert (both.decision, finding(both, "fleet_share").reason_code) == ("no_data", "silent")
    undecided = judged({"a_2": "lost", "a_3": "inconclusive"}, **allowed)
    assert (undecided.decision, finding(undecided, "fleet_share").reason_code) == ("inconclusive", "open")


def test_no_share_passes_over_sev1() -> None:
    """A wrong result on one host is one on others, however the host ended afterwards."""
    fleet = make_fleet(**FORGIVING)
    for state in ("iterate", "lost"):
        outcomes = make_outcomes(fleet)
        outcomes[1] = make_outcome("a-2", state, judged=WRONG, own=WRONG)
        verdict = judge_fleet(fleet, outcomes, make_asked(fleet))
        assert verdict.exit_status is ExitStatus.ROLLBACK_REQUIRED
        assert finding(verdict, "fleet_worst_host").rows == ("a-2",)


def test_a_named_exception_does_not_count() -> None:
    """Neither for nor against, and it is told."""
    fleet = make_fleet(promotes={"x": {"exceptions": {"a-2": "its fan is broken"}}})
    outcomes = make_outcomes(fleet)
    outcomes[1] = make_outcome("a-2", "iterate", judged=WRONG)
    verdict = judge_fleet(fleet, outcomes, make_asked(fleet))
    assert verdict.decision == "promote"
    (count,) = verdict.labels
    assert (count.hosts, count.counted, count.excepted) == (4, 3, ("a-2",))
    alone = judge_fleet(fleet, [outcomes[1]], make_asked(fleet, hosts=("a-2",)))
    assert (alone.decision, finding(alone, "fleet_share").reason_code) == ("no_data", "nobody")


def test_a_stage_is_judged_by_its_own_hosts() -> None:
    """An outcome of a host that was not asked for yet is foreign."""
    fleet = make_fleet()
    outcomes = make_outcomes(fleet)
    assert judge_fleet(fleet, outcomes[:1], make_asked(fleet, hosts=("a-1",))).decision == "promote"
    verdict = judge_fleet(fleet, outcomes[:2], make_asked(fleet, hosts=("a-1",)))
    assert (verdict.decision, finding(verdict, "fleet_evidence").rows) == ("iterate", ("a-2",))
    unknown = judge_fleet(fleet, [], make_asked(fleet, hosts=("b-1",)))
    assert (unknown.decision, unknown.labels) == ("iterate", ())
    assert "was asked for and is no host of the file" in finding(unknown, "fleet_evidence").message


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"week": "2026-W47"}, "week 2026-W47 instead of 2026-W48"),
        ({"version": "0.9"}, "package version 0.9 instead of 1.0"),
        ({"kernels_sha256": ""}, "kernels untold instead of cccc"),
        ({"plan_sha256": "f" * 64}, "plan ffff"),
        ({"policy_sha256": "f" * 64}, "policy ffff"),
        ({"label": "y"}, "label 'y' instead of x"),
        ({"journal_sha256": ""}, "promoted without a journal"),
        ({"judged": None}, "promoted without the coordinator's verdict"),
        ({"own": None}, "promoted without the host's own verdict"),
        ({"judged": SLOW}, "promoted though the coordinator judged iterate"),
    ],
)
def test_an_outcome_of_something_else_is_refused(changes: dict[str, Any], words: str) -> None:
    """Another week, policy, plan, kernels or version is no evidence, and a promote needs both verdicts of it."""
    fleet = make_fleet()
    outcomes = [make_outcome("a-1", **changes), *make_outcomes(fleet)[1:]]
    verdict = judge_fleet(fleet, outcomes, make_asked(fleet))
    assert verdict.decision == "iterate"
    assert words in finding(verdict, "fleet_share").message
    assert verdict.labels[0].states == {"promoted": 3, "refused": 1}


def test_another_driver_than_was_asked_for_is_refused() -> None:
    """Whatever state its host was put in."""
    fleet = make_fleet()
    asked = make_asked(fleet, drivers={"x": ("e" * 64,)})
    verdict = judge_fleet(fleet, make_outcomes(fleet), asked)
    assert "driver dddddddddddddddd, which was not asked for" in finding(verdict, "fleet_share").message
    assert judge_fleet(fleet, make_outcomes(fleet), make_asked(fleet, drivers={"x": ("d" * 64,)})).decision == "promote"


def test_outcomes_that_are_there_twice_or_of_nobody_are_refused() -> None:
    """A second outcome could be the better one of two tries."""
    fleet = make_fleet(**FORGIVING)
    outcomes = make_outcomes(fleet)
    twice = judge_fleet(fleet, [*outcomes, outcomes[0]], make_asked(fleet))
    assert (twice.decision, twice.labels[0].states["refused"]) == ("iterate", 1)
    assert "a-1: has 2 outcomes" in finding(twice, "fleet_evidence").message
    strange = judge_fleet(fleet, [*outcomes, make_outcome("b-1")], make_asked(fleet))
    assert "b-1: is no host of the file" in finding(strange, "fleet_evidence").message


def test_a_second_outcome_does_not_take_sev1_away() -> None:
    """Neither of the two is believed, and what one of them says is not forgotten."""
    fleet = make_fleet()
    outcomes = [*make_outcomes(fleet), make_outcome("a-2", "iterate", judged=WRONG)]
    assert judge_fleet(fleet, outcomes, make_asked(fleet)).exit_status is ExitStatus.ROLLBACK_REQUIRED


def test_one_journal_proves_one_host() -> None:
    """Both hosts that bring it are named, since whose it is cannot be told."""
    fleet = make_fleet()
    outcomes = make_outcomes(fleet)
    outcomes[1] = make_outcome("a-2", journal_sha256=outcomes[0].journal_sha256)
    verdict = judge_fleet(fleet, outcomes, make_asked(fleet))
    assert (verdict.decision, finding(verdict, "fleet_evidence").rows) == ("iterate", ("a-1", "a-2"))


def test_a_host_that_says_otherwise_is_a_finding() -> None:
    """Even where the coordinator's verdict is a promote, since one of the two programs is not what it should be."""
    fleet = make_fleet()
    outcomes = [make_outcome("a-1", own=OPEN), *make_outcomes(fleet)[1:]]
    verdict = judge_fleet(fleet, outcomes, make_asked(fleet))
    assert verdict.failed_checks == ("fleet_own_verdict",)
    assert "a-1: iterate at SEV3 (11) there, promote at SEV4 (0) here" in finding(verdict, "fleet_own_verdict").message


def test_a_host_tells_why() -> None:
    """By its own sentence, or by the first finding that blocks, or that nobody knows."""
    slow = Finding(check="per_kernel_size_slo", status=CheckStatus.FAIL, reason_code="slow", message="too slow")
    fine = Finding(check="finite_metrics", status=CheckStatus.PASS, reason_code="ok", message="ok")
    fleet = make_fleet(hosts=3)
    outcomes = [
        make_outcome("a-1", "iterate", findings=(fine, slow)),
        make_outcome("a-2", "lost", why="silent for 900 s"),
        make_outcome("a-3", "iterate", judged=None, own=None),
    ]
    message = finding(judge_fleet(fleet, outcomes, make_asked(fleet)), "fleet_share").message
    assert "a-1 iterate: per_kernel_size_slo: too slow" in message
    assert "a-2 lost: silent for 900 s" in message
    assert "a-3 iterate: no reason is told" in message


def verdict_of(*statuses: CheckStatus) -> Verdict:
    """A run's verdict with findings of these statuses."""
    findings = tuple(Finding(check="c", status=status, reason_code="r", message="m") for status in statuses)
    bad = any(status is not CheckStatus.PASS for status in statuses)
    return Verdict(
        kind="weekly",
        rules="strict",
        decision=Decision.ITERATE if bad else Decision.PROMOTE,
        findings=findings,
        severity=Severity.SEV2,
        owner="o",
        respond_within_minutes=1,
        action="a",
        policy_id="p",
        policy_sha256="s",
    )


def test_a_runs_verdict_says_the_state_of_its_host() -> None:
    """A failure is one before all else; missing evidence comes before what does not decide."""
    passes, fails, none, unclear = CheckStatus.PASS, CheckStatus.FAIL, CheckStatus.NO_DATA, CheckStatus.INCONCLUSIVE
    assert state_of(verdict_of(passes)) is HostState.PROMOTED
    assert state_of(verdict_of(passes, none, fails)) is HostState.ITERATE
    assert state_of(verdict_of(passes, none, unclear)) is HostState.NO_DATA
    assert state_of(verdict_of(passes, unclear)) is HostState.INCONCLUSIVE
    assert HostVerdict.of(verdict_of(fails)) == HostVerdict(decision=Decision.ITERATE, severity=2, exit_status=1)
    assert HostOutcome.model_validate_json(make_outcome("a-1").model_dump_json()) == make_outcome("a-1")
