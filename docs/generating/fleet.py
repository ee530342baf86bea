"""The keys of a fleet file, and the checks of a fleet's verdict."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel

from generating.checks import reasons
from generating.words import default_words, first_line, limits, said_of, table, type_words
from pytest_weekops.core.fleet import between, label_checks, promoted, whole_checks
from pytest_weekops.core.fleet.fleet_file import SECTIONS, SEVERITY_OF_FLEET_CHECK, FleetFile

_CHECKS: dict[str, Callable[..., Any]] = {
    "fleet_complete": whole_checks.complete,
    "fleet_evidence": whole_checks.evidence,
    "fleet_own_verdict": whole_checks.own_verdicts,
    "fleet_worst_host": whole_checks.worst_host,
    "fleet_share": label_checks._share,
    "fleet_outlier": between.outliers,
    "fleet_together": between.together,
    "fleet_versions": between.versions,
    "fleet_stages": promoted.stages,
    "fleet_rolled_back": promoted.rolled_back,
}


def keys(section: str) -> str:
    """The table of one section of a fleet file, or of its ``top``."""
    model: type[BaseModel] = FleetFile if section == "top" else SECTIONS[section]
    return table(("key", "what it does", "type", "default"), [_row(model, name) for name in model.model_fields])


def _row(model: type[BaseModel], name: str) -> tuple[str, ...]:
    field = model.model_fields[name]
    unit, meaning = said_of(model, name)
    kind = type_words(field.annotation)
    words = ", ".join(part for part in (kind, unit, limits(field)) if part)
    return f"`{name}`", meaning, words, default_words(field)


def checks() -> str:
    """Each check of a fleet, in the order of its findings."""
    rows = [
        (
            f"`{name}`",
            first_line(check),
            f"SEV{SEVERITY_OF_FLEET_CHECK[name]}",
            "<br>".join(f"`{code}` ({status})" for code, status in reasons(check)),
        )
        for name, check in _CHECKS.items()
    ]
    return table(("check", "what it asks", "severity", "reason codes"), rows)
