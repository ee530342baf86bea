"""One gate at a time per device, across processes, users and lock directories; a killed gate leaves no stale lock.

A lock has two halves. The file is held with flock(2), and is seen by whoever uses the same directory. The name is an
abstract Unix socket (unix(7)): it lies in no directory, so that gates with different ones see each other, but only
within one network namespace, so that containers with networks of their own need one directory for both.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import socket
import struct
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pytest_weekops.core.errors import DeviceBusy, DeviceError, InputError
from pytest_weekops.core.numbers import finite_from

WAIT_S = 60.0
BUSY = "is being measured by another gate"  # by which who starts a gate knows why it did not measure
_POLL_S = 0.2
_LONGEST_COMMAND = 120
_PEER = struct.Struct("3i")  # pid, uid, gid: struct ucred


def lock_dir() -> Path:
    """Where locks live: ``WEEKOPS_LOCK_DIR``, else a per-user directory in the system's temporary directory."""
    return Path(os.environ.get("WEEKOPS_LOCK_DIR") or Path(tempfile.gettempdir()) / f"weekops-locks-{os.getuid()}")


def lock_namespace() -> str:
    """``WEEKOPS_LOCK_NAMESPACE``: gates in one never see those outside. For tests; measured runs' verdicts say so."""
    return os.environ.get("WEEKOPS_LOCK_NAMESPACE", "")


def patience_s() -> float:
    """How long to wait for another gate: ``WEEKOPS_LOCK_WAIT``, else a minute. Raises ``InputError``."""
    text = os.environ.get("WEEKOPS_LOCK_WAIT")
    if not text:
        return WAIT_S
    seconds = finite_from(text)
    if seconds is None or seconds < 0:
        raise InputError(
            f"WEEKOPS_LOCK_WAIT is {text!r:.60}, not a number of seconds. How long to wait for a device that another "
            "gate measures on cannot be told from it. Give a number such as 60, or unset it."
        )
    return seconds


class DeviceLock:
    """The right to time things through the driver behind ``label``, or, where it is named, on ``device`` itself.

    A driver's lock is a file alone; it keeps a second gate from starting the same driver. A device's lock has a name
    too, and belongs to the process: two platforms of one run on one device hold it together.
    """

    def __init__(
        self,
        label: str,
        *,
        device: str = "",
        wait_s: float | None = None,
        on_event: Callable[[str], None] | None = None,
    ) -> None:
        self.label = label
        self.device = device
        self._wait_s = wait_s
        self._say = on_event or (lambda _line: None)
        self._held: _Hold | None = None

    def acquire(self) -> None:
        """Take the lock, waiting a while for another gate.

        Raises ``DeviceBusy`` when that does not end in time, ``DeviceError`` where locks cannot be kept, ``InputError``
        for a time to wait that is none.
        """
        wait_s = patience_s() if self._wait_s is None else self._wait_s
        ends, told = time.monotonic() + wait_s, False
        while (found := self._take()) is None:
            if time.monotonic() >= ends:
                raise self._refusal(wait_s)
            if not told:
                self._say(f"{self.label}: another gate measures on this device; waiting up to {wait_s:g} s")
                told = True
            time.sleep(_POLL_S)
        self._held = found

    def _take(self) -> _Hold | None:
        """Both halves, or none."""
        if self.device and (shared := _SHARED.get(self._key)) is not None:
            shared.users += 1
            return shared
        fd = self._open()
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            name = self._bind() if self.device else None
        except OSError as error:
            os.close(fd)
            if error.errno in (errno.EWOULDBLOCK, errno.EADDRINUSE):
                return None
            raise DeviceError(
                f"The lock of {self.label}'s device cannot be taken: {error.strerror or error}. Without it two gates "
                "could measure at once and falsify each other's times. Allow flock and abstract Unix sockets here."
            ) from error
        os.ftruncate(fd, 0)
        os.write(fd, str(os.getpid()).encode())
        found = _Hold(fd, name, self._key if self.device else "")
        if self.device:
            _SHARED[self._key] = found
        return found

    @property
    def _key(self) -> str:
        """What the device's lock is called, within an abstract socket's 107 bytes."""
        return hashlib.sha256(f"{lock_namespace()}\0{self.device}".encode()).hexdigest()[:32]

    @property
    def _address(self) -> str:
        return f"\0pytest-weekops/device/{self._key}"

    def _bind(self) -> socket.socket:
        name = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            name.bind(self._address)
            name.listen(1)  # so that who asks is told which process holds it
        except OSError:
            name.close()
            raise
        return name

    @property
    def _path(self) -> Path:
        safe = "".join(c if c.isalnum() else "-" for c in self.label)
        return lock_dir() / (f"device-{self._key}.lock" if self.device else f"{safe}.lock")

    def _open(self) -> int:
        directory = lock_dir()
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise DeviceError(
                f"The lock of {self.label}'s device cannot be opened in {directory}: {error.strerror or error}. "
                "Without it two gates could measure at once and falsify each other's times. Name a directory that can "
                "be written in WEEKOPS_LOCK_DIR."
            ) from error

    def _refusal(self, wait_s: float) -> DeviceBusy:
        where = f"Device of {self.label}{f' ({self.device})' if self.device else ''}"
        return DeviceBusy(
            f"{where} {BUSY}{self._holder()}. Two gates on one device falsify each other's "
            f"times, and {wait_s:g} s of waiting did not end it. Run this one later."
        )

    def _holder(self) -> str:
        """Which process holds it, where that can be told."""
        pid = _listener(self._address) if self.device else None
        if pid is None:
            with contextlib.suppress(OSError, ValueError):
                pid = int(self._path.read_text(encoding="ascii")[:20])
        if not pid:
            return ""
        command = ""
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            command = "".join(c if c.isprintable() else "?" for c in words).strip()[:_LONGEST_COMMAND]
        return f" (process {pid}{f': {command}' if command else ''})"

    def release(self) -> None:
        """Give the lock back; harmless when it is not held."""
        held, self._held = self._held, None
        if held is not None:
            held.leave()


@dataclass
class _Hold:
    """A lock that is held: its file, its name if it has one, and how many platforms of this process hold it."""

    fd: int
    name: socket.socket | None
    key: str
    users: int = 1

    def leave(self) -> None:
        """One of them less; the last one gives it back."""
        self.users -= 1
        if self.users:
            return
        _SHARED.pop(self.key, None)
        os.close(self.fd)
        if self.name is not None:
            self.name.close()


_SHARED: dict[str, _Hold] = {}


def _listener(address: str) -> int | None:
    """The process that listens there, or None."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.settimeout(1.0)
        asking.connect(address)
        return int(_PEER.unpack(asking.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))[0])
    return None
