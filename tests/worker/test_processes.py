"""Processes around a worker: killed from outside, orphaned, locked out; and frames byte by byte."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pytest_weekops.core.errors import DeviceBusy, DeviceError, InputError, WorkerError
from pytest_weekops.core.measurement.plan import Deadlines
from pytest_weekops.core.measurement.records import MeasurementStatus, Phase
from pytest_weekops.run.host import Anchors, HostWatch
from pytest_weekops.worker.framing import DeadlineExpired, encode, receive, send
from pytest_weekops.worker.host import HostWorker
from pytest_weekops.worker.locking import DeviceLock
from pytest_weekops.worker.process import LAUNCH_PATIENCE, Launch
from pytest_weekops.worker.protocol import Goodbye, Hello, OpenRequest
from pytest_weekops.worker.supervisor import PlatformSupervisor
from tests.support.double import SLOW_S
from tests.support.processes import is_running
from tests.worker.conftest import CASE, DEADLINES, DOUBLE, REQUEST, SHORT_S


def test_a_worker_killed_from_outside_is_replaced(supervise: Callable[..., PlatformSupervisor]) -> None:
    """SIGKILL, as the out-of-memory killer sends it, costs a retry and is reported as flaky."""
    supervisor = supervise("noise", "none")
    supervisor.start()
    worker = supervisor._worker
    assert worker is not None
    os.kill(worker.pid, signal.SIGKILL)
    answer = supervisor.measure(CASE, REQUEST)
    assert answer.status is MeasurementStatus.OK
    assert answer.flaky
    assert "SIGKILL" in answer.reason


def environment_of(supervisor: PlatformSupervisor) -> dict[str, str]:
    """What its worker was started with."""
    assert supervisor._worker is not None
    words = Path(f"/proc/{supervisor._worker.pid}/environ").read_text(encoding="utf-8").split("\0")
    return dict(word.split("=", 1) for word in words if "=" in word)


def test_a_worker_does_not_get_what_would_falsify_or_be_told(
    supervise: Callable[..., PlatformSupervisor], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other build options, a layer in between, another device; and the ledger's address, which may hold a password."""
    kept_back = ("PYOPENCL_BUILD_OPTIONS", "OPENCL_LAYERS", "PYOPENCL_CTX", "PYOPENCL_TEST", "WEEKOPS_LEDGER")
    for name in (*kept_back, "WEEKOPS_OF_THE_TESTS"):
        monkeypatch.setenv(name, "postgresql://me:secret@host/team")
    supervisor = supervise("noise", "none")
    supervisor.start()
    given = environment_of(supervisor)
    assert [name for name in kept_back if name in given] == []
    assert "WEEKOPS_OF_THE_TESTS" in given


@pytest.mark.parametrize(
    "phase", ["import", "enumerate", "context", "build", "warm-up", "launch", "read-back", "send", "close"]
)
def test_an_interrupted_case_ends_its_worker_at_once(supervise: Callable[..., PlatformSupervisor], phase: str) -> None:
    """Ctrl-C while a driver hangs: the worker is gone before anybody waits for its goodbye, and can be closed."""
    supervisor = supervise("hang", phase, deadlines=DEADLINES.model_copy(update=dict.fromkeys(EVERY, 60.0)))

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    def to_the_end() -> None:
        supervisor.start()
        supervisor.measure(CASE, REQUEST)
        supervisor.close()

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.6)
        with pytest.raises(KeyboardInterrupt):
            to_the_end()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
    assert doubles(supervisor) == []
    supervisor.close()


EVERY = tuple(name for name in Deadlines.model_fields if name != "import_s")


def doubles(supervisor: PlatformSupervisor) -> list[str]:
    """The processes of a supervisor's worker that are there."""
    scratch = str(supervisor._scratch)
    return [str(environ) for environ in Path("/proc").glob("[0-9]*/environ") if _is_of(environ, scratch)]


def _is_of(environ: Path, scratch: str) -> bool:
    try:
        return f"XDG_CACHE_HOME={scratch}/" in environ.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False


