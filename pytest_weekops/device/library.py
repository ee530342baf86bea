"""Which file a driver really is: what the ICD loader opened by its name, and whose code answers behind it."""

from __future__ import annotations

import ctypes
import filecmp
import os
from pathlib import Path
from typing import Any

from pytest_weekops.core.errors import DeviceError
from pytest_weekops.worker.protocol import OpenRequest

_RTLD_DI_LINKMAP = 2  # dlinfo(3)
_PLATFORM_INFO = 1  # clGetPlatformInfo is the second entry of each ICD dispatch table


class _LinkMap(ctypes.Structure):
    _fields_ = (("l_addr", ctypes.c_void_p), ("l_name", ctypes.c_char_p))


class _DlInfo(ctypes.Structure):
    _fields_ = (
        ("dli_fname", ctypes.c_char_p),
        ("dli_fbase", ctypes.c_void_p),
        ("dli_sname", ctypes.c_char_p),
        ("dli_saddr", ctypes.c_void_p),
    )


def named_library(icd: str) -> str:
    """What an ICD file names: a path, or a name that the dynamic linker searches for. Empty where there is no ICD."""
    try:
        return Path(icd).read_text(encoding="utf-8").strip() if icd.endswith(".icd") else icd
    except (OSError, UnicodeDecodeError):
        return ""


def opened_library(name: str) -> Path | None:
    """The file that this process has open under that name, links resolved; None where it has none."""
    if not name:
        return None
    try:
        library = ctypes.CDLL(name, mode=os.RTLD_NOLOAD | os.RTLD_LAZY)
        found = ctypes.POINTER(_LinkMap)()
        handle = ctypes.c_void_p(library._handle)  # noqa: SLF001 - ctypes tells it nowhere else
        if ctypes.CDLL(None).dlinfo(handle, _RTLD_DI_LINKMAP, ctypes.byref(found)) != 0 or not found:
            return None
        path = Path(os.fsdecode(found.contents.l_name or b"")).resolve()
    except (OSError, AttributeError):
        return None
    return path if path.is_file() else None


def why_not_loaded(name: str) -> str:
    """What the dynamic linker says about a library; nothing where it loads, or where there is none."""
    if not name:
        return ""
    try:
        ctypes.CDLL(name)
    except OSError as error:
        return str(error)
    return ""


def answering_library(platform: Any) -> Path | None:
    """The file whose code a platform's calls go to, by its dispatch table; None where that cannot be told."""
    try:
        table = ctypes.c_void_p.from_address(platform.int_ptr).value or 0
        place = table + _PLATFORM_INFO * ctypes.sizeof(ctypes.c_void_p)
        entry = ctypes.c_void_p.from_address(place).value if table else None
        info = _DlInfo()
        if not entry or not ctypes.CDLL(None).dladdr(ctypes.c_void_p(entry), ctypes.byref(info)):
            return None
        path = Path(os.fsdecode(info.dli_fname or b"")).resolve()
    except (OSError, AttributeError, TypeError, ValueError):
        return None
    return path if path.is_file() else None


def require_named(request: OpenRequest, opened: Path | None, answering: Path | None) -> None:
    """Refuse a driver that is not the one that the profile names. Raises ``DeviceError`` with both names."""
    name = named_library(request.icd)
    if not name:
        return
    if opened is None:
        raise DeviceError(
            f"Profile {request.profile} names the driver {name}, and this process did not load it: what answers is "
            f"{answering or 'another one'}. Numbers would go under the wrong name. Name the file that answers, as "
            f"{request.profile}@{answering or 'PATH'}, or make {name} loadable."
        )
    expected = [Path(path).resolve() for path in request.expected]
    led_there = any(_same(opened, Path(directory or ".") / name) for directory in _search_path())
    if not expected or not led_there or any(_same(opened, path) for path in expected):
        return
    raise DeviceError(
        f"Profile {request.profile} names the driver {name}, which is {expected[0]} on this system, and {opened} "
        "answers in its place: LD_LIBRARY_PATH leads there. Numbers would go under the wrong name. Name that file, as "
        f"{request.profile}@{opened}, or take its directory from LD_LIBRARY_PATH."
    )


def _search_path() -> list[str]:
    """The directories of LD_LIBRARY_PATH; an empty one is the current directory."""
    path = os.environ.get("LD_LIBRARY_PATH", "")
    return path.replace(";", ":").split(":") if path else []


def _same(one: Path, other: Path) -> bool:
    """Whether two paths lead to the same file, or to two of the same contents."""
    try:
        return one.samefile(other) or filecmp.cmp(one, other, shallow=False)
    except OSError:
        return False
