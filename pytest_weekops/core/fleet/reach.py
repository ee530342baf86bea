"""How the hosts of a pool are reached, and what they are called; nothing here opens a connection."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field, StringConstraints

from pytest_weekops.core.policy.policy import PolicyPart

# Names become words of command lines and of file names, so none begins with a dash or a dot or holds a separator.
PLAIN_NAME = r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$"
Name = Annotated[str, StringConstraints(pattern=PLAIN_NAME)]
_SSH_HOST = r"^([A-Za-z0-9_][A-Za-z0-9_.-]{0,31}@)?[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$"
_SCHEDULER = r"^(tcp|tls)://(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9_][A-Za-z0-9_.-]*):[0-9]{1,5}$"
_ONE_LINE = r"^[^\x00-\x1f\x7f]*$"
Word = Annotated[str, StringConstraints(pattern=_ONE_LINE, max_length=200)]
MOST_HOSTS = 10_000


class Local(PolicyPart):
    """Worker processes on this machine, each one a host: to try a fleet, or one machine with several devices."""

    workers: int = Field(ge=1, le=256)  #: worker processes, each one a host: `POOL-1`, `POOL-2`, ...


class Ssh(PolicyPart):
    """Machines that ssh reaches without being asked for a password."""

    #: names as `~/.ssh/config` knows them, or `user@name`; each is a host of that name
    hosts: tuple[Annotated[str, StringConstraints(pattern=_SSH_HOST)], ...] = Field(min_length=1, max_length=MOST_HOSTS)
    python: Word = ""  #: the Python of the environment that has this package there; empty: the same path as here


class Slurm(PolicyPart):
    """Jobs of a SLURM cluster, each one a host, as dask-jobqueue's `SLURMCluster` starts them."""

    jobs: int = Field(ge=1, le=MOST_HOSTS)  #: jobs, each one a host: `POOL-1`, `POOL-2`, ...
    queue: Word = ""  #: the partition; empty: the cluster's own default
    account: Word = ""  #: who pays; empty: the cluster's own default
    #: the time limit of a job, `[days-]hours:minutes:seconds`
    walltime: Annotated[str, StringConstraints(pattern=r"^([0-9]+-)?[0-9]{1,3}:[0-9]{2}:[0-9]{2}$")] = "04:00:00"
    cores: int = Field(default=1, ge=1, le=4096)  #: CPUs of a job
    memory: Annotated[str, StringConstraints(pattern=r"^[0-9]+ ?(kB|MB|GB|TB|KiB|MiB|GiB|TiB)$")] = "8 GB"  #: of a job
    directives: tuple[Word, ...] = ()  #: further words for `#SBATCH`, for example `--gres=gpu:1`


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