def test_an_abandoned_worker_is_not_asked_to_close(supervise: Callable[..., PlatformSupervisor]) -> None:
    """A driver that hangs in its close does not keep an interrupted run from its end; the device is free."""
    supervisor = supervise("hang", "close")
    supervisor.start()
    worker = supervisor._worker
    assert worker is not None
    supervisor.abandon()
    assert not is_running(worker.pid)
    lock = DeviceLock(supervisor.launch.label, wait_s=0.0)
    lock.acquire()
    lock.release()


def test_a_first_build_may_take_longer_than_the_next(supervise: Callable[..., PlatformSupervisor]) -> None:
    """A driver loads its compiler for it; the second build of the same worker is held to the usual time."""
    supervisor = supervise("slow", "build", deadlines=DEADLINES.model_copy(update={"first_build_s": 30.0}))
    supervisor.start()
    assert supervisor.measure(CASE, REQUEST).status is MeasurementStatus.OK
    answer = supervisor.measure(CASE, REQUEST)
    assert (answer.status, answer.phase) == (MeasurementStatus.HUNG, "build")


def test_a_launch_is_held_to_what_its_warm_up_took(supervise: Callable[..., PlatformSupervisor]) -> None:
    """Each launch takes longer than the deadline, as those of the warm-up did: that is slow, and no hang."""
    short = DEADLINES.model_copy(update={"warm_up_s": 30.0})
    supervisor = supervise("slow", "warm-up", deadlines=short)
    supervisor.start()
    assert supervisor.measure(CASE, REQUEST).status is MeasurementStatus.OK
    worker = supervisor._worker
    assert worker is not None
    worker.phase = Phase.LAUNCH
    seen_s = SLOW_S - 0.1  # the controller's watch starts when it hears of the phase
    assert worker._limit_s() >= LAUNCH_PATIENCE * seen_s > SHORT_S
    hung = supervise("slow", "launch")
    hung.start()
    assert hung.measure(CASE, REQUEST).status is MeasurementStatus.HUNG


def test_a_profiles_deadlines_are_its_workers(tmp_path: Path) -> None:
    """Where no option says otherwise."""
    launch = Launch(label="slow", profile="slow", open=OpenRequest(profile="slow"), deadlines={"build": 500.0})
    assert PlatformSupervisor(launch, Deadlines(), tmp_path)._deadlines.build_s == 500.0


