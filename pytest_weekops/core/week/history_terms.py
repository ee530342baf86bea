"""The terms of a history without the records that it is drawn from: whoever draws one needs nothing else. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

IMPORTED = "imported"  # the kind and the verdict of somebody else's run, which is in no ledger
Kind = Literal["driver", "hardware", "policy"]
CellKey = tuple[str, str, int]  # platform, kernel, size


@dataclass(frozen=True)
class Change:
    """What was another one in the run before, and what it became."""

    kind: Kind
    before: str
    after: str


def cell_word(cell: CellKey) -> str:
    """``PLATFORM:KERNEL:SIZE``."""
    return ":".join(map(str, cell))
