"""A real sshd of the tests' own, on the loopback address, with keys and settings that go with its directory."""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

START_S = 60.0
_SEPARATED = Path("/run/sshd")  # where a root's sshd locks its unprivileged half up; Debian makes it at boot


@dataclass(frozen=True)
class Sshd:
    """A server that is up. ``config`` is what its clients read, by which every name leads here.

    The host key is known for ``names`` alone, and nobody answers for the name ``shut``.
    """

    config: Path


def program() -> str | None:
    """Where sshd is: Debian puts it where ordinary users do not look."""
    return shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


@contextlib.contextmanager
def started(place: Path, names: tuple[str, ...], **environment: str) -> Iterator[Sshd]:
    """A server under these names, whose sessions have this environment; the test is skipped where there is none."""
    sshd = program()
    if sshd is None:
        if "sshd" in os.environ.get("WEEKOPS_REQUIRE_PLATFORMS", ""):
            pytest.fail("sshd is required here and missing")
        pytest.skip("sshd is not installed (Debian: openssh-server)")
    if os.getuid() == 0:
        _SEPARATED.mkdir(mode=0o755, exist_ok=True)
    place.mkdir(mode=0o700)
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", place / name], check=True)
    port, shut = _free_port(), _free_port()
    (place / "authorized").write_text((place / "user.pub").read_text("utf-8"), "utf-8")
    public = " ".join((place / "host.pub").read_text("utf-8").split()[:2])
    (place / "known").write_text("".join(f"{name} {public}\n" for name in names), "utf-8")
    told = " ".join(f'"{name}={value}"' for name, value in environment.items())
    settings = [
        *(f"Port {port}", "ListenAddress 127.0.0.1", f"HostKey {place / 'host'}", "PidFile none", "UsePAM no"),
        *(f"AuthorizedKeysFile {place / 'authorized'}", "StrictModes no", "PasswordAuthentication no"),
        *("KbdInteractiveAuthentication no", "PermitRootLogin prohibit-password", "MaxStartups 100", f"SetEnv {told}"),
    ]
    (place / "sshd_config").write_text("\n".join(settings) + "\n", "utf-8")
    ours = [
        *(
            "Host *",
            "HostName 127.0.0.1",
            f"Port {port}",
            f"User {getpass.getuser()}",
            f"IdentityFile {place / 'user'}",
        ),
        *("IdentitiesOnly yes", "IdentityAgent none", f"UserKnownHostsFile {place / 'known'}"),
        *("GlobalKnownHostsFile none", "StrictHostKeyChecking accept-new"),  # which the fleet does not take over
    ]
    aliases = [line for name in names for line in (f"Host {name}", f"HostKeyAlias {name}")]
    (place / "config").write_text("\n".join(["Host shut", f"Port {shut}", *aliases, *ours]) + "\n", "utf-8")
    with (place / "log").open("wb") as log:
        process = subprocess.Popen([sshd, "-D", "-e", "-f", place / "sshd_config"], stderr=log)
    try:
        _wait(port, process, place / "log")
        yield Sshd(place / "config")
    finally:
        process.terminate()
        process.wait(START_S)


def sessions(repository: Path, place: Path) -> dict[str, str]:
    """What sessions have in their environment: the package, the directory that shows what is left, and tests' locks."""
    locks = {name: value for name, value in os.environ.items() if name.startswith("WEEKOPS_LOCK_")}
    return {"PYTHONPATH": str(repository), "TMPDIR": str(place / "tmp"), **locks}


def _free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    ends = time.monotonic() + START_S
    while True:
        with contextlib.suppress(ConnectionError), socket.create_connection(("127.0.0.1", port), timeout=5):
            return
        if process.poll() is not None or time.monotonic() > ends:
            pytest.fail(f"sshd did not start: {log.read_text('utf-8')[-2000:]}")
        time.sleep(0.05)


def python_of(place: Path, name: str = "python", *, without: str = "", namespace: str = "") -> Path:
    """This Python under another path; ``without`` a package: as it is where that was never installed.

    Gates in one ``namespace`` of locks and in another take no turns, as on two machines.
    """
    program = place / (f"{name}-bare" if without else name)
    words = f'exec "{sys.executable}" -I -S "$@"' if without else f'exec "{sys.executable}" "$@"'
    set_ = f'export WEEKOPS_LOCK_NAMESPACE="{namespace}"\n' if namespace else ""
    program.write_text(f"#!/bin/sh\n{set_}{words}\n", "utf-8")
    program.chmod(0o755)
    return program
