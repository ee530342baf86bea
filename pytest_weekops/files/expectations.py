"""The file of known faults: the shipped one, which has none, or the user's own in its place."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pytest_weekops.core.measurement.expectation import Expectation, parse_expectations
from pytest_weekops.files.shipped import data_dir
from pytest_weekops.files.strict_yaml import Source, parse_yaml, read_text

_LOST = "Which faults are known would be unknown. Check the path."


def load_expectations(path: Path | None = None) -> tuple[tuple[Expectation, ...], str]:
    """The entries of the file, or of the shipped one, and the SHA-256 of its text. Raises ``PolicyError``."""
    source = Source("Expectations", path or data_dir("policies") / "expectations.yaml")
    text = read_text(source, _LOST)
    entries = parse_expectations(parse_yaml(source, text), str(source.path)).expectations
    return entries, hashlib.sha256(text.encode()).hexdigest()
