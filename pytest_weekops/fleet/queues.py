"""Workers as jobs of a cluster's queue: dask-jobqueue writes each job's script, the queue's own program takes it.

dask-jobqueue knows how each queue wants to be asked. Its cluster is not used: that names workers itself, and hands this
process's whole environment to every job.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import tempfile
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_weekops.core.errors import InputError, WeekopsError
from pytest_weekops.core.fleet.reach import Jobs
from pytest_weekops.fleet.keys import Keys
from pytest_weekops.fleet.leash import environment
from pytest_weekops.fleet.ssh import is_plain_path, python_there
from pytest_weekops.fleet.worker_command import CALM_WORKER, RESOURCE, START_S, tls_words

if TYPE_CHECKING:
    from dask_jobqueue.core import Job

_ANSWER_S = 60.0  # that the queue has to take a job, or to let go of one
_PROJECT = ("sge", "lsf")  # the queues that call who pays a project
_FROM_STDIN = ("lsf",)  # its words for the queue are read in no script that is named as a file
_WORDS = 300


def _kind(queue: str) -> type[Job]:
    """dask-jobqueue's own class. Raises ``ImportError`` where that is not installed."""
    from dask_jobqueue.lsf import LSFJob
    from dask_jobqueue.moab import MoabJob
    from dask_jobqueue.pbs import PBSJob
    from dask_jobqueue.sge import SGEJob
    from dask_jobqueue.slurm import SLURMJob

    kinds: dict[str, type[Job]] = {"slurm": SLURMJob, "pbs": PBSJob, "sge": SGEJob, "lsf": LSFJob, "moab": MoabJob}
    return kinds[queue]


def refuse_queue(pool: str, queue: str, jobs: Jobs) -> None:
    """Raises ``InputError`` where its program is not here, or where a path would have to be quoted in a script."""
    python_there(jobs.python)
    program = str(_kind(queue).submit_command)
    if shutil.which(program) is None:
        raise InputError(
            f"Pool {pool} has jobs of {queue}, and there is no program {program} here. None of its hosts would come. "
            "Run this where jobs are submitted."
        )
    if not is_plain_path(str(_shared(jobs))) or not _shared(jobs).is_dir():
        raise InputError(
            f"Pool {pool} keeps its keys and scripts below {_shared(jobs)}, which is no directory here, or has a name "
            "that a shell would take apart. Give it a `shared` directory that this machine and all jobs see."
        )


def _shared(jobs: Jobs) -> Path:
    return Path(jobs.shared) if jobs.shared else Path.home()


def job(queue: str, jobs: Jobs, host: str, *, address: str, place: Path, keys: Keys) -> Job:
    """The job that is to be this host, as yet nobody's. ``place`` is a directory that it sees, for what it says."""
    words: dict[str, Any] = {
        "queue": jobs.queue or None,
        "project" if queue in _PROJECT else "account": jobs.account or None,
        "walltime": _walltime(queue, jobs.walltime),
        "cores": jobs.cores,
        "memory": jobs.memory,
        "job_extra_directives": list(jobs.directives),
    }
    # Behind dask-jobqueue's own words, and so in their place: one thread, and a limit of memory that is the queue's.
    worker = ["--nthreads", "1", "--memory-limit", "0", "--no-dashboard", "--resources", f"{RESOURCE}=1"]
    return _kind(queue)(
        scheduler=address,
        name=host,
        job_name=f"weekops-{host}",
        processes=1,
        nanny=False,
        death_timeout=f"{START_S:g}",
        python=python_there(jobs.python),
        worker_extra_args=[*worker, *tls_words(keys)],
        job_script_prologue=[f"export {name}={value}" for name, value in CALM_WORKER.items()],
        log_directory=str(place),
        shebang="#!/bin/sh",
        **words,
    )


def _walltime(queue: str, walltime: str) -> str:
    """A limit as the queue takes it: LSF knows hours and minutes alone."""
    if queue != "lsf":
        return walltime
    days, _dash, clock = walltime.rpartition("-")
    hours, minutes, seconds = map(int, clock.split(":"))
    whole = (24 * int(days or 0) + hours) * 60 + minutes + (seconds > 0)
    return f"{whole // 60}:{whole % 60:02d}"


