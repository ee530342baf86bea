"""A small report directory whose names are hostile, for tests of its site."""

from __future__ import annotations

import shutil
from pathlib import Path

from pytest_weekops.core.calendar import parse_week
from pytest_weekops.core.measurement.plan import CampaignPlan
from pytest_weekops.core.week.entry import PIN
from pytest_weekops.week.closing import close_week
from pytest_weekops.week.ledger import open_ledger
from tests.support.synthetic import make_plan, make_records
from tests.support.weeks import add_run

EVIL = '<img src=x onerror="alert(1)">'
SCRIPT = "</style></title><script>alert(2)</script>$\\frac{1}{0}$ &amp; \x1b[31m\u202e"
EVIL_RUN = "<b onclick=alert(3)> #1?x=%41&quot;"


def small_reports(place: Path) -> Path:
    """Five runs over three weeks with a pin and a closed week: one promote with a page, one without its directory."""
    small = make_plan(sizes=(128,))
    add_run(place, "first", created_at="2026-11-17T12:00:00+00:00", plan=small)
    add_run(place, "gone", created_at="2026-11-18T12:00:00+00:00", plan=small)
    close_week(place, parse_week("2026-W47"), [])
    _slower(place, small)
    hostile = make_plan(sizes=(128,), kernels=(EVIL,))
    moment = "2026-11-25T12:00:00+00:00"
    evil = add_run(place, EVIL_RUN, created_at=moment, plan=hostile, records=make_records(hostile), driver=SCRIPT)
    for run_dir in (place / "first", evil):
        (run_dir / "report.html").write_text("<!DOCTYPE html><title>a run</title><p>its page", encoding="utf-8")
    shutil.rmtree(place / "gone")
    pin = {"profile": "pocl", "hardware": "a processor x 2", "run_id": "first"}
    open_ledger(place).append(PIN, "pocl", pin)
    return place


def _slower(place: Path, plan: CampaignPlan) -> None:
    records = make_records(plan, speed=lambda _case: 0.8)
    add_run(place, "second", created_at="2026-11-24T12:00:00+00:00", plan=plan, records=records, driver="2")