def test_a_worker_has_compiler_caches_of_its_own(
    supervise: Callable[..., PlatformSupervisor], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What an earlier driver compiled, or was killed over, is neither measured nor believed, wherever users keep it."""
    for name in ("MESA_SHADER_CACHE_DIR", "MESA_GLSL_CACHE_DIR"):
        monkeypatch.setenv(name, str(tmp_path))
    for name in ("XDG_CACHE_HOME", "POCL_CACHE_DIR"):
        monkeypatch.setenv(name, "/proc/nothing can be written here")
    supervisor = supervise("noise", "none")
    supervisor.start()
    worker = supervisor._worker
    assert worker is not None
    found = environment_of(supervisor)
    for name in ("XDG_CACHE_HOME", "POCL_CACHE_DIR", "CUDA_CACHE_PATH", "AMD_COMGR_CACHE_DIR"):
        assert Path(found[name]).is_relative_to(worker.home), name
    assert not {"MESA_SHADER_CACHE_DIR", "MESA_GLSL_CACHE_DIR"} & set(found)
    assert found["PYOPENCL_NO_CACHE"] == "1"


@pytest.mark.parametrize("said", [None, "", "glibc.malloc.arena_max=1"])
def test_a_worker_takes_huge_pages_unless_somebody_said_otherwise(
    supervise: Callable[..., PlatformSupervisor], monkeypatch: pytest.MonkeyPatch, said: str | None
) -> None:
    """An empty word is one, too."""
    monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
    if said is not None:
        monkeypatch.setenv("GLIBC_TUNABLES", said)
    supervisor = supervise("noise", "none")
    supervisor.start()
    assert environment_of(supervisor)["GLIBC_TUNABLES"] == ("glibc.malloc.hugetlb=1" if said is None else said)


def test_a_killed_controller_leaves_no_worker(tmp_path: Path) -> None:
    """The kernel kills a worker whose controller is gone, even one that ignores SIGTERM."""
    program = (
        "import sys, time; from pathlib import Path\n"
        "from pytest_weekops.worker.process import Launch, Worker\n"
        "from pytest_weekops.core.measurement.plan import Deadlines\n"
        "w = Worker(label='x', environment={}, deadlines=Deadlines(), scratch=Path(sys.argv[1]),"
        " command=(sys.executable, sys.argv[2], 'hang', 'enumerate'))\n"
        "print(w.pid, flush=True); time.sleep(60)\n"
    )
    controller = subprocess.Popen([sys.executable, "-c", program, str(tmp_path), DOUBLE], stdout=subprocess.PIPE)
    assert controller.stdout is not None
    pid = int(controller.stdout.readline())
    controller.kill()
    controller.wait()
    controller.stdout.close()
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and is_running(pid):
        time.sleep(0.05)
    assert not is_running(pid)


def test_two_gates_take_turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second waits, says so, and is refused with a sentence when its patience ends; release lets it in."""
    monkeypatch.setenv("WEEKOPS_LOCK_DIR", str(tmp_path))
    said: list[str] = []
    first = DeviceLock("pocl")
    first.acquire()
    second = DeviceLock("pocl", wait_s=0.5, on_event=said.append)
    with pytest.raises(DeviceError, match="another gate"):
        second.acquire()
    assert said
    first.release()
    second.acquire()
    second.release()


HOLDER = """
import sys, time
from pytest_weekops.worker.locking import DeviceLock
lock = DeviceLock("holder", device=sys.argv[1])
lock.acquire()
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """``holder(device, **environment)``: a process that holds a device's lock, with a directory of its own."""
    begun: list[subprocess.Popen[bytes]] = []

    def hold(device: str, **environment: str) -> subprocess.Popen[bytes]:
        facts = {**os.environ, "WEEKOPS_LOCK_DIR": str(tmp_path / "another"), **environment}
        process = subprocess.Popen([sys.executable, "-c", HOLDER, device], stdout=subprocess.PIPE, env=facts)
        begun.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        return process

    yield hold
    for process in begun:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def test_two_lock_directories_are_one_device(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, holder: Callable[..., subprocess.Popen[bytes]]
) -> None:
    """The lock belongs to the device: who uses another directory, and another label, sees who holds it."""
    monkeypatch.setenv("WEEKOPS_LOCK_DIR", str(tmp_path / "mine"))
    process = holder("a card")
    lock = DeviceLock("pocl", device="a card", wait_s=0)
    with pytest.raises(
        DeviceBusy, match=rf"pocl \(a card\) .* another gate \(process {process.pid}: .*python"
    ) as caught:
        lock.acquire()
    assert "Run this one later." in str(caught.value)
    another = DeviceLock("pocl", device="another card", wait_s=0)
    another.acquire()
    another.release()
    process.kill()
    process.wait()
    lock.acquire()
    lock.release()


def test_one_directory_is_enough_where_names_are_not_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, holder: Callable[..., subprocess.Popen[bytes]]
) -> None:
    """Containers with networks of their own see the file; here the name is taken away."""
    monkeypatch.setenv("WEEKOPS_LOCK_DIR", str(tmp_path / "another"))
    process = holder("a card")
    monkeypatch.setattr(DeviceLock, "_address", f"\0elsewhere {tmp_path}")
    with pytest.raises(DeviceBusy, match=rf"another gate \(process {process.pid}: "):
        DeviceLock("pocl", device="a card", wait_s=0).acquire()


def test_a_namespace_is_apart_and_says_so(
    monkeypatch: pytest.MonkeyPatch, holder: Callable[..., subprocess.Popen[bytes]]
) -> None:
    """Tests that run beside each other do not wait for each other; the plan carries the name."""
    holder("a card")
    monkeypatch.setenv("WEEKOPS_LOCK_NAMESPACE", "another")
    lock = DeviceLock("pocl", device="a card", wait_s=0)
    lock.acquire()
    lock.release()


