"""What other plugins do to the items of a run, and what they may not do to a campaign's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.gates import GateResult

SHUFFLE = """\
import pytest


@pytest.hookimpl({})
def pytest_collection_modifyitems(items):
    items.reverse()
"""


@pytest.mark.parametrize("when", ["tryfirst=True", "trylast=True"])
def test_a_shuffled_campaign_is_measured_in_its_order(
    gate: Callable[..., GateResult], need_platform: Callable[[str], str], tmp_path: Path, when: str
) -> None:
    """The opening gate comes first and the closing gate last; snapshots would else be torn apart."""
    (tmp_path / "shuffle.py").write_text(SHUFFLE.format(when), encoding="utf-8")
    result = gate(
        *("-p", "shuffle", "--platforms", need_platform("pocl"), "--kernels", "auto", "--sizes", "64"),
        *("--snapshots", "2", "--max-snapshots", "2", "--collect-only", "-q"),
    )
    assert [line.split("::")[1] for line in result.output.splitlines() if "::" in line] == [
        "test_gate[opening-pocl]",
        "test_pressure[pocl-s1]",
        "test_cell[pocl-auto-64-seed11-s1]",
        "test_pressure[pocl-s2]",
        "test_cell[pocl-auto-64-seed11-s2]",
        "test_gate[closing-pocl]",
    ]
