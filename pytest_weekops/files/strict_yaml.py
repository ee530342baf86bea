"""YAML read strictly: no key twice, no number of another age, and a line for every key to point at."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_weekops.core.errors import PolicyError, shortened

# Sexagesimal, octal and binary numbers, and digits with underscores.
_OLD_NUMBER = re.compile(r"[-+]?(0[0-7_]+\Z|0b|[0-9_.]*[_:])")

LARGEST_BYTES = 1024 * 1024
DEEPEST = 32
MOST_NODES = 50_000


@dataclass(frozen=True)
class Source:
    """A file that is read, for refusals: ``what`` it is in a word (``Policy``), and the line of every key in it.

    ``lines`` is filled by :func:`parse_yaml`; what is not YAML has none, and is told as line 1.
    """

    what: str
    path: Path
    lines: dict[tuple[str, ...], int] = field(default_factory=dict)

    def refusal(self, sentences: str, key: tuple[str, ...] = ()) -> PolicyError:
        """The error that begins with the file and goes on with these sentences."""
        return PolicyError(f"{self.what} {self.path}{sentences}", path=str(self.path), key=".".join(key))

    def at(self, key: tuple[str, ...], problem: str, advice: str) -> PolicyError:
        """The error about one key, with its line or that of the nearest key above that is there."""
        depths = range(len(key), 0, -1)
        line = next((self.lines[key[:depth]] for depth in depths if key[:depth] in self.lines), 1)
        return self.refusal(f" line {line}: {shortened('.'.join(key))} {problem}. {advice}", key)


def read_yaml(source: Source, why: str) -> Any:
    """The file as plain data; ``why`` is a sentence of what follows where it cannot be read. Raises ``PolicyError``."""
    return parse_yaml(source, read_text(source, why))


def read_text(source: Source, why: str) -> str:
    """The whole text of a file of people's size. Raises ``PolicyError`` with the sentence ``why`` it matters."""
    path, what = source.path, source.what.lower()
    try:
        if path.is_dir():
            raise source.refusal(f" is a directory. A {what} is one file. Name the file.")
        if path.exists() and not path.is_file():
            raise source.refusal(f" is no regular file. Reading it might never end. Name a {what}.")
        if path.stat().st_size > LARGEST_BYTES:
            raise source.refusal(f" is larger than 1 MiB. No {what} is. Check what this file is.")
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise source.refusal(f" cannot be read: it is not UTF-8 text (byte {error.start}). {why}") from error
    except (OSError, ValueError) as error:  # ValueError: a name with a null in it
        told = getattr(error, "strerror", None) or error
        raise source.refusal(f" cannot be read: {told}. {why}") from error


def parse_yaml(source: Source, text: str) -> Any:
    """The text as plain data, its lines noted in ``source``. Raises ``PolicyError``."""
    import yaml

    try:
        _refuse_shapes(source, text)
        return _construct(source, yaml.compose(text, Loader=yaml.SafeLoader), ())
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        words = f"{where} is not YAML: {problem}. Nothing in it can be trusted. Correct the line."
        raise source.refusal(words) from error
    except RecursionError as error:
        raise source.refusal(f" is nested too deeply. No {source.what.lower()} is. Flatten it.") from error


def _refuse_shapes(source: Source, text: str) -> None:
    """Refuse what a file of people's hands never is: deep, endless, or full of references to itself.

    An alias stands for what it names: a few lines of them are billions of values, and a value that is written once and
    counts twice is read by nobody as it is meant.
    """
    import yaml

    event: Any  # the stubs know neither its anchor nor that it has a mark
    depth = 0
    for nodes, event in enumerate(yaml.parse(text, Loader=yaml.SafeLoader)):
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            name = f"{'*' if isinstance(event, yaml.AliasEvent) else '&'}{event.anchor}"
            words = (
                f" line {line}: {name:.60} is an alias or the anchor of one. What stands elsewhere is not seen here. "
            )
            raise source.refusal(f"{words}Write the value out, or inherit it.")
        if isinstance(event, yaml.ScalarEvent) and any("\ud800" <= character <= "\udfff" for character in event.value):
            words = f" line {line}: holds half of a character, a lone surrogate. No file could be written with it. "
            raise source.refusal(f"{words}Write the whole character.")
        if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            depth += 1
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            depth -= 1
        if depth > DEEPEST:
            raise source.refusal(f" line {line} is nested too deeply. No {source.what.lower()} is. Flatten it.")
        if nodes > MOST_NODES:
            words = f" line {line}: more than {MOST_NODES} values. No {source.what.lower()} has so many."
            raise source.refusal(f"{words} Check what this file is.")


def _construct(source: Source, node: Any, at: tuple[str, ...]) -> Any:
    """Build plain data from a YAML node, refusing keys given twice and remembering lines."""
    import yaml

    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            place = (*at, key)
            if key in found or not isinstance(key_node, yaml.ScalarNode):
                line = key_node.start_mark.line + 1
                words = f" line {line}: key {'.'.join(place):.200} stands there twice or is no plain word. "
                raise source.refusal(f"{words}Only one of the two could count. Remove one.", place)
            source.lines[place] = key_node.start_mark.line + 1
            found[key] = _construct(source, value_node, place)
        return found
    if isinstance(node, yaml.SequenceNode):
        return [_construct(source, child, (*at, str(number))) for number, child in enumerate(node.value)]
    if node is None:
        return None
    return _scalar(source, node, at)


def _scalar(source: Source, node: Any, at: tuple[str, ...]) -> Any:
    """One plain value. What only YAML 1.1 reads as a number is refused: nobody means 90 by 1:30, or 8 by 010."""
    import yaml

    tag = str(node.tag).rpartition(":")[2]
    if node.style is None and tag in ("int", "float") and _OLD_NUMBER.match(str(node.value)):
        problem = f"is {str(node.value)!r:.60}, a spelling that older YAML reads as another number"
        raise source.at(at, problem, "Write a plain decimal number, or quote it where it is a text.")
    try:
        return yaml.SafeLoader("").construct_object(node, deep=True)
    except (ValueError, ArithmeticError, LookupError, AttributeError, TypeError) as error:
        problem = f"is {str(node.value)!r:.60}, which cannot be read as {tag}"
        raise source.at(at, problem, "Correct it, or quote it where it is a text.") from error
