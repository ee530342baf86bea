"""Which files are journals, without reading one: a recorded campaign is judged without the journal's records."""

from __future__ import annotations

from pathlib import Path


def is_journal(path: Path) -> bool:
    """Whether a file is a journal, by its first line; one that is no JSON at all is taken by its name's word for it."""
    try:
        if not path.is_file():  # a pipe would be emptied by the look at it
            return False
        with path.open("rb") as stream:
            first = stream.readline(200)
    except OSError:
        return False
    if first.startswith(b'{"v":') and b'"seq":' in first:
        return True
    return path.name.endswith(".jsonl") and not first.lstrip().startswith(b"{")
