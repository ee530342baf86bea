"""docs/reference/policy.md against the model: every key in its section with its default, and no key that is none."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pydantic import BaseModel

from pytest_weekops.core.policy.policy import Policy, RollbackStep, Row, SeverityLevel
from tests.support.recorded_data import ROOT

TEXT = (ROOT / "docs" / "reference" / "policy.md").read_text(encoding="utf-8")
KEYS = TEXT.split("## Keys", 1)[1].split("## Judging", 1)[0]
SECTIONS = dict(re.findall(r"### `?([A-Za-z0-9_ ]+)`?[^\n]*\n(.*?)(?=\n### |\Z)", KEYS, re.DOTALL))
MODELS: dict[str, Any] = {
    name: type(value) for name, value in Policy(policy_id="x") if isinstance(value, BaseModel)
} | {"rows": Row}
NESTED: dict[str, Any] = {"severity": SeverityLevel, "rollback": RollbackStep}  # documented inside their section


def fields(section: str) -> dict[str, Any]:
    """The keys of a section with their defaults."""
    found: dict[str, Any] = MODELS[section].model_fields
    return found


def documented(section: str) -> dict[str, str]:
    """The keys of a section's tables, each with the last cell of its line."""
    found: dict[str, str] = {}
    for line in SECTIONS[section].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")] if line.startswith("| `") else []
        names = re.findall(r"`([a-z0-9_]+)`", cells[0]) if cells else []
        defaults = [part.strip() for part in cells[-1].split(",")] if cells else []
        for number, name in enumerate(names):
            found[name] = defaults[number] if len(defaults) == len(names) else cells[-1]
    return found


@pytest.mark.parametrize("section", sorted(MODELS))
def test_every_key_of_a_section_is_documented_there(section: str) -> None:
    """A key that another section has too is not documented by that one."""
    missing = set(fields(section)) - set(documented(section))
    assert not missing


@pytest.mark.parametrize("section", sorted(NESTED))
def test_every_key_within_an_entry_is_named_in_its_section(section: str) -> None:
    """Levels of severity and steps of a rollback have keys of their own."""
    assert not [name for name in NESTED[section].model_fields if f"`{name}`" not in SECTIONS[section]]


def test_every_key_at_the_top_is_documented() -> None:
    """Sections have a heading, the rest stands in the first table."""
    assert not [name for name in Policy.model_fields if name not in SECTIONS and name not in documented("Top level")]


@pytest.mark.parametrize("section", sorted(MODELS))
def test_no_key_is_documented_that_is_none(section: str) -> None:
    """A key that was renamed leaves the page, too."""
    within = set(NESTED[section].model_fields) if section in NESTED else set()
    assert not set(documented(section)) - set(fields(section)) - within


@pytest.mark.parametrize("section", sorted(set(MODELS) - {"rows"}))
def test_documented_defaults_are_those_in_force(section: str) -> None:
    """Where the last cell begins with a number, it is the model's."""
    found = documented(section)
    wrong = {}
    for name, field in fields(section).items():
        stated = re.match(r"-?[0-9.]+", found[name])
        if stated and isinstance(field.default, int | float) and float(stated[0].rstrip(".")) != field.default:
            wrong[name] = (found[name], field.default)
    assert not wrong
