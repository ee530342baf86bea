"""Reading a fleet file from disk, as strictly as a policy: every refusal names file, line, key and value."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_weekops.core.errors import PolicyError
from pytest_weekops.core.suggestion import suggest
from pytest_weekops.files.strict_yaml import Source, read_yaml
from pytest_weekops.policies.build import merged

if TYPE_CHECKING:
    from pydantic import ValidationError

    from pytest_weekops.core.fleet.fleet_file import FleetFile


def load_fleet(path: Path | str) -> FleetFile:
    """Read one fleet file. Raises ``PolicyError``."""
    source = Source("Fleet file", Path(path))
    document = read_yaml(source, "Without it nobody knows which hosts are asked for. Check the path.")
    if not isinstance(document, dict):
        found = "nothing" if document is None else type(document).__name__
        raise source.refusal(f" holds {found}, not a mapping of keys. Start it with `version: 1`.")
    return build_fleet(source, document)


def build_fleet(source: Source, document: dict[str, Any]) -> FleetFile:
    """The fleet that a whole document states. Raises ``PolicyError`` with the line of what is wrong."""
    from pydantic import ValidationError

    from pytest_weekops.core.fleet.fleet_file import FleetFile

    if "version" not in document:
        raise source.at(("version",), "is missing", "Start the file with `version: 1`.")
    if document["version"] != 1 or isinstance(document["version"], bool):
        raise source.at(("version",), f"is {document['version']!r:.80}", "This program reads version 1.")
    try:
        # Read strictly as JSON, which has lists where YAML has them, and in which no text or boolean is a number.
        text = json.dumps(_with_severity_defaults(document))
        return FleetFile.model_validate_json(text, strict=True)
    except ValidationError as error:
        raise _explained(source, error) from error
    except (TypeError, ValueError) as error:
        told = f"holds a value that is no text, number, list or mapping: {error}"
        raise source.refusal(f" {told:.200}. Dates and binary data are none. Quote it where it is a text.") from error


def _with_severity_defaults(document: dict[str, Any]) -> dict[str, Any]:
    """Let a file name only the checks and levels whose severity it changes."""
    from pytest_weekops.core.fleet.fleet_file import fleet_severity

    severity = document.get("severity")
    if not isinstance(severity, dict):
        return document
    shipped = fleet_severity().model_dump(mode="json")
    shipped["levels"] = {str(level): facts for level, facts in shipped["levels"].items()}
    return {**document, "severity": merged(shipped, severity)}


def _explained(source: Source, error: ValidationError) -> PolicyError:
    """The first thing that was refused, in a sentence with its line."""
    from pytest_weekops.core.fleet.fleet_file import Contradiction

    # A key under a wrong name explains why another one is missing, and not the other way round.
    first = min(error.errors(), key=lambda each: each["type"] != "extra_forbidden")
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, Contradiction):
        return source.at(cause.place, cause.problem, cause.advice)
    place = tuple(str(part) for part in first["loc"] if part != "[key]")
    if first["type"] == "extra_forbidden":
        known = _known(place[:-1])
        advice = suggest(place[-1], known) or f" Known here: {', '.join(known)}."
        return source.at(place, "is no key of a fleet file", f"What is not understood would not be kept to.{advice}")
    if first["type"] == "missing":
        return source.at(place, "is missing", "Give it a value.")
    told = str(cause) if cause is not None else f"{first['msg'][0].lower()}{first['msg'][1:]}"
    value = first.get("input")
    shown = "is refused" if isinstance(value, dict) else f"is {value!r:.200}"
    return source.at(place, f"{shown}: {told}", "Correct the value.")


def _known(place: tuple[str, ...]) -> list[str]:
    """The keys that may stand at a place."""
    from pytest_weekops.core.fleet.fleet_file import SECTIONS, FleetFile

    model: Any = FleetFile
    for part in place:
        model = SECTIONS.get(part, model)
    return list(model.model_fields)