def script_shown(queue: str, jobs: Jobs, host: str) -> str:
    """The script that would be submitted for this host. Nothing is made that it names."""
    place = _shared(jobs) / ".weekops-fleet-XXXXXXXX"
    keys = Keys(place / "keys" / "fleet.crt", place / "keys" / "fleet.key")
    with tempfile.TemporaryDirectory() as scratch:  # dask-jobqueue makes the directory that it is given
        shown = job(queue, jobs, host, address=f"tls://{jobs.here or 'HERE'}:PORT", place=Path(scratch), keys=keys)
        return str(shown.job_script()).replace(scratch, str(place)).rstrip() + "\n"


class QueuedWorkers:
    """The jobs of one pool, in a directory that they all see; with them goes the directory."""

    def __init__(self, queue: str, jobs: Jobs, logs: Path) -> None:
        self._queue = queue
        self._jobs = jobs
        self._logs = logs
        self._kind = _kind(queue)
        self._place = Path(tempfile.mkdtemp(prefix=".weekops-fleet-", dir=_shared(jobs)))
        self._ids: dict[str, str] = {}
        self._refused: dict[str, str] = {}
        self._keys: Keys | None = None

    async def submit(self, host: str, address: str, keys: Keys) -> None:
        """Have the queue take a job for this host; where it does not, that is seen when the host is waited for."""
        if self._keys is None:
            certificate, key = keys.certificate.read_text("ascii"), keys.key.read_text("ascii")
            self._keys = Keys.write(self._place / "keys", certificate, key)
        made = job(self._queue, self._jobs, host, address=address, place=self._place, keys=self._keys)
        script = self._place / f"{host}.sh"
        script.write_text(str(made.job_script()), "utf-8")
        try:
            told = await self._submitted(script)
        except WeekopsError as error:
            self._refused[host] = str(error)
            return
        found = re.search(str(self._kind.job_id_regexp), told)
        if found is None:
            self._refused[host] = f"{self._kind.submit_command} said {told!r:.200}, which names no job"
        else:
            self._ids[host] = found["job_id"]

    async def _submitted(self, script: Path) -> str:
        """What the queue says of a script. Raises ``WeekopsError`` where it does not take it."""
        program = str(self._kind.submit_command)
        if self._queue not in _FROM_STDIN:
            return await self._called(program, str(script))
        with script.open("rb") as text:
            return await self._called(program, stdin=text.fileno())

    async def _called(self, *command: str, stdin: int = DEVNULL) -> str:
        """What a program of the queue says. Raises ``WeekopsError`` where it does not do what it is asked."""
        try:
            process = await asyncio.create_subprocess_exec(
                *command, stdin=stdin, stdout=PIPE, stderr=PIPE, cwd=self._place, env=environment("PYTEST_", "DASK_")
            )
            said, erred = await asyncio.wait_for(process.communicate(), _ANSWER_S)
        except (OSError, TimeoutError) as error:
            raise WeekopsError(f"{command[0]} cannot be asked: {error or 'it does not end'}") from error
        if process.returncode:
            words = " ".join(erred.decode("utf-8", "replace").split())[-_WORDS:]
            raise WeekopsError(f"{command[0]} ended with {process.returncode}: {words}")
        return said.decode("utf-8", "replace")

    def why_gone(self, host: str) -> str:
        """Why the queue did not take its job; nothing where it did."""
        return self._refused.get(host, "")

    async def end(self, host: str) -> None:
        """Have the queue let go of its job, and whatever runs of it."""
        found = self._ids.pop(host, None)
        if found is not None:
            with contextlib.suppress(WeekopsError):  # it is gone already
                await self._called(str(self._kind.cancel_command), found)

    async def close(self) -> None:
        """Let go of all jobs, keep what they said, and remove keys and scripts."""
        try:
            for host in list(self._ids):
                await self.end(host)
        finally:
            for log in self._place.glob("weekops-*"):
                with contextlib.suppress(OSError):
                    shutil.copyfile(log, self._logs / log.name)
            shutil.rmtree(self._place, ignore_errors=True)
