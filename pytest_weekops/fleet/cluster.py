"""Hosts as Dask workers, each known by its name. The only module here that imports Dask.

What Dask itself sends, it pickles: our functions by name on the way out, and exceptions on the way back. Results are
text, and a client that is made here takes no pickled ones. So whoever is let into the cluster by its certificate is
trusted by Dask, whatever we look at; that is why the doors are shut by default.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Self

import dask
from distributed import Client, Future, Scheduler

from pytest_weekops.core.errors import InputError, WeekopsError
from pytest_weekops.core.fleet.fleet_file import FleetFile
from pytest_weekops.fleet import host as on_host
from pytest_weekops.fleet import host_errand
from pytest_weekops.fleet.coordinator import Unreachable
from pytest_weekops.fleet.keys import Keys
from pytest_weekops.fleet.leash import environment, leashed
from pytest_weekops.fleet.messages import AskPiece, AskWho, encode

RESOURCE = "device"  # each worker has one, and each gate needs one: no two are ever timed on one device
_START_S = 60.0
_KILLED_S = 10.0
_LOOKED_S = 0.5  # for which a scheduler's word on who is there is taken
# What a worker does beside a gate is noise in what that measures: no profiling, no clock that ticks 50 times a second.
CALM_WORKER = {
    "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False",
    "DASK_DISTRIBUTED__ADMIN__TICK__INTERVAL": "5s",
    "DASK_DISTRIBUTED__ADMIN__SYSTEM_MONITOR__INTERVAL": "10s",
}
_QUIET = {
    "distributed.scheduler.allowed-failures": 0,  # a gate is begun once, whatever became of its worker
    "distributed.scheduler.worker-ttl": None,  # a host that is paused is not gone: deadlines are ours
    "distributed.scheduler.work-stealing": False,
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.tick.limit": "1h",
    "distributed.comm.timeouts.connect": "20s",
}


def refuse_unreachable(fleet: FleetFile, *, plain: bool, keys: Keys | None) -> None:
    """Refuse ways to hosts that are not there, and open doors that nobody asked for. Raises ``InputError``."""
    for name, pool in fleet.pools.items():
        if pool.way in ("ssh", "slurm"):
            raise InputError(
                f"Pool {name} is reached by {pool.way}, by which this version starts no workers. Its hosts would all "
                "be lost. Start a Dask scheduler and workers there yourself, and name the former as `scheduler`."
            )
        if pool.scheduler is None:
            continue
        is_tls = pool.scheduler.startswith("tls://")
        if not is_tls and not plain:
            raise InputError(
                f"Pool {name} is reached at {pool.scheduler}, without encryption: whoever reaches that port runs "
                "programs on its hosts, and here. Use tls:// with `weekops fleet keys`, or say --plain where the "
                "network is yours alone."
            )
        if is_tls and keys is None:
            raise InputError(
                f"Pool {name} is reached at {pool.scheduler}, and no --keys are given. Without them nobody lets us in. "
                "Give the directory that `weekops fleet keys` made."
            )


class DaskReach:
    """Every host of a fleet by its name; as an asynchronous context manager, from its start to its end.

    ``scratch`` is where local workers keep what they need; ``logs`` where what they say is kept.
    """

    def __init__(self, fleet: FleetFile, *, scratch: Path, logs: Path, plain: bool, keys: Keys | None) -> None:
        refuse_unreachable(fleet, plain=plain, keys=keys)
        self._fleet = fleet
        self._scratch = scratch
        self._logs = logs
        self._keys = keys
        self._stack = AsyncExitStack()
        self._clients: dict[str, Client] = {}  # by the scheduler's address; "" is the local one
        self._of_host = {h.name: fleet.pools[h.pool].scheduler or "" for h in fleet.hosts}
        self._looking = {address: asyncio.Lock() for address in self._of_host.values()}
        self._workers: dict[str, tuple[float, dict[str, str]]] = {}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._gates: dict[str, Future[Any]] = {}
        self._local: tuple[str, Keys]  # the address and the keys of the scheduler of this machine

    async def __aenter__(self) -> Self:
        """Start what is local, and connect. Raises ``WeekopsError`` where a scheduler does not answer."""
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        self._stack.enter_context(dask.config.set(_QUIET))
        try:
            for address in dict.fromkeys(self._of_host.values()):
                await (self._connect(address) if address else self._start_local())
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Disconnect, and end what was started here."""
        await self._close()

    # -- starting ----------------------------------------------------------------------------------------------

    async def _start_local(self) -> None:
        """A scheduler in this process, on the loopback address and with keys of its own, and a process per host."""
        keys = Keys.make(self._scratch / "keys")
        scheduler = Scheduler(
            host="127.0.0.1", port=0, protocol="tls", dashboard_address="127.0.0.1:0", security=keys.security()
        )
        await self._stack.enter_async_context(scheduler)
        self._local = str(scheduler.address), keys
        for host, address in self._of_host.items():
            if not address:
                self._processes[host] = self._start_worker(host, *self._local)
        await self._connect("", *self._local)

    def _start_worker(self, host: str, address: str, keys: Keys) -> subprocess.Popen[bytes]:
        place = self._scratch / "workers" / host
        place.mkdir(parents=True, exist_ok=True)
        self._logs.mkdir(parents=True, exist_ok=True)
        files = {"--tls-ca-file": keys.certificate, "--tls-cert": keys.certificate, "--tls-key": keys.key}
        command = [
            *(sys.executable, "-m", "distributed.cli.dask_worker", address, "--no-nanny", "--no-dashboard"),
            *("--name", host, "--nthreads", "1", "--memory-limit", "0", "--resources", f"{RESOURCE}=1"),
            *("--local-directory", str(place), "--death-timeout", f"{_START_S:g}"),
            *(word for name, path in files.items() for word in (name, str(path))),
        ]
        with (self._logs / f"{host}.txt").open("ab") as log:
            return subprocess.Popen(
                leashed(command, signal.SIGKILL),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**environment("PYTEST_"), **CALM_WORKER},
                start_new_session=True,  # so that all of it can be ended at once
            )

    async def _connect(self, name: str, address: str = "", keys: Keys | None = None) -> None:
        address, keys = address or name, keys or self._keys
        own = ["dask", "msgpack"]  # and no pickle
        client = Client(
            address,
            asynchronous=True,
            set_as_default=False,
            timeout=_START_S,
            serializers=own,
            deserializers=[*own, "error"],
            security=keys.security() if address.startswith("tls://") and keys is not None else None,
        )
        try:
            self._clients[name] = await self._stack.enter_async_context(client)
        except (OSError, TimeoutError, ValueError, TypeError) as error:
            raise WeekopsError(
                f"Scheduler {address} does not answer: {error}. None of its hosts can be reached. Start it, or check "
                "its address and its keys."
            ) from error

    async def dashboards(self) -> list[str]:
        """Where Dask shows its own view of each scheduler."""
        found = []
        for name, client in self._clients.items():
            with contextlib.suppress(OSError, TimeoutError, KeyError, ValueError):
                services = (await _identity(client))["services"]
                host = (name or _address(client)).partition("://")[2].rpartition(":")[0]
                found.append(f"http://{host}:{int(services['dashboard'])}/status")
        return found

    # -- asking ------------------------------------------------------------------------------------------------

    async def is_there(self, host: str) -> bool:
        """Whether its worker is known to its scheduler."""
        return (await self._worker(host)) is not None

    async def _worker(self, host: str) -> str | None:
        """The address of its worker."""
        process = self._processes.get(host)
        if process is not None and process.poll() is not None:
            return None
        scheduler, moment = self._of_host[host], time.monotonic()
        async with self._looking[scheduler]:  # one look for all who ask, however many hosts there are
            looked_at, workers = self._workers.get(scheduler, (-_LOOKED_S, {}))
            if moment - looked_at >= _LOOKED_S:
                workers = await self._named(scheduler)
                self._workers[scheduler] = (time.monotonic(), workers)
        return workers.get(host)

    async def _named(self, scheduler: str) -> dict[str, str]:
        """The addresses of a scheduler's workers by name; none where it does not answer."""
        try:
            told = await asyncio.wait_for(_identity(self._clients[scheduler]), _START_S)
            return {str(each.get("name")): str(address) for address, each in told["workers"].items()}
        except (OSError, TimeoutError, LookupError, AttributeError, TypeError):  # no scheduler, or none of ours
            return {}

    async def ask(self, host: str, text: str, timeout_s: float) -> object:
        """Ask for a piece of a journal. Raises ``Unreachable``."""
        return await self._answered(host, on_host.piece, text, timeout_s)

    async def _answered(self, host: str, function: Callable[[str], str], text: str, timeout_s: float) -> object:
        address = await self._worker(host)
        if address is None:
            raise Unreachable("its worker is not known")
        client = self._clients[self._of_host[host]]
        try:
            return (await asyncio.wait_for(client.run(function, text, workers=[address]), timeout_s))[address]
        except (asyncio.CancelledError, KeyboardInterrupt):
            raise
        except Exception as error:  # whatever a worker raises comes back as itself
            raise Unreachable(f"{type(error).__name__}: {error}"[:300]) from error

    async def who(self, host: str, asked: AskWho, timeout_s: float) -> object:
        """Ask who it is, as a task that holds its device. Raises ``Unreachable``."""
        try:
            future = await self._submit(host, on_host.who, encode(asked))
            return await asyncio.wait_for(future.result(), timeout_s)
        except (asyncio.CancelledError, KeyboardInterrupt):
            raise
        except TimeoutError as error:
            raise Unreachable(f"it did not answer within {timeout_s:g} s") from error
        except Exception as error:  # whatever a worker raises comes back as itself
            raise Unreachable(f"{type(error).__name__}: {error}"[:300]) from error

    async def begin(self, host: str, task: str, text: str) -> None:
        """Have it run a gate, which waits for its worker's device."""
        with contextlib.suppress(Unreachable):  # it is looked for again, and lost where it stays away
            self._gates[task] = await self._submit(host, on_host.run_gate, text, f"weekops-{task}")

    async def _submit(
        self, host: str, function: Callable[[str], str], text: str, key: str | None = None
    ) -> Future[Any]:
        address = await self._worker(host)
        if address is None:
            raise Unreachable("its worker is not there")
        client = self._clients[self._of_host[host]]
        return client.submit(
            function, text, key=key, pure=False, retries=0, workers=[address], resources={RESOURCE: 1},
            allow_other_workers=False,
        )  # fmt: skip

    async def begin_errand(self, host: str, text: str, timeout_s: float) -> object:
        """Begin a switch or a rollback beside whatever its worker is at. Raises ``Unreachable``."""
        return await self._answered(host, host_errand.begin, text, timeout_s)

    async def bury(self, host: str, text: str, timeout_s: float) -> object:
        """How an errand stands; where it never came it is not begun any more. Raises ``Unreachable``."""
        return await self._answered(host, host_errand.bury, text, timeout_s)

    async def revive(self, host: str) -> None:
        """Start a local worker anew that was ended with its gate; others cannot be started from here."""
        process = self._processes.get(host)
        if process is None or process.poll() is None:
            return
        await _kill([process])  # what is left of its group
        address, keys = self._local
        self._processes[host] = self._start_worker(host, address, keys)

    def failure(self, task: str) -> str:
        """Why its function could not be called: no package there, or none of this version."""
        future = self._gates.get(task)
        if future is None or future.status not in ("error", "cancelled"):
            return ""
        kind = getattr(future, "_state", None)
        told = getattr(kind, "exception", None)
        return f"{type(told).__name__}: {told}"[:300] if told is not None else str(future.status)

    async def end(self, host: str, task: str, *, is_settled: bool) -> None:
        """Let a task go. A local host that is not settled is killed with all that it started."""
        with contextlib.suppress(Unreachable):
            if is_settled:
                await self._answered(host, on_host.forget, encode(AskPiece(task=task)), _KILLED_S)
        future = self._gates.pop(task, None)
        if future is not None:
            with contextlib.suppress(OSError, TimeoutError):
                future.release()
        if not is_settled and host in self._processes:
            await _kill([self._processes[host]])

    # -- ending ------------------------------------------------------------------------------------------------

    async def _close(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                await _kill(self._processes.values())
            finally:
                await self._stack.aclose()


async def _kill(processes: Iterable[subprocess.Popen[bytes]]) -> None:
    """End processes with their groups: asked first, so that gates write down what they have, then made to."""
    alive = [process for process in processes if process.poll() is None]
    for number, patience in ((signal.SIGTERM, _KILLED_S), (signal.SIGKILL, _KILLED_S)):
        for process in alive:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGCONT)
                os.killpg(process.pid, number)
        ends = asyncio.get_running_loop().time() + patience
        while alive and asyncio.get_running_loop().time() < ends:
            alive = [process for process in alive if process.poll() is None or _has_group(process.pid)]
            await asyncio.sleep(0.05)


def _has_group(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


async def _identity(client: Client) -> Any:
    """What its scheduler says of itself and of all its workers."""
    scheduler: Any = client.scheduler
    return await scheduler.identity(n_workers=-1)


def _address(client: Client) -> str:
    scheduler: Any = client.scheduler
    return str(scheduler.address)
