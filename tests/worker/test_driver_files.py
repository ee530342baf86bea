"""A driver's files over a run: hashed once for each state, the same from worker to worker or named."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Literal

from pytest_weekops.core.measurement.driver_files import replaced_files
from pytest_weekops.worker.driver_files import DriverFiles, hash_file
from pytest_weekops.worker.seen_files import SeenFile, look_at


def write(path: Path, text: str) -> Path:
    """A file as a package manager writes it: a new one under the old name."""
    draft = path.with_suffix(".new")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
    return path


def see(*paths: Path, how: Literal["mapped", "open", "beside"] = "mapped", replaced: bool = False) -> list[SeenFile]:
    """What a worker would say of them."""
    return [seen for path in paths if (seen := look_at(str(path), how, replaced=replaced)) is not None]


def digest(text: str) -> str:
    """SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def test_a_file_that_changes_under_a_worker_gives_another_listing(tmp_path: Path) -> None:
    """Headers and built-in functions are read at each build: one that is rewritten in place changes the driver."""
    files, library, header = DriverFiles("pocl"), write(tmp_path / "lib.so", "code"), write(tmp_path / "c.h", "old")
    files.opened(see(library, header))
    first = files.note(see(library, header))
    assert files.note(see(library, header)) == first
    assert [file.sha256 for file in files.listings[first].files] == [digest("old"), digest("code")]
    header.write_text("new", encoding="utf-8")
    second = files.note(see(library, header))
    (change,) = replaced_files(files.listings[first].files, files.listings[second].files)
    assert str(change) == f"c.h {digest('old')[:12]} became {digest('new')[:12]}"


def test_a_driver_may_load_more_of_itself(tmp_path: Path) -> None:
    """The listing grows, and a worker that has not loaded it yet does not shorten it."""
    files, library, more = DriverFiles("pocl"), write(tmp_path / "lib.so", "code"), write(tmp_path / "more.so", "more")
    files.opened(see(library))
    short, long = files.note(see(library)), files.note(see(library, more))
    assert short != long
    assert files.opened(see(library)) == ()
    assert files.note(see(library)) == long


def test_what_is_mapped_stays_what_it_was_until_the_next_worker(tmp_path: Path) -> None:
    """A package update under a running driver does not change it; the worker after it has another one."""
    files, library = DriverFiles("pocl"), write(tmp_path / "lib.so", "code")
    files.opened(see(library))
    first = files.note(see(library))
    write(library, "update")
    assert files.note(see(library, replaced=True)) == first
    (change,) = files.opened(see(library))
    assert str(change) == f"lib.so {digest('code')[:12]} became {digest('update')[:12]}"


def test_the_same_file_installed_again_is_the_same_driver(tmp_path: Path) -> None:
    """It has another inode and other times."""
    files, library = DriverFiles("pocl"), write(tmp_path / "lib.so", "code")
    files.opened(see(library))
    files.listing()
    write(library, "code")
    assert files.opened(see(library)) == ()


def test_a_file_that_is_gone_or_new_is_named(tmp_path: Path) -> None:
    """At the opening of a device the same files are there each time."""
    files, library, other = DriverFiles("pocl"), write(tmp_path / "lib.so", "code"), write(tmp_path / "15.so", "x")
    files.opened(see(library, other))
    newer = write(tmp_path / "16.so", "y")
    assert [str(change) for change in files.opened(see(library, newer))] == ["15.so is gone", "16.so is new"]


def test_a_hash_is_never_that_of_another_file(tmp_path: Path) -> None:
    """What was replaced between the look and the reading, or is gone, has none; nor is a device ever read."""
    path = write(tmp_path / "lib.so", "code")
    (seen,) = see(path)
    write(path, "edoc")
    os.utime(path, ns=(seen.mtime_ns, seen.mtime_ns))
    assert hash_file(seen) == ""
    assert hash_file(*see(path)) == digest("edoc")
    path.unlink()
    assert see(path) == []
    assert hash_file(SeenFile(path=str(path), seen="mapped", replaced=True)) == ""
    assert look_at("/dev/zero", "open") is None


def test_nothing_seen_is_no_listing() -> None:
    """A worker that cannot look names none, and the judge says that it is missing."""
    files = DriverFiles("pocl")
    assert files.opened([]) == ()
    assert files.note([]) == ""
    assert files.listing().files == ()
