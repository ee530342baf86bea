"""A real SLURM of the tests' own: one controller and one node on this machine, in a directory that goes with them."""

from __future__ import annotations

import contextlib
import getpass
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

START_S = 120.0
_PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "scancel", "sinfo")

SETTINGS = """\
ClusterName=tests
SlurmctldHost={node}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={daemon}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={place}/munge/socket
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
SchedulerType=sched/builtin
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
KillWait=5
StateSaveLocation={place}/state
SlurmdSpoolDir={place}/spool
SlurmctldPidFile={place}/controller.pid
SlurmdPidFile={place}/daemon.pid
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
NodeName={node} NodeAddr=127.0.0.1 CPUs=1 RealMemory=64 State=UNKNOWN
PartitionName=tests Nodes={node} Default=YES MaxTime=INFINITE State=UP
"""


def _program(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


@contextlib.contextmanager
def started(place: Path) -> Iterator[Path]:
    """A cluster of one node; its settings, for ``SLURM_CONF``. The test is skipped where there is no SLURM."""
    lacking = [name for name in _PROGRAMS if _program(name) is None]
    if lacking or os.getuid() != 0:
        why = f"{lacking[0]} is not installed" if lacking else "slurmd is root's"
        if "slurm" in os.environ.get("WEEKOPS_REQUIRE_PLATFORMS", ""):
            pytest.fail(f"SLURM is required here and cannot be started: {why}")
        pytest.skip(f"no SLURM: {why} (Debian: slurmd slurmctld slurm-client munge)")
    for name in ("", "state", "spool", "munge"):
        (place / name).mkdir(mode=0o700)
    (place / "munge" / "key").write_bytes(secrets.token_bytes(128))
    (place / "munge" / "key").chmod(0o600)
    settings = place / "slurm.conf"
    ports = {"controller": _free_port(), "daemon": _free_port()}
    node = socket.gethostname().partition(".")[0]
    settings.write_text(SETTINGS.format(place=place, node=node, user=getpass.getuser(), **ports), "utf-8")
    munge = {"key-file": "key", "socket": "socket", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
    commands = [
        ["munged", "--foreground", "--force", *(f"--{name}={place / 'munge' / path}" for name, path in munge.items())],
        ["slurmctld", "-D", "-f", str(settings)],
        ["slurmd", "-D", "-f", str(settings)],
    ]
    processes: list[subprocess.Popen[bytes]] = []
    try:
        with (place / "log").open("ab") as log:
            for command in commands:
                words = [str(_program(command[0])), *command[1:]]
                processes.append(subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log))
        _wait(settings, place / "log")
        yield settings
    finally:
        for process in reversed(processes):
            process.terminate()
        for process in reversed(processes):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(15.0)
            process.kill()
            process.wait()


def _wait(settings: Path, log: Path) -> None:
    """Until its node takes jobs."""
    ends = time.monotonic() + START_S
    while True:
        asked = [str(_program("sinfo")), "--noheader", "--format=%t"]
        told = subprocess.run(asked, env={**os.environ, "SLURM_CONF": str(settings)}, capture_output=True, text=True)
        if told.stdout.strip() == "idle":
            return
        if time.monotonic() > ends:
            pytest.fail(f"SLURM did not start: {told}; {log.read_text('utf-8', errors='replace')[-3000:]}")
        time.sleep(0.2)


def _free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])
