"""Which files of a driver this process has: mapped, held open, or read at its builds.

What Python, numpy and pyopencl brought before the driver was loaded is not a driver's: the process is looked at before
and after. That leaves out system libraries that both use, such as the C library. What a driver opens for a moment and
``resources`` does not know is not seen either.
"""

from __future__ import annotations

import os
import re
import sysconfig
from pathlib import Path

from pytest_weekops.device.resources import read_at_builds
from pytest_weekops.worker.seen_files import SeenFile, look_at

_DELETED = " (deleted)"
# Not files of a driver: devices and what the kernel tells, locales, and what a program keeps compiled.
_ELSEWHERE = ("/dev/", "/proc/", "/sys/", "/run/", "/memfd:", "/SYSV", "/usr/lib/locale/", "/usr/share/locale/")
_CACHES = ("XDG_CACHE_HOME", "POCL_CACHE_DIR", "CUDA_CACHE_PATH", "AMD_COMGR_CACHE_DIR")
_PYTHONS_OWN = re.compile(r"\.(cpython-[^/]*|abi3)\.so$|/lib/python3\.[0-9]+/lib-dynload/|\.py[co]?$|\.npy$")
_LOADER = re.compile(r"/libOpenCL[-.][^/]*$")


class ProcessFiles:
    """The files of this process, told apart by what it had before any driver was loaded."""

    def __init__(self) -> None:
        preloaded = re.split(r"[:\s]+", os.environ.get("LD_PRELOAD", ""))
        self._preloaded = {Path(path).name for path in preloaded if path}
        self._before = {path for path, _deleted in mapped() if not self._is_always_one(path)}
        self._open_before = set(_held_open())
        self._caches = tuple(os.path.realpath(os.environ[name]) + "/" for name in _CACHES if os.environ.get(name))
        self._packages = tuple({sysconfig.get_path(name) + "/" for name in ("purelib", "platlib")})
        self._own: set[str] = set()

    def _is_always_one(self, path: str) -> bool:
        return _LOADER.search(path) is not None or Path(path).name in self._preloaded

    def own(self, *libraries: Path | None) -> None:
        """Files that are the driver's wherever they lie and whoever loaded them; their directory's are, too."""
        self._own |= {str(path) for path in libraries if path is not None}

    def seen(self) -> tuple[SeenFile, ...]:
        """What there is of the driver now, sorted by path."""
        found: dict[str, SeenFile | None] = {}
        for path, deleted in mapped():
            if path in self._own or (path not in self._before and self._may_be(path)):
                # A file without a successor that is gone was written by the driver itself: code that it compiled.
                replaced = deleted and Path(path).exists()
                if replaced or not deleted:
                    found[path] = look_at(path, "mapped", replaced=replaced)
        for path in _held_open():
            if path not in found and path not in self._open_before and self._may_be(path):
                found[path] = look_at(path, "open")
        for path in read_at_builds(list(found)):
            if path not in found:
                found[path] = look_at(path, "beside")
        return tuple(file for _path, file in sorted(found.items()) if file is not None)

    def _may_be(self, path: str) -> bool:
        if path.startswith((*_ELSEWHERE, *self._caches)) or _PYTHONS_OWN.search(path):
            return False
        if not path.startswith(self._packages):
            return True
        # Of the packages of Python only those in which the driver lies: others belong to somebody's operation.
        near = {str(Path(library).parent) for library in self._own} | {"pyopencl", "pocl"}
        below = path.removeprefix(next(package for package in self._packages if path.startswith(package)))
        return any(path.startswith(f"{place}/") or below.startswith(place) for place in near)


def mapped() -> list[tuple[str, bool]]:
    """Each file that is mapped, and whether it has been deleted or replaced since; none where maps cannot be read."""
    try:
        text = Path("/proc/self/maps").read_bytes()
    except OSError:
        return []
    found: dict[tuple[str, bool], None] = {}
    for line in text.splitlines():
        parts = line.split(maxsplit=5)
        if len(parts) == 6 and parts[5].startswith(b"/"):
            path = os.fsdecode(parts[5])
            found[path.removesuffix(_DELETED), path.endswith(_DELETED)] = None
    return list(found)


def _held_open() -> list[str]:
    """Files that are open for reading only: what a program writes is no part of its driver."""
    found = []
    for link in Path("/proc/self/fd").glob("*"):
        try:
            path = str(link.readlink())
            flags = int(Path(f"/proc/self/fdinfo/{link.name}").read_text().split("flags:")[1].split()[0], 8)
        except (OSError, ValueError, IndexError):
            continue
        if path.startswith("/") and not path.endswith(_DELETED) and flags & os.O_ACCMODE == os.O_RDONLY:
            found.append(path)
    return found
