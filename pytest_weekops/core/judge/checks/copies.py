"""The check on copies: no two sessions have the same times. Nanoseconds never repeat; a record may have been."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_weekops.core.judge.campaign import Campaign
from pytest_weekops.core.judge.finding import Finding
from pytest_weekops.core.judge.outcome import failed, listed, passed
from pytest_weekops.core.measurement.records import Measurement, SessionSamples
from pytest_weekops.core.policy.policy import Policy

LEAST_SAMPLES = 6  # of a session, and as many different ones: two sessions do not agree in them by chance

Place = tuple[Measurement, str, SessionSamples]  # whose session, and what it is called there
Series = tuple[str, tuple[int, ...]]  # which clock, and its times


def samples_unique(policy: Policy, campaign: Campaign) -> Finding:  # noqa: ARG001 - the checks' common signature
    """No session's times are those of another session, whatever its cell, snapshot, seed or platform."""
    check = "samples_unique"
    seen: dict[Series, Place] = {}
    copies: list[tuple[str, str]] = []
    for place, series in _all_series(campaign):
        first = seen.setdefault(series, place)
        if first is not place and (name := _name(place)) != _name(first):
            words = f"{name} has the {series[0]} times of {_name(first)}, all {len(series[1])}"
            copies.append((place[0].case.id, words))
    if copies:
        message = f"the same times twice: {listed([words for _, words in copies])}. A record was copied or replayed."
        rows = tuple(dict.fromkeys(case for case, _words in copies))
        return failed(check, "copied", message, rows=rows, observed=len(copies), required=0)
    return passed(check, "no session has the times of another", observed=0, required=0)


def _name(place: Place) -> str:
    m, what, session = place
    return f"{m.case.id} attempt {m.attempt} {what} {session.session}"


def _all_series(campaign: Campaign) -> Iterator[tuple[Place, Series]]:
    """Where a session is and its times by each clock, of every measurement, void ones too."""
    for m in campaign.measurements:
        for what, session in _sessions(m):
            place = (m, what, session)
            trusted = m.timer is not None and m.timer.trusted
            for clock, times in (("host's", session.wall_ns), ("device's", session.device_ns if trusted else None)):
                if times is not None and len(set(times)) >= LEAST_SAMPLES:
                    yield place, (clock, times)


def _sessions(m: Measurement) -> Iterator[tuple[str, SessionSamples]]:
    for session in m.sessions:
        yield "session", session
    if m.turns is not None and m.turns.partner is not None:
        for session in m.turns.partner.sessions:
            yield "partner's session", session
