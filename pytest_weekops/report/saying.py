"""Words for a terminal: what strangers' names hold besides letters is shown, never sent."""

from __future__ import annotations

import sys
import textwrap
from typing import TextIO


def plain(text: str) -> str:
    """Text without control characters, marks that turn its direction and broken surrogates; each shows as U+FFFD."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def wrapped(text: str, indent: str = "  ") -> list[str]:
    """A paragraph in lines of at most 79 columns, continued with an indent; long words stay whole, short lines too."""
    flat = " ".join(text.splitlines())
    if len(flat) < 80:
        return [flat]
    return textwrap.wrap(flat, 79, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def say(text: object, stream: TextIO | None = None) -> None:
    """Print one line for people, plain. ``stream`` is standard output unless another is given."""
    (stream or sys.stdout).write(plain(str(text)) + "\n")
