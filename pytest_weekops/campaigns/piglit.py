"""Piglit as it is installed: which OpenCL tests it has, which version of them, and how one driver is given them."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pytest_weekops.core.errors import InputError, WeekopsError
from pytest_weekops.evidence.conformance.reading import Read, read_results
from pytest_weekops.files.hashing import hash_file
from pytest_weekops.worker.process import Launch

PROFILE = "cl"
_LIST_S = 120.0
_GRACE_S = 300.0
# What would lead the tests to another driver, or put something between them and this one.
_STRANGERS = ("OCL_ICD_FILENAMES", "OPENCL_VENDOR_PATH", "OCL_ICD_ASSUME_ICD_EXTENSION", "OPENCL_LAYERS")
_CACHES = ("XDG_CACHE_HOME", "POCL_CACHE_DIR", "CUDA_CACHE_PATH", "AMD_COMGR_CACHE_DIR")


@dataclass(frozen=True)
class Piglit:
    """Piglit's OpenCL profile, and what is asked of it: filters, seconds per test, tests at once, reruns."""

    program: str
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    timeout_s: int = 60
    jobs: int = 1
    reruns: int = 2

    @classmethod
    def installed(cls) -> str:
        """The program. Raises ``InputError`` where there is none."""
        found = shutil.which("piglit")
        if found is None:
            raise InputError(
                "piglit is not installed, so no test can be run. Install Debian's package piglit (2 GB on disk), or "
                "read results that it left elsewhere with --results."
            )
        return found

    @property
    def selection(self) -> tuple[str, ...]:
        """The filters as they are typed."""
        return (*(f"-t {each}" for each in self.include), *(f"-x {each}" for each in self.exclude))

    @cached_property
    def of_suite(self) -> dict[str, str]:
        """Every test of the profile and its command line."""
        return self._listed(())

    @cached_property
    def planned(self) -> dict[str, str]:
        """Those that the filters leave. Raises ``InputError`` where they leave none."""
        found = self._listed(self._filters) if self._filters else self.of_suite
        if not found:
            raise InputError(f"{' '.join(self.selection)} leaves no test of piglit's {PROFILE} profile. Widen it.")
        return found

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of the planned tests, as results have them."""
        return frozenset(self.planned)

    @cached_property
    def version(self) -> str:
        """A hash of the tests: their command lines, their programs and the sources that these are given."""
        digest = hashlib.sha256()
        files: set[Path] = set()
        for name, command in sorted(self.of_suite.items()):
            digest.update(f"{name}\0{command}\n".encode())
            files |= {path for word in command.split() if (path := self._file(word)) is not None}
        for path in sorted(files):
            digest.update(f"{path.name}\0{hash_file(path)}\n".encode())
        return f"{PROFILE}-{digest.hexdigest()[:16]}"

    def _file(self, word: str) -> Path | None:
        place = Path(self.program).resolve().parent / word  # commands are told from where the program lies
        return place if "/" in word and place.is_file() else None

    @property
    def _filters(self) -> list[str]:
        return [word for each in self.selection for word in each.split(" ", 1)]

    def _listed(self, filters: Sequence[str]) -> dict[str, str]:
        command = [self.program, "print-cmd", *filters, PROFILE]
        try:
            answer = subprocess.run(command, capture_output=True, text=True, timeout=_LIST_S, errors="replace")
        except (OSError, subprocess.TimeoutExpired) as error:
            raise WeekopsError(f"piglit does not list its tests: {error}. Is its installation whole?") from error
        if answer.returncode:
            tail = (answer.stderr.strip() or answer.stdout.strip()).splitlines()[-1:]
            raise InputError(f"piglit does not list its tests: {' '.join(tail) or answer.returncode}. See its filters.")
        rows = (line.partition(" ::: ") for line in answer.stdout.splitlines())
        return {name.strip(): command for name, mark, command in rows if mark}

    def run(self, launch: Launch, place: Path, tests: Sequence[str] = ()) -> Read:
        """Run the tests, those named or those planned, on one driver. Raises ``WeekopsError`` where there is no end."""
        place.parent.mkdir(parents=True, exist_ok=True)
        chosen = self._filters
        if tests:
            names = place.with_suffix(".tests")
            names.write_text("".join(f"{name}\n" for name in tests), encoding="utf-8")
            chosen = ["--test-list", str(names)]
        speed = ["-1"] if self.jobs == 1 else ["-c", "-j", str(self.jobs)]
        command = [self.program, "run", "-o", "-l", "quiet", *speed, "--timeout", str(self.timeout_s), *chosen]
        limit = _GRACE_S + (self.timeout_s + 5) * len(tests or self.planned)
        status = _waited([*command, PROFILE, str(place)], self._environment(launch, place), place, limit)
        if status:
            raise WeekopsError(f"piglit ended with {status} on {launch.label}{_tail(place)}. Nothing was kept.")
        return read_results("piglit", place)

    def _environment(self, launch: Launch, place: Path) -> dict[str, str]:
        cache = place.with_suffix(".cache")
        cache.mkdir(exist_ok=True)
        kept = {key: value for key, value in os.environ.items() if key not in _STRANGERS}
        own = {"PIGLIT_NO_WINDOW": "1", "PIGLIT_COMPRESSION": "none", **dict.fromkeys(_CACHES, str(cache))}
        return {**kept, **own, **launch.environment}


def _waited(command: list[str], environment: dict[str, str], place: Path, limit_s: float) -> str:
    """Run a command to its end, and end all that it started where nobody waits for it any more; what went wrong."""
    with place.with_suffix(".log").open("wb") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True
        )
        try:
            status = process.wait(limit_s)
        except subprocess.TimeoutExpired:
            return f"no end after {limit_s:.0f} s"
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    return f"exit status {status}" if status else ""


def _tail(place: Path) -> str:
    lines = place.with_suffix(".log").read_text(encoding="utf-8", errors="replace").split()
    return f": {' '.join(lines)[-300:]}" if lines else ""
