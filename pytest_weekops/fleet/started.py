"""Workers that are started from here: processes of this machine, those behind a connection of ssh, and jobs."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from pytest_weekops.core.fleet.reach import Pool, Ssh, ssh_name
from pytest_weekops.fleet.groups import group_runs
from pytest_weekops.fleet.keys import Keys
from pytest_weekops.fleet.leash import environment, leashed
from pytest_weekops.fleet.queues import QueuedWorkers
from pytest_weekops.fleet.ssh import Destination, SshWorker, python_there
from pytest_weekops.fleet.worker_command import CALM_WORKER, worker_command

_KILLED_S = 10.0


class StartedWorkers:
    """Each by its host's name. ``scratch`` has what those of this machine need, ``logs`` what all of them say."""

    def __init__(self, scratch: Path, logs: Path, ssh_config: Path | None) -> None:
        self._scratch = scratch
        self._logs = logs
        self._ssh_config = ssh_config
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._connections: dict[str, SshWorker] = {}
        self._jobs: dict[str, QueuedWorkers] = {}  # the pool's, by host
        self._begun: dict[str, tuple[Pool, str, Keys]] = {}  # how each was started

    async def start(self, pool: Pool, hosts: Sequence[str], address: str, keys: Keys) -> None:
        """A worker for each of the pool's hosts, who finds its scheduler at this address."""
        self._logs.mkdir(parents=True, exist_ok=True)
        self._begun |= dict.fromkeys(hosts, (pool, address, keys))
        if pool.ssh is not None:
            await self._over_ssh(pool.ssh, hosts, int(address.rpartition(":")[2]), keys)
            return
        if (jobs := pool.jobs) is not None:
            queued = QueuedWorkers(*jobs, self._logs)
            self._jobs |= dict.fromkeys(hosts, queued)
            for host in hosts:
                await queued.submit(host, address, keys)
            return
        for host in hosts:
            self._processes[host] = self._here(host, address, keys)

    def _here(self, host: str, address: str, keys: Keys) -> subprocess.Popen[bytes]:
        place = self._scratch / "workers" / host
        place.mkdir(parents=True, exist_ok=True)
        with self._log(host).open("ab") as log:
            return subprocess.Popen(
                leashed(worker_command(host, address, place=place, keys=keys), signal.SIGKILL),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**environment("PYTEST_"), **CALM_WORKER},
                start_new_session=True,  # so that all of it can be ended at once
            )

    async def revive(self, host: str) -> None:
        """Start the worker of this host once more, which ended. A job is not given a second place in its queue."""
        if host not in self._begun or self.is_job(host):
            return
        await self.end(host)  # what is left of it
        pool, address, keys = self._begun[host]
        await self.start(pool, (host,), address, keys)

    async def _over_ssh(self, pool: Ssh, hosts: Sequence[str], port: int, keys: Keys) -> None:
        """A connection for each of these hosts; one that does not come about is seen when the host is waited for."""
        for destination in pool.hosts:
            host = Destination(ssh_name(destination), destination, python_there(pool.python), pool.here)
            if host.name not in hosts:
                continue
            self._connections[host.name] = await SshWorker.start(
                host, port=port, keys=keys, config=self._ssh_config, log=self._log(host.name)
            )

    def _log(self, host: str) -> Path:
        return self._logs / f"{host}.txt"

    def why_gone(self, host: str) -> str:
        """How the worker ended that was started for this host; nothing while it runs, and where none was started."""
        if (connection := self._connections.get(host)) is not None:
            return connection.why_not()
        if (queued := self._jobs.get(host)) is not None:
            return queued.why_gone(host)
        process = self._processes.get(host)
        status = None if process is None else process.poll()
        return "" if status is None else f"its process ended with {status}"

    def is_job(self, host: str) -> bool:
        """Whether it has a place in a queue, and keeps it for as long as its worker runs."""
        return host in self._jobs

    async def end(self, host: str) -> None:
        """End the worker of this host with all that it started, if it was started here."""
        if host in self._connections:
            await self._connections[host].end()
        if host in self._jobs:
            await self._jobs[host].end(host)
        if host in self._processes:
            await _kill([self._processes[host]])

    async def close(self) -> None:
        """End all of them."""
        try:
            await asyncio.gather(
                *(connection.end() for connection in self._connections.values()),
                *(queued.close() for queued in set(self._jobs.values())),
            )
        finally:
            await _kill(self._processes.values())


async def _kill(processes: Iterable[subprocess.Popen[bytes]]) -> None:
    """End workers with their groups: gates are asked first, so that they write down what they have, then made to.

    A worker itself is killed before: told that its gate has ended, it would note that as the gate's own end, and the
    host would not be run again.
    """
    alive = [process for process in processes if process.poll() is None]
    for process in alive:
        process.kill()
    for number, patience in ((signal.SIGTERM, _KILLED_S), (signal.SIGKILL, _KILLED_S)):
        for process in alive:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGCONT)
                os.killpg(process.pid, number)
        ends = asyncio.get_running_loop().time() + patience
        while alive and asyncio.get_running_loop().time() < ends:
            alive = [process for process in alive if process.poll() is None or group_runs(process.pid)]
            await asyncio.sleep(0.05)
