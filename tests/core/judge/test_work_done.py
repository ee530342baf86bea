"""Launches that nobody looked at are no evidence, and a write beside a buffer fails whatever the result was."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_weekops.core.judge.campaign import Campaign
from pytest_weekops.core.judge.checks.one_piece import one_kernel
from pytest_weekops.core.judge.checks.work_done import launches_looked_at, writes_contained
from pytest_weekops.core.judge.finding import CheckStatus
from pytest_weekops.core.measurement.records import Measurement, MeasurementStatus
from pytest_weekops.core.policy.policy import Policy
from tests.support.synthetic import make_campaign, make_plan, make_records

POLICY = Policy(policy_id="x")


def campaign(*, every_launch: bool = True, **session: Any) -> Campaign:
    """A healthy campaign whose sessions were looked at as they should be; ``session`` changes the first one."""
    whole = make_campaign(make_plan(), make_records(make_plan()))
    records = []
    changes = session
    for record in whole.records:
        if isinstance(record, Measurement):
            sessions = []
            for s in record.sessions:
                last = len(s.wall_ns)
                seen = {"compared": (2, last), "looked_at": last + len(s.warmup_ns), "same_bits": last}
                sessions.append(s.model_copy(update={**seen, **changes}))
                changes = {}
            record = record.model_copy(update={"sessions": tuple(sessions)})
        records.append(record)
    plan = whole.plan.model_copy(update={"every_launch": every_launch})
    return Campaign(plan=plan, records=records, identities=whole.identities)


def test_launches_that_were_looked_at_pass() -> None:
    """The last one was compared, and each was looked at; one launch need not be drawn beside the last."""
    assert launches_looked_at(POLICY, campaign()).status is CheckStatus.PASS
    assert launches_looked_at(POLICY, campaign(compared=(8,))).status is CheckStatus.PASS
    assert writes_contained(POLICY, campaign()).status is CheckStatus.PASS


@pytest.mark.parametrize(
    ("session", "words"),
    [
        ({"compared": ()}, "launch 8, its last, was not compared"),
        ({"compared": (3,)}, "launch 8, its last, was not compared"),
        ({"compared": (0, 8)}, "launches (0, 8) were compared, of 8"),
        ({"looked_at": 9}, "9 of 10 launches were looked at"),
        ({"looked_at": 0, "same_bits": 0}, "0 of 10 launches were looked at"),
    ],
)
def test_a_launch_that_nobody_looked_at_has_no_data(session: dict[str, Any], words: str) -> None:
    """With case, session and number."""
    found = launches_looked_at(POLICY, campaign(**session))
    assert (found.status, found.reason_code, found.blocking) == (CheckStatus.NO_DATA, "not_looked_at", True)
    assert f"session 1: {words}" in found.message
    assert len(found.rows) == 1


def test_runs_from_before_say_nothing_of_launches() -> None:
    """Their plan does not claim it; their last launches were verified."""
    assert launches_looked_at(POLICY, campaign(every_launch=False, compared=())).status is CheckStatus.PASS


def test_a_write_beside_a_buffer_fails_of_a_run_that_is_not_ok_too() -> None:
    """It is named, and so is the case."""
    broken = campaign(outside="the kernel wrote outside of C: 64 floats behind its end, the nearest at byte +0")
    records = [
        r.model_copy(update={"status": MeasurementStatus.WRONG}) if isinstance(r, Measurement) else r
        for r in broken.records
    ]
    found = writes_contained(POLICY, Campaign(plan=broken.plan, records=records, identities=broken.identities))
    assert (found.status, found.reason_code) == (CheckStatus.FAIL, "wrote_outside")
    assert "the kernel wrote outside of C: 64 floats behind its end" in found.message


def test_a_source_that_changed_under_the_run_is_no_one_kernel() -> None:
    """The measurement that was refused for it says so."""
    whole = campaign()
    changed = "kernel source kernels/gemm.cl 0123456789ab when the run began and ba9876543210 now"
    records = list(whole.records)
    place = next(i for i, r in enumerate(records) if isinstance(r, Measurement))
    update = {"status": MeasurementStatus.LAUNCH_FAILED, "sessions": (), "changed": changed}
    records[place] = records[place].model_copy(update=update)
    found = one_kernel(POLICY, Campaign(plan=whole.plan, records=records, identities=whole.identities))
    assert (found.status, found.reason_code) == (CheckStatus.FAIL, "changed")
    assert changed in found.message
