"""Kernels under a microscope: each variant launched under Oclgrind, and what it says of invalid accesses and races."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_weekops.core.measurement.microscope import GATE, CloseLook, Looked, read_words
from pytest_weekops.core.measurement.records import GateRecord

if TYPE_CHECKING:
    from pytest_weekops.worker.process import Launch

PROGRAM = "pytest_weekops.device.microscope"
LONGEST_S = 600.0  # the shipped variants take some ten seconds
LARGEST_OUTPUT = 16 * 2**20
_UNINITIALIZED = "OCLGRIND_UNINITIALIZED"
_DIED = "it was ended by signal "
_REAP_S = 5.0


def look_closely(launch: Launch, looks: Sequence[CloseLook], scratch: Path, *, longest_s: float = LONGEST_S) -> Looked:
    """Launch each of these under the simulator of ``launch``, in a process of its own.

    What it cannot follow while it watches for uninitialised values, or what it dies of then, is launched again without
    that, and stays named as ``blind``.
    """
    found = _watched(launch, looks, scratch, longest_s)
    again = [look for look in looks if look.name in found.blind]
    if not again or found.broken_off:
        return found
    environment = {name: value for name, value in launch.environment.items() if name != _UNINITIALIZED}
    rest = _pass(launch.model_copy(update={"environment": environment}), again, scratch, longest_s)
    return found.model_copy(update={"defects": (*found.defects, *rest.defects), "broken_off": rest.broken_off})


def _watched(launch: Launch, looks: Sequence[CloseLook], scratch: Path, longest_s: float) -> Looked:
    """One pass, begun again behind each variant of which the simulator died while it watched for uninitialised values.

    Oclgrind 21.10 does of vectors that are shuffled with lanes that nobody reads, as compilers make them of plain sums.
    """
    found = _pass(launch, looks, scratch, longest_s)
    names = [look.name for look in looks]
    died = _UNINITIALIZED in launch.environment and found.broken_off.startswith(_DIED)
    if not died or not found.launches or found.launches[-1] not in names:
        return found
    at = names.index(found.launches[-1])
    blind = [look.name for look in looks[at:] if look.variant == looks[at].variant]
    left = [look for look in looks[at:] if look.variant != looks[at].variant]
    rest = _watched(launch, left, scratch, longest_s) if left else Looked()
    return Looked(
        launches=(*found.launches, *blind[1:], *rest.launches),
        defects=(*found.defects, *rest.defects),
        blind=(*found.blind, *blind, *rest.blind),
        broken_off=rest.broken_off,
    )


def gate_of(found: Looked | None, label: str, missing: str = "") -> GateRecord:
    """The gate of a platform by what was found; without the simulator, or broken off, it could not be held."""
    facts = {"gate": GATE, "stage": "canonical", "platform": label}
    if found is None or (found.broken_off and not found.defects):
        undone = missing if found is None else f"Oclgrind broke off: {found.broken_off}."
        return GateRecord.model_validate({**facts, "passed": False, "undone": undone})
    reason = "; ".join(defect.sentence for defect in found.defects)
    return GateRecord.model_validate({**facts, "passed": not found.defects, "reason": reason})


def _pass(launch: Launch, looks: Sequence[CloseLook], scratch: Path, longest_s: float) -> Looked:
    with tempfile.TemporaryDirectory(dir=scratch) as place:
        request, output = Path(place, "request"), Path(place, "output")
        lines = (launch.open.model_dump_json(), *(look.model_dump_json() for look in looks))
        request.write_text("\n".join(lines), encoding="utf-8")
        ended = _run(request, output, dict(launch.environment), longest_s)
        with output.open("rb") as stream:
            text = stream.read(LARGEST_OUTPUT).decode("utf-8", errors="replace")
    found = read_words(text, [look.name for look in looks])
    return found.model_copy(update={"broken_off": f"{ended}, {found.broken_off}"}) if ended else found


def _run(request: Path, output: Path, environment: dict[str, str], longest_s: float) -> str:
    """Run the program to its end, or to that of its time; in words what ended it otherwise."""
    root = str(Path(__file__).resolve().parents[2])
    kept = dict(os.environ)
    path = os.pathsep.join(filter(None, [root, environment.get("PYTHONPATH", kept.get("PYTHONPATH", ""))]))
    own = {**environment, "PYTHONPATH": path, "PYOPENCL_NO_CACHE": "1", "XDG_CACHE_HOME": str(request.parent)}
    with output.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", PROGRAM, str(request)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stream,
            env={**kept, **own},
            cwd=request.parent,
            start_new_session=True,
        )
        try:
            status = process.wait(longest_s)
        except subprocess.TimeoutExpired:
            return f"it took more than {longest_s:g} s"
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            with suppress(subprocess.TimeoutExpired):
                process.wait(_REAP_S)
    return f"{_DIED}{-status}" if status < 0 else ""
