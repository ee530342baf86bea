"""When promote is said: never without findings, never over one that blocks, and with what the policy says is owed."""

from __future__ import annotations

import pytest

from pytest_weekops.core.judge.decide import decide
from pytest_weekops.core.judge.finding import CheckStatus, Decision, Finding, Severity
from pytest_weekops.core.policy.policy import Policy

POLICY = Policy(policy_id="t")


def finding(status: CheckStatus, *, blocking: bool = True, check: str = "canonical_gate") -> Finding:
    """One finding of that status."""
    return Finding(check=check, status=status, reason_code="x", message="x", blocking=blocking)


def test_nothing_checked_is_no_promote() -> None:
    """An empty list of findings is not a clean one."""
    assert decide([], POLICY, kind="weekly", rules="strict").decision is Decision.ITERATE


@pytest.mark.parametrize("status", CheckStatus)
@pytest.mark.parametrize("blocking", [True, False])
def test_only_what_blocks_and_did_not_pass_stands_in_the_way(status: CheckStatus, blocking: bool) -> None:
    """Wherever it stands among findings that passed."""
    others = [finding(CheckStatus.PASS), finding(CheckStatus.PASS)]
    for place in range(3):
        findings = [*others[:place], finding(status, blocking=blocking), *others[place:]]
        verdict = decide(iter(findings), POLICY, kind="weekly", rules="strict")
        stopped = blocking and status is not CheckStatus.PASS
        assert verdict.decision is (Decision.ITERATE if stopped else Decision.PROMOTE)
        assert len(verdict.findings) == 3


def test_what_is_owed_is_the_policys_for_the_worst_finding() -> None:
    """Owner, time and action of the level, and the policy by name and hash; the rest is handed through."""
    findings = [finding(CheckStatus.PASS), finding(CheckStatus.FAIL)]
    verdict = decide(findings, POLICY, kind="split", rules="compat", rows=({"cell": 1},), notes=("so",))
    level = POLICY.severity.levels[1]
    assert verdict.severity is Severity.SEV1
    assert (verdict.owner, verdict.respond_within_minutes, verdict.action) == (
        level.owner,
        level.within_minutes,
        level.action,
    )
    assert (verdict.policy_id, verdict.policy_sha256) == ("t", POLICY.sha256)
    assert (verdict.kind, verdict.rules, verdict.rows, verdict.notes) == ("split", "compat", ({"cell": 1},), ("so",))
