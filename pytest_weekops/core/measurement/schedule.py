"""The order of measurement: gate, snapshots with their platforms counterbalanced, gate again."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_weekops.core.measurement.plan import CampaignPlan
from pytest_weekops.core.measurement.records import Case


def platform_order(platforms: tuple[str, ...], *, snapshot: int, cell: int) -> tuple[str, ...]:
    """Order of the platforms for one cell of one snapshot.

    Rotation puts each platform into each place equally often; reversing every second round balances who follows
    whom, so that drift of the host within a snapshot favours nobody. Two platforms alternate AB, BA, AB, ...
    """
    turn = (snapshot - 1) + cell
    count = len(platforms)
    rotated = tuple(platforms[(turn + place) % count] for place in range(count))
    return rotated if count < 3 or (turn // count) % 2 == 0 else rotated[::-1]


def snapshot_order(plan: CampaignPlan, snapshot: int) -> tuple[Case, ...]:
    """Cases of one snapshot in the order they are measured: cell by cell, platforms back to back."""
    cells = [(kernel, size, seed) for kernel in plan.kernels for size in plan.sizes for seed in plan.seeds]
    return tuple(
        Case(platform=platform, kernel=kernel, size=size, seed=seed, snapshot=snapshot)
        for number, (kernel, size, seed) in enumerate(cells)
        for platform in platform_order(plan.platforms, snapshot=snapshot, cell=number)
    )


def place_of(plan: CampaignPlan, case: Case) -> int | None:
    """The place of a case in :func:`snapshot_order` of its snapshot, from 0; None for one that the plan has not."""
    try:
        kernel, size = plan.kernels.index(case.kernel), plan.sizes.index(case.size)
        cell = (kernel * len(plan.sizes) + size) * len(plan.seeds) + plan.seeds.index(case.seed)
        platforms = platform_order(plan.platforms, snapshot=case.snapshot, cell=cell)
        return cell * len(platforms) + platforms.index(case.platform)
    except ValueError:
        return None


def measuring_order(plan: CampaignPlan) -> Iterator[Case]:
    """Every case of the plan in the order it is measured."""
    for snapshot in range(1, plan.snapshots + 1):
        yield from snapshot_order(plan, snapshot)


def expected_gates(plan: CampaignPlan, *, canonical: tuple[str, ...] = (), smoke: bool = False) -> tuple[str, ...]:
    """Gate records a promote of this plan needs, as ``stage/gate/platform``.

    ``canonical`` names the canonical tier's own gates (asked for per platform); ``suite/pytest/`` says that the rest
    of the pytest run did not fail, and is written last, so that an interrupted run can never look complete.
    """
    keys: list[str] = []
    if plan.kind != "canonical":
        keys += [f"{stage}/canonical/{platform}" for stage in ("opening", "closing") for platform in plan.platforms]
    keys += [f"canonical/{gate}/{platform}" for gate in canonical for platform in plan.platforms]
    if smoke:
        keys += [f"smoke/driver/{platform}" for platform in plan.platforms]
    return (*keys, "suite/pytest/")


def with_gates(plan: CampaignPlan) -> CampaignPlan:
    """The plan with every gate that its kind needs: a plan made by hand must not promote without them."""
    missing = [gate for gate in expected_gates(plan) if gate not in plan.gates]
    return plan.model_copy(update={"gates": (*missing, *plan.gates)}) if missing else plan
