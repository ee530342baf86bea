"""The checks on what others have tested: the results are there and are evidence, and no test got worse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pytest_weekops.core.conformance.changes import Change, Kind
from pytest_weekops.core.judge.campaign import Campaign
from pytest_weekops.core.judge.conformance import Compared, compared, counted
from pytest_weekops.core.judge.finding import Finding
from pytest_weekops.core.judge.outcome import failed, listed, no_data, passed
from pytest_weekops.core.policy.policy import Policy

_MOST_DETAILS = 2000
_TOLD: tuple[Kind, ...] = ("old", "known", "fixed")


def conformance_evidence(policy: Policy, campaign: Campaign) -> Finding:
    """Each suite asked for has results of this very driver and of the one it is held against, whole and comparable."""
    check, sides = "conformance_evidence", compared(policy, campaign)
    if bad := _lacking(sides, "missing"):
        return no_data(check, "missing", f"{listed(bad)}. `weekops conformance` makes them.", rows=bad)
    if bad := _lacking(sides, "untied"):
        return no_data(check, "untied", f"{listed(bad)}. What another driver did says nothing of this one.", rows=bad)
    if bad := _lacking(sides, "unusable"):
        return no_data(check, "unusable", f"{listed(bad)}. Run the suite again, to its end.", rows=bad)
    if bad := _lacking(sides, "no_reference"):
        message = f"{listed(bad)}. Without results from before, a failure cannot be told from an old one."
        return no_data(check, "no_reference", message, rows=bad)
    if bad := _lacking(sides, "another_version"):
        return no_data(check, "another_version", f"{listed(bad)}. Run both drivers with one version.", rows=bad)
    if not sides:
        return no_data(check, "missing", "no suite was compared on any platform")
    told = [f"{side.told}{_beside(side)}" for side in sides]
    details = [_detail(side, change) for side, change in counted(sides, *_TOLD)]
    count = sum(len(side.tested.tests) for side in sides if side.tested is not None)
    return passed(check, "; ".join(told), observed=count, details=tuple(details[:_MOST_DETAILS]))


def conformance_crashes(policy: Policy, campaign: Campaign) -> Finding:
    """No test crashes that did not before."""
    return _held(policy, campaign, "conformance_crashes", "crash", "crash")


def conformance_timeouts(policy: Policy, campaign: Campaign) -> Finding:
    """No test has to be stopped that ended before."""
    return _held(policy, campaign, "conformance_timeouts", "timeout", "do not end")


def conformance_failures(policy: Policy, campaign: Campaign) -> Finding:
    """No test fails that did not before."""
    return _held(policy, campaign, "conformance_failures", "failure", "fail")


def conformance_lost_tests(policy: Policy, campaign: Campaign) -> Finding:
    """Every test that had a result has one."""
    return _held(policy, campaign, "conformance_lost_tests", "lost", "have no result")


def conformance_skips(policy: Policy, campaign: Campaign) -> Finding:
    """No test is skipped that was run before."""
    return _held(policy, campaign, "conformance_skips", "skip", "are skipped")


def conformance_flaky(policy: Policy, campaign: Campaign) -> Finding:
    """No more tests than the policy allows fail now and then that did not before."""
    most = policy.conformance.max_new_flaky
    return _held(policy, campaign, "conformance_flaky", "flaky", "fail now and then", most=most)


def _held(policy: Policy, campaign: Campaign, check: str, kind: Kind, does: str, *, most: int = 0) -> Finding:
    """At most ``most`` tests changed in this way, on all sides whose results are evidence."""
    sides = [side for side in compared(policy, campaign) if not side.lack]
    if not sides:
        return no_data(check, "no_results", "there are no two sets of results to compare")
    found = counted(sides, kind)
    rows = tuple(f"{side.name}: {change.test}" for side, change in found)
    details = tuple(_detail(side, change) for side, change in found)[:_MOST_DETAILS]
    facts: dict[str, Any] = {"observed": len(found), "required": most, "rows": rows, "details": details}
    many = f"{len(found)} tests {does} and did not before"
    if len(found) > most:
        words = [f"{side.name}: {change.words}{_overdue(side, change)}" for side, change in found]
        return failed(check, "worse", f"{many}: {listed(words)}", **facts)
    return passed(check, f"{many}, of at most {most}" if found else f"no tests {does} that did not before", **facts)


def _lacking(sides: Sequence[Compared], lack: str) -> tuple[str, ...]:
    return tuple(f"{side.name}: {side.words}" for side in sides if side.lack == lack)


def _overdue(side: Compared, change: Change) -> str:
    """What an expectation that excuses nothing any more has to say of a change."""
    entry = next((one for one in side.overdue if (one.test, one.kind) == (change.test, change.after)), None)
    return "" if entry is None else f", {entry.words}, which does not count on this day"


def _beside(side: Compared) -> str:
    """How many tests are listed and do not block."""
    words = {"old": "failed before as well", "known": "known", "fixed": "better than before"}
    counts = [f"{len(found)} {words[kind]}" for kind in _TOLD if (found := side.of(kind))]
    return f"; {', '.join(counts)}" if counts else ""


def _detail(side: Compared, change: Change) -> dict[str, Any]:
    told = {"test": change.test, "before": change.before, "after": change.after, "kind": change.kind}
    rest = {name: value for name, value in (("output", change.output), ("why", change.why)) if value}
    return {"suite": side.suite, "platform": side.platform, **told, **rest}


CONFORMANCE = (
    conformance_evidence,
    conformance_crashes,
    conformance_timeouts,
    conformance_failures,
    conformance_lost_tests,
    conformance_skips,
    conformance_flaky,
)