def test_platforms_of_one_process_hold_a_device_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Baseline and candidate of a split lie on one device; the last one gives it back."""
    monkeypatch.setenv("WEEKOPS_LOCK_DIR", str(tmp_path))
    first, second = DeviceLock("one", device="a card"), DeviceLock("two", device="a card")
    first.acquire()
    second.acquire()
    first.release()
    first.release()
    program = "from pytest_weekops.worker.locking import DeviceLock as L; L('x', device='a card', wait_s=0).acquire()"
    asked = [sys.executable, "-c", program]
    assert b"DeviceBusy" in subprocess.run(asked, capture_output=True, check=False).stderr
    second.release()
    assert subprocess.run(asked, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("text", ["abc", "-1", "nan", "inf"])
def test_a_time_to_wait_that_is_none_is_a_sentence(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a traceback, and said when the lock is asked for."""
    monkeypatch.setenv("WEEKOPS_LOCK_WAIT", text)
    lock = DeviceLock("pocl")
    with pytest.raises(InputError, match=rf"WEEKOPS_LOCK_WAIT is '{text}', not a number of seconds"):
        lock.acquire()


def test_a_killed_holder_leaves_no_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock belongs to the process, not to the file's existence."""
    monkeypatch.setenv("WEEKOPS_LOCK_DIR", str(tmp_path))
    program = "from pytest_weekops.worker.locking import DeviceLock as L; import time; l = L('x'); l.acquire(); print(1, flush=True); time.sleep(60)"  # noqa: E501
    holder = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    holder.stdout.readline()
    holder.kill()
    holder.wait()
    holder.stdout.close()
    lock = DeviceLock("x", wait_s=0.1)
    lock.acquire()
    lock.release()


def test_a_lock_that_cannot_be_opened_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where locks cannot be kept nothing is measured, and the sentence says what to set."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("WEEKOPS_LOCK_DIR", str(tmp_path / "file"))
    with pytest.raises(DeviceError, match=r"lock of pocl's device cannot be opened .* WEEKOPS_LOCK_DIR"):
        DeviceLock("pocl").acquire()


@pytest.fixture
def pipe() -> tuple[int, int]:
    """A pipe: (read end, write end)."""
    return os.pipe()


def test_frames_come_back_in_order(pipe: tuple[int, int]) -> None:
    """What is sent is received, then the clean end."""
    read, write = pipe
    send(write, Hello(pid=7))
    send(write, Goodbye())
    os.close(write)
    assert [receive(read), receive(read), receive(read)] == [
        {"type": "hello", "protocol": 1, "pid": 7},
        {"type": "goodbye"},
        None,
    ]


def test_every_cut_frame_is_refused(pipe: tuple[int, int]) -> None:
    """A stream that ends inside a frame is never taken for a clean end."""
    frame = encode(Goodbye())
    for length in range(1, len(frame)):
        read, write = os.pipe()
        os.write(write, frame[:length])
        os.close(write)
        with pytest.raises(WorkerError, match="ended after"):
            receive(read)
        os.close(read)


def test_every_flipped_byte_is_refused(pipe: tuple[int, int]) -> None:
    """Magic, length and checksum together notice any single changed byte."""
    frame = encode(Goodbye())
    for place in range(len(frame)):
        read, write = os.pipe()
        changed = bytearray(frame)
        changed[place] ^= 0x10
        os.write(write, bytes(changed))
        os.close(write)
        with pytest.raises(WorkerError):
            receive(read)
        os.close(read)


def test_a_deadline_ends_the_waiting(pipe: tuple[int, int]) -> None:
    """Half a frame and then silence expires."""
    read, write = pipe
    os.write(write, encode(Goodbye())[:6])
    with pytest.raises(DeadlineExpired):
        receive(read, deadline=time.monotonic() + 0.2)


def test_a_watch_of_the_host_that_dies_leaves_the_anchors(tmp_path: Path) -> None:
    """The process of the quanta is killed while they run: the measurement keeps its anchors, and the next its pace."""
    host = HostWorker(tmp_path, Deadlines())
    try:
        watch = HostWatch(Anchors(host), with_pace=True)
        assert host._pacer is not None
        os.kill(host._pacer.pid, signal.SIGKILL)
        seen = watch.end(())
        assert seen.paces == ()
        assert seen.anchor_before_ms is not None
        assert seen.anchor_after_ms is not None
        host.begin_quanta()
        time.sleep(2)
        assert host.end_quanta().cpu_ns
    finally:
        host.close()
