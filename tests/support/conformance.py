"""Results of a conformance suite, made of statuses, for tests that then break one thing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_weekops.core.conformance.results import Result, SuiteResults
from pytest_weekops.core.measurement.driver_files import DriverFile
from tests.support.synthetic import STARTED, make_identity

HEALTHY = {"api@one": "pass", "api@two": "pass", "program@three": "fail", "program@four": "skip"}


def files_of(profile: str, digit: str = "a") -> tuple[DriverFile, ...]:
    """The files of a driver: its library and its compiler."""
    names = (f"lib{profile}.so", "libLLVM.so")
    return tuple(DriverFile(path=f"/usr/lib/{name}", sha256=digit * 64) for name in names)


def results(statuses: Mapping[str, str] = HEALTHY, profile: str = "pocl", **facts: Any) -> SuiteResults:
    """Whole results on a driver, with these facts instead."""
    tests = tuple(Result.model_validate({"test": name, "status": status}) for name, status in statuses.items())
    return SuiteResults.model_validate(
        {
            "suite": "piglit",
            "version": "cl-1",
            "planned": len(tests),
            "of_suite": len(tests),
            "ended": True,
            "created_at": STARTED,
            "identity": make_identity(profile),
            "files": files_of(profile),
            "tests": tests,
            **facts,
        }
    )
