"""Checks on what kernels did: every launch did its work, and nothing was written beside the buffers."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_weekops.core.judge.campaign import Campaign
from pytest_weekops.core.judge.finding import Finding
from pytest_weekops.core.judge.outcome import failed, listed, no_data, passed
from pytest_weekops.core.measurement.records import SessionSamples
from pytest_weekops.core.policy.policy import Policy


def writes_contained(policy: Policy, campaign: Campaign) -> Finding:  # noqa: ARG001 - the checks' common signature
    """No kernel wrote beside its buffers: the red zones around each one are whole."""
    check = "writes_contained"
    bad = [(m.case.id, f"{m.case.id}: {s.outside}") for m in campaign.measurements for s in m.sessions if s.outside]
    if bad:
        message = f"{listed([words for _name, words in bad])}. What lies there in a program would be damaged."
        rows = tuple(dict.fromkeys(name for name, _words in bad))
        return failed(check, "wrote_outside", message, rows=rows, observed=len(bad), required=0)
    return passed(check, "nothing was written beside a buffer", observed=0, required=0)


def launches_looked_at(policy: Policy, campaign: Campaign) -> Finding:  # noqa: ARG001
    """Every session's launches were looked at one by one, and its last result was compared element by element.

    Runs from before that was done do not say so in their plan; there the last launch alone was verified.
    """
    check = "launches_looked_at"
    if not campaign.plan.every_launch:
        return passed(check, "the last launch of each session was verified", observed=0, required=0)
    bad = [(name, f"{name} session {s.session}: {why}") for name, s in _sessions(campaign) if (why := _unseen(s))]
    if bad:
        message = f"{listed([words for _name, words in bad])}. A launch that nobody looked at may have done nothing."
        rows = tuple(dict.fromkeys(name for name, _words in bad))
        return no_data(check, "not_looked_at", message, rows=rows, observed=len(bad), required=0)
    return passed(check, "every launch was looked at", observed=0, required=0)


def _sessions(campaign: Campaign) -> Iterator[tuple[str, SessionSamples]]:
    return ((m.case.id, session) for m in campaign.counted for session in m.sessions)


def _unseen(session: SessionSamples) -> str:
    launches = len(session.wall_ns)
    if launches not in session.compared:
        return f"launch {launches}, its last, was not compared"
    if not all(1 <= number <= launches for number in session.compared):
        return f"launches {session.compared} were compared, of {launches}"
    if session.looked_at < launches + len(session.warmup_ns):
        return f"{session.looked_at} of {launches + len(session.warmup_ns)} launches were looked at"
    return ""
