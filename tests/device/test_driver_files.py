"""Which files of a process are a driver's: looked at in this very process, with libraries made for it."""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np
import pytest

from pytest_weekops.device.driver_files import ProcessFiles
from pytest_weekops.device.resources import read_at_builds
from tests.support.libraries import build_library


def test_what_is_loaded_after_the_first_look_is_a_drivers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library and a file held open; not what it compiled into its cache, what it writes, or what was there before."""
    monkeypatch.setenv("POCL_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    early = build_library(tmp_path / "libearly.so", "int early;\n")
    late = build_library(tmp_path / "liblate.so", "int late;\n")
    compiled = build_library(tmp_path / "cache" / "kernel.so", "int kernel;\n")
    data = tmp_path / "builtins.bc"
    data.touch()
    ctypes.CDLL(str(early))
    files = ProcessFiles()
    ctypes.CDLL(str(late))
    ctypes.CDLL(str(compiled))
    with data.open("rb"), (tmp_path / "written").open("wb"):
        mine = {Path(f.path).name: f.seen for f in files.seen() if f.path.startswith(str(tmp_path))}
    assert mine == {"liblate.so": "mapped", "builtins.bc": "open"}
    files.own(early)
    assert str(early) in {file.path for file in files.seen()}


def test_what_results_are_held_against_is_no_drivers(tmp_path: Path) -> None:
    """The float64 products of the host are mapped while a case is verified, and named by a count."""
    np.save(tmp_path / "reference-5.npy", np.zeros(4))
    files = ProcessFiles()
    held = np.load(tmp_path / "reference-5.npy", mmap_mode="r")
    assert [f.path for f in files.seen() if f.path.startswith(str(tmp_path))] == []
    assert held.shape == (4,)


def test_a_library_that_was_replaced_is_seen_so(tmp_path: Path) -> None:
    """The process has the old one, and another lies under its name; one without a successor is no driver's file."""
    files = ProcessFiles()
    library = build_library(tmp_path / "libmapped.so", "int mapped;\n")
    gone = build_library(tmp_path / "libgone.so", "int gone;\n")
    ctypes.CDLL(str(library))
    ctypes.CDLL(str(gone))
    gone.unlink()
    build_library(tmp_path / "new.so", "int other;\n").replace(library)
    mine = {f.path: f.replaced for f in files.seen() if f.path.startswith(str(tmp_path))}
    assert mine == {str(library): True}


def test_what_a_compiler_reads_follows_from_where_it_lies(tmp_path: Path) -> None:
    """PoCL's headers and built-in functions, clang's headers; of another library nothing."""
    for name in ("share/pocl/include/_kernel.h", "share/pocl/kernel-x.bc", "lib/clang/15/include/opencl-c.h"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "lib/x86").mkdir()

    def read(*libraries: str) -> set[str]:
        found = read_at_builds([str(tmp_path / name) for name in libraries])
        return {Path(path).name for path in found if path.startswith(str(tmp_path))}

    assert read("lib/x86/libpocl.so.2") == {"_kernel.h", "kernel-x.bc"}
    assert read("lib/libclang-cpp.so.15") == {"opencl-c.h"}
    assert read("lib/libz.so.1") == set()
