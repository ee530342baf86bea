"""The one exception by which a gate's own item fails."""

from __future__ import annotations


class GateFailure(AssertionError):
    """A gate item's failure that the journal explains: the verdict already counts it."""
