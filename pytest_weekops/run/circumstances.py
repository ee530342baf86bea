"""What a run depends on beside its driver: this package, its interpreter, the host, and which boot of it this is."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
import time
from functools import cache
from pathlib import Path

from pytest_weekops import __version__
from pytest_weekops.core.measurement.segments import Segment

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def circumstances() -> dict[str, str]:
    """What must be the same where a run is gone on with, by name."""
    return {
        "weekops": __version__,
        "package": package_sha256(),
        "python": sys.version.split()[0],
        "host": platform.node(),
        "kernel release": platform.release(),
        "processors": str(len(os.sched_getaffinity(0))),
    }


@cache
def package_sha256() -> str:
    """SHA-256 over the package's own sources: a version alone does not tell what was installed from a checkout."""
    root = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(f"{path.relative_to(root).as_posix()}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def opened_now(run_id: str, started_at: str, *, first_order: int = 1, gap_s: float = 0.0, halves: int = 0) -> Segment:
    """The opening of a segment at this moment of this boot."""
    return Segment(
        run_id=run_id,
        started_at=started_at,
        boot_id=_boot_id(),
        monotonic_ns=time.monotonic_ns(),
        first_order=first_order,
        gap_s=gap_s,
        halves=halves,
    )


def _boot_id() -> str:
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
