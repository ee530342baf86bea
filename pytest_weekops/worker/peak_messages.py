"""What controller and worker say about level 0: one item asked for, one item found."""

from __future__ import annotations

from typing import Literal

from pytest_weekops.core.measurement.peak import PeakAmounts, PeakResult
from pytest_weekops.core.record import Record


class PeakRequest(Record):
    """One item of level 0 by name: measure it and verify its result. ``kernel_dir`` has the ``peak_*.cl``."""

    type: Literal["peak"] = "peak"
    item: str
    kernel_dir: str
    amounts: PeakAmounts = PeakAmounts()


class Peaked(PeakResult):
    """Reply to ``peak``."""

    type: Literal["peaked"] = "peaked"
