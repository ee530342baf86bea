"""Words for people: what strangers' names hold besides letters is shown, never sent."""

from __future__ import annotations

import os
import sys
import textwrap
from typing import TextIO


def plain(text: str) -> str:
    """Text without control characters, marks that turn its direction and broken surrogates; each shows as U+FFFD."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def duration(minutes: int) -> str:
    """A deadline for people, with the number of minutes that a policy has."""
    words = f"{minutes} minutes"
    return f"{words} ({minutes / 60:g} h)" if minutes >= 120 else words


def as_sentence(text: str, most: int = 260) -> str:
    """A sentence of strangers' words with its full stop; a longer one ends at a word, and shows that it is cut."""
    words = plain(text)
    return f"{words.rstrip('.')}." if len(words) <= most else f"{words[:most].rpartition(' ')[0].rstrip(' ,;:')} …"


def wrapped(text: str, indent: str = "  ", width: int = 79) -> list[str]:
    """A paragraph in lines of so many columns, continued with an indent; long words stay whole, short lines too."""
    flat = " ".join(text.splitlines())
    if len(flat) <= width:
        return [flat]
    return textwrap.wrap(flat, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def say(text: object, stream: TextIO | None = None, *, whole: bool = False) -> None:
    """Print one line for people, plain. ``stream`` is standard output unless another is given.

    A terminal gets it wrapped between words at its own width; a file or a pipe gets it whole, so that whoever greps a
    log finds the reason in the line that names the finding. ``whole`` keeps a command in one line there, too: broken
    in two it cannot be copied.
    """
    out = stream or sys.stdout
    line = plain(str(text))
    columns = 0 if whole else _terminal_columns(out)
    indent = " " * (len(line) - len(line.lstrip()) + 4)
    for part in wrapped(line, indent, max(2 * len(indent), columns - 1)) if columns else [line]:
        out.write(part + "\n")


def _terminal_columns(stream: TextIO) -> int:
    """Columns of the terminal behind a stream, 80 where it does not say, 0 where there is no terminal."""
    if not stream.isatty():
        return 0
    asked = os.environ.get("COLUMNS", "")
    if asked.isdecimal() and int(asked) > 0:
        return int(asked)
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80
