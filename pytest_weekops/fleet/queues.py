"""Workers as jobs of a cluster's queue: its own program takes their scripts, and lets go of the jobs.

dask-jobqueue's cluster is not used: that names workers itself, and hands this process's whole environment to every job.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import tempfile
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path

from pytest_weekops.core.errors import InputError, WeekopsError
from pytest_weekops.core.fleet.reach import Jobs
from pytest_weekops.fleet.job_scripts import job, kind, shared
from pytest_weekops.fleet.keys import Keys
from pytest_weekops.fleet.leash import environment
from pytest_weekops.fleet.ssh import is_plain_path, python_there

_ANSWER_S = 60.0  # that the queue has to take a job, or to let go of one
_FROM_STDIN = ("lsf",)  # its words for the queue are read in no script that is named as a file
_SUBMIT_WORDS = {"oar": ("-S",)}  # before the script: without it, the words in it are comments
_WORDS = 300


def refuse_queue(pool: str, queue: str, jobs: Jobs) -> None:
    """Raises ``InputError`` where its program is not here, or where a path would have to be quoted in a script."""
    python_there(jobs.python)
    program = str(kind(queue).submit_command)
    if shutil.which(program) is None:
        raise InputError(
            f"Pool {pool} has jobs of {queue}, and there is no program {program} here. None of its hosts would come. "
            "Run this where jobs are submitted."
        )
    if not is_plain_path(str(shared(jobs))) or not shared(jobs).is_dir():
        raise InputError(
            f"Pool {pool} keeps its keys and scripts below {shared(jobs)}, which is no directory here, or has a name "
            "that a shell would take apart. Give it a `shared` directory that this machine and all jobs see."
        )


def _job_id(queue: str) -> str:
    """What names the job in the words with which a queue takes one, as a pattern."""
    return r"submitted to cluster (?P<job_id>\d+)" if queue == "htcondor" else str(kind(queue).job_id_regexp)


class QueuedWorkers:
    """The jobs of one pool, in a directory that they all see; with them goes the directory."""

    def __init__(self, queue: str, jobs: Jobs, logs: Path) -> None:
        self._queue = queue
        self._jobs = jobs
        self._logs = logs
        self._kind = kind(queue)
        self._place = Path(tempfile.mkdtemp(prefix=".weekops-fleet-", dir=shared(jobs)))
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
        script.chmod(0o700)
        try:
            told = await self._submitted(script)
        except WeekopsError as error:
            self._refused[host] = str(error)
            return
        found = re.search(_job_id(self._queue), told)
        if found is None:
            self._refused[host] = f"{self._kind.submit_command} said {told!r:.200}, which names no job"
        else:
            self._ids[host] = found["job_id"]

    async def _submitted(self, script: Path) -> str:
        """What the queue says of a script. Raises ``WeekopsError`` where it does not take it."""
        program = str(self._kind.submit_command)
        if self._queue not in _FROM_STDIN:
            return await self._called(program, *_SUBMIT_WORDS.get(self._queue, ()), str(script))
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
