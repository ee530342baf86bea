"""The file of known faults: the shipped one, which has none, or the user's own in its place."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from pytest_weekops.core.measurement.expectation import Expectation, parse_expectations
from pytest_weekops.core.measurement.known_test import KnownTest, parse_known_tests
from pytest_weekops.files.shipped import data_dir
from pytest_weekops.files.strict_yaml import Source, parse_yaml, read_text

_LOST = "Which faults are known would be unknown. Check the path."
_TESTS = "conformance"


def load_expectations(path: Path | None = None) -> tuple[tuple[Expectation, ...], str]:
    """The entries of the file, or of the shipped one, and the SHA-256 of its text. Raises ``PolicyError``."""
    source, text, document = _read(path)
    if isinstance(document, dict):
        parse_known_tests(document.pop(_TESTS, ()), str(source.path))
    entries = parse_expectations(document, str(source.path)).expectations
    return entries, hashlib.sha256(text.encode()).hexdigest()


def load_known_tests(path: Path | None = None) -> tuple[KnownTest, ...]:
    """The tests of conformance suites that stand in the same file. Raises ``PolicyError``."""
    source, _text, document = _read(path)
    known = document.pop(_TESTS, ()) if isinstance(document, dict) else ()
    parse_expectations(document, str(source.path))
    return parse_known_tests(known, str(source.path))


def _read(path: Path | None) -> tuple[Source, str, Any]:
    source = Source("Expectations", path or data_dir("policies") / "expectations.yaml")
    text = read_text(source, _LOST)
    return source, text, parse_yaml(source, text)
