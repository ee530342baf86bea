"""Where the shipped data is: beside the package in a checkout, inside it when installed from a wheel."""

from __future__ import annotations

from pathlib import Path


def data_dir(name: str) -> Path:
    """The directory ``kernels``, ``policies`` or ``suites`` as shipped."""
    package = Path(__file__).resolve().parents[1]
    packaged = package / "_data" / name
    return packaged if packaged.is_dir() else package.parent / name
