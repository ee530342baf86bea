"""Files that are whole or absent: written beside their place, synced, then renamed over it."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from pytest_weekops.core.errors import WeekopsError


def write_atomic(path: Path, data: bytes | str, *, is_durable: bool = True) -> None:
    """Put ``data`` at ``path``, durably and in one step; on any failure the old content stays and nothing is left over.

    What can be made again at any time need not be durable: a power cut may leave it empty then. Missing parent
    directories are made. Text is UTF-8. Raises ``WeekopsError`` when the disk refuses.
    """
    body = data.encode() if isinstance(data, str) else data
    beside = path.with_name(f".{path.name[:80]}.{secrets.token_hex(6)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            _write_new(beside, body, is_durable=is_durable)
            beside.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                beside.unlink(missing_ok=True)
            raise
        if is_durable:
            sync_directory(path.parent)
    except OSError as error:
        raise WeekopsError(
            f"{path} cannot be written: {error.strerror or error}. An artifact is whole or absent, so what was there "
            "before is still there. Make room, or check the permissions of its directory."
        ) from error


def _write_new(path: Path, body: bytes, *, is_durable: bool) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    with os.fdopen(descriptor, "wb") as file:
        file.write(body)
        if is_durable:
            file.flush()
            os.fsync(file.fileno())


def switch_symlink(link: Path, target: str) -> None:
    """Make ``link`` point to ``target`` in one rename, whatever stood there before."""
    beside = link.with_name(f".{link.name}.{secrets.token_hex(6)}.tmp")
    beside.symlink_to(target)
    try:
        beside.replace(link)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    sync_directory(link.parent)


def sync_directory(directory: Path) -> None:
    """Make renames in a directory survive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
