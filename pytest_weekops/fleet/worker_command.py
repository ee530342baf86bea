"""The command of a Dask worker that is one host of a fleet, wherever it is started."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_weekops.fleet.keys import Keys

RESOURCE = "device"  # each worker has one, and each gate needs one: no two are ever timed on one device
START_S = 60.0  # that a worker looks for its scheduler
# What a worker does beside a gate is noise in what that measures: no profiling, no clock that ticks 50 times a second.
CALM_WORKER = {
    "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False",
    "DASK_DISTRIBUTED__ADMIN__TICK__INTERVAL": "5s",
    "DASK_DISTRIBUTED__ADMIN__SYSTEM_MONITOR__INTERVAL": "10s",
}


def tls_words(keys: Keys) -> list[str]:
    """The options that let a worker in, and say where it finds what lets it in."""
    files = {"--tls-ca-file": keys.certificate, "--tls-cert": keys.certificate, "--tls-key": keys.key}
    return [word for name, path in files.items() for word in (name, str(path))]


def worker_command(name: str, address: str, *, place: Path, keys: Keys, listens_on: str = "") -> list[str]:
    """The words that start host ``name``. ``place`` is its directory; without ``listens_on`` Dask finds an address."""
    return [
        *(sys.executable, "-m", "distributed.cli.dask_worker", address, "--no-nanny", "--no-dashboard"),
        *("--name", name, "--nthreads", "1", "--memory-limit", "0", "--resources", f"{RESOURCE}=1"),
        *("--local-directory", str(place), "--death-timeout", f"{START_S:g}"),
        *(("--host", listens_on) if listens_on else ()),
        *tls_words(keys),
    ]
