"""From a document to a policy: every key known, every value of its kind, every limit one that can limit."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pytest_weekops.core.errors import PolicyError
from pytest_weekops.files.strict_yaml import Source
from pytest_weekops.policies.limits import refuse_limits

if TYPE_CHECKING:
    from pydantic import ValidationError

    from pytest_weekops.core.policy.policy import Policy


_SHARE, _OF_SERVICE = "min_share_of_baseline_gflops", "min_share_of_service_gflops"


def build_policy(source: Source, document: dict[str, Any]) -> Policy:
    """The policy that a whole document states. Raises ``PolicyError`` with the line of what is wrong."""
    from pydantic import ValidationError

    from pytest_weekops.core.policy.policy import Policy

    if "version" not in document:
        raise source.at(("version",), "is missing", "Start the file with `version: 1`.")
    if document["version"] != 1 or isinstance(document["version"], bool):
        raise source.at(("version",), f"is {document['version']!r}", "This program reads version 1.")
    document = _with_severity_defaults(document)
    try:
        policy = Policy.model_validate(document, strict=False)
    except ValidationError as error:
        raise explain(source, error) from error
    _refuse_types(source, document)
    refuse_limits(policy, source.at)
    return policy


def _with_severity_defaults(document: dict[str, Any]) -> dict[str, Any]:
    """Let a policy name only the checks and levels whose severity it changes."""
    from pytest_weekops.core.policy.defaults import SEVERITY_LEVELS, SEVERITY_OF_CHECK

    severity = document.get("severity")
    if not isinstance(severity, dict):
        return document
    filled = dict(severity)
    if isinstance(severity.get("checks", {}), dict):
        filled["checks"] = {**SEVERITY_OF_CHECK, **severity.get("checks", {})}
    if isinstance(severity.get("levels", {}), dict):
        levels = {str(level): facts for level, facts in SEVERITY_LEVELS.items()}
        filled["levels"] = merged(levels, severity.get("levels", {}))
    return {**document, "severity": filled}


def _refuse_types(source: Source, document: Any, at: tuple[str, ...] = ()) -> None:
    """Refuse booleans and texts where a number is wanted: pydantic would turn ``yes`` and ``"5"`` into numbers."""
    if isinstance(document, dict):
        for key, value in document.items():
            _refuse_types(source, value, (*at, str(key)))
    elif (
        at and at[-1].startswith(("max_", "min_", "minimum_", "flag_", "voids_")) and (isinstance(document, bool | str))
    ):
        raise source.at(at, f"is {document!r:.200}, not a number", "Give a plain number without quotes.")


def explain(source: Source, error: ValidationError) -> PolicyError:
    """The first thing that pydantic refused, in a sentence with its line."""
    first = error.errors()[0]
    place = tuple(str(part) for part in first["loc"] if part != "[key]")
    value = first.get("input")
    if first["type"] == "extra_forbidden":
        advice = f"A limit under a wrong name limits nothing.{_close(place)}"
        return source.at(place, "is no key of a policy", advice)
    return source.at(place, f"is {value!r:.200}: {first['msg'].lower()}", "Correct the value.")


def _close(place: tuple[str, ...]) -> str:
    from pytest_weekops.core.policy import policy as sections

    model: Any = sections.Policy
    for part in place[:-1]:
        field = model.model_fields.get(part) if hasattr(model, "model_fields") else None
        model = field.annotation if field is not None else None
        if part == "rows":
            model = sections.Row
    known = list(getattr(model, "model_fields", {})) or list(sections.Row.model_fields)
    match = difflib.get_close_matches(place[-1], known, n=1, cutoff=0.5)
    return f" Did you mean {match[0]}?" if match else f" Known here: {', '.join(known)}."


def inherited(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    """What a document says, over what it inherits.

    One that states its own share of a baseline, and none of the driver in service, means both by it: what it inherits
    for that driver would be stricter or looser than what it says.
    """
    found, floors = merged(base, top), top.get("floors")
    if isinstance(floors, dict) and _SHARE in floors and _OF_SERVICE not in floors:
        found["floors"] = {**found["floors"], _OF_SERVICE: None}
    return found


def merged(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    """Sections are merged key by key, rows are replaced whole, and everything else is replaced."""
    found = dict(base)
    for key, value in top.items():
        below = found.get(key)
        if key == "rows" and isinstance(below, dict) and isinstance(value, dict):
            found[key] = {**below, **value}
        elif isinstance(below, dict) and isinstance(value, dict):
            found[key] = merged(below, value)
        else:
            found[key] = value
    return found
