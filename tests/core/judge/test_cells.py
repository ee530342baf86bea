"""Checks per cell: a p95 that rises along the window, and what is too little to say so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pytest_weekops.core.judge.campaign import MissingBaseline
from pytest_weekops.core.judge.finding import CheckStatus, Finding
from pytest_weekops.core.judge.verdict import judge
from pytest_weekops.core.measurement.host_condition import HostCondition
from pytest_weekops.core.measurement.records import Measurement
from pytest_weekops.report.table import render_table
from tests.core.judge.test_verdict import POLICY
from tests.support.synthetic import Records, make_campaign, make_plan, make_records
from tests.support.verdicts import finding_of

PLAN = make_plan("weekly", iterations=32)  # 64 launches in each snapshot
BOUNDED = POLICY.model_copy(
    update={"guardrails": POLICY.guardrails.model_copy(update={"max_p95_drift_percent": 8.0, "drift_reason": ""})}
)


def with_tails(factor: Callable[[int], float], plan: Any = PLAN, **host: Callable[[int], float]) -> Records:
    """A healthy run in which every tenth launch of a snapshot takes this many times as long."""

    def tailed(record: Any) -> Any:
        if not isinstance(record, Measurement):
            return record
        at = record.case.snapshot
        sessions = tuple(
            session.model_copy(
                update={
                    "wall_ns": tuple(
                        int(ns * factor(at)) if place % 10 == 0 else ns for place, ns in enumerate(session.wall_ns)
                    )
                }
            )
            for session in record.sessions
        )
        condition = HostCondition(**{name: value(at) for name, value in host.items()}) if host else record.host
        return record.model_copy(update={"sessions": sessions, "host": condition})

    return [tailed(record) for record in make_records(plan)]


def drift(records: Records, plan: Any = PLAN) -> Finding:
    """What the check says; it is the only one that may object."""
    verdict = judge(BOUNDED, make_campaign(plan, records))
    found = finding_of(verdict, "p95_drift_bound")
    assert found.status is not CheckStatus.PASS or verdict.failed_checks == ()
    return found


def test_a_tail_that_grows_along_the_window_is_seen() -> None:
    """Where the median stands still, so that throughput shows nothing."""
    found = drift(with_tails(lambda snapshot: 1.0 + 0.05 * snapshot))
    assert (found.status, found.reason_code) == (CheckStatus.FAIL, "drift")
    assert found.rows[0].startswith("pocl auto:128: p95 +")
    assert found.rows[0].endswith("over the window, limit 8")


@pytest.mark.parametrize(
    "factor",
    [lambda _at: 1.5, lambda at: 1.3 - 0.04 * at, lambda at: 1.1 + 0.01 * at],
    ids=["long throughout", "falling", "within the limit"],
)
def test_a_tail_that_does_not_grow_is_no_drift(factor: Callable[[int], float]) -> None:
    """How long it is, is the row's and the baseline's to bound."""
    assert drift(with_tails(factor)).status is CheckStatus.PASS


def test_a_host_that_slows_down_is_no_growing_tail() -> None:
    """As measured it grows, over the anchor it does not: the two do not agree."""
    anchors = dict.fromkeys(("anchor_before_ms", "anchor_after_ms"), lambda at: 10.0 * (1.0 + 0.05 * at))
    assert drift(with_tails(lambda at: 1.0 + 0.05 * at, **anchors)).status is CheckStatus.PASS


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"snapshots": 1}, "pocl auto:128: 64"),
        ({"iterations": 29}, "pocl auto:128: 58"),
    ],
    ids=["one snapshot", "58 launches in each"],
)
def test_too_few_launches_show_no_drift(changes: dict[str, int], words: str) -> None:
    """59 in each of two snapshots: what cannot show one is no pass."""
    plan = make_plan("weekly", **{"iterations": 32, **changes})
    found = drift(make_records(plan), plan)
    assert (found.status, found.reason_code, found.rows[0]) == (CheckStatus.NO_DATA, "too_few_launches", words)


def test_a_cell_that_drifts_is_not_excused_by_one_that_cannot_tell() -> None:
    """A failure is graver than missing evidence."""
    records = with_tails(lambda snapshot: 1.0 + 0.05 * snapshot)
    found = drift([r for r in records if not (isinstance(r, Measurement) and r.case.size == 256)])
    assert found.status is CheckStatus.FAIL
    assert all(row.startswith("pocl auto:128") for row in found.rows)


def rows_of(kind: str, speed: Callable[[int], float]) -> list[dict[str, Any]]:
    """The cells of a table, at this many times the usual speed in each snapshot."""
    plan = make_plan(kind, sizes=(128,), snapshots=2)
    records = make_records(plan, speed=lambda case: speed(case.snapshot))
    return [dict(row) for row in judge(POLICY, make_campaign(plan, records)).rows if "ratio" not in row]


def test_a_table_shows_beside_a_status_what_was_judged() -> None:
    """A fall that breaks its limit fails the row, a rise is told as one that is not judged, a split judges none."""
    (fell,) = rows_of("weekly", lambda snapshot: 2.0 - snapshot / 2)
    assert (fell["status"], round(fell["drift_percent"])) == ("fail", -33)
    assert fell["limits"] == "trend -33.2 % over the window, limit 3"
    (rose,) = rows_of("weekly", lambda snapshot: 40.0 ** (snapshot - 1))
    assert (rose["status"], rose["limits"][:9]) == ("pass", "rose 40.1")
    assert "only falls are judged" in rose["limits"]
    table = "\n".join(render_table("weekly", [rose]))
    assert "39" not in table
    assert "rose" in table.splitlines()[2]
    assert {row["drift_percent"] for row in rows_of("split", lambda snapshot: 40.0 ** (snapshot - 1))} == {None}


MISSING = MissingBaseline(platform="pocl", run_id="weekly-1", profile="pocl", hardware="a processor x 2", record=7)
GONE = [
    (MISSING, "weekly-1, record 7 of the ledger), which is not there"),
    (MISSING.model_copy(update={"hardware": "a processor x 4"}), "for pocl on a processor x 4, and this is pocl on"),
]


@pytest.mark.parametrize(("missing", "words"), GONE, ids=["its file", "its device"])
def test_a_device_that_had_a_baseline_is_not_judged_without_it(missing: MissingBaseline, words: str) -> None:
    """Unless somebody says why; then the reason stands in the finding and in the verdict."""
    records = make_records(PLAN)
    verdict = judge(POLICY, make_campaign(PLAN, records, missing_baselines=(missing,)))
    finding = finding_of(verdict, "baseline_usable")
    assert (finding.status, finding.reason_code) == (CheckStatus.NO_DATA, "gone")
    assert words in finding.message
    assert verdict.exit_status == 11
    told = PLAN.model_copy(update={"no_baseline": "the card was replaced"})
    verdict = judge(POLICY, make_campaign(told, records, missing_baselines=(missing,)))
    finding = finding_of(verdict, "baseline_usable")
    assert (finding.status, finding.reason_code) == (CheckStatus.PASS, "left_out")
    assert "the card was replaced" in finding.message
    assert "the pinned baseline (run weekly-1): the card was replaced" in verdict.left_out
