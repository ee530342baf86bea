"""What ssh starts on a host: ``python -m pytest_weekops.fleet.remote``, a worker for as long as its input is open.

All that it is to do comes as one line of JSON on its input, keys included: no command line, no environment and no log
has them. The input ends when the connection does, whatever ended that, and the worker with all of its own then.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from pytest_weekops.core.errors import WeekopsError
from pytest_weekops.core.record import Record
from pytest_weekops.fleet.groups import group_runs
from pytest_weekops.fleet.keys import Keys
from pytest_weekops.fleet.leash import environment, leashed
from pytest_weekops.fleet.messages import MessageRefused, decode
from pytest_weekops.fleet.worker_command import CALM_WORKER, worker_command

LONGEST_LINE = 64 * 1024
_LOOKS_S = 1.0
_KILLED_S = 5.0
_NO_WORKER = 64  # exit status where there was nothing to be started


class StartWorker(Record):
    """Be this host. ``here`` is the scheduler's address without port; empty: the other end of the ssh connection."""

    protocol: Literal[1] = 1
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$")]
    here: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{0,100}$")] = ""
    port: Annotated[int, Field(ge=1, le=65_535)]
    certificate: Annotated[str, Field(max_length=16_384)]
    key: Annotated[str, Field(max_length=16_384)]


def scheduler_and_own(asked: StartWorker, connection: str) -> tuple[str, str]:
    """The scheduler's address, and the one to listen on, if it is known. ``connection`` is ``SSH_CONNECTION``.

    Raises ``MessageRefused`` where neither says where the scheduler is.
    """
    ends = connection.split()
    here, own = asked.here, ""
    if not here:
        if len(ends) != 4:
            raise MessageRefused("SSH_CONNECTION does not say who asks; give the pool `here`")
        here, own = ends[0], ends[2]
    return f"tls://{f'[{here}]' if ':' in here else here}:{asked.port}", own


def main() -> int:
    """Run the worker that is asked for, and end with its exit status."""
    signal.signal(signal.SIGTERM, _ended)
    signal.signal(signal.SIGHUP, _ended)
    line = sys.stdin.buffer.readline(LONGEST_LINE)
    try:
        asked = decode(StartWorker, line.decode("ascii", errors="replace"))
        address, own = scheduler_and_own(asked, os.environ.get("SSH_CONNECTION", ""))
        with tempfile.TemporaryDirectory(prefix="weekops-worker-") as scratch:
            place = Path(scratch)
            keys = Keys.write(place / "keys", asked.certificate, asked.key)
            command = worker_command(asked.name, address, place=place, keys=keys, listens_on=own)
            process = subprocess.Popen(
                leashed(command, signal.SIGKILL),
                stdin=subprocess.DEVNULL,
                env={**environment("PYTEST_", "DASK_"), **CALM_WORKER},
                start_new_session=True,  # so that all of it can be ended at once
            )
            return _watched(process)
    except (WeekopsError, OSError) as error:
        sys.stderr.write(f"No worker is started: {error}\n")
        return _NO_WORKER


def _ended(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


def _watched(process: subprocess.Popen[bytes]) -> int:
    """Its status once it ends, of itself or because the input did. Nothing of its group outlives this call."""
    try:
        while process.poll() is None:
            readable, _, _ = select.select([sys.stdin], [], [], _LOOKS_S)
            if readable and not os.read(sys.stdin.fileno(), LONGEST_LINE):
                break
    finally:
        _kill(process)
    return abs(int(process.returncode))


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End it, then its group: a gate is asked first, so that it writes down what it has, then made to.

    A worker that lived on would note that as the gate's own end, and the host would not be run again.
    """
    process.kill()
    for number in (signal.SIGTERM, signal.SIGKILL):
        ends = time.monotonic() + _KILLED_S
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGCONT)
            os.killpg(process.pid, number)
        while (process.poll() is None or group_runs(process.pid)) and time.monotonic() < ends:
            time.sleep(0.05)
    process.wait()


if __name__ == "__main__":
    raise SystemExit(main())
