"""The map of what can be done and what holds it: each test, sabotage and group of faults that it names is there."""

from __future__ import annotations

import ast
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]


@lru_cache
def _table(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "docs" / name).read_text(encoding="utf-8"))
    return found


@lru_cache
def names_in(path: Path) -> frozenset[str]:
    """The names of a file's functions; none where there is no file."""
    tree = ast.parse(path.read_text(encoding="utf-8") if path.is_file() else "")
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def known() -> set[str]:
    """All that an entry may name besides tests."""
    tables = [_table(name) for name in ("sabotage.yaml", "sabotage-stored.yaml", "sabotage-shared.yaml")]
    kinds = {f"sabotages {kind}" for table in tables for kind in table["kinds"]}
    each = {f"sabotage {entry['kind']}: {entry['name']}" for table in tables for entry in table["sabotages"]}
    return {*kinds, *each, *(f"faults {group}" for group in _table("faults.yaml")["groups"]), "phases", "wrong kernels"}


def missing(by: str, others: set[str]) -> bool:
    """Whether nothing of that name is there."""
    path, is_test, name = by.partition("::")
    return not name.startswith("test_") or name not in names_in(ROOT / path) if is_test else by not in others


def test_what_holds_is_there() -> None:
    """Tests by their names, the tables' kinds, groups and rows; and a name that is gone would be found."""
    holds, others = _table("holds.yaml"), known()
    named = [by for entry in holds["holds"] for by in entry["by"]]
    assert [by for by in named if missing(by, others)] == []
    assert all(entry["by"] for entry in holds["holds"])
    assert all(
        missing(by, others) for by in ("tests/no.py::test_a", "tests/docs/test_holds.py::test_a", "sabotages no")
    )


def test_no_kind_of_sabotage_and_no_group_of_faults_is_left_out() -> None:
    """What is provoked is on the map, and each topic has something."""
    holds = _table("holds.yaml")
    named = {by for entry in holds["holds"] for by in entry["by"]}
    wide = {name for name in known() if not name.startswith("sabotage ")} - {"faults around"}
    assert wide - named == set()
    assert {entry["topic"] for entry in holds["holds"]} == set(holds["topics"])
    sentences = [entry["what"] for entry in holds["holds"]]
    assert len(sentences) == len(set(sentences)) > 60


def test_the_page_shows_titles_and_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kind by its title, a test by its path."""
    monkeypatch.setattr(sys, "path", [str(ROOT / "docs"), *sys.path])
    from generating import holds

    page = holds.holds()
    assert "the sabotages *What leaves the campaign out*" in page
    assert "`device/test_inventory.py::test_the_device_that_was_asked_for_answers_or_none`" in page
    assert "the faults *Wrong answers*" in page
