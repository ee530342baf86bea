"""Words for a terminal: what strangers' names hold besides letters is shown, never sent."""

from __future__ import annotations

import sys
from typing import TextIO


def plain(text: str) -> str:
    """Text without control characters, marks that turn its direction and broken surrogates; each shows as U+FFFD."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def say(text: object, stream: TextIO | None = None) -> None:
    """Print one line for people, plain. ``stream`` is standard output unless another is given."""
    (stream or sys.stdout).write(plain(str(text)) + "\n")
