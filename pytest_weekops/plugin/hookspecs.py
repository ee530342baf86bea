"""Hooks with which a project adds what the gate does not ship: platform profiles, kernels, checks and reports."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_weekops.core.judge.finding import Verdict
    from pytest_weekops.core.measurement.plan import CampaignPlan
    from pytest_weekops.core.measurement.records import Measurement

    Check = Callable[[CampaignPlan, Sequence[Measurement]], str | None]


@pytest.hookspec
def pytest_weekops_platform_files(config: pytest.Config) -> Sequence[Path]:  # type: ignore[empty-body]
    """Return YAML files with platform profiles, in the form of ``policies/platforms.yaml``."""


@pytest.hookspec
def pytest_weekops_kernel_dirs(config: pytest.Config) -> Sequence[Path]:  # type: ignore[empty-body]
    """Return directories that hold a ``catalog.yaml`` and its ``.cl`` files; they come before the shipped ones."""


@pytest.hookspec
def pytest_weekops_checks(config: pytest.Config) -> dict[str, Check]:  # type: ignore[empty-body]
    """Return checks of your own by name: each gets the plan and all measurements, and answers None or a sentence.

    A sentence blocks promotion. The outcome is journalled as a gate, so judging the journal again gives the same
    verdict where your code is not installed. A check that raises counts as failed.
    """


@pytest.hookspec
def pytest_weekops_report(config: pytest.Config, run_dir: Path, verdict: Verdict) -> None:
    """Write a report of your own into ``run_dir``, after the verdict and before the exit status."""
