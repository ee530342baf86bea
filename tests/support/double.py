"""A worker that misbehaves on command: ``double.py FAULT PHASE [FLAG-FILE] --in-fd N --out-fd M --parent P``.

It speaks the real protocol and answers every request well, except in the phase named:
``launch`` always, ``launch@96`` only for size 96, ``launch@96@2`` only for that in snapshot 2. With a flag file it
misbehaves only once: the file says that it did. What it measures takes the time that it says: a gate over it alone
promotes.

Nothing of the package is imported, since building its records takes longer than everything that tests ask of a double.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import signal
import struct
import sys
import time
import zlib
from pathlib import Path
from typing import Any

HEAD = struct.Struct(">4sII")
LAUNCH_S, SLOW_S = 3e-4, 1.5
BEFORE = {
    "open": ("enumerate", "context"),
    "measure": ("build", "warm-up", "launch", "read-back", "send"),
    "close": ("close",),
}


def misbehave(fault: str, out: int) -> None:
    """Do it."""
    if fault == "segv":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif fault == "abort":
        print("double: assertion failed", file=sys.stderr, flush=True)
        os.abort()
    elif fault == "exit0":
        os._exit(0)
    elif fault == "hang":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(600)
    elif fault == "exception":
        raise RuntimeError("double: an exception")
    elif fault == "garbage":
        os.write(out, b"Segmentation fault (not really)\n")
        time.sleep(600)
    elif fault == "half":
        os.write(out, b"WKO1\x00\x00\x01\x00")
        os._exit(0)
    elif fault == "slow":  # it is no fault: it takes its time
        time.sleep(SLOW_S)
    elif fault == "noise":
        print("noise " * 1000, flush=True)


def send(out: int, **message: Any) -> None:
    """Write one frame."""
    payload = json.dumps(message).encode()
    os.write(out, HEAD.pack(b"WKO1", len(payload), zlib.crc32(payload)) + payload)


def receive(fd: int) -> dict[str, Any] | None:
    """Read one frame; None at the end. The controller writes each with one call, and none is as large as a pipe."""
    head = os.read(fd, HEAD.size)
    if not head:
        return None
    payload = b""
    while len(payload) < HEAD.unpack(head)[1]:
        payload += os.read(fd, HEAD.unpack(head)[1] - len(payload))
    found: dict[str, Any] = json.loads(payload)
    return found


def identity(library: str) -> dict[str, Any]:
    """An identity whose library hash can change."""
    names = ("platform_name", "device_name", "hardware", "profile")
    empty = ("platform_vendor", "platform_version", "device_vendor", "device_version", "icd", "host")
    counts = ("compute_units", "max_work_group_size", "local_mem_bytes", "global_mem_bytes", "max_alloc_bytes")
    return {
        **dict.fromkeys(names, "double"),
        **dict.fromkeys(empty, ""),
        **dict.fromkeys(counts, 1),
        "device_type": "cpu",
        "driver_version": "1",
        "library": "libdouble.so",
        "library_sha256": library,
    }


def measured(frame: dict[str, Any]) -> dict[str, Any]:
    """A healthy answer: launches that really take their time, two of them compared, all of them looked at."""
    return {
        "type": "measured",
        "status": "ok",
        "variant": "double",
        "flops": 2.0 * frame["m"] * frame["n"] * frame["k"],
        "kernel_sha256": "c" * 64,
        "sessions": [session(number, 2, frame["iterations"]) for number in range(1, frame["sessions"] + 1)],
        "timer": {"trusted": False, "reason": "double"},
    }


def session(number: int, warm: int, launches: int) -> dict[str, Any]:
    """One session; nobody asks how a double spends its time, so that the scheduler has nothing to say."""
    starts, times = [], []
    for _ in range(warm + launches):
        starts.append(time.perf_counter_ns())
        time.sleep(LAUNCH_S)
        times.append(time.perf_counter_ns() - starts[-1])
    compared = sorted({1, launches})
    return {
        "session": number,
        "warmup_ns": times[:warm],
        "wall_ns": times[warm:],
        "start_ns": starts[warm:],
        "cpu_ns": [1] * launches,
        "delay_ns": [0] * launches,
        "verified": True,
        "max_abs_error": 1e-6,
        "k_scaled_error": 0.5,
        "compared": compared,
        "looked_at": warm + launches,
        "same_bits": warm + launches - len(compared),
    }


def die_with_parent(parent: int) -> None:
    """As a worker does."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def main() -> int:
    """Serve."""
    parser = argparse.ArgumentParser()
    parser.add_argument("fault")
    parser.add_argument("phase")
    parser.add_argument("flag", nargs="?", default="")
    parser.add_argument("--in-fd", type=int)
    parser.add_argument("--out-fd", type=int)
    parser.add_argument("--parent", type=int)
    arguments = parser.parse_args()
    die_with_parent(arguments.parent)
    out = arguments.out_fd

    def enter(phase: str, case: str = "") -> None:
        if phase != "import":
            send(out, type="phase", phase=phase)
        if arguments.phase in (phase, phase + case.rpartition("@")[0], phase + case):
            flag = Path(arguments.flag) if arguments.flag else None
            if flag is None or not flag.exists():
                if flag is not None:
                    flag.write_text("done", encoding="utf-8")
                misbehave(arguments.fault, out)

    enter("import")
    send(out, type="hello", protocol=1, pid=os.getpid())
    library = "b" * 64 if arguments.flag and Path(arguments.flag).exists() and arguments.fault == "segv" else "a" * 64
    while (frame := receive(arguments.in_fd)) is not None:
        for phase in BEFORE[frame["type"]]:
            enter(phase, f"@{frame.get('n')}@{frame.get('guard_draw')}")
        if frame["type"] == "open":
            send(out, type="opened", identity=identity(library if "replaced" in arguments.flag else "a" * 64))
        elif frame["type"] == "close":
            send(out, type="goodbye")
            return 0
        else:
            send(out, **measured(frame))
    return 1


if __name__ == "__main__":
    sys.exit(main())
