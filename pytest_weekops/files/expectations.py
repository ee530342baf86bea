"""The file of known faults: the shipped one, which has none, or the user's own in its place."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_weekops.core.measurement.capabilities import KnownLoss, parse_known_losses
from pytest_weekops.core.measurement.expectation import Expectation, parse_expectations
from pytest_weekops.core.measurement.known_test import KnownTest, parse_known_tests
from pytest_weekops.files.shipped import data_dir
from pytest_weekops.files.strict_yaml import Source, parse_yaml, read_text

_LOST = "Which faults are known would be unknown. Check the path."
_TESTS, _LOSSES = "conformance", "capabilities"


def load_expectations(path: Path | None = None) -> tuple[tuple[Expectation, ...], str]:
    """The entries of the file, or of the shipped one, and the SHA-256 of its text. Raises ``PolicyError``."""
    parts = _parts(path)
    return parts.expectations, hashlib.sha256(parts.text.encode()).hexdigest()


def load_known_tests(path: Path | None = None) -> tuple[KnownTest, ...]:
    """The tests of conformance suites that stand in the same file. Raises ``PolicyError``."""
    return _parts(path).tests


def load_known_losses(path: Path | None = None) -> tuple[KnownLoss, ...]:
    """The capabilities that stand in the same file, which drivers are known to lack. Raises ``PolicyError``."""
    return _parts(path).losses


@dataclass(frozen=True)
class _Parts:
    """One file, all of which is understood."""

    text: str
    expectations: tuple[Expectation, ...]
    tests: tuple[KnownTest, ...]
    losses: tuple[KnownLoss, ...]


def _parts(path: Path | None) -> _Parts:
    source, text, document = _read(path)
    name, others = str(source.path), {}
    if isinstance(document, dict):
        others = {key: document.pop(key) for key in (_TESTS, _LOSSES) if key in document}
    return _Parts(
        text=text,
        expectations=parse_expectations(document, name).expectations,
        tests=parse_known_tests(others.get(_TESTS, ()), name),
        losses=parse_known_losses(others.get(_LOSSES, ()), name),
    )


def _read(path: Path | None) -> tuple[Source, str, Any]:
    source = Source("Expectations", path or data_dir("policies") / "expectations.yaml")
    text = read_text(source, _LOST)
    return source, text, parse_yaml(source, text)
