"""How far a run's throughput may lie from the true one, by what its own policy takes a snapshot to vary. Pure.

The ledger keeps one number for a cell and not its snapshots, so that this is the known spread over their number, and
nothing that was seen. Snapshots of a cell that has more than the run's least count as few as those.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import NormalDist

from pytest_weekops.core.numbers import as_finite, as_whole
from pytest_weekops.core.week.entry import RunEntry


def run_reach(run: RunEntry) -> float | None:
    """How far a run's throughputs may lie from the true ones, in logs, at the error of its policy's false block.

    None where the record does not say how much a snapshot varies, how often to err, or of how many snapshots it is.
    """
    evidence = run.policy.get("evidence")
    told: Mapping[str, object] = evidence if isinstance(evidence, dict) else {}
    spread, error = as_finite(told.get("assumed_sd_percent")), as_finite(told.get("max_false_block"))
    snapshots = _least_snapshots(run)
    if spread is None or error is None or snapshots < 2 or not (0 < spread < 100 and 0 < error < 0.5):
        return None
    return -NormalDist().inv_cdf(error) * spread / 100.0 / math.sqrt(snapshots)


def bounds_of(throughput: float, reach: float) -> tuple[float, float]:
    """Lower and upper bound of a throughput, in its unit."""
    return throughput * math.exp(-reach), throughput * math.exp(reach)


def _least_snapshots(run: RunEntry) -> int:
    """How many snapshots count in each cell at least, as the check of that name observed; 0 where it did not."""
    found = (finding.get("observed") for finding in run.findings if finding.get("check") == "minimum_snapshots")
    return as_whole(next(found, None)) or 0
