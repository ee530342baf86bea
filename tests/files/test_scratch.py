"""Scratch directories: what a killed process leaves goes, what lives or is somebody else's stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_weekops.files.scratch import MARKER, Scratch, remove_abandoned

HOLDER = """
import time
from pytest_weekops.files.scratch import Scratch
scratch = Scratch()
(scratch.path / "worker" / "cache").mkdir(parents=True)
(scratch.path / "reference-0.npy").write_bytes(bytes(1000))
print(scratch.path, flush=True)
time.sleep(600)
"""


@pytest.fixture(autouse=True)
def own_temporary_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The runs of this test see no other's directories."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)


@contextmanager
def holder() -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A process that holds a scratch directory, and that directory."""
    with subprocess.Popen([sys.executable, "-c", HOLDER], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, Path(process.stdout.readline().strip())
        finally:
            process.kill()


def test_the_next_run_removes_what_a_killed_one_left() -> None:
    """SIGKILL leaves the directory with all in it; making another removes it."""
    with holder() as (process, left):
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert (left / "reference-0.npy").is_file()
        with Scratch():
            assert not left.exists()


def test_a_living_run_keeps_its_directory() -> None:
    """Another process's directory stays, whole, while that process lives."""
    with holder() as (_process, held):
        with Scratch() as mine:
            assert mine != held
        assert (held / "reference-0.npy").is_file()


def test_what_this_process_holds_stays() -> None:
    """Two of one process do not remove each other."""
    with Scratch() as first, Scratch() as second:
        assert first.is_dir()
        assert second.is_dir()


def test_a_directory_without_the_marker_is_left_alone(tmp_path: Path) -> None:
    """A name alone makes nothing ours."""
    foreign = tmp_path / "weekops-notes"
    foreign.mkdir()
    (foreign / "thesis.txt").write_text("three years", encoding="utf-8")
    remove_abandoned()
    assert (foreign / "thesis.txt").read_text(encoding="utf-8") == "three years"


def test_links_are_never_followed(tmp_path: Path) -> None:
    """Neither a link of our name to a marked directory nor a marker that is a link leads to anything's removal."""
    target = tmp_path / "kept"
    target.mkdir()
    (target / MARKER).touch()
    (target / "thesis.txt").touch()
    (tmp_path / "weekops-link").symlink_to(target)
    marked_by_link = tmp_path / "weekops-odd"
    marked_by_link.mkdir()
    (marked_by_link / MARKER).symlink_to(target / MARKER)
    remove_abandoned()
    assert (target / "thesis.txt").is_file()
    assert marked_by_link.is_dir()


def test_a_link_in_an_abandoned_directory_loses_the_link_alone(tmp_path: Path) -> None:
    """What a killed run linked to is not its scratch."""
    precious = tmp_path / "driver.so"
    precious.touch()
    library = tmp_path / "lib"
    library.mkdir()
    (library / "kept").touch()
    left = tmp_path / "weekops-left"
    left.mkdir()
    (left / MARKER).touch()
    (left / "driver.so").symlink_to(precious)
    (left / "lib").symlink_to(library)
    remove_abandoned()
    assert not left.exists()
    assert precious.is_file()
    assert (library / "kept").is_file()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a directory to another user")
def test_another_users_directory_is_left_alone(tmp_path: Path) -> None:
    """Marked, not held, and somebody else's: it stays, even for root."""
    theirs = tmp_path / "weekops-theirs"
    theirs.mkdir()
    (theirs / MARKER).touch()
    os.chown(theirs, 65534, 65534)
    remove_abandoned()
    assert (theirs / MARKER).is_file()


def test_closing_removes_everything_and_may_happen_twice() -> None:
    """Nothing stays behind a run that ends by itself."""
    scratch = Scratch()
    (scratch.path / "worker").mkdir()
    (scratch.path / "worker" / "stderr").touch()
    scratch.close()
    assert not scratch.path.exists()
    scratch.close()
