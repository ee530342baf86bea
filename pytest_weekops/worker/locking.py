"""One gate at a time per device, across processes: flock(2) on a file, so that a killed gate leaves no stale lock."""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from pytest_weekops.core.errors import DeviceError

WAIT_S = 60.0
_POLL_S = 0.2


def lock_dir() -> Path:
    """Where locks live: ``WEEKOPS_LOCK_DIR``, else a per-user directory in the system's temporary directory."""
    return Path(os.environ.get("WEEKOPS_LOCK_DIR") or Path(tempfile.gettempdir()) / f"weekops-locks-{os.getuid()}")


class DeviceLock:
    """The right to time things on this host's device behind ``label``. Two platforms of one run hold two locks."""

    def __init__(
        self, label: str, *, wait_s: float | None = None, on_event: Callable[[str], None] | None = None
    ) -> None:
        self.label = label
        self._wait_s = float(os.environ.get("WEEKOPS_LOCK_WAIT", WAIT_S)) if wait_s is None else wait_s
        self._say = on_event or (lambda _line: None)
        self._fd = -1

    def acquire(self) -> None:
        """Take the lock, waiting a while for another gate. Raises ``DeviceError`` when it does not end in time."""
        fd = self._open()
        ends = time.monotonic() + self._wait_s
        told = False
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if time.monotonic() >= ends:
                    os.close(fd)
                    raise self._refusal() from None
                if not told:
                    self._say(f"{self.label}: another gate measures on this device; waiting up to {self._wait_s:g} s")
                    told = True
                time.sleep(_POLL_S)
            else:
                self._fd = fd
                return

    def _open(self) -> int:
        directory = lock_dir()
        name = "".join(c if c.isalnum() else "-" for c in self.label)
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            return os.open(directory / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise DeviceError(
                f"The lock of {self.label}'s device cannot be opened in {directory}: {error.strerror or error}. "
                "Without it two gates could measure at once and falsify each other's times. Name a directory that can "
                "be written in WEEKOPS_LOCK_DIR."
            ) from error

    def _refusal(self) -> DeviceError:
        return DeviceError(
            f"Device of {self.label} is being measured by another gate. Two gates on one device falsify each other's "
            f"times, and {self._wait_s:g} s of waiting did not end it. Run this one later."
        )

    def release(self) -> None:
        """Give the lock back; harmless when it is not held."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
