"""One worker process: started clean, kept within its deadlines, killed and reaped whatever it does."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import Field, ValidationError

from pytest_weekops.core.errors import WorkerCrash, WorkerError, WorkerTimeout
from pytest_weekops.core.measurement.plan import Deadlines
from pytest_weekops.core.measurement.records import Phase
from pytest_weekops.core.record import Record
from pytest_weekops.worker.framing import DeadlineExpired, receive, send
from pytest_weekops.worker.protocol import (
    MESSAGES,
    PROTOCOL_VERSION,
    CloseRequest,
    Goodbye,
    Hello,
    OpenRequest,
    PhaseNotice,
    Reply,
    TurnRequest,
)
from pytest_weekops.worker.starved import Deadline

WORKER_MODULE = "pytest_weekops.device.main"
STDERR_TAIL_LINES = 12
_FORGED = ("PYOPENCL_BUILD_OPTIONS", "OPENCL_LAYERS", "PYOPENCL_CTX", "PYOPENCL_TEST")
# Where drivers keep what they compiled: Mesa and most others, PoCL, NVIDIA, and AMD's code object manager.
_CACHES = ("XDG_CACHE_HOME", "POCL_CACHE_DIR", "CUDA_CACHE_PATH", "AMD_COMGR_CACHE_DIR")
_BEFORE_THOSE = ("MESA_SHADER_CACHE_DIR", "MESA_GLSL_CACHE_DIR")  # where Mesa looks first; without them, in its own
# Which pages of 4 KiB a process happens to be given is a level of its own in each of its launches, 1.2 % at 1400.
# A C library that does not know the word passes over it.
_HUGE_PAGES = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
_CPU_BACKSTOP_S = 6 * 3600
_REAP_S = 5.0
# A worker is heard of once a second at least, or behind each launch: what is longer was one launch of the warm-up.
LAUNCH_PATIENCE = 4.0


class Launch(Record):
    """How to start one platform's worker: label, environment, exactly one ICD, and what to open.

    ``passed_over`` are the drivers that ``auto`` tried before this one, each with why it does not work. ``deadlines``
    are what the profile asks for, in seconds by phase. ``command`` replaces the worker program; only tests of the
    supervisor use it.
    """

    label: str
    profile: str
    environment: dict[str, str] = Field(default_factory=dict)
    open: OpenRequest
    missing: str = ""
    passed_over: tuple[str, ...] = ()
    deadlines: dict[str, float] = Field(default_factory=dict)
    command: tuple[str, ...] = ()


class Worker:
    """A running worker. Every method raises ``WorkerCrash`` or ``WorkerTimeout``; after that it is dead and reaped."""

    def __init__(
        self,
        *,
        label: str,
        environment: Mapping[str, str],
        deadlines: Deadlines,
        scratch: Path,
        command: tuple[str, ...] = (),
    ) -> None:
        self.label = label
        self.phase = Phase.IMPORT
        self._deadlines = deadlines
        self._has_built = False
        self._longest_warm_up_s = 0.0
        self.home = Path(tempfile.mkdtemp(prefix=f"worker-{label}-".replace("/", "_"), dir=scratch))
        self._stderr = self.home / "stderr"
        to_worker, self._out = os.pipe()
        self._in, from_worker = os.pipe()
        program = command or (sys.executable, "-m", WORKER_MODULE)
        with (self.home / "stdout").open("wb") as stdout, self._stderr.open("wb") as stderr:
            self._process = subprocess.Popen(
                [*program, "--in-fd", str(to_worker), "--out-fd", str(from_worker), "--parent", str(os.getpid())],
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                env=self._environment(environment),
                pass_fds=(to_worker, from_worker),
                start_new_session=True,
            )
        os.close(to_worker)
        os.close(from_worker)
        with contextlib.suppress(OSError, ValueError):
            resource.prlimit(self._process.pid, resource.RLIMIT_CPU, (_CPU_BACKSTOP_S, _CPU_BACKSTOP_S))
        with self._killed_if_interrupted():
            hello = self._next()
        if not isinstance(hello, Hello) or hello.protocol != PROTOCOL_VERSION:
            self.kill()
            raise self._crash(f"the worker of {label} spoke another protocol: {hello!r}")

    def _environment(self, extra: Mapping[str, str]) -> dict[str, str]:
        """The worker's environment: caches of its own (a killed build poisons them), nothing that falsifies.

        Large arrays lie on huge pages where the kernel leaves that to programs, unless somebody said otherwise.
        Nor the ledger's address: what a driver says last is journaled, and a password may stand in it.
        """
        left_out = (*_FORGED, *_BEFORE_THOSE, "WEEKOPS_LEDGER")
        kept = {key: value for key, value in os.environ.items() if key not in left_out}
        cache = self.home / "cache"
        cache.mkdir()
        root = str(Path(__file__).resolve().parents[2])
        path = os.pathsep.join(filter(None, [root, kept.get("PYTHONPATH", "")]))
        own = dict.fromkeys(_CACHES, str(cache)) | {"PYOPENCL_NO_CACHE": "1", "PYTHONPATH": path}
        return {**_HUGE_PAGES, **kept, **own, **extra}

    @property
    def pid(self) -> int:
        """Process id of the worker."""
        return self._process.pid

    def ask(self, request: Record) -> Reply:
        """Send a request and return its one reply, restarting the deadline at each phase the worker names.

        A turn begins with a launch, and the worker does not say so. Ctrl-C in between ends the worker at once.
        """
        with self._killed_if_interrupted():
            return self._converse(request)

    @contextlib.contextmanager
    def _killed_if_interrupted(self) -> Iterator[None]:
        """Kill a worker whose answer nobody waits for: it may launch for minutes, and would answer the next request."""
        try:
            yield
        except WorkerError:
            raise
        except BaseException:
            self.kill()
            raise

    def _converse(self, request: Record) -> Reply:
        if isinstance(request, TurnRequest):
            self.phase = Phase.LAUNCH
        try:
            send(self._out, request)
        except OSError as error:
            raise self._ended() from error
        while True:
            message = self._next()
            if isinstance(message, PhaseNotice):
                self.phase = message.phase
            elif isinstance(message, Hello):
                self.kill()
                raise self._crash(f"the worker of {self.label} said hello twice")
            else:
                self.phase = Phase.IDLE
                return message

    def _next(self) -> Hello | PhaseNotice | Reply:
        limit = self._limit_s()
        began = time.monotonic()
        deadline = Deadline(self._process.pid, limit, looks=self.phase is not Phase.LAUNCH)
        try:
            frame = receive(self._in, deadline=deadline.ends, more_s=deadline.more_s)
            if frame is None:
                raise self._ended()
            self._learn(time.monotonic() - began)
            return MESSAGES.validate_python(frame)
        except DeadlineExpired as error:
            waited = f", {deadline.waited_s:.0f} s of waiting for a CPU apart," if deadline.waited_s >= 1 else ""
            self.kill()
            raise WorkerTimeout(
                f"{self.label} stayed in phase {self.phase.value} for more than {limit:g} s{waited} and was killed",
                deadline_s=limit,
                stderr_tail=self.stderr_tail(),
                phase=self.phase.value,
            ) from error
        except ValidationError as error:
            self.kill()
            raise self._crash(f"{self.label} answered nonsense: {str(error).splitlines()[0]}") from error
        except (WorkerCrash, WorkerTimeout):
            raise
        except (WorkerError, OSError) as error:
            self.kill()
            raise self._crash(f"{self.label} answered nonsense: {error}") from error

    def _limit_s(self) -> float:
        """The deadline of what the worker does now: a first build has its own, a launch is allowed for its warm-up."""
        if self.phase is Phase.BUILD and not self._has_built:
            return self._deadlines.first_build_s
        if self.phase is Phase.LAUNCH:
            return max(self._deadlines.launch_s, LAUNCH_PATIENCE * self._longest_warm_up_s)
        name = Phase.SEND if self.phase is Phase.IDLE else self.phase
        return float(getattr(self._deadlines, name.value.replace("-", "_") + "_s"))

    def _learn(self, seconds: float) -> None:
        """What the phase that just ended says about the next: that a build is done, how long a launch may take."""
        if self.phase is Phase.BUILD:
            self._has_built = True
        if self.phase is Phase.WARM_UP:
            self._longest_warm_up_s = max(self._longest_warm_up_s, seconds)

    def close(self) -> None:
        """Ask for the end and insist: done means the goodbye frame and exit status 0. Raises ``WorkerCrash`` else."""
        if self._process.returncode is not None:
            return
        self.phase = Phase.CLOSE
        reply = self.ask(CloseRequest())
        self.phase = Phase.CLOSE
        try:
            code = self._exit_status(Deadline(self._process.pid, self._deadlines.close_s))
        except subprocess.TimeoutExpired as error:
            self.kill()
            raise WorkerTimeout(
                f"{self.label} did not exit after its goodbye", deadline_s=self._deadlines.close_s, phase="close"
            ) from error
        self._release()
        if code != 0 or not isinstance(reply, Goodbye):
            raise self._crash(f"{self.label} ended with {describe_exit(code)} after {reply.type}")

    def _exit_status(self, deadline: Deadline) -> int:
        """The exit status of a worker that is ending. Raises ``subprocess.TimeoutExpired``."""
        left = deadline.limit_s
        while True:
            try:
                return self._process.wait(left)
            except subprocess.TimeoutExpired:
                left = deadline.more_s()
                if left <= 0:
                    raise

    def kill(self) -> None:
        """SIGKILL the worker's whole group and reap it; harmless when it is gone."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_REAP_S)
        self._release()

    def _release(self) -> None:
        for name in ("_in", "_out"):
            fd = getattr(self, name)
            if fd >= 0:
                os.close(fd)
                setattr(self, name, -1)

    def _ended(self) -> WorkerCrash:
        """The worker closed its pipe: it is ending, whatever its exit status says."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_REAP_S)
        if self._process.returncode is None:
            self.kill()
        code = self._process.returncode
        self.kill()
        return self._crash(f"{self.label} ended in phase {self.phase.value} with {describe_exit(code)}")

    def _crash(self, message: str) -> WorkerCrash:
        code = self._process.returncode
        return WorkerCrash(
            message,
            status=describe_exit(code),
            signal=signal_name(code),
            stderr_tail=self.stderr_tail(),
            phase=self.phase.value,
        )

    def stderr_tail(self) -> str:
        """The last lines that the worker or its driver wrote to stderr."""
        try:
            with self._stderr.open("rb") as stream:
                stream.seek(max(0, self._stderr.stat().st_size - 16384))
                lines = stream.read().decode(errors="replace").splitlines()
        except OSError:
            return ""
        return "\n".join(line[:300] for line in _telling(lines))


def _telling(lines: list[str]) -> list[str]:
    """The last lines, or, where faulthandler dumped a stack, the driver's own last words and the top of that stack."""
    fatal = next((place for place, line in enumerate(lines) if line.startswith("Fatal Python error")), None)
    if fatal is None:
        return lines[-STDERR_TAIL_LINES:]
    words = [line for line in lines[:fatal] if line.strip()]
    return [*words[-STDERR_TAIL_LINES // 2 :], *lines[fatal : fatal + STDERR_TAIL_LINES // 2]]


def signal_name(code: int | None) -> str | None:
    """``SIGSEGV`` for a wait status of -11; None where no signal ended the process."""
    if code is None or code >= 0:
        return None
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


def describe_exit(code: int | None) -> str:
    """A wait status in words."""
    if code is None:
        return "no exit"
    name = signal_name(code)
    return name or f"exit status {code}"
