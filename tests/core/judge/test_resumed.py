"""A run that was gone on with: possible across a reboot and a gap, impossible where its segments do not follow."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from pytest_weekops.core.judge.campaign import live_campaign
from pytest_weekops.core.judge.finding import Decision, Verdict
from pytest_weekops.core.judge.verdict import judge
from pytest_weekops.core.measurement.records import Measurement
from pytest_weekops.core.measurement.segments import Segment
from pytest_weekops.policies.files import default_policy
from tests.support.stored import opened
from tests.support.synthetic import STARTED, Records, make_identity, make_plan, make_records

PLAN = make_plan("weekly", sizes=(128,))
GAP = timedelta(hours=3)
LATER = (datetime.fromisoformat(STARTED) + GAP).isoformat()
FIRST = 4  # order of the first measurement behind the gap
BOOTED_NS = 60 * 10**9  # after the reboot, when the run was gone on with


def gone_on(records: Records, *, monotonic_ns: int = BOOTED_NS, at: timedelta = GAP) -> Records:
    """The records with a gap before the fourth measurement, from which on the monotonic clock has other times."""
    found: Records = []
    shift: int | None = None
    for record in records:
        if isinstance(record, Measurement) and record.order >= FIRST:
            shift = record.sessions[0].start_ns[0] - monotonic_ns - 10**9 if shift is None else shift
            moved = tuple(
                session.model_copy(update={"start_ns": tuple(ns - shift for ns in session.start_ns)})
                for session in record.sessions
            )
            started = (datetime.fromisoformat(record.started_at) + at).isoformat()
            record = record.model_copy(update={"sessions": moved, "started_at": started})
        found.append(record)
    return found


def judged(records: Sequence[Any], *segments: Segment) -> Verdict:
    """The verdict on records of these segments."""
    identities = {platform: make_identity(platform) for platform in PLAN.platforms}
    campaign = live_campaign(PLAN, records, identities=identities, created_at=STARTED, segments=segments)
    return judge(default_policy(), campaign)


def second(**facts: Any) -> Segment:
    """The opening of the second segment, in another boot."""
    data = {"started_at": LATER, "boot_id": "b", "monotonic_ns": BOOTED_NS, "first_order": FIRST, "gap_s": 10800.0}
    return opened("run-r2", **{**data, **facts})


def test_a_reboot_in_the_gap_is_possible_and_is_told() -> None:
    """The clock of another boot is not held against the first one's; the verdict says when, how long and how many."""
    verdict = judged(gone_on(make_records(PLAN)), opened("run"), second(halves=1))
    assert verdict.decision is Decision.PROMOTE, verdict.failed_checks
    note = verdict.notes[0]
    assert note.startswith(
        f"Resumed as run-r2 at {LATER} after a gap of 3 h 0 min: 3 of 6 measurements are from before"
    )
    assert "1 that had lost their partner do not count" in note


def test_in_one_boot_the_clock_goes_on() -> None:
    """Without a reboot the same is possible where the clock went on, too."""
    ahead = 10**12 + 10800 * 10**9
    records = gone_on(make_records(PLAN), monotonic_ns=ahead)
    verdict = judged(records, opened("run"), second(boot_id="a", monotonic_ns=ahead))
    assert verdict.decision is Decision.PROMOTE, verdict.failed_checks


IMPOSSIBLE: dict[str, tuple[str, Sequence[Segment]]] = {
    "nobody says that it was gone on with": ("clocks_agree overlap", [opened("run")]),
    "an older version does not know of segments": ("clocks_agree overlap", []),
    "the same boot, and its clock went back": ("clocks_agree opening", [opened("run"), second(boot_id="a")]),
    "launches before it was opened": (
        "clocks_agree opening",
        [opened("run"), second(monotonic_ns=BOOTED_NS + 2 * 10**9)],
    ),
    "begins before its beginning": ("clocks_agree opening", [opened("run", first_order=9), second()]),
    "opened after its measurements": (
        "order_kept clock_set",
        [opened("run"), second(started_at=(datetime.fromisoformat(LATER) + timedelta(minutes=5)).isoformat())],
    ),
    "opened before the last one was over": ("order_kept clock_set", [opened("run"), second(started_at="2026-11-24")]),
    "the first one goes on behind its end": ("clocks_agree overlap", [opened("run"), second(first_order=5)]),
}


@pytest.mark.parametrize("story", IMPOSSIBLE)
def test_segments_that_do_not_follow_each_other_are_found(story: str) -> None:
    """Each is a finding of the check that it contradicts, and never a promote."""
    expected, segments = IMPOSSIBLE[story]
    verdict = judged(gone_on(make_records(PLAN)), *segments)
    assert verdict.decision is Decision.ITERATE
    found = {f"{f.check} {f.reason_code}" for f in verdict.findings if f.status.value != "pass"}
    assert expected in found, found


@pytest.mark.parametrize(
    ("gap", "words"), [(12.4, "12 s"), (720.0, "12 min"), (math.inf, "inf s"), (-5.0, "-5 s"), (2e9, "2e+09 s")]
)
def test_a_gap_is_told_as_it_was_recorded(gap: float, words: str) -> None:
    """One that no clock can have is no hours and minutes."""
    assert f"after a gap of {words}:" in judged(gone_on(make_records(PLAN)), opened("run"), second(gap_s=gap)).notes[0]
