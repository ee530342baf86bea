"""What the fuzzer kept, replayed: inputs that each reach something of a reader's that no other does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.harness import KEPT, kept
from tests.support.readers import READERS, ask

NAMES = list(READERS)
INPUTS = kept()


@pytest.mark.parametrize("name", NAMES)
def test_what_the_fuzzer_kept_is_a_value_or_a_sentence(tmp_path: Path, name: str) -> None:
    """As in the fuzzer, without it."""
    for data in INPUTS:
        if NAMES[data[0]] == name:
            ask(READERS[name], tmp_path, data[1:])


def test_the_corpus_is_small_and_of_readers_that_are_there() -> None:
    """It is replayed with each change, and travels with the project."""
    files = list(KEPT.glob("*.txt"))
    assert sum(path.stat().st_size for path in files) < 300_000
    assert {path.stem for path in files} <= {name.replace(" ", "-") for name in NAMES}
