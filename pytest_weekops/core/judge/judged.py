"""The records that a judge is given."""

from __future__ import annotations

from pytest_weekops.core.conformance.results import ConformanceRecord
from pytest_weekops.core.guard.injection import InjectionRecord
from pytest_weekops.core.measurement.calibration import CalibrationRecord
from pytest_weekops.core.measurement.capabilities import InServiceRecord
from pytest_weekops.core.measurement.driver_files import DriverListing
from pytest_weekops.core.measurement.peak_bound import PeakRecord
from pytest_weekops.core.measurement.records import (
    GateRecord,
    LookRecord,
    Measurement,
    PartnerRecord,
    PressureRecord,
)

JudgedRecord = (
    Measurement
    | PressureRecord
    | GateRecord
    | InjectionRecord
    | LookRecord
    | CalibrationRecord
    | DriverListing
    | PartnerRecord
    | ConformanceRecord
    | InServiceRecord
    | PeakRecord
)
