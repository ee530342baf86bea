"""What a fleet run would start, pool by pool, as text. Nothing is started, and nobody is asked."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from pytest_weekops.core.fleet.fleet_file import FleetFile
from pytest_weekops.core.fleet.reach import Pool
from pytest_weekops.fleet.job_scripts import script_shown
from pytest_weekops.fleet.ssh import python_there, ssh_command


def shown(fleet: FleetFile, ssh_config: Path | None) -> Iterator[str]:
    """Lines for people: each pool's hosts, and what its first one is started by. Raises ``InputError``."""
    for name, pool in fleet.pools.items():
        hosts = pool.host_names(name)
        several = len(hosts) > 1
        named = f"{len(hosts)} hosts, {hosts[0]} to {hosts[-1]}" if several else f"1 host, {hosts[0]}"
        yield f"{name} ({pool.label}): {named}"
        yield from (f"    {line}" for line in _way(pool, hosts[0], ssh_config))


def _way(pool: Pool, host: str, ssh_config: Path | None) -> Iterator[str]:
    if pool.scheduler is not None:
        yield f"workers that are there already, at {pool.scheduler}"
    elif pool.ssh is not None:
        yield shlex.join(ssh_command(pool.ssh.hosts[0], python_there(pool.ssh.python), ssh_config))
    elif (jobs := pool.jobs) is not None:
        yield from script_shown(*jobs, host).splitlines()
    else:
        yield "processes of this machine"
