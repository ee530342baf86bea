"""The driver smoke: one item per platform, there when --driver-smoke asks for it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytestmark = [pytest.mark.weekops_campaign("canonical"), pytest.mark.device]


def test_driver_smoke(weekops_smoke: Callable[[], None]) -> None:
    """The driver enumerates, compiles, runs, answers right, and its limits and quirks are known."""
    weekops_smoke()
