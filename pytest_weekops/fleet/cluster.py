"""Hosts as Dask workers, each known by its name. The only module here that imports Dask.

What Dask itself sends, it pickles: our functions by name on the way out, and exceptions on the way back. Results are
text, and a client that is made here takes no pickled ones. So whoever is let into the cluster by its certificate is
trusted by Dask, whatever we look at; that is why the doors are shut by default.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import warnings
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Self

import dask
from distributed import Client, Future, Scheduler

from pytest_weekops.core.errors import InputError, WeekopsError
from pytest_weekops.core.fleet.fleet_file import FleetFile
from pytest_weekops.core.fleet.reach import Pool
from pytest_weekops.fleet import host as on_host
from pytest_weekops.fleet import host_errand
from pytest_weekops.fleet.coordinator import Unreachable
from pytest_weekops.fleet.keys import Keys
from pytest_weekops.fleet.messages import AskPiece, AskWho, encode
from pytest_weekops.fleet.queues import refuse_queue
from pytest_weekops.fleet.ssh import python_there, ssh_program
from pytest_weekops.fleet.started import StartedWorkers
from pytest_weekops.fleet.worker_command import RESOURCE, START_S

_LOOPBACK, _ELSEWHERE = "127.0.0.1", "for elsewhere "
_KILLED_S = 10.0
_LOOKED_S = 0.5  # for which a scheduler's word on who is there is taken
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
        if pool.ssh is not None:
            ssh_program()
            python_there(pool.ssh.python)
        if (jobs := pool.jobs) is not None:
            refuse_queue(name, *jobs)
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

    ``scratch`` is where local workers keep what they need; ``logs`` where what is said by workers that are started
    here is kept. ``ssh_config`` takes the place of the user's own configuration of ssh.
    """

    def __init__(
        self,
        fleet: FleetFile,
        *,
        scratch: Path,
        logs: Path,
        plain: bool,
        keys: Keys | None,
        ssh_config: Path | None = None,
    ) -> None:
        refuse_unreachable(fleet, plain=plain, keys=keys)
        self._fleet = fleet
        self._scratch = scratch
        self._keys = keys
        self._started = StartedWorkers(scratch, logs, ssh_config)
        self._stack = AsyncExitStack()
        self._clients: dict[str, Client] = {}  # by the scheduler's address, or by where one of our own is listening
        self._of_host = {host.name: _scheduler_of(fleet.pools[host.pool]) for host in fleet.hosts}
        self._looking = {address: asyncio.Lock() for address in self._of_host.values()}
        self._workers: dict[str, tuple[float, dict[str, str]]] = {}
        self._gates: dict[str, Future[Any]] = {}

    async def __aenter__(self) -> Self:
        """Start what is local, and connect. Raises ``WeekopsError`` where a scheduler does not answer."""
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        self._stack.enter_context(dask.config.set(_QUIET))
        try:
            for address in dict.fromkeys(self._of_host.values()):
                await (self._connect(address) if "://" in address else self._start_own(address))
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Disconnect, and end what was started here."""
        await self._close()

    # -- starting ----------------------------------------------------------------------------------------------

    async def _start_own(self, listens_on: str) -> None:
        """A scheduler in this process, with keys of its own, and a worker for each of its hosts.

        On the loopback address for hosts of this machine; else on the one that is named, or on all, behind those keys.
        """
        named = listens_on.removeprefix(_ELSEWHERE)
        keys = Keys.make(self._scratch / f"keys-{len(self._clients)}")
        scheduler = Scheduler(
            host=named or None,
            port=0,
            protocol="tls",
            dashboard_address=f"{_LOOPBACK}:0",
            security=keys.security(),
        )
        try:
            await self._stack.enter_async_context(scheduler)
        except OSError as error:
            raise WeekopsError(
                f"No scheduler can listen on {named or 'this machine'}: {error}. Its hosts would not find us. Give "
                "`here` a name or an address of this machine."
            ) from error
        for name, pool in self._fleet.pools.items():
            if _scheduler_of(pool) == listens_on:
                await self._started.start(pool, pool.host_names(name), str(scheduler.address), keys)
        address = str(scheduler.address) if named else f"tls://{_LOOPBACK}:{scheduler.port}"
        await self._connect(listens_on, address, keys)

    async def _connect(self, name: str, address: str = "", keys: Keys | None = None) -> None:
        address, keys = address or name, keys or self._keys
        own = ["dask", "msgpack"]  # and no pickle
        client = Client(
            address,
            asynchronous=True,
            set_as_default=False,
            timeout=START_S,
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
                host = name.partition("://")[2].rpartition(":")[0] if "://" in name else _LOOPBACK
                found.append(f"http://{host}:{int(services['dashboard'])}/status")
        return found

    # -- asking ------------------------------------------------------------------------------------------------

    async def is_there(self, host: str) -> bool:
        """Whether its worker is known to its scheduler."""
        return (await self._worker(host)) is not None

    def why_gone(self, host: str) -> str:
        """How the worker ended that was started for this host; nothing while it runs, and of others' workers."""
        return self._started.why_gone(host)

    async def _worker(self, host: str) -> str | None:
        """The address of its worker."""
        if self.why_gone(host):
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
            told = await asyncio.wait_for(_identity(self._clients[scheduler]), START_S)
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
        """Start its worker anew where it was ended from here, or ended by itself; those of others are not ours."""
        if self.why_gone(host):
            await self._started.revive(host)

    def failure(self, task: str) -> str:
        """Why its function could not be called: no package there, or none of this version."""
        future = self._gates.get(task)
        if future is None or future.status not in ("error", "cancelled"):
            return ""
        kind = getattr(future, "_state", None)
        told = getattr(kind, "exception", None)
        return f"{type(told).__name__}: {told}"[:300] if told is not None else str(future.status)

    async def end(self, host: str, task: str, *, is_settled: bool) -> None:
        """Let a task go. A host that is not settled and whose worker was started here ends with all that it started."""
        with contextlib.suppress(Unreachable):
            if is_settled:
                await self._answered(host, on_host.forget, encode(AskPiece(task=task)), _KILLED_S)
        future = self._gates.pop(task, None)
        if future is not None:
            with contextlib.suppress(OSError, TimeoutError):
                future.release()
        if not is_settled or self._started.is_job(host):  # which others may be waiting for the room of
            await self._started.end(host)

    # -- ending ------------------------------------------------------------------------------------------------

    async def _close(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                await self._started.close()
            finally:
                await self._stack.aclose()


async def _identity(client: Client) -> Any:
    """What its scheduler says of itself and of all its workers."""
    scheduler: Any = client.scheduler
    return await scheduler.identity(n_workers=-1)


def _scheduler_of(pool: Pool) -> str:
    """The address of its scheduler; without one, where ours listens for its hosts."""
    if pool.ssh is not None:
        return f"{_ELSEWHERE}{pool.ssh.here}"
    if (jobs := pool.jobs) is not None:
        return f"{_ELSEWHERE}{jobs[1].here}"
    return pool.scheduler or _LOOPBACK
