"""A whole plan measured in its own order, for whoever runs it without pytest."""

from __future__ import annotations

from pytest_weekops.core.measurement.schedule import snapshot_order
from pytest_weekops.run.live import Run


def measure_plan(run: Run) -> None:
    """Opening gate, then per snapshot its pressure pulses and its cases until all is decided, then the closing gate.

    Nothing that a driver does raises: each answer is a record, and what is not usable is recorded as such.
    """
    plan = run.plan
    for label in plan.platforms:
        run.gate("opening", label)
    for snapshot in range(1, plan.snapshots + 1):
        if run.look(snapshot - 1):
            break
        if plan.pressure.pulses and plan.pressure.iterations and plan.pressure.mode == "before":
            for label in plan.platforms:
                run.pulse(label, snapshot)
        for case in snapshot_order(plan, snapshot):
            run.measure(case)
    for label in plan.platforms:
        run.gate("closing", label)
