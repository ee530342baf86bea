"""Names of the site's files. They are made of strangers' names and can be nothing but a plain file's name."""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
from functools import lru_cache
from urllib.parse import quote

from pytest_weekops.core.calendar import Week
from pytest_weekops.core.week.history_terms import CellKey, cell_word

INDEX = "index.html"
_UNSAFE = re.compile(r"[^a-z0-9.]+")
_LONGEST = 48
_OURS = re.compile(r"index\.html|(?:weeks|cells|compare|runs)/[a-z0-9][a-z0-9.-]{0,79}\.html")


def slug(*words: str) -> str:
    """A file's name without its ending: what can be read of the words, and a hash by which no two are the same."""
    readable = _UNSAFE.sub("-", "-".join(words).lower()).strip("-.")[:_LONGEST].strip("-.")
    mark = hashlib.sha256("\0".join(words).encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{readable}-{mark}" if readable else mark


def week_name(week: Week) -> str:
    """The page of a week."""
    return f"weeks/{str(week).lower()}.html"


def cell_name(cell: CellKey, unit: str | None) -> str:
    """The page of a cell in one unit."""
    return f"cells/{slug(cell_word(cell), unit or '')}.html"


@lru_cache(maxsize=4096)
def pair_name(first: str, second: str) -> str:
    """The page of two runs side by side."""
    return f"compare/{slug(first, second)}.html"


def copy_name(run_id: str) -> str:
    """The copy of a run's page."""
    return f"runs/{slug(run_id)}.html"


def is_ours(name: str) -> bool:
    """Whether a name is one that these functions give, so that nothing else is ever removed."""
    return _OURS.fullmatch(name) is not None


def file_target(place: str) -> str:
    """A file's path relative to the first page as a link: whatever its letters are, it leads to a file alone."""
    return quote(os.fsencode(posixpath.normpath(place)))
