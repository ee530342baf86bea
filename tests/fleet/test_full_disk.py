"""A host whose disk fills while it measures: it is named, what it sent is kept, and the others' verdict stands."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("distributed")

from pytest_weekops import cli
from pytest_weekops.fleet.book import FleetBook, latest_run
from pytest_weekops.fleet.host import LEAST_ROOM_BYTES
from pytest_weekops.fleet.keys import Keys
from pytest_weekops.fleet.worker_command import tls_words
from tests.support.gates import SMALL
from tests.support.real_fleets import FAR, begin, decision, processes, said, scheduler, start, until

pytestmark = [
    pytest.mark.long,
    pytest.mark.usefixtures("place"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
LONG = ("--snapshots", "200", "--max-snapshots", "200", "--sessions", "2", "--iterations", "15", "--session-ms", "80")
ROOM_BYTES = LEAST_ROOM_BYTES + 32 * 1024**2


@contextlib.contextmanager
def small_disk(place: Path) -> Iterator[None]:
    """A file system of its own, with little more room than a gate asks for. Skips where none can be mounted."""
    place.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={ROOM_BYTES},mode=700", "weekops-tests", str(place)]
    done = subprocess.run(command, capture_output=True, text=True) if os.getuid() == 0 else None
    if done is None or done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip() if done else 'not root'}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(disk: Path) -> None:
    """Write until nothing more goes onto it."""
    with contextlib.suppress(OSError), (disk / "filler").open("wb", buffering=0) as file:
        while True:
            file.write(b"\0" * min(shutil.disk_usage(disk).free or 4096, 2**20))


def test_a_disk_that_fills_on_one_host(need_platform: Callable[[str], str], place: Path) -> None:
    """Every record that it had written is here, it is said that its disk is full, and the other host promoted."""
    keys, full = Keys.make(place / "keys"), place / "full"
    with small_disk(full / "tmp"):
        central, address = scheduler(keys)
        started = [central]
        try:
            words = [address, "--no-nanny", "--no-dashboard", "--nthreads", "1", "--resources", "device=1"]
            words += tls_words(keys)
            started.append(start("worker", *words, "--name", "well", WEEKOPS_LOCK_NAMESPACE="another machine"))
            started.append(start("worker", *words, "--name", "full", TMPDIR=str(full / "tmp")))
            written(address, need_platform("pocl"))
            coordinator = begin(
                "fleet", "run", "fleet.yaml", "weekly", "--sizes", "61", "--kernels", "auto", "--keys", "keys"
            )
            measured = lambda: (  # noqa: E731
                coordinator.poll() is not None or b'"type":"measurement"' in kept("full")
            )
            assert until(measured, said) is None
            (journal,) = (full / "tmp").glob("weekops-fleet-*/*/reports/*/journal.jsonl")
            before = journal.read_bytes()
            fill(full / "tmp")
            status = coordinator.wait(FAR)
            left = [line for line in processes(full) if "dask_worker" not in line]
        finally:
            for process in started:
                process.kill()
                process.wait()
    outcomes = {outcome.host: outcome for outcome in decision().outcomes}
    assert outcomes["well"].state == "promoted", said()
    full_one = outcomes["full"]
    assert full_one.state in ("no_data", "lost"), said()  # whether its end could be written down, in what it let go of
    assert "No space left on device" in full_one.why or "is full" in full_one.why
    assert kept("full").startswith(before[: before.rfind(b"\n") + 1])
    assert left == []
    assert status == 11, said()
    assert cli.main(["fleet", "verify"]) == 0


def kept(host: str) -> bytes:
    """The journal of a host as the coordinator has it so far."""
    runs = Path("reports", "fleet")
    path = FleetBook(latest_run(Path("reports"))).journal(host) if list(runs.glob("fleet-*/asked.json")) else None
    return path.read_bytes() if path is not None and path.exists() else b""


def written(address: str, profile: str) -> None:
    """A fleet of these two, each under a label of its own; one measures for as long as its disk lets it."""
    lines = ["version: 1", "fleet_id: tests", "pools:"]
    lines += [f"  {name}: {{label: {name}, scheduler: '{address}', hosts: [{name}]}}" for name in ("well", "full")]
    lines += ["labels:"]
    for name, options in (("well", SMALL[2:]), ("full", LONG)):
        lines.append(f"  {name}: {{profiles: [{profile}], policy: policy.yaml, options: {list(options)}}}")
    Path("fleet.yaml").write_text("\n".join(lines) + "\n", "utf-8")
