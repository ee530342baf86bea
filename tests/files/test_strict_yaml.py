"""YAML read strictly: plain data with the line of every key, or a refusal that points at one."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_weekops.core.errors import PolicyError
from pytest_weekops.files.strict_yaml import Source, parse_yaml, read_yaml


def source() -> Source:
    """A file of which nothing was read."""
    return Source("Recipe", Path("r.yaml"))


def test_plain_data_comes_with_the_line_of_every_key() -> None:
    """Lists count their entries; keys are words, whatever they look like."""
    read = source()
    text = "a: 1\nb:\n  c: [x, 2.5, null]\n  3: true\nd:\n- e: '1:30'\n- f: \"010\"\n"
    assert parse_yaml(read, text) == {
        "a": 1,
        "b": {"c": ["x", 2.5, None], "3": True},
        "d": [{"e": "1:30"}, {"f": "010"}],
    }
    assert read.lines == {
        ("a",): 1,
        ("b",): 2,
        ("b", "c"): 3,
        ("b", "3"): 4,
        ("d",): 5,
        ("d", "0", "e"): 6,
        ("d", "1", "f"): 7,
    }
    assert parse_yaml(source(), "") is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\nb:\n  c: 1\n  c: 2\n", "line 4: key b.c stands there twice or is no plain word"),
        ("a: 1\n? [x]\n: 2\n", "line 2: key [ScalarNode"),
        ("a: 1\nb: [", "line 2 is not YAML"),
        ("a: \0", "is not YAML"),
        ("[" * 5000, "is nested too deeply. No recipe is"),
        ("a:\n  b: 1:30\n", "line 2: a.b is '1:30', a spelling"),
        ("a:\n- 010\n", "line 1: a.0 is '010', a spelling"),
        ("a: !!int x\n", "line 1: a is 'x', which cannot be read as int"),
        ("a: 2026-99-99\n", "line 1: a is '2026-99-99', which cannot be read as timestamp"),
        ("a: !!python/name:os.system\n", "is not YAML"),
    ],
)
def test_what_two_readers_could_take_for_two_things_is_refused(text: str, words: str) -> None:
    """With the file, what it is, and the line."""
    with pytest.raises(PolicyError) as refusal:
        parse_yaml(source(), text)
    assert str(refusal.value).startswith("Recipe r.yaml ")
    assert words in str(refusal.value)
    assert refusal.value.path == "r.yaml"


def test_a_key_without_a_line_is_told_by_the_one_above() -> None:
    """Or by line 1 where nothing above it is there either."""
    read = source()
    parse_yaml(read, "a: 1\nb: {c: 1}\n")
    error = read.at(("b", "d", "e"), "is missing", "State it.")
    assert (str(error), error.key) == ("Recipe r.yaml line 2: b.d.e is missing. State it.", "b.d.e")
    assert str(read.at(("x",), "is missing", "State it.")) == "Recipe r.yaml line 1: x is missing. State it."


@pytest.mark.parametrize("content", [None, b"\xff"], ids=["not there", "no text"])
def test_a_file_that_cannot_be_read_says_what_is_lost(tmp_path: Path, content: bytes | None) -> None:
    """In the caller's words, after the system's."""
    path = tmp_path / "r.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(PolicyError) as refusal:
        read_yaml(Source("Recipe", path), "Nobody can cook. Check the path.")
    assert str(refusal.value).startswith(f"Recipe {path} cannot be read: ")
    assert str(refusal.value).endswith(". Nobody can cook. Check the path.")
    assert refusal.value.path == str(path)
