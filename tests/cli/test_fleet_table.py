"""The table of a fleet run as a terminal shows it, and the lines that take its place without one."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from pytest_weekops.cli.fleet_table import FleetTable, table
from pytest_weekops.core.fleet.progress import ASKED, RUNNING, HostProgress, Row
from pytest_weekops.fleet import running, watching
from pytest_weekops.fleet.watching import FleetWatch
from tests.support.fleet_hosts import Host, ReachDouble, begun, fleet_file
from tests.support.fleets import make_outcome


def test_a_large_fleet_fits_80_columns() -> None:
    """Long labels, many hosts, a worst finding of several lines: nothing is cut off but names."""
    found = [
        Row("a100-stable", 10_000, 3000, 1000, 5500, 200, 200, 100, 1, 1, 90_000.0),
        Row("a-label-that-is-far-too-long-for-this", 1, 1, 0, 0, 0, 0, 0, 0, 0, None),
        Row("all", 10_001, 3001, 1000, 5500, 200, 200, 100, 1, 1, 0.0),
    ]
    out = io.StringIO()
    foot = ("Dask's own view: http://127.0.0.1:45321/status",)
    Console(file=out, width=80).print(table(found, "SEV1 node3 (a100): correctness fail: " + "word " * 30, foot))
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["label", "hosts", "waiting", "running", "promoted", "iterate", "lost", "other", "left"]
    assert lines[1].split() == ["a100-stable", "10000", "3000", "1000", "5500", "200", "200", "100", "25.0", "h"]
    assert lines[2].split() == ["a-label-that-is-fa", "1", "1", "0", "0", "0", "0", "0", "?"]
    assert lines[4].startswith("worst: SEV1 node3")
    assert lines[-1] == foot[0]


def test_a_run_is_drawn_and_what_did_not_promote_is_said(tmp_path: Path) -> None:
    """The last picture stays, and is that of the end."""
    said: list[str] = []
    out = io.StringIO()
    book = begun(tmp_path, fleet_file(3))
    reach = ReachDouble({"h-1": Host(), "h-2": Host(state="gone", said="killed"), "h-3": Host()})
    with FleetTable(Console(file=out, width=80, force_terminal=True), ("Dask's own view: x",)) as drawn:
        watch = FleetWatch(book.asked().fleet, said.append, drawn.draw)
        asyncio.run(running.run(book, reach, said.append, poll_s=0, watch=watch))
    assert said == ["h-2 (cpu): lost: its gate ended without a word: killed"]
    (row,) = watch.rows()
    assert (row.promoted, row.lost, row.waiting, row.running) == (2, 1, 0, 0)
    assert "worst: SEV2 h-2 (cpu): its gate ended without a word: killed" in out.getvalue()
    assert out.getvalue().rstrip("\x1b[?25h\n").endswith("Dask's own view: x")


def test_without_a_terminal_each_change_is_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, however often it is heard; and once a minute how far each label has come, where that changed."""
    said: list[str] = []
    clock = [0.0]
    monkeypatch.setattr(watching, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    watch = FleetWatch(fleet_file(2), said.append)
    asked = HostProgress("h-1", "cpu", ASKED, begun=0.0)
    for state, measured in ((ASKED, 0), (RUNNING, 0), (RUNNING, 1), (RUNNING, 1), (RUNNING, 2)):
        clock[0] += 40.0
        watch.stands(HostProgress("h-1", "cpu", state, measured, 8 if state == RUNNING else None, begun=asked.begun))
    watch.ended(make_outcome("h-1", "lost", label="cpu", why="its worker is gone"))
    watch.ended(make_outcome("h-2", label="cpu"), as_before=True)
    assert said == [
        "h-1 (cpu): asked",
        "h-1 (cpu): running, 0 of up to 8 cases",
        "cpu: 1 waiting, 1 running, 0 of up to 8 cases",
        "cpu: 1 waiting, 1 running, 1 of up to 8 cases, about 40 min left",
        "h-1 (cpu): lost: its worker is gone",
        "h-2 (cpu): promoted, as before",
    ]
