"""Fleets of real processes: what tests start, what it says, and what of it is still there."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_weekops.fleet.book import FleetBook, FleetDecision, latest_run
from pytest_weekops.fleet.keys import Keys
from pytest_weekops.fleet.worker_command import tls_words
from tests.support.gates import SMALL

OPTIONS = " ".join(SMALL[2:])
FAR = 300.0
BEGUN: list[subprocess.Popen[bytes]] = []


def processes(place: Path) -> list[str]:
    """Command lines of every other process whose temporary directory is this place's."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            environment, command = (entry / "environ").read_bytes(), (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if f"TMPDIR={place / 'tmp'}\0".encode() in environment and command and int(entry.name) != os.getpid():
            found.append(command.replace(b"\0", b" ").decode(errors="replace"))
    return found


def until(holds: Callable[[], bool], told: Callable[[], object] = lambda: "") -> object:
    """Wait for something; nothing where it came, else what is told of it."""
    ends = time.monotonic() + FAR
    while not holds():
        if time.monotonic() > ends:
            return told() or "it did not come"
        time.sleep(0.1)
    return None


def fleet(pools: dict[str, str], **label: str) -> Path:
    """A file with a local pool of one worker for each of these profiles, each under a label of its own."""
    lines = ["version: 1", "fleet_id: tests", "pools:"]
    lines += [f"  {name}: {{label: {name}, local: {{workers: 1}}}}" for name in pools]
    lines += ["labels:"]
    more = "".join(f", {key}: {value}" for key, value in label.items())
    lines += [f"  {name}: {{profiles: [{profile}], policy: policy.yaml{more}}}" for name, profile in pools.items()]
    path = Path("fleet.yaml")
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def command(path: Path, *words: str) -> list[str]:
    """The command that runs a weekly fleet at a tiny size."""
    return ["fleet", "run", str(path), "weekly", "--sizes", "61", "--kernels", "auto", "--options", OPTIONS, *words]


def begin(*words: str) -> subprocess.Popen[bytes]:
    """That command in a process of its own, its words in a file."""
    with Path("said.txt").open("ab") as said:
        process = subprocess.Popen([sys.executable, "-m", "pytest_weekops.cli", *words], stdout=said, stderr=said)
    BEGUN.append(process)
    return process


def said() -> str:
    """What it said."""
    return Path("said.txt").read_text("utf-8")


def decision() -> FleetDecision:
    """The latest fleet run's."""
    found = FleetBook(latest_run(Path("reports"))).decision()
    assert found is not None
    return found


def states() -> dict[str, str]:
    """How its hosts came out."""
    return {outcome.host: outcome.state.value for outcome in decision().outcomes}


def worker(host: str) -> int:
    """The process of a local worker."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
            environment = (entry / "environ").read_bytes()
        except OSError:
            continue
        if host.encode() in words and b"--no-nanny" in words and f"TMPDIR={Path.cwd() / 'tmp'}".encode() in environment:
            return int(entry.name)
    pytest.fail(f"{host} has no worker")


def start(program: str, *words: str, before: tuple[str, ...] = (), **environment: str) -> subprocess.Popen[bytes]:
    """A scheduler or a worker of Dask's; ``before`` are words of a command that becomes it."""
    with Path("dask.txt").open("ab") as log:
        return subprocess.Popen(
            [*before, sys.executable, "-m", f"distributed.cli.dask_{program}", *words],
            stdout=log,
            stderr=log,
            env={**os.environ, **environment},
        )


def scheduler(keys: Keys) -> tuple[subprocess.Popen[bytes], str]:
    """A scheduler that takes these keys, and its address."""
    words = [*tls_words(keys), "--protocol", "tls", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
    process = start("scheduler", *words)
    assert until(lambda: "Scheduler at" in Path("dask.txt").read_text("utf-8")) is None
    line = next(line for line in Path("dask.txt").read_text("utf-8").splitlines() if "Scheduler at" in line)
    return process, line.split()[-1]
