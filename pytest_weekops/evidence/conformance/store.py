"""Results that are kept, each in a file of its own, whole or absent, with the hash of what it says."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pytest_weekops.core.conformance.results import SuiteResults
from pytest_weekops.core.errors import InputError
from pytest_weekops.evidence.conformance.reading import content
from pytest_weekops.files.atomic import write_atomic
from pytest_weekops.files.strict_json import parse_json

DIRECTORY = "conformance"
SCHEMA = "weekops-conformance/1"
_BAD = ("fail", "timeout", "crash")


def keep(directory: Path, results: SuiteResults) -> Path:
    """Keep results. Raises ``WeekopsError`` where the disk refuses."""
    body = results.model_dump(mode="json")
    digest = _digest(body)
    stamp = re.sub(r"[^0-9TZ]", "", results.created_at.partition("+")[0])
    label = re.sub(r"[^A-Za-z0-9]+", "-", results.identity.profile).strip("-")[:40]
    path = directory / f"{results.suite}-{label}-{stamp}-{digest[:8]}.json"
    document = {"schema": SCHEMA, "sha256": digest, "results": body}
    write_atomic(path, json.dumps(document, indent=1, allow_nan=False) + "\n")
    return path


def kept(path: Path) -> SuiteResults:
    """Results from their file. Raises ``InputError`` where it is not what was kept."""
    try:
        return SuiteResults.model_validate(_body(parse_json(content(path).decode("utf-8"))))
    except (OSError, ValueError, KeyError, TypeError, RecursionError, ValidationError) as error:
        raise InputError(
            f"Conformance results {path} cannot be read: {str(error).splitlines()[0]:.200}. An older file must not "
            "stand in for it. Move it away, and run the suite again."
        ) from error


def is_kept(path: Path, suite: str) -> bool:
    """Whether that is a file of kept results, or a directory with some of this suite."""
    if path.is_dir():
        return any(path.glob(f"{suite}-*.json"))
    try:
        return path.suffix == ".json" and f'"{SCHEMA}"' in content(path)[:200].decode("utf-8", "replace")
    except (OSError, ValueError):
        return False


def all_kept(directory: Path, suite: str) -> tuple[SuiteResults, ...]:
    """All results of a suite that are kept in a directory. Raises ``InputError`` where one cannot be read."""
    return tuple(kept(path) for path in sorted(directory.glob(f"{suite}-*.json")))


def of_one_driver(mine: Sequence[SuiteResults]) -> SuiteResults | None:
    """What all results of one driver say together: those of the whole suite before a selection's, the newest of them.

    What went wrong in any run of the same version stays known. A test that passed in the chosen one is flaky then, and
    one that is not in it is as it was: neither running a suite until it is green nor leaving the test out helps.
    """
    if not mine:
        return None
    chosen = max(mine, key=lambda results: (not results.selection, results.created_at))
    others = sorted((one for one in mine if one.version == chosen.version), key=lambda one: one.created_at)
    wrong = {each.test: each for one in others for each in one.tests if each.status in _BAD}
    tests = [
        each.model_copy(update={"status": "flaky"}) if each.status == "pass" and each.test in wrong else each
        for each in chosen.tests
    ]
    left_out = [each for name, each in sorted(wrong.items()) if name not in chosen.by_test]
    return chosen.model_copy(update={"tests": (*tests, *left_out)})


def _body(document: Any) -> Any:
    if document["schema"] != SCHEMA or document["sha256"] != _digest(document["results"]):
        raise ValueError("its hash is not that of what it says, so it was changed or torn")
    return document["results"]


def _digest(body: Any) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
