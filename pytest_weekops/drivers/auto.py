"""``auto``: the first driver that answers, compiles and launches, and what was passed over on the way to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from pytest_weekops.core.errors import InputError
from pytest_weekops.drivers.probe import Probe, probe
from pytest_weekops.worker.process import Launch

_LONGEST_REASON = 200


class NoDriverWorks(InputError):
    """No driver of those that were tried runs a verified kernel here."""


_INSTALL = (
    'Install one: `pip install "pytest-weekops[cpu]"` needs no root, and Debian\'s package pocl-opencl-icd brings all '
    "that it needs."
)


def first_that_works(launches: Iterable[Launch], scratch: Path, say: Callable[[str], None] | None = None) -> Launch:
    """The first of the launches whose driver runs a verified kernel, with ``passed_over`` set.

    Each is tried in a worker of its own, and one driver under two names once. Raises ``NoDriverWorks`` where none does,
    and ``InputError`` where another gate measures on the device of one: the next might lead to the same device.
    """
    tried: dict[str, str] = {}
    absent: list[str] = []
    passed_over: list[str] = []
    for launch in launches:
        if launch.missing:
            absent.append(launch.label)
        elif launch.open.icd not in tried:
            answer = probe(launch, scratch, say)
            if answer.works:
                return launch.model_copy(update={"passed_over": tuple(passed_over)})
            if answer.busy:
                raise InputError(f"No driver can be chosen now. {answer.refusal}")
            tried[launch.open.icd] = _why(answer)
            passed_over.append(f"{launch.label}: {tried[launch.open.icd]}")
    raise NoDriverWorks(
        f"No usable OpenCL driver was found, so nothing can be measured. {' '.join(passed_over)}"
        f"{' ' if passed_over else ''}Not installed: {', '.join(absent) or 'none'}. {_INSTALL} `weekops drivers` shows "
        "more."
    )


def _why(answer: Probe) -> str:
    """One line: what the driver said, and what to do about it."""
    step = answer.failed
    words = answer.refusal if step is None else f"{step.name}: {step.detail}"
    advice = answer.advice[0] if step is None and answer.advice else step.recommendation if step else ""
    said = " ".join(words.split())[:_LONGEST_REASON].rstrip(". ") or "its smoke had no steps"
    return f"{said}. {advice}".rstrip()
