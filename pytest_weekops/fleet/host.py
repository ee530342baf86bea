"""What runs on a host, as tasks of a Dask worker: three functions that take and return JSON text of ours.

A gate is a process of its own with a directory of its own, and everything that is told of it is read from there: who
comes back after the coordinator was killed finds it by the task's name. It ends with the worker, whatever ends that.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import platform as machine
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pytest_weekops import __version__
from pytest_weekops.core.errors import WeekopsError
from pytest_weekops.core.judge.finding import ExitStatus
from pytest_weekops.evidence.journal import JOURNAL_NAME
from pytest_weekops.files.atomic import write_atomic
from pytest_weekops.files.shipped import data_dir
from pytest_weekops.fleet.leash import environment, leashed
from pytest_weekops.fleet.messages import (
    LONGEST_SAID,
    PIECE_BYTES,
    AskPiece,
    AskWho,
    Driver,
    End,
    GateTask,
    Piece,
    Who,
    decode,
    encode,
)
from pytest_weekops.fleet.program import kernels_sha256, program_sha256

END_NAME, LOG_NAME, HELD_NAME = "end.json", "gate.txt", "held"
BURIED = "it never came here, and is not begun any more"  # what is said of a task that was given up
PREFIX = "gate"  # of the run's name, in front of the task's
KEPT_S = 30 * 86400.0  # that a journal waits to be collected
LEAST_ROOM_BYTES = 256 * 1024**2  # for journal, caches of drivers, and what pytest keeps
_NO_ROOM_BYTES = 64 * 1024  # in which no end of a task can be written down
_PROBE_S = 300.0
_WINDING_UP_S = 60.0  # that a gate gets after SIGTERM to write down what it has
_TAIL_BYTES = 4000


def place_of(task: str) -> Path:
    """The directory of one task on this host."""
    return Path(tempfile.gettempdir(), f"weekops-fleet-{os.getuid()}", task)


# -- the tasks ---------------------------------------------------------------------------------------------------


def who(text: str) -> str:
    """Say version, hashes and drivers: an :class:`AskWho` in, a :class:`Who` out. Changes nothing."""
    asked = decode(AskWho, text)
    node, python = machine.node()[:200], machine.python_version()[:80]
    known = {"version": __version__, "program": program_sha256(), "kernels": kernels_sha256()}
    try:
        return encode(Who(**known, node=node, python=python, drivers=tuple(_drivers(asked.platforms))))
    except (WeekopsError, OSError, ValueError, LookupError, TypeError, subprocess.SubprocessError) as error:
        return encode(Who(**known, node=node, python=python, said=f"{type(error).__name__}: {error}"[:LONGEST_SAID]))


def run_gate(text: str) -> str:
    """Run one gate to its end: a :class:`GateTask` in, an :class:`End` out, which also stays on disk.

    A task whose directory is there already is refused: it was begun before, and no gate is run twice.
    """
    task = decode(GateTask, text)
    place = place_of(task.task)
    try:
        place.parent.mkdir(mode=0o700, exist_ok=True)
        if place.parent.stat().st_uid != os.getuid():
            return encode(End(state="refused", said=f"{place.parent} belongs to another user"))
        _sweep(place.parent)
        place.mkdir(mode=0o700)
    except FileExistsError:
        return encode(End(state="refused", said="this task was begun here before, and is not run twice"))
    except OSError as error:
        return encode(End(state="refused", said=f"{place} cannot be made: {error.strerror}"))
    with (place / f"{HELD_NAME}.new").open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        (place / f"{HELD_NAME}.new").rename(place / HELD_NAME)  # held from the first moment that it has its name
        end = _refusal(task) or _no_room(place) or _gate(task, place)
        with contextlib.suppress(WeekopsError):  # a full disk: then the task is gone without a word, and is told so
            write_atomic(place / END_NAME, encode(end))
    return encode(end)


def piece(text: str) -> str:
    """The journal of a task from a byte on, at most a piece of it: an :class:`AskPiece` in, a :class:`Piece` out."""
    asked = decode(AskPiece, text)
    place = place_of(asked.task)
    if not place.is_dir():
        return encode(Piece(task=asked.task, offset=asked.offset, state="unknown"))
    state = _state(place)  # before the journal is read: what ended has written all of it
    journal = next(iter(sorted(place.glob(f"reports/*/{JOURNAL_NAME}"))), None)
    body = b""
    if journal is not None:
        with journal.open("rb") as stream:
            stream.seek(asked.offset)
            body = stream.read(PIECE_BYTES)
    return encode(Piece(task=asked.task, offset=asked.offset, text=body.decode("ascii", errors="replace"), **state))


def forget(text: str) -> str:
    """Remove the directory of a task that has ended and whose journal was taken. Says nothing worth reading."""
    place = place_of(decode(AskPiece, text).task)
    if place.is_dir() and _state(place)["state"] != "running":
        shutil.rmtree(place, ignore_errors=True)
    return "{}"


# -- one gate ----------------------------------------------------------------------------------------------------


def _sweep(parent: Path) -> None:
    """Remove what tasks left long ago that nobody collected."""
    for place in parent.iterdir():
        with contextlib.suppress(OSError):
            if time.time() - place.stat().st_mtime > KEPT_S and not _is_held(place):
                shutil.rmtree(place)


def _refusal(task: GateTask) -> End | None:
    if task.program == program_sha256():
        return None
    said = f"this host has another program, version {__version__} by the hash {program_sha256()[:12]}"
    return End(state="refused", said=said)


def _no_room(place: Path) -> End | None:
    """A driver that cannot write crashes, and would be blamed: so the disk is looked at first."""
    free = shutil.disk_usage(place).free
    if free >= LEAST_ROOM_BYTES:
        return None
    said = f"{free // 1024**2} MiB are free in {place.parent}, and a gate needs {LEAST_ROOM_BYTES // 1024**2}"
    return End(state="ended", status=int(ExitStatus.USAGE_ERROR), said=said)


def _gate(task: GateTask, place: Path) -> End:
    """Run the suite in its directory until it ends or its time is up."""
    try:
        (place / "policy.yaml").write_text(task.policy, encoding="utf-8")
        (place / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        return run_to_its_end(gate_argv(task, place), place, task.deadline_s)
    except OSError as error:
        return End(state="refused", said=f"the gate cannot be started: {error.strerror or error}")


def run_to_its_end(argv: Sequence[str], place: Path, limit_s: float) -> End:
    """How a program ended that runs in its directory, with its words in a log there. Raises ``OSError``."""
    with (place / LOG_NAME).open("wb") as log:
        process = subprocess.Popen(
            leashed(argv, signal.SIGTERM),
            cwd=place,
            env=environment("PYTEST_", "DASK_"),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        status = _waited(process, limit_s)
    if status is None:
        return End(state="late", said=f"it had not ended after {limit_s:g} s: {last_words(place)}")
    return End(state="ended", status=max(status, -64), said=last_words(place))


def _waited(process: subprocess.Popen[bytes], deadline_s: float) -> int | None:
    """Its status; None where it had to be ended. It never outlives this call."""
    try:
        return process.wait(deadline_s)
    except subprocess.TimeoutExpired:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_WINDING_UP_S)
        return None
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def gate_argv(task: GateTask, place: Path) -> list[str]:
    """The gate's command line. The words of the fleet come first: where both say something, it is ours that counts."""
    suite = data_dir("suites")
    ours = {
        "platforms": " ".join(task.platforms),
        "policy": "policy.yaml",
        "report-prefix": f"{PREFIX}-{task.task}",
        "require-verdict": task.suite,
        "rollback": "never",
        "mode": "ci",
    }
    named = [word for name, value in ours.items() for word in (f"--weekops-{name}", *value.split(" "))]
    tests = ["-o", f"testpaths={shlex.quote(str(suite / task.suite))}", "--confcutdir", str(suite)]
    pytest = [sys.executable, "-m", "pytest", *_plugin(), f"--rootdir={place}", "-p", "no:cacheprovider"]
    return [*pytest, *tests, *task.words, *named, f"--weekops-report-dir={place / 'reports'}"]


