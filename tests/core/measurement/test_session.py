"""How long a session is."""

from __future__ import annotations

import pytest

from pytest_weekops.core.measurement.session import launch_count, usual_launch_ns

MS = 1_000_000


@pytest.mark.parametrize(
    ("warm_up_ms", "usual_ms"),
    [((), 0.0), ((400,), 400.0), ((400, 29), 29.0), ((400, 31, 29), 30.0), ((2, 2, 90, 2), 2.0)],
)
def test_a_first_launch_that_compiles_is_not_the_usual_one(warm_up_ms: tuple[int, ...], usual_ms: float) -> None:
    """Unless it is all that there is."""
    assert usual_launch_ns([ms * MS for ms in warm_up_ms]) == usual_ms * MS


def test_a_session_is_filled_where_the_first_launch_compiled() -> None:
    """Thirty-five launches of 29 ms to a second, not the eight that a mean of 400 and 29 ms would give."""
    assert launch_count(8, 1000.0, usual_launch_ns([400 * MS, 29 * MS])) == 35
