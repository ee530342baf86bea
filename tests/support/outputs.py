"""Synthetic runs whose outputs are looked at: a good one, a wrong one, and one whose names are markup."""

from __future__ import annotations

from functools import cache
from typing import Any

from pytest_weekops.core.judge.finding import Verdict
from pytest_weekops.core.measurement.records import Measurement, MeasurementStatus
from tests.support.run_pages import judged
from tests.support.synthetic import make_identity, make_plan, make_records

MARKUP = "<img onerror>"
EVIL = 'a"b\\nc [x](http://y) {0} </script>\n# EOF\x1b[2J @all'


@cache
def promoted() -> tuple[Verdict, dict[str, Any]]:
    """Verdict and document of a weekly run that promotes."""
    plan = make_plan("weekly")
    _policy, _campaign, verdict, document = judged(plan, make_records(plan))
    assert document["decision"] == "promote"
    return verdict, document


@cache
def split() -> tuple[Verdict, dict[str, Any]]:
    """Verdict and document of a split."""
    plan = make_plan("split")
    _policy, _campaign, verdict, document = judged(plan, make_records(plan))
    return verdict, document


@cache
def wrong() -> tuple[Verdict, dict[str, Any]]:
    """A kernel called markup that computes wrongly, on a device whose name and reasons are made to break out."""
    plan = make_plan("weekly", kernels=(MARKUP, "good"), sizes=(128,))
    identity = make_identity("pocl").model_copy(update={"device_name": EVIL, "driver_version": EVIL})
    records = [
        record.model_copy(update={"status": MeasurementStatus.WRONG, "reason": EVIL, "sessions": ()})
        if isinstance(record, Measurement) and record.case.kernel == MARKUP and record.case.snapshot == 2
        else record
        for record in make_records(plan)
    ]
    _policy, _campaign, verdict, document = judged(plan, records, identities={"pocl": identity})
    assert document["decision"] == "iterate"
    return verdict, document
