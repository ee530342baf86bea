"""What the fuzzer kept, replayed: inputs that each reach something of a reader's that no other does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.harness import KEPT, MOST_KEPT, add_spent, directory_of, keep, kept, spent
from tests.support.readers import READERS, ask


@pytest.mark.parametrize("name", READERS)
def test_what_the_fuzzer_kept_is_a_value_or_a_sentence(tmp_path: Path, name: str) -> None:
    """As in the fuzzer, without it."""
    for data in kept(name):
        ask(READERS[name], tmp_path, data)


def test_the_corpus_is_small_and_of_readers_that_are_there() -> None:
    """It is replayed with each change, and travels with the project; each reader has had its time."""
    files = list(KEPT.glob("*.txt"))
    assert sum(path.stat().st_size for path in files) < 300_000
    assert {path.stem for path in files} <= set(map(directory_of, READERS))
    assert set(spent()) <= set(READERS)


def test_what_is_kept_is_the_smallest_and_little(tmp_path: Path) -> None:
    """As much as there is room for; nothing of no bytes, and nothing twice."""
    inputs = tmp_path / "inputs" / "policy"
    inputs.mkdir(parents=True)
    for number, data in enumerate((b"bb", b"a", b"bb", b"", b"c" * 5000, b"d" * 4000, b"e" * 4000)):
        (inputs / str(number)).write_bytes(data)
    keep(tmp_path / "inputs", tmp_path / "corpus")
    lines = (tmp_path / "corpus" / "policy.txt").read_text(encoding="ascii").splitlines()
    assert lines[:2] == ["YQ==", "YmI="]
    assert [len(line) for line in lines[2:]] == [5336]
    assert sum(map(len, lines)) < MOST_KEPT


def test_time_is_added_up_over_sittings(tmp_path: Path) -> None:
    """By reader; what nobody counted is nothing."""
    file = tmp_path / "fuzzed.json"
    assert spent(file) == {}
    add_spent("policy", 1.23, file)
    add_spent("policy", 2.0, file)
    add_spent("ledger", 0.5, file)
    assert spent(file) == {"policy": 3.2, "ledger": 0.5}
