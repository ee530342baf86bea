"""Whether anybody is there to wait for."""

from __future__ import annotations

import time

import pytest

from pytest_weekops.worker.load import LoadMeter, Neighbours


@pytest.mark.parametrize(
    ("others", "most", "alone"), [(0.5, 5.0, True), (50.0, 5.0, False), (None, 5.0, False), (50.0, None, True)]
)
def test_it_is_asked_after_each_second(
    others: float | None,
    most: float | None,
    alone: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first pause begins to look, and who cannot tell does not say that nobody is there."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(LoadMeter, "percent", lambda _self: others)
    neighbours = Neighbours(most)
    assert not neighbours.waits_for_itself()
    now[0] += 0.5
    assert not neighbours.waits_for_itself()
    now[0] += 0.6
    assert neighbours.waits_for_itself() is alone
    assert not neighbours.waits_for_itself()