def _plugin() -> tuple[str, ...]:
    import importlib.metadata

    known = any(point.name == "weekops" for point in importlib.metadata.entry_points(group="pytest11"))
    return () if known else ("-p", "pytest_weekops.plugin")


# -- what is told ------------------------------------------------------------------------------------------------


def _state(place: Path) -> dict[str, Any]:
    with contextlib.suppress(OSError, WeekopsError):
        end = decode(End, (place / END_NAME).read_text("utf-8"))
        return {"state": end.state, "status": end.status, "said": end.said}
    if _is_held(place):
        return {"state": "running"}
    if (place / END_NAME).exists():
        return _state(place)  # it ended in between
    return {"state": "gone", "said": f"{_full(place)}{last_words(place)}"}


def _full(place: Path) -> str:
    """That there is no room left, where it is so: it may be why the last words are none, or not the last."""
    with contextlib.suppress(OSError):
        if shutil.disk_usage(place).free < _NO_ROOM_BYTES:
            return f"the disk of {place.parent} is full; "
    return ""


def _is_held(place: Path) -> bool:
    """Whether the task's own function still runs, in whatever process."""
    try:
        with (place / HELD_NAME).open("rb") as held:
            fcntl.flock(held, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:  # it is made in this moment
        return True
    except OSError:
        return False
    return False


def last_words(place: Path) -> str:
    """The last lines that a task's program wrote."""
    try:
        with (place / LOG_NAME).open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _TAIL_BYTES))
            text = log.read().decode("utf-8", errors="replace")
    except OSError:
        return "it said nothing"
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    return " | ".join(lines[-3:])[-500:] or "it said nothing"


def _drivers(platforms: tuple[str, ...]) -> Iterator[Driver]:
    """What `weekops drivers` says of these profiles, from a process of its own."""
    command = [sys.executable, "-m", "pytest_weekops.cli", "drivers", "--json", "--platforms", *platforms]
    done = subprocess.run(
        leashed(command, signal.SIGKILL),
        env=environment("PYTEST_", "DASK_"),
        capture_output=True,
        text=True,
        timeout=_PROBE_S,
    )
    if done.returncode not in (0, 1):
        raise ValueError(done.stderr[-500:])
    for entry in json.loads(done.stdout)["platforms"]:
        found = entry["identity"] or {}
        yield Driver(
            profile=str(entry["profile"])[:100],
            works=entry["status"] in ("ok", "warning"),
            device=str(found.get("device_name", ""))[:300],
            version=str(found.get("driver_version", ""))[:300],
            said=str(entry["reason"])[:LONGEST_SAID],
        )
