"""The table of faults, docs/faults.yaml, for the tests that run its rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
TABLE: dict[str, Any] = yaml.safe_load((ROOT / "docs" / "faults.yaml").read_text(encoding="utf-8"))
FAULTS: list[dict[str, Any]] = TABLE["faults"]


def rows(*groups: str) -> list[Any]:
    """The rows of the faulty driver in these groups, as parameters of a test."""
    import pytest

    mine = [row for row in FAULTS if row["group"] in groups and "driver" in row]
    return [pytest.param(row, id=row["driver"]) for row in mine]
