"""The two exceptions by which a gate's own item ends without passing."""

from __future__ import annotations

from _pytest.outcomes import Skipped


class GateFailure(AssertionError):
    """A gate item's failure that the journal explains: the verdict already counts it."""


class GateSkip(Skipped):
    """A gate item's skip that the journal explains: what it was for has failed before."""
