"""Which file an ICD's library name stands for on this system, whatever LD_LIBRARY_PATH says at the moment."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

_LIST_TIMEOUT_S = 10.0


def expected_libraries(icd: str, library_path: Sequence[str] = ()) -> tuple[str, ...]:
    """The files that an ICD names, best first; none where that cannot be told.

    A path stands for itself. A bare name is looked for as the dynamic linker does, but for LD_LIBRARY_PATH: in the
    profile's own ``library_path``, beside the ICD file (where wheels keep both), in the linker's cache and in the
    directories that it covers.
    """
    try:
        name = Path(icd).read_text(encoding="utf-8").strip() if icd.endswith(".icd") else icd
    except (OSError, UnicodeDecodeError):
        return ()
    if not name:
        return ()
    if "/" in name:
        return (name,) if Path(name).is_file() else ()
    cache = _linker_cache()
    directories = dict.fromkeys(str(Path(path).parent) for paths in cache.values() for path in paths)
    near = [Path(directory) / name for directory in (*library_path, str(Path(icd).parent))]
    found = (*near, *map(Path, cache.get(name, ())), *(Path(directory) / name for directory in directories))
    return tuple(dict.fromkeys(str(path) for path in found if path.is_file()))


@lru_cache(maxsize=1)
def _linker_cache() -> dict[str, tuple[str, ...]]:
    """Files by name as ``ldconfig -p`` lists them; nothing where it is not there."""
    program = next(filter(None, map(shutil.which, ("ldconfig", "/sbin/ldconfig", "/usr/sbin/ldconfig"))), None)
    if program is None:
        return {}
    try:
        done = subprocess.run(
            [program, "-p"], capture_output=True, text=True, errors="replace", timeout=_LIST_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return {}
    found: dict[str, tuple[str, ...]] = {}
    for line in done.stdout.splitlines():
        name, arrow, path = line.strip().partition(" => ")
        if arrow:
            name = name.split(" (")[0]
            found[name] = (*found.get(name, ()), path)
    return found
