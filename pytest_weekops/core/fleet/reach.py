"""Pools of hosts: how they are reached, and what they are called; nothing here opens a connection."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field, StringConstraints, field_validator, model_validator

from pytest_weekops.core.policy.policy import PolicyPart

# Names become words of command lines and of file names, so none begins with a dash or a dot or holds a separator.
PLAIN_NAME = r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$"
Name = Annotated[str, StringConstraints(pattern=PLAIN_NAME)]
_SSH_HOST = r"^([A-Za-z0-9_][A-Za-z0-9_.-]{0,31}@)?[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$"
_SCHEDULER = r"^(tcp|tls)://(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9_][A-Za-z0-9_.-]*):[0-9]{1,5}$"
_ADDRESS = r"^([A-Za-z0-9_][A-Za-z0-9_.-]{0,99}|[0-9A-Fa-f:]{2,45})?$"
_PLAIN_PATH = r"^((/[A-Za-z0-9_.+-]+)+)?$"
_ONE_LINE = r"^[^\x00-\x1f\x7f]*$"
Word = Annotated[str, StringConstraints(pattern=_ONE_LINE, max_length=200)]
# Both end up in command lines on other machines: what would have to be quoted is refused instead.
Address = Annotated[str, StringConstraints(pattern=_ADDRESS)]
PlainPath = Annotated[str, StringConstraints(pattern=_PLAIN_PATH)]
MOST_HOSTS = 10_000
QUEUES = ("slurm", "pbs", "sge", "lsf", "moab", "oar", "htcondor")
# What is to be run is no directive, and neither is what steers how the file is read.
_CONDORS_OWN = ("executable", "arguments", "queue", "if", "elif", "else", "endif", "include", "use", "warning", "error")
_WAYS = ("local", "scheduler", "ssh", *QUEUES)


class Local(PolicyPart):
    """Worker processes on this machine, each one a host: to try a fleet, or one machine with several devices."""

    workers: int = Field(ge=1, le=256)  #: worker processes, each one a host: `POOL-1`, `POOL-2`, ...


class Ssh(PolicyPart):
    """Machines that ssh reaches without being asked for a password."""

    #: names as `~/.ssh/config` knows them, or `user@name`; each is a host of that name
    hosts: tuple[Annotated[str, StringConstraints(pattern=_SSH_HOST)], ...] = Field(min_length=1, max_length=MOST_HOSTS)
    #: the Python of the environment that has this package there, from the root on; empty: the same path as here
    python: PlainPath = ""
    #: this machine's name or address, as the hosts reach it; empty: what they see at the other end of their connection
    here: Address = ""


class Jobs(PolicyPart):
    """Jobs of a cluster's queue, each one a host, as dask-jobqueue writes them."""

    jobs: int = Field(ge=1, le=MOST_HOSTS)  #: jobs, each one a host: `POOL-1`, `POOL-2`, ...
    queue: Word = ""  #: the queue, or SLURM's partition; empty: the cluster's own default
    #: who pays: the project of SGE, LSF and OAR, the accounting group of HTCondor; empty: the cluster's own default
    account: Word = ""
    #: the time limit of a job, `[days-]hours:minutes:seconds`
    walltime: Annotated[str, StringConstraints(pattern=r"^([0-9]+-)?[0-9]{1,3}:[0-9]{2}:[0-9]{2}$")] = "04:00:00"
    cores: int = Field(default=1, ge=1, le=4096)  #: CPUs of a job
    memory: Annotated[str, StringConstraints(pattern=r"^[0-9]+ ?(kB|MB|GB|TB|KiB|MiB|GiB|TiB)$")] = "8 GB"  #: of a job
    directives: tuple[Word, ...] = ()  #: further words for the queue, a line each, for example `--gres=gpu:1` of SLURM
    #: the Python of the environment that has this package there, from the root on; empty: the same path as here
    python: PlainPath = ""
    here: Address = ""  #: this machine's name or address, as the jobs reach it; empty: what Dask takes it to be
    #: a directory that this machine and all jobs see, for keys, scripts and logs; empty: the home directory
    shared: PlainPath = ""


