"""Models as tables: the records of a journal, and the parts of a decision."""

from __future__ import annotations

import inspect
import json
from enum import Enum
from typing import Any

from pydantic import BaseModel

from generating.words import default_words, limits, markdown, table, type_words, unit_of
from pytest_weekops.core.guard.injection import InjectionRecord
from pytest_weekops.core.judge import campaign, finding
from pytest_weekops.core.measurement import (
    calibration,
    driver_files,
    host_condition,
    lane_records,
    peak_bound,
    plan,
    records,
)
from pytest_weekops.report.decision import schema

MODULES = (records, lane_records, host_condition, driver_files, calibration, peak_bound, plan, finding, campaign)


def model_of(name: str) -> type[BaseModel]:
    """A record by its name. Raises ``LookupError`` where there is none."""
    if name == InjectionRecord.__name__:
        return InjectionRecord
    for module in MODULES:
        found = getattr(module, name, None)
        if isinstance(found, type) and issubclass(found, BaseModel):
            return found
    raise LookupError(f"no record is called {name!r}")


def record(name: str) -> str:
    """What a record is for, and its fields."""
    model = model_of(name)
    rows = [
        (f"`{key}`", _type(key, field.annotation, limits(field)), default_words(field))
        for key, field in model.model_fields.items()
    ]
    return f"{markdown(inspect.getdoc(model) or '')}\n\n{table(('field', 'type', 'default'), rows)}"


def _type(key: str, annotation: Any, bounds: str) -> str:
    named = isinstance(annotation, type) and issubclass(annotation, Enum)
    parts = [f"`{annotation.__name__}`" if named else type_words(annotation), unit_of(key), bounds]
    return ", ".join(part for part in parts if part)


def decision() -> str:
    """The top level of ``decision.json``, from its JSON Schema."""
    document = schema()
    rows = [
        (f"`{name}`", _schema_words(facts), "yes" if name in document["required"] else "no")
        for name, facts in document["properties"].items()
    ]
    return table(("key", "type", "always there"), rows)


def _schema_words(facts: dict[str, Any]) -> str:
    if "const" in facts:
        return f"`{facts['const']}`"
    if "enum" in facts:
        return " or ".join(f"`{value}`" for value in facts["enum"])
    kind = {"object": "map", "array": "list", "integer": "whole number", "string": "text"}[facts["type"]]
    if facts["type"] == "array":
        inner = facts["items"]["type"]
        kind += {"string": " of texts", "object": " of maps"}[inner]
    bounds = [f"{word} {facts[key]}" for key, word in (("minimum", "at least"), ("maximum", "at most")) if key in facts]
    return ", ".join([kind, *bounds, *([facts["format"]] if "format" in facts else [])])


def decision_rules() -> str:
    """What the schema demands beyond types, as JSON."""
    return "```json\n" + json.dumps(schema()["allOf"], indent=2) + "\n```"
