"""The older evaluators' arithmetic: where they would have raised, an error that a check turns into a failure."""

from __future__ import annotations

import pytest

from pytest_weekops.core.recorded.older import OlderError, mean


def test_a_mean_is_exact() -> None:
    """Not that of a running sum."""
    assert mean([0.1] * 10) == 0.1
    assert mean([1e308, 1e308]) == 1e308


def test_nothing_has_no_mean() -> None:
    """A campaign without a value fails; nothing is taken for 0."""
    with pytest.raises(OlderError, match="a mean cannot be formed"):
        mean([])
