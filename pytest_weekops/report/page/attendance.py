"""What was planned and what came of it: the first thing to look at where evidence is missing."""

from __future__ import annotations

from pytest_weekops.core.judge.campaign import Campaign, cell_name
from pytest_weekops.core.measurement.records import Case
from pytest_weekops.report.page.shown import Attendance, Gate, Place

MISSING = "not measured"


def show_attendance(campaign: Campaign) -> Attendance:
    """Cells by snapshots and seeds, with how each case ended; nothing for a run that measures nothing."""
    plan = campaign.plan
    if plan.kind == "canonical":
        return Attendance(cells=(), columns=(), places=())
    columns = [(snapshot, seed) for snapshot in range(1, plan.snapshots + 1) for seed in plan.seeds]
    one = len(plan.seeds) == 1
    places = []
    for row, (platform, kernel, size) in enumerate(campaign.cells):
        for column, (snapshot, seed) in enumerate(columns):
            case = Case(platform=platform, kernel=kernel, size=size, seed=seed, snapshot=snapshot)
            voids = campaign.voids.get(case, 0)
            places.append(Place(cell=row, column=column, status=_status(campaign, case, voids), voids=voids))
    return Attendance(
        cells=tuple(cell_name(cell) for cell in campaign.cells),
        columns=tuple(f"{snapshot}" if one else f"{snapshot} seed {seed}" for snapshot, seed in columns),
        places=tuple(places),
    )


def _status(campaign: Campaign, case: Case, voids: int) -> str:
    group = campaign.by_case.get(case, ())
    if not group:
        return "void" if voids else MISSING
    if len(group) > 1:
        return "measured twice"
    return "flaky" if group[0].flaky else group[0].status.value


def show_gates(campaign: Campaign) -> tuple[Gate, ...]:
    """Every gate in the order in which it ended; gates of the plan that never did come last."""
    seen = {gate.key for gate in campaign.gates}
    lacking = tuple(Gate(key, False, "did not run") for key in campaign.plan.gates if key not in seen)
    return (*(Gate(gate.key, gate.passed, gate.reason) for gate in campaign.gates), *lacking)
