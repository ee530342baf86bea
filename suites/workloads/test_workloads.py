"""The workloads: a replay of what programs do beside GEMM, judged as the weekly one is, in a channel of their own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pytest_weekops.api import Case, Measurement

pytestmark = [
    pytest.mark.weekops_campaign("weekly", kernels=("level1",), channel="workloads"),
    pytest.mark.device,
]


def test_gate(weekops_gate: Callable[[], None]) -> None:
    """Every planned kernel is right at odd shapes, before and after the replay."""
    weekops_gate()


def test_pressure(weekops_pulse: Callable[[], None]) -> None:
    """The pressure pulses of one snapshot complete."""
    weekops_pulse()


def test_cell(weekops_case: Case, measure: Callable[[Case], Measurement]) -> None:
    """One kernel, size, seed and platform in one snapshot gives verified times."""
    measure(weekops_case)
