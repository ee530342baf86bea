"""On the path of the processes that tests start: a worker begins with what others before it have compiled.

Each has caches of its own, which is what the product promises, and compiling is most of a short gate's time. So here a
worker's own caches are filled before it loads its driver, and only one that ended by itself leaves what it compiled: a
build that was killed reaches nobody else. A worker with a library in front of its driver takes no part.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import os
import sys
from pathlib import Path

WORKER = "pytest_weekops.device.main"
FINISHED = ("*.so", "program.bc")  # of PoCL's cache: beside them lie marks of time and what it has not finished


def of_pocl(own: Path, kept: Path) -> None:
    """Fill a worker's own cache from ``kept``, and ``kept`` from it when the worker ends."""
    link(kept, own)
    atexit.register(link, own, kept)


def link(source: Path, target: Path) -> None:
    """Everything finished that is in ``source`` and not in ``target``, the same file under a second name."""
    for pattern in FINISHED:
        for path in source.rglob(pattern):
            place = target / path.relative_to(source)
            with contextlib.suppress(OSError):  # another worker was first, or it lies on another file system
                if not place.exists():
                    place.parent.mkdir(parents=True, exist_ok=True)
                    os.link(path, place)


def driver() -> str:
    """What tells drivers apart: the library that the ICD file names, how PoCL is told to compile, and its tools."""
    icd = os.environ["OCL_ICD_VENDORS"]
    library = Path(icd).read_text(encoding="utf-8") if Path(icd).is_file() else icd
    told = {name: value for name, value in os.environ.items() if name.startswith("POCL_") and name != "POCL_CACHE_DIR"}
    return hashlib.sha256(repr((library, os.environ.get("PATH"), sorted(told.items()))).encode()).hexdigest()[:12]


def share(kept: Path) -> None:
    """Each driver's apart. Mesa writes an entry whole or not at all, with a sum, and takes no other build's."""
    place = kept / driver()
    place.mkdir(parents=True, exist_ok=True)
    if os.environ.get("XDG_CACHE_HOME"):
        os.environ["XDG_CACHE_HOME"] = str(place)
    if os.environ.get("POCL_CACHE_DIR"):
        of_pocl(Path(os.environ["POCL_CACHE_DIR"]), place / "pocl")


if (
    WORKER in sys.orig_argv
    and os.environ.get("COMPILED_FOR_TESTS")
    and os.environ.get("OCL_ICD_VENDORS")
    and not os.environ.get("LD_PRELOAD")
):
    share(Path(os.environ["COMPILED_FOR_TESTS"]))
