"""Hosts that are judged in processes beside: the same outcome, also where such a process is killed."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from pytest_weekops.core.fleet.fleet_file import FleetFile
from pytest_weekops.fleet import judges
from pytest_weekops.fleet.judged import judged_host
from pytest_weekops.fleet.judges import judged_beside, processes
from pytest_weekops.fleet.running import asked_of_hosts
from tests.support.fleet_hosts import Host, ReachDouble, begun, fleet_file, ran
from tests.support.fleets import make_fleet


def test_only_a_large_fleet_elsewhere_is_worth_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A judge at work would be noise beside hosts that are measured here."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0, 1})
    assert processes(fleet_file(24)) == 3
    assert processes(fleet_file(23)) == 1
    assert processes(make_fleet(100)) == 1
    many = {"a": {"label": "x", "slurm": {"jobs": 1000}}}
    assert processes(FleetFile.model_validate({**make_fleet().model_dump(), "pools": many})) == 3


@pytest.mark.long
def test_the_outcome_is_the_same_and_a_killed_process_is_no_loss(tmp_path: Path) -> None:
    """The host is judged here then, and the next one by new processes."""
    book = begun(tmp_path, fleet_file(1))
    (kept,) = ran(book, ReachDouble({"h-1": Host()})).outcomes
    (asked,) = asked_of_hosts(book.asked())
    journal = book.journal("h-1")

    async def judged() -> None:
        assert await judged_beside(asked, journal, 2) == kept == judged_host(asked, journal)
        for process in list(judges._pool(2)._processes.values()):
            os.kill(process.pid or 0, signal.SIGKILL)
        assert await judged_beside(asked, journal, 2) == kept
        assert await judged_beside(asked, journal, 2) == kept

    asyncio.run(judged())
    judges._pool(2).shutdown()
    judges._pool.cache_clear()
