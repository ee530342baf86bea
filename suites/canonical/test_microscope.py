"""Every kernel variant under Oclgrind, with `--tier full`: invalid accesses, data races, values that nobody wrote."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytestmark = [pytest.mark.weekops_campaign("canonical"), pytest.mark.device, pytest.mark.slow]


def test_microscope(weekops_microscope: Callable[[], None]) -> None:
    """Each work-item reads and writes where it may, behind barriers where it must, and nothing that nobody wrote."""
    weekops_microscope()
