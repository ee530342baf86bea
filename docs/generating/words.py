"""What code says of itself: the types of a model's fields in words, and the ``#:`` comments beside them."""

from __future__ import annotations

import ast
import inspect
import re
import types
from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import annotated_types as bounds
from pydantic import BaseModel
from pydantic.fields import FieldInfo

UNITS = {
    "_percent": "%",
    "_ms": "ms",
    "_ns": "ns",
    "_us": "us",
    "_s": "s",
    "_days": "days",
    "_minutes": "min",
    "_bytes": "bytes",
    "_gflops": "GFLOPS",
    "_gbs": "GB/s",
}
_PLAIN = {float: "number", int: "whole number", str: "text", bool: "true or false", dict: "map", Any: "anything"}
_PLAIN |= {datetime: "a moment with its time zone"}
PLURALS = {"number": "numbers", "whole number": "whole numbers", "text": "texts"}
_SIGNS = (
    (bounds.Ge, "ge", "at least"),
    (bounds.Gt, "gt", "above"),
    (bounds.Le, "le", "at most"),
    (bounds.Lt, "lt", "below"),
)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; a bar inside a cell does not end it."""
    lines = [heads, ["---"] * len(heads), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(
        f"| {' | '.join(' '.join(cell.split()) for cell in line)} |".replace("|  |", "| |") for line in lines
    )


def first_line(thing: object) -> str:
    """The first sentence of a docstring, in Markdown."""
    return markdown((inspect.getdoc(thing) or "").split("\n\n", 1)[0])


def markdown(text: str) -> str:
    """A docstring's markup as Markdown's."""
    return re.sub(r":\w+:`\.?([^`]+)`", r"`\1`", text).replace("``", "`")


def unit_of(name: str) -> str:
    """The unit that a field's name ends in, or nothing."""
    return next((unit for suffix, unit in UNITS.items() if name.endswith(suffix)), "")


def type_words(annotation: Any) -> str:
    """An annotation in words."""
    origin, inside = get_origin(annotation), get_args(annotation)
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    if origin in (Union, types.UnionType):
        known = [part for part in inside if part is not type(None)]
        return " or ".join(map(type_words, known)) + (" or `null`" if type(None) in inside else "")
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in inside)
    if origin is tuple:
        kinds = dict.fromkeys(type_words(part) for part in inside if part is not Ellipsis)
        return f"list of {' and '.join(PLURALS.get(kind, kind) for kind in kinds)}"
    if origin is dict:
        return f"map of {type_words(inside[0])} to {type_words(inside[1])}"
    if hasattr(annotation, "__metadata__"):
        return type_words(annotation.__origin__)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " or ".join(f"`{member.value}`" for member in annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"`{annotation.__name__}`"
    raise TypeError(f"No words for the type {annotation!r}. Teach them to type_words in {__file__}.")


def limits(field: FieldInfo) -> str:
    """The bounds of a field, such as ``above 0, at most 1``."""
    return ", ".join(
        f"{sign} {getattr(item, name):g}"
        for kind, name, sign in _SIGNS
        for item in field.metadata
        if isinstance(item, kind)
    )


def default_words(field: FieldInfo) -> str:
    """A field's default, as a reader would write it."""
    if field.is_required():
        return "required"
    value = field.default
    if field.default_factory is not None:
        return "empty" if field.default_factory is dict else "as shipped"
    if value in ((), ""):
        return "empty"
    if isinstance(value, BaseModel):
        return "its own"
    if value is None:
        return "none"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


@cache
def comments(path: Path) -> dict[tuple[str, str], str]:
    """The ``#:`` comments of a file's classes, by class and field: behind a field, or in the lines above it."""
    lines = path.read_text(encoding="utf-8").splitlines()
    found: dict[tuple[str, str], str] = {}
    for node in ast.parse("\n".join(lines)).body:
        if not isinstance(node, ast.ClassDef):
            continue
        for field in node.body:
            if (name := _assigned(field)) is not None:
                words = [behind[1]] if (behind := re.search(r"  #: (.*)$", lines[field.lineno - 1])) else []
                above = field.lineno - 2
                while not behind and (said := re.match(r" +#: (.*)$", lines[above])):
                    words.insert(0, said[1])
                    above -= 1
                if words:
                    found[node.name, name] = " ".join(words)
    return found


def _assigned(node: ast.stmt) -> str | None:
    """The name that a line of a class gives a value or a type."""
    if isinstance(node, ast.AnnAssign):
        return node.target.id if isinstance(node.target, ast.Name) else None
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return None


def said_of(model: type[BaseModel], name: str) -> tuple[str, str]:
    """Unit and meaning of a field. Raises ``LookupError`` where its model's file does not say it."""
    path = Path(inspect.getfile(model))
    words = comments(path).get((model.__name__, name))
    if words is None:
        raise LookupError(f"{path.name}: {model.__name__}.{name} has no words. Say what it does in a `#:` comment.")
    stated = re.fullmatch(r"\[(.+?)\] (.*)", words)
    return (stated[1], stated[2]) if stated else (unit_of(name), words)
