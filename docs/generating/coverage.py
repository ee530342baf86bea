"""Which features of OpenCL the shipped kernels and host calls have, as a table by section of the specification."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from generating.words import table
from pytest_weekops.core.units import LEVEL0, SHIPPED_UNITS
from pytest_weekops.files.catalog import kernel_entries
from pytest_weekops.files.kernel_sources import expand

ROOT = Path(__file__).resolve().parents[2]
KERNELS, WORKLOADS = ROOT / "kernels", ROOT / "pytest_weekops" / "device" / "workloads"
_COMMENTS = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_WORDS = re.compile(r'""".*?"""|#[^\n]*', re.DOTALL)
_PREFIXES = ("math", "queue", "image2d")  # operations of one family, told as one
HOLE = "**none**"


def coverage() -> str:
    """A row per feature: its section, and the workloads that have it, or that none has."""
    features = yaml.safe_load((ROOT / "docs" / "coverage.yaml").read_text(encoding="utf-8"))["features"]
    sources = {"C": kernels(), "API": host_calls()}
    rows = [(f["section"], f["what"], _names(re.compile(f["in"]), sources[f["section"].split()[0]])) for f in features]
    return table(("section", "feature", "workloads"), rows)


def holes() -> list[str]:
    """The features that no workload has."""
    return [line.split(" | ")[1] for line in coverage().splitlines() if HOLE in line]


def kernels() -> dict[str, str]:
    """The kernels of each operation, or family of them, without comments."""
    found = {_family(name): "" for name in SHIPPED_UNITS if name not in LEVEL0}
    for entry in kernel_entries([str(KERNELS)]).values():
        if entry.operation not in LEVEL0:
            found[_family(entry.operation)] += _COMMENTS.sub("", expand(KERNELS / entry.file))
    return found


def host_calls() -> dict[str, str]:
    """The Python of each, without docstrings and comments; GEMM and triad have none but launches."""
    found = dict.fromkeys(kernels(), "")
    for name in found:
        path = WORKLOADS / {"math": "maths", "queue": "queues", "image2d": "images"}.get(name, f"{name}.py")
        files = sorted(path.glob("*.py")) if path.is_dir() else [path] if path.is_file() else []
        found[name] = "".join(_WORDS.sub("", file.read_text(encoding="utf-8")) for file in files)
    return found


def _family(operation: str) -> str:
    return next((prefix for prefix in _PREFIXES if operation.startswith(prefix)), operation)


def _names(pattern: re.Pattern[str], sources: dict[str, str]) -> str:
    names = [f"`{name}`" for name, text in sources.items() if pattern.search(text)]
    if len(names) == len(sources):
        return "all"
    return ", ".join(names) or HOLE
