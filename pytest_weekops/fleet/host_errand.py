"""What runs on a host when its driver is switched, or rolled back: an errand, in a process and a directory of its own.

It runs beside the worker's task and not behind it: a gate that hangs must not keep a host on a driver that did not
promote. As with a gate, everything that is told of it is read from its directory, which is made once for each errand.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

from pytest_weekops.core.errors import WeekopsError
from pytest_weekops.files.atomic import write_atomic
from pytest_weekops.fleet import host
from pytest_weekops.fleet.leash import environment, leashed
from pytest_weekops.fleet.messages import AskPiece, End, Errand, decode, encode
from pytest_weekops.fleet.program import program_sha256

_BEGUN: list[subprocess.Popen[bytes]] = []
ERRAND_NAME = "errand.json"


def begin(text: str) -> str:
    """Begin an errand: an :class:`Errand` in, an :class:`End` out where it was refused, else nothing to be read."""
    errand = decode(Errand, text)
    place = host.place_of(errand.task)
    try:
        place.parent.mkdir(mode=0o700, exist_ok=True)
        if place.parent.stat().st_uid != os.getuid():
            return encode(End(state="refused", said=f"{place.parent} belongs to another user"))
        place.mkdir(mode=0o700)
    except FileExistsError:
        return encode(End(state="refused", said="this errand was begun here before"))
    except OSError as error:
        return encode(End(state="refused", said=f"{place} cannot be made: {error.strerror}"))
    try:
        write_atomic(place / ERRAND_NAME, text)
        _BEGUN[:] = [process for process in _BEGUN if process.poll() is None]  # whose end nobody else asks for
        process = subprocess.Popen(
            leashed([sys.executable, "-m", __name__, str(place)], signal.SIGKILL),
            cwd=place,
            env=environment("PYTEST_", "DASK_"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _BEGUN.append(process)
    except (OSError, WeekopsError) as error:
        return _ended(place, End(state="refused", said=f"it cannot be begun: {error}"[:1000]))
    return "{}"


def bury(text: str) -> str:
    """How an errand stands; where it never came here, it never will: an :class:`AskPiece` in, a ``Piece`` out.

    Whoever comes back after being killed cannot know whether what it sent last is still on its way.
    """
    asked = decode(AskPiece, text)
    place = host.place_of(asked.task)
    with contextlib.suppress(FileExistsError):
        place.parent.mkdir(mode=0o700, exist_ok=True)
        place.mkdir(mode=0o700)
        _ended(place, End(state="refused", said=host.BURIED))
    return host.piece(text)


def argv(errand: Errand, place: Path) -> list[str]:
    """The command line of an errand."""
    directory, policy = f"--report-dir={errand.report_dir}", f"--policy={place / 'policy.yaml'}"
    if errand.do == "roll_back":
        command = ["-m", "pytest_weekops.cli", "rollback", "--apply", "--platform", errand.baseline, policy, directory]
        return [sys.executable, *command]
    names = [f"--candidate={errand.candidate}", f"--baseline={errand.baseline}", f"--reason={errand.reason}"]
    return [sys.executable, "-m", "pytest_weekops.rollback.forward", *names, policy, directory]


def run(place: Path) -> None:
    """Run the errand in this directory to its end, which stays on disk."""
    errand = decode(Errand, (place / ERRAND_NAME).read_text("utf-8"))
    with (place / f"{host.HELD_NAME}.new").open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        (place / f"{host.HELD_NAME}.new").rename(place / host.HELD_NAME)
        # Nothing keeps a host on a driver that did not promote: it is rolled back by whatever program it has now.
        if errand.do == "switch" and errand.program != program_sha256():
            _ended(place, End(state="refused", said=f"this host has another program, {program_sha256()[:12]}"))
        else:
            _ended(place, _ran(errand, place))


def _ran(errand: Errand, place: Path) -> End:
    try:
        (place / "policy.yaml").write_text(errand.policy, encoding="utf-8")
        return host.run_to_its_end(argv(errand, place), place, errand.timeout_s)
    except OSError as error:
        return End(state="refused", said=f"it cannot be started: {error.strerror or error}")


def _ended(place: Path, end: End) -> str:
    with contextlib.suppress(WeekopsError):  # a full disk: then it is gone without a word, and is told so
        write_atomic(place / host.END_NAME, encode(end))
    return encode(end)


if __name__ == "__main__":
    run(Path(sys.argv[1]))
