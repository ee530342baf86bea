"""The script of each job that is to be a host, as dask-jobqueue writes it, which knows how each queue is asked."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_weekops.core.fleet.reach import Jobs
from pytest_weekops.fleet.keys import Keys
from pytest_weekops.fleet.ssh import python_there
from pytest_weekops.fleet.worker_command import CALM_WORKER, RESOURCE, START_S, tls_words

if TYPE_CHECKING:
    from dask_jobqueue.core import Job

_PROJECT = ("sge", "lsf", "oar")  # the queues that call who pays a project


def kind(queue: str) -> type[Job]:
    """dask-jobqueue's own class. Raises ``ImportError`` where that is not installed."""
    from dask_jobqueue.htcondor import HTCondorJob
    from dask_jobqueue.lsf import LSFJob
    from dask_jobqueue.moab import MoabJob
    from dask_jobqueue.oar import OARJob
    from dask_jobqueue.pbs import PBSJob
    from dask_jobqueue.sge import SGEJob
    from dask_jobqueue.slurm import SLURMJob

    kinds: dict[str, type[Job]] = {
        "slurm": SLURMJob,
        "pbs": PBSJob,
        "sge": SGEJob,
        "lsf": LSFJob,
        "moab": MoabJob,
        "oar": OARJob,
        "htcondor": HTCondorJob,
    }
    return kinds[queue]


def shared(jobs: Jobs) -> Path:
    """The directory that this machine and all jobs see."""
    return Path(jobs.shared) if jobs.shared else Path.home()


def job(queue: str, jobs: Jobs, host: str, *, address: str, place: Path, keys: Keys) -> Job:
    """The job that is to be this host, as yet nobody's. ``place`` is a directory that it sees, for what it says."""
    asked = _asked_of_condor if queue == "htcondor" else _asked_of_oar if queue == "oar" else _asked_of_any
    words = {"cores": jobs.cores, "memory": jobs.memory, **asked(queue, jobs, host, place)}
    # Behind dask-jobqueue's own words, and so in their place: one thread, and a limit of memory that is the queue's.
    worker = ["--nthreads", "1", "--memory-limit", "0", "--no-dashboard", "--resources", f"{RESOURCE}=1"]
    return kind(queue)(
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


def _asked_of_any(queue: str, jobs: Jobs, _host: str, _place: Path) -> dict[str, Any]:
    """What a queue is asked for, as dask-jobqueue calls it."""
    return {
        "queue": jobs.queue or None,
        "project" if queue in _PROJECT else "account": jobs.account or None,
        "walltime": _walltime(queue, jobs.walltime),
        "job_extra_directives": list(jobs.directives),
    }


def _asked_of_oar(queue: str, jobs: Jobs, host: str, place: Path) -> dict[str, Any]:
    """The same, and where a job says what it says; what its clusters call their memory is theirs."""
    words = _asked_of_any(queue, jobs, host, place)
    said = [f"-O {_said(host, place)}.out", f"-E {_said(host, place)}.err"]
    return {
        **words,
        "memory_per_core_property_name": "not_applicable",
        "job_extra_directives": [*said, *words["job_extra_directives"]],
    }


def _asked_of_condor(_queue: str, jobs: Jobs, host: str, place: Path) -> dict[str, Any]:
    """Attributes of a submit file. A job that ran for its time, or that was put out, is not begun anew."""
    spent = f"(JobStatus == 2 && time() - EnteredCurrentStatus > {_seconds(jobs.walltime)})"
    known = {
        "Output": f"{_said(host, place)}.out",
        "Error": f"{_said(host, place)}.err",
        "Log": f"{_said(host, place)}.log",
        "periodic_remove": f"{spent} || (JobStatus == 1 && NumJobStarts > 0)",
        **({"accounting_group": jobs.account} if jobs.account else {}),
    }
    own = (directive.partition("=") for directive in jobs.directives)
    return {
        "disk": "1 GB",
        "job_extra_directives": {**known, **{key.strip(): value.strip() for key, _is, value in own}},
    }


def _said(host: str, place: Path) -> Path:
    """Where a job says what it says, without the ending."""
    return place / f"weekops-{host}"


def _seconds(walltime: str) -> int:
    days, _dash, clock = walltime.rpartition("-")
    hours, minutes, seconds = map(int, clock.split(":"))
    return ((24 * int(days or 0) + hours) * 60 + minutes) * 60 + seconds


def _walltime(queue: str, walltime: str) -> str:
    """A limit as the queue takes it: LSF knows hours and minutes alone, and OAR no days."""
    if queue not in ("lsf", "oar"):
        return walltime
    whole = _seconds(walltime)
    if queue == "oar":
        return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"
    minutes = -(-whole // 60)
    return f"{minutes // 60}:{minutes % 60:02d}"


def script_shown(queue: str, jobs: Jobs, host: str) -> str:
    """The script that would be submitted for this host. Nothing is made that it names."""
    place = shared(jobs) / ".weekops-fleet-XXXXXXXX"
    keys = Keys(place / "keys" / "fleet.crt", place / "keys" / "fleet.key")
    with tempfile.TemporaryDirectory() as scratch:  # dask-jobqueue makes the directory that it is given
        shown = job(queue, jobs, host, address=f"tls://{jobs.here or 'HERE'}:PORT", place=Path(scratch), keys=keys)
        return str(shown.job_script()).replace(scratch, str(place)).rstrip() + "\n"
