"""What pytest lists behind this project's tests, and behind nobody else's run in the checkout."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_lists_are_asked_for_by_the_tests_alone(pytestconfig: pytest.Config) -> None:
    """The README's first line is typed here too, and ends with its verdict, not with skipped items and slow ones."""
    options = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]["addopts"]
    assert [word for word in options if word.startswith(("-r", "--durations"))] == []
    assert pytestconfig.option.durations is not None
    assert pytestconfig.option.reportchars != "fE"
