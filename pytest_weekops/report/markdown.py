"""Markdown that code hosts, mail readers and plain eyes read: text from strangers made harmless, and tables."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from pytest_weekops.report.saying import plain


def escape(text: object) -> str:
    """Text from a driver or a stranger's file, safe inside a Markdown table or line."""
    flat = plain(" ".join(str(text).split()))
    for character in "\\`*_{}[]<>#|~":
        flat = flat.replace(character, "\\" + character)
    return flat


def code(text: str) -> str:
    """Text as inline code whose fence nothing inside can close."""
    flat = plain(text)
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", flat)), default=0))
    return f"{fence} {flat} {fence}" if len(fence) > 1 else f"{fence}{flat}{fence}"


def markdown_table(
    names: Sequence[str], rows: Sequence[Sequence[object]], *, numbers: Collection[int] = (), most: int | None = None
) -> Iterator[str]:
    """Lines of a table whose texts are escaped; ``numbers`` are the places of the columns that stand right.

    Of more than ``most`` rows it shows so many and says how many it leaves out.
    """
    yield f"| {' | '.join(map(escape, names))} |"
    yield f"| {' | '.join('---:' if place in numbers else '---' for place in range(len(names)))} |"
    for texts in rows[:most]:
        yield f"| {' | '.join(map(escape, texts))} |"
    if most is not None and len(rows) > most:
        yield f"\nand {len(rows) - most} more."
