"""The few exceptions of the project. Bad *measurements* are findings, never exceptions.

Each message says what was refused or failed, where, why it matters and what to do; the facts are attributes.
"""

from __future__ import annotations

from itertools import takewhile


class WeekopsError(Exception):
    """Base of everything this project raises on purpose; its text is a sentence for people."""


class InputError(WeekopsError):
    """Something the user gave cannot be used: an option, a file, a name. Ends in exit status 4."""


class PolicyError(InputError):
    """A policy, platform or catalogue file is refused. ``path`` is the file, ``key`` the place in it."""

    def __init__(self, message: str, *, path: str = "", key: str = "") -> None:
        super().__init__(message)
        self.path = path
        self.key = key


class SourceChanged(InputError):
    """A kernel or operation file is not what it was when the run began. ``name`` is the file."""

    def __init__(self, message: str, *, name: str) -> None:
        super().__init__(message)
        self.name = name


class DeviceError(WeekopsError):
    """A driver or device cannot be used (none found, a pattern that matches none or two)."""


class DeviceBusy(DeviceError):
    """Another gate measures on this device; the driver is not to blame."""


class BuildError(DeviceError):
    """A kernel does not compile. ``log`` is the compiler's, ``options`` what it was given, ``source`` the file."""

    def __init__(self, message: str, *, options: tuple[str, ...] = (), log: str = "", source: str = "") -> None:
        super().__init__(message)
        self.options = options
        self.log = log
        self.source = source


class WorkerError(WeekopsError):
    """A worker did not answer as the protocol asks."""


class WorkerCrash(WorkerError):
    """A worker process ended without its final frame. ``status`` is the wait status in words."""

    def __init__(
        self, message: str, *, status: str, signal: str | None = None, stderr_tail: str = "", phase: str = ""
    ) -> None:
        super().__init__(message)
        self.status = status
        self.signal = signal
        self.stderr_tail = stderr_tail
        self.phase = phase


class WorkerTimeout(WorkerError):
    """A worker stayed in a phase past its deadline and was killed."""

    def __init__(self, message: str, *, deadline_s: float, stderr_tail: str = "", phase: str = "") -> None:
        super().__init__(message)
        self.deadline_s = deadline_s
        self.stderr_tail = stderr_tail
        self.phase = phase


def last_words(error: WeekopsError) -> str:
    """What happened, with what the driver itself said last where it went down with words; no stack of ours."""
    tail = error.stderr_tail if isinstance(error, WorkerCrash | WorkerTimeout) else ""
    own = takewhile(lambda line: not line.startswith(("Fatal Python error", "Traceback")), tail.splitlines())
    said = " | ".join(line.strip() for line in own if line.strip())
    return f"{error}; its last words: {said}" if said else str(error)


LONGEST_TOLD = 200  # characters of a key or a message that are repeated


def shortened(text: str) -> str:
    """A stranger's text, cut where it is too long to be repeated."""
    return text if len(text) <= LONGEST_TOLD else f"{text[:LONGEST_TOLD]}..."
