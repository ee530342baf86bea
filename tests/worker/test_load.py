"""Whether anybody is there to wait for."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from pytest_weekops.worker import load
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


def test_what_a_hypervisor_stole_is_told_where_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A quarter of the CPUs' time was another program's, and a quarter another machine's."""
    monkeypatch.setattr(load, "_PROC", tmp_path)
    (tmp_path / "stat").write_text("cpu 0 0 0 0 0 0 0 0 0 0\n", encoding="ascii")
    meter = LoadMeter()
    (tmp_path / "stat").write_text("cpu 10 0 0 20 0 0 0 10 0 0\n", encoding="ascii")
    assert meter.percent() == 25.0
    assert meter.percent(stolen_too=True) == 50.0
