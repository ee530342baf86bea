"""A worker that misbehaves on command: ``double.py FAULT PHASE [FLAG-FILE] --in-fd N --out-fd M --parent P``.

It speaks the real protocol through the real framing and answers every request well, except in the phase named. With
a flag file it misbehaves only once: the file says that it did.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from pathlib import Path

from pytest_weekops.core.measurement.records import DeviceIdentity, MeasurementStatus, Phase, SessionSamples, TimerTrust
from pytest_weekops.device.main import die_with_parent
from pytest_weekops.worker.framing import receive, send
from pytest_weekops.worker.protocol import Goodbye, Hello, Measured, Opened, PhaseNotice

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
    elif fault == "noise":
        print("noise " * 1000, flush=True)


def identity(library: str) -> DeviceIdentity:
    """An identity whose library hash can change."""
    return DeviceIdentity(
        profile="double",
        platform_name="Double",
        platform_vendor="",
        platform_version="",
        device_name="double",
        device_vendor="",
        device_type="cpu",
        driver_version="1",
        device_version="",
        library="libdouble.so",
        library_sha256=library,
        icd="",
        hardware="double",
        host="",
        compute_units=1,
        max_work_group_size=1,
        local_mem_bytes=1,
        global_mem_bytes=1,
        max_alloc_bytes=1,
    )


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

    def enter(phase: str) -> None:
        if phase != "import":
            send(out, PhaseNotice(phase=Phase(phase)))
        if phase == arguments.phase:
            flag = Path(arguments.flag) if arguments.flag else None
            if flag is None or not flag.exists():
                if flag is not None:
                    flag.write_text("done", encoding="utf-8")
                misbehave(arguments.fault, out)

    enter("import")
    send(out, Hello(pid=os.getpid()))
    library = "b" * 64 if arguments.flag and Path(arguments.flag).exists() and arguments.fault == "segv" else "a" * 64
    while (frame := receive(arguments.in_fd)) is not None:
        for phase in BEFORE[frame["type"]]:
            enter(phase)
        if frame["type"] == "open":
            send(out, Opened(identity=identity(library if "replaced" in arguments.flag else "a" * 64)))
        elif frame["type"] == "close":
            send(out, Goodbye())
            return 0
        else:
            samples = SessionSamples(session=1, wall_ns=(1000,), verified=True, max_abs_error=0.0, k_scaled_error=0.0)
            trust = TimerTrust(trusted=False, reason="double")
            send(out, Measured(status=MeasurementStatus.OK, flops=1.0, sessions=(samples,), timer=trust))
    return 1


if __name__ == "__main__":
    sys.exit(main())
