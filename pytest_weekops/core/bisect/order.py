"""Builds in the order in which people read their versions: 25.9 before 25.10, 25.2-rc1 before 25.2."""

from __future__ import annotations

import re

_PIECE = re.compile(r"([0-9]+)|([A-Za-z]+)|([^0-9A-Za-z]+)")
_BEFORE = frozenset({"alpha", "beta", "dev", "pre", "preview", "rc"})  # words of what comes before a release
_EARLY, _END, _MARK, _WORD, _NUMBER = range(5)

Key = tuple[tuple[int, int, str], ...]


def version_key(name: str) -> Key:
    """What a name is sorted by: numbers by their value, words by their letters, pre-releases before their release."""
    pieces: list[tuple[int, int, str]] = []
    for number, word, mark in _PIECE.findall(name):
        if number:
            pieces.append((_NUMBER, int(number), ""))
        elif word.lower() in _BEFORE:
            if pieces and pieces[-1][0] == _MARK:  # the dash of 25.2-rc1 belongs to what follows it
                pieces.pop()
            pieces.append((_EARLY, 0, word.lower()))
        else:
            pieces.append((_WORD, 0, word.lower()) if word else (_MARK, 0, mark))
    return (*pieces, (_END, 0, ""))
