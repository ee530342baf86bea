"""Which runtime profile is in force: where it is looked for, and what is read there. Changes nothing."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pytest_weekops.core.errors import InputError
from pytest_weekops.core.week.rollback import ACTIVE_NAME, parse_environment


@dataclass(frozen=True)
class Active:
    """The profile now in force: its file, the platform it names, and its hash. All empty where there is none."""

    path: Path | None = None
    platform: str = ""
    sha256: str = ""

    def document(self, runtime: Path) -> dict[str, Any]:
        """As the ledger keeps it, with the file relative to the runtime directory."""
        name = self.path.relative_to(runtime).as_posix() if self.path else None
        return {"file": name, "platform": self.platform, "sha256": self.sha256}


def runtime_directory(report_dir: Path) -> Path:
    """The directory of the runtime profile, links followed: it may be a link to where consumers look.

    Raises ``InputError`` where the link leads in a circle.
    """
    try:
        return (report_dir.resolve() / "runtime").resolve()
    except (OSError, RuntimeError) as error:
        raise InputError(
            f"{report_dir / 'runtime'} cannot be followed: {error}. Where consumers look for their profile is "
            "not known, so nothing was switched. Mend the link."
        ) from error


def read_active(runtime: Path) -> Active:
    """The profile now in force. Raises ``InputError`` where the file is there and cannot be read."""
    path = runtime / ACTIVE_NAME
    try:
        if not path.exists():
            return Active()
        content = _read_regular(path)
        platform = parse_environment(content.decode()).get("WEEKOPS_PLATFORM", "")
        return Active(path.resolve(), platform, hashlib.sha256(content).hexdigest())
    except (OSError, RuntimeError, UnicodeDecodeError, InputError) as error:
        raise InputError(
            f"The active runtime profile {path} cannot be read: {error} What consumers run on is not known, so "
            "nothing was switched. Correct the file or take it away."
        ) from error


def active_after_switch(runtime: Path) -> Active:
    """What is in force, whatever it is: that has to be said even where it cannot be read, or has no name."""
    try:
        found = read_active(runtime)
    except InputError:
        return Active(platform="something unreadable")
    return found if found.platform else replace(found, platform="a profile of no name" if found.path else "nothing")


def _read_regular(path: Path) -> bytes:
    """The bytes of a regular file. Raises ``InputError`` for a pipe or a device: reading one might never end."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise InputError("It is no regular file.")
        return file.read()