def numbered(pool: str, count: int) -> tuple[str, ...]:
    """``POOL-1`` to ``POOL-n``, as many digits as the last needs."""
    digits = len(str(count))
    return tuple(f"{pool}-{number:0{digits}d}" for number in range(1, count + 1))


def ssh_name(host: str) -> str:
    """The host's name without the user it is reached as."""
    return host.rpartition("@")[2]


def is_scheduler(address: str) -> bool:
    """Whether this is the address of a Dask scheduler: ``tcp://host:port`` or ``tls://host:port``."""
    return re.match(_SCHEDULER, address) is not None and int(address.rpartition(":")[2]) <= 65_535


class Pool(PolicyPart):
    """Hosts that are reached in one way and carry one label. Exactly one way is given."""

    label: Name  #: what its hosts are judged under, a key of `labels`
    site: Word = ""  #: where they stand, for people
    local: Local | None = None  #: worker processes on this machine
    scheduler: str | None = None  #: a Dask scheduler that runs already: `tcp://host:port`, `tls://host:port`
    #: names of the workers that this scheduler has to have; with `scheduler` only
    hosts: tuple[Name, ...] = ()
    ssh: Ssh | None = None  #: machines that ssh reaches
    slurm: Jobs | None = None  #: jobs of a SLURM cluster
    pbs: Jobs | None = None  #: jobs of a PBS cluster
    sge: Jobs | None = None  #: jobs of a Grid Engine
    lsf: Jobs | None = None  #: jobs of an LSF cluster
    moab: Jobs | None = None  #: jobs of a Moab cluster
    oar: Jobs | None = None  #: jobs of an OAR cluster, which is not asked for `memory`
    htcondor: Jobs | None = None  #: jobs of an HTCondor pool, which has no `queue`; each directive is `KEY = VALUE`

    @field_validator("scheduler")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        if value is not None and not is_scheduler(value):
            raise ValueError("is no address of a scheduler, which looks like tls://host:8786")
        return value

    @model_validator(mode="after")
    def _one_way(self) -> Pool:
        given = [way for way in _WAYS if getattr(self, way) is not None]
        if len(given) != 1:
            told = " and ".join(given) or "none"
            raise ValueError(f"a pool is reached in exactly one way, of {', '.join(_WAYS)}; this one has {told}")
        if bool(self.hosts) != (self.scheduler is not None):
            raise ValueError("a pool with `scheduler` names its workers in `hosts`, and no other pool has `hosts`")
        return self

    @model_validator(mode="after")
    def _as_condor_takes_it(self) -> Pool:
        if self.htcondor is None:
            return self
        if self.htcondor.queue:
            raise ValueError("HTCondor has no queues: a directive says which machines are meant, `Requirements = ...`")
        for directive in self.htcondor.directives:
            found = re.match(r"^\+?([A-Za-z][A-Za-z0-9_.]*) *= *[^ ]", directive)
            if found is None or directive.endswith("\\") or found[1].lower() in _CONDORS_OWN:
                raise ValueError(f"a directive of HTCondor is `KEY = VALUE` in one line, and {directive!r:.60} is not")
        if self.htcondor.account.endswith("\\"):
            raise ValueError("`account` ends with a backslash, and HTCondor would take the next line for a part of it")
        return self

    @property
    def jobs(self) -> tuple[str, Jobs] | None:
        """Its queue's name and what is asked of it; None where it is reached otherwise."""
        return next(((name, jobs) for name in QUEUES if (jobs := getattr(self, name)) is not None), None)

    @property
    def is_started_here(self) -> bool:
        """Whether its workers are started from here, and so end with us."""
        return self.scheduler is None

    def host_names(self, pool: str) -> tuple[str, ...]:
        """The names of its hosts, in order; ``pool`` is its own name."""
        if self.local is not None:
            return numbered(pool, self.local.workers)
        if (queue := self.jobs) is not None:
            return numbered(pool, queue[1].jobs)
        return self.hosts if self.ssh is None else tuple(map(ssh_name, self.ssh.hosts))
