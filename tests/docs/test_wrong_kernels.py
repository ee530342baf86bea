"""The set of wrong kernels speaks of the kernels that are shipped: each change finds what it replaces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
WRONG: list[dict[str, Any]] = yaml.safe_load(
    (ROOT / "docs" / "wrong-kernels.yaml").read_text(encoding="utf-8"),
)["kernels"]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: f"{wrong['mode']}: {wrong['what']}")
def test_a_change_finds_its_text(wrong: dict[str, Any]) -> None:
    """A kernel that was rewritten takes its wrong ones along; whether they are caught is asked on a driver."""
    old, new = wrong["change"]
    assert old in (ROOT / "kernels" / wrong["file"]).read_text(encoding="utf-8")
    assert old != new
