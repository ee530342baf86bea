"""The two exceptions by which a gate's own item ends without passing, and how pytest reports them."""

from __future__ import annotations

import pytest
from _pytest.outcomes import Skipped


class GateFailure(AssertionError):
    """A gate item's failure that the journal explains: the verdict already counts it."""


class GateSkip(Skipped):
    """A gate item's skip that the journal explains: what it was for has failed before."""


def explain(report: pytest.TestReport, call: pytest.CallInfo[None]) -> None:
    """Have pytest show a failure that the journal explains by its sentence alone, and for a skip of ours no letter."""
    error = call.excinfo.value if call.excinfo is not None else None
    if isinstance(error, GateFailure) and report.failed:
        report.longrepr = str(error)
    if isinstance(error, GateFailure | GateSkip):
        report.weekops_explained = True  # type: ignore[attr-defined]  # our own mark, as the session's
