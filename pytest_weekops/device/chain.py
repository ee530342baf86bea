"""Verdicts in a chain: what one reading behind many checks tells.

After a check that found a row good, and only behind one that did, the row's word is that check's number. So the words
tell, whenever they are read, up to which check each row was good; a check that did not run breaks the chain as well.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.int32]


def broken(words: Words, last: int) -> list[int]:
    """Rows that some check of the chain did not find good; ``last`` is the last check's number."""
    return [int(row) for row in np.flatnonzero(words != last)]


def named(rows: Sequence[int]) -> str:
    """The first four, for people."""
    return ", ".join(map(str, rows[:4])) + (", .." if len(rows) > 4 else "")


def first_broken(words: Words, begun: int, last: int) -> int:
    """Which check was the first that did not find every row good, from 1; of a chain that began behind ``begun``."""
    ahead = (words < begun) | (words > last)  # no number of a check: nothing was good
    return int(np.where(ahead, 0, words - begun).min()) + 1
