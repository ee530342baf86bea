"""Readers of files from outside: whatever the bytes are, the answer is a value or a sentence, never a traceback."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.broken_bytes import mutants
from tests.support.examples import examples
from tests.support.readers import READERS, ask

CORPUS = Path(__file__).with_name("corpus")


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=examples(25), suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_a_file_holds_is_a_value_or_a_sentence(tmp_path: Path, name: str, data: Any) -> None:
    """Every reader, on its own valid file broken in a few places."""
    ask(READERS[name], tmp_path, data.draw(mutants(READERS[name].valid)))


@pytest.mark.parametrize("name", READERS)
def test_what_once_broke_a_reader_does_not_any_more(tmp_path: Path, name: str) -> None:
    """The corpus: every file that a reader once answered with a traceback, for every reader."""
    for line in (CORPUS / "found.txt").read_text(encoding="ascii").splitlines():
        if line and not line.startswith("#"):
            ask(READERS[name], tmp_path, base64.b64decode(line))
