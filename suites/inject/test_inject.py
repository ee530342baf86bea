"""Fault campaigns: what the T5 guard catches on each platform at each size, and that a broken guard is noticed."""

from __future__ import annotations

import pytest

from pytest_weekops.api import CONTROLS, Control, Injector

pytestmark = [pytest.mark.weekops_injection, pytest.mark.device, pytest.mark.slow]


def test_campaign(weekops_injection: Injector) -> None:
    """Every critical flip and every other fault is caught, no good launch is called bad, on enough of each."""
    weekops_injection.campaign()


@pytest.mark.parametrize("control", CONTROLS)
def test_control(weekops_injection: Injector, control: Control) -> None:
    """A guard without a threshold, and one whose check does nothing, fail the campaign."""
    weekops_injection.control(control)
