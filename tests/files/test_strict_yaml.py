"""YAML read strictly: plain data with the line of every key, or a refusal that points at one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_weekops.core.errors import PolicyError
from pytest_weekops.drivers.platforms import load_profiles
from pytest_weekops.files.catalog import kernel_operations
from pytest_weekops.files.expectations import load_expectations
from pytest_weekops.files.kernel_sources import load_sources
from pytest_weekops.files.strict_yaml import Source, parse_yaml, read_yaml
from pytest_weekops.policies.files import load_policy


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
        (
            "a: &x 1\nb: *x\n",
            "line 1: &x is an alias or the anchor of one. What stands elsewhere is not seen here. Write",
        ),
        ("a: 1\nb: *x\n", "line 2: *x is an alias"),
        ("a: {b: 1}\nc:\n  <<: &d {e: 1}\n", "line 3: &d is an alias"),
        (f"a: {'[' * 33}{']' * 33}\n", "line 1 is nested too deeply. No recipe is. Flatten it."),
        ('a: 1\nb: "\\ud800"\n', "line 2: holds half of a character, a lone surrogate. No file could be written with"),
        ("a: [" + "1," * 60_000 + "1]\n", "line 1: more than 50000 values. No recipe has so many."),
        ("a: 1\n---\na: 2\n", "is not YAML: but found another document"),
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


def laughs(levels: int = 30) -> str:
    """Each line is ten of the line before it: a small file that is 10**30 values."""
    lines = ["l0: &l0 [lol]", *(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, levels))]
    return "\n".join(lines)


Reader = Callable[[Path], object]
READERS: dict[str, tuple[str, str, Reader]] = {
    "policy": ("Policy", "mine.yaml", load_policy),
    "platform file": ("Platform file", "platforms.yaml", lambda path: load_profiles([path])),
    "expectations": ("Expectations", "known.yaml", load_expectations),
    "catalogue": ("Kernel catalogue", "catalog.yaml", lambda path: kernel_operations([str(path.parent)])),
    "sources": ("Kernel catalogue", "catalog.yaml", lambda path: load_sources([str(path.parent)])),
}
UNREADABLE: dict[str, tuple[bytes, str]] = {
    "a key twice": (b"version: 1\nversion: 1\n", " line 2: key version stands there twice"),
    "a billion laughs": (laughs().encode(), " line 1: &l0 is an alias or the anchor of one"),
    "too large": (b"#" * (1024 * 1024 + 1), " is larger than 1 MiB"),
    "no text": (b"\xff\xfe", " cannot be read: it is not UTF-8 text (byte 0)"),
    "no YAML": (b"version: [", " line 1 is not YAML"),
}


@pytest.mark.parametrize("fault", UNREADABLE)
@pytest.mark.parametrize("name", READERS)
def test_every_reader_of_yaml_is_as_strict(tmp_path: Path, name: str, fault: str) -> None:
    """Policies, platform files and catalogues, in pytest and in a worker: the same refusals, with file and line."""
    what, file, read = READERS[name]
    data, words = UNREADABLE[fault]
    (tmp_path / file).write_bytes(data)
    with pytest.raises(PolicyError) as refusal:
        read(tmp_path / file)
    assert str(refusal.value).startswith(f"{what} {tmp_path / file}{words}")


@pytest.mark.parametrize("name", READERS)
def test_what_is_not_there_is_told_with_what_follows(tmp_path: Path, name: str) -> None:
    """A sentence, whatever is read."""
    what, file, read = READERS[name]
    with pytest.raises(PolicyError, match="cannot be read: No such file or directory") as refusal:
        read(tmp_path / file)
    assert str(refusal.value).startswith(f"{what} {tmp_path / file} ")
    assert refusal.value.path == str(tmp_path / file)


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
