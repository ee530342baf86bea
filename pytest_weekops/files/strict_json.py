"""JSON whose keys stand there once: where one is given twice, readers disagree about which of the two counts."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any


class KeyTwiceError(ValueError):
    """A key stands in one object twice."""

    def __init__(self, key: str) -> None:
        super().__init__(f"key {key!r:.60} stands in one object twice")
        self.key = key


def parse_json(text: str, *, parse_constant: Callable[[str], Any] | None = None) -> Any:
    """Parse JSON. Raises what ``json.loads`` raises, and ``KeyTwiceError`` for a repeated key.

    ``parse_constant`` is called for NaN and infinities, which are none of JSON's.
    """
    return json.loads(text, object_pairs_hook=_once, parse_constant=parse_constant)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _value in pairs:
            if key in seen:
                raise KeyTwiceError(key)
            seen.add(key)
    return found
