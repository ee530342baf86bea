"""A driver that fails every sixth of its starts passes the smoke, and not the cold starts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.conftest import FaultyDriver
from tests.support.gates import GateResult


@pytest.mark.device
@pytest.mark.long
def test_a_driver_that_fails_now_and_then_is_found(
    tmp_path: Path, gate: Callable[..., GateResult], build_faulty: Callable[..., FaultyDriver]
) -> None:
    """The run's own start is the first; the sixth crashes, which is the fifth cold one of eight."""
    bad = build_faulty(tmp_path, "-DEVERY=6", f'-DCOUNT="{tmp_path / "starts"}"')
    bad.has("load-segv")
    found = gate(
        "--driver-smoke",
        "--cold",
        "8",
        "--platforms",
        f"bad=pocl@{bad.library}",
        suite="canonical/test_driver_smoke.py",
    )
    assert found.status in (1, 10), found.output
    words = "1 of 8 cold starts failed (12.5 %, 95 % interval 0.316 to 52.7 %): start 5: bad ended in phase enumerate"
    assert words in found.output
    assert words in found.finding("canonical_gate")["message"]


def test_cold_starts_without_a_smoke_are_refused(gate: Callable[..., GateResult]) -> None:
    """Nothing would do them, and nobody would notice."""
    found = gate("--cold", "5", "--platforms", "pocl", suite="canonical")
    assert found.status == 4
    assert "--cold 5 belongs to the driver smoke" in found.output
