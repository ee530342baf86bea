"""A worker on another machine, started by OpenSSH's client and ended with its connection.

The client is the user's own, with the names, jumps and keys that the user's configuration knows. What goes to the other
machine's shell is one command without a word that would have to be quoted; all else goes through the connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from dataclasses import dataclass
from pathlib import Path

from pytest_weekops.core.errors import InputError
from pytest_weekops.fleet.keys import Keys
from pytest_weekops.fleet.leash import environment, leashed
from pytest_weekops.fleet.messages import encode
from pytest_weekops.fleet.remote import StartWorker

LARGEST_LOG_BYTES = 1024**2  # of what a host says; the rest is read and dropped
_PLAIN_PATH = re.compile(r"(/[A-Za-z0-9_.+-]+)+")
_LAST_WORDS = 300
_KILLED_S = 20.0  # that the far end has to end what it started, before the connection is cut
_OPTIONS = {
    "BatchMode": "yes",  # nobody is there to be asked
    "StrictHostKeyChecking": "yes",  # whoever takes a host's place would be given the fleet's keys
    "ForwardAgent": "no",
    "ForwardX11": "no",
    "ClearAllForwardings": "yes",
    "PermitLocalCommand": "no",
    "RequestTTY": "no",
    "RemoteCommand": "none",
    "EscapeChar": "none",
    "ControlMaster": "no",  # a connection of its own: with it the worker ends
    "ControlPath": "none",
    "ConnectTimeout": "20",
    "ServerAliveInterval": "15",
    "ServerAliveCountMax": "8",
    "LogLevel": "ERROR",
}


def ssh_program() -> str:
    """Where OpenSSH's client is. Raises ``InputError`` where it is not."""
    found = shutil.which("ssh")
    if found is None:
        raise InputError(
            "There is no program ssh here, by which the fleet's hosts are reached. All of them would be lost. Install "
            "OpenSSH's client (Debian: openssh-client)."
        )
    return found


def is_plain_path(path: str) -> bool:
    """Whether no shell would take this path apart."""
    return _PLAIN_PATH.fullmatch(path) is not None


def python_there(asked: str) -> str:
    """The Python of the other machine. Raises ``InputError`` where it would have to be quoted."""
    python = asked or sys.executable
    if not is_plain_path(python):
        raise InputError(
            f"This Python is {python!r:.200}, which a shell on another machine would take apart. It is not asked for. "
            "Give the pool a `python`, from the root on and of letters, digits and `_.+-`."
        )
    return python


def ssh_command(destination: str, python: str, config: Path | None) -> list[str]:
    """The words that reach a host. ``config`` takes the place of the user's own configuration."""
    options = [word for name, value in _OPTIONS.items() for word in ("-o", f"{name}={value}")]
    own = [] if config is None else ["-F", str(config)]
    return [ssh_program(), *own, *options, "--", destination, f"exec {python} -P -m pytest_weekops.fleet.remote"]


@dataclass(frozen=True)
class Destination:
    """One host: its ``name`` in the fleet, where ssh finds it, its Python, and what it is told of where we are."""

    name: str
    destination: str
    python: str
    here: str


class SshWorker:
    """One connection, and the worker behind it."""

    def __init__(self, process: Process, log: Path) -> None:
        self._process = process
        self._last = b""
        self._reading = asyncio.ensure_future(self._read(log))

    @classmethod
    async def start(cls, host: Destination, *, port: int, keys: Keys, config: Path | None, log: Path) -> SshWorker:
        """Connect, and say what is to be started; ``port`` is the scheduler's. Raises ``OSError``."""
        asked = StartWorker(
            name=host.name,
            here=host.here,
            port=port,
            certificate=keys.certificate.read_text("ascii"),
            key=keys.key.read_text("ascii"),
        )
        process = await asyncio.create_subprocess_exec(
            *leashed(ssh_command(host.destination, host.python, config), signal.SIGTERM),
            stdin=PIPE,
            stdout=PIPE,
            stderr=STDOUT,
            env=environment("PYTEST_", "DASK_"),
            start_new_session=True,
        )
        worker = cls(process, log)
        assert process.stdin is not None  # it was asked for
        process.stdin.write(f"{encode(asked)}\n".encode("ascii"))
        with contextlib.suppress(ConnectionError):
            await process.stdin.drain()
        return worker

    async def _read(self, log: Path) -> None:
        """Keep what is said, up to a limit: a host must not be able to fill this machine's disk."""
        assert self._process.stdout is not None  # it was asked for
        left = LARGEST_LOG_BYTES
        with log.open("ab") as file:
            while said := await self._process.stdout.read(65_536):
                file.write(said[:left])
                file.flush()
                left -= len(said[:left])
                self._last = (self._last + said)[-4 * _LAST_WORDS :]

    def why_not(self) -> str:
        """How its connection ended, and what was said last; nothing while it stands."""
        if self._process.returncode is None:
            return ""
        text = "".join(letter if letter.isprintable() else " " for letter in self._last.decode("utf-8", "replace"))
        return (
            f"ssh ended with {self._process.returncode}: {' '.join(text.split())[-_LAST_WORDS:] or 'it said nothing'}"
        )

    async def end(self) -> None:
        """Close the connection, with which the worker ends, and wait for that; cut it where that takes too long."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), _KILLED_S)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()
        with contextlib.suppress(TimeoutError):  # somebody else may hold the pipe: a ProxyCommand that was left behind
            await asyncio.wait_for(self._reading, 1.0)
