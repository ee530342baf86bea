"""The defences of a shared ledger, each switched off as if it had never been built."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_weekops.cli import status
from pytest_weekops.run import conclusion
from pytest_weekops.week import ledger, ledger_place, ledger_sharing
from pytest_weekops.week.evidence import PromotesEvidence

_joined_by = ledger_place.joined_by


def _whichever(report_dir: Path) -> ledger_place.Joined | None:
    """What the directory has joined, by its name alone."""
    found = _joined_by(report_dir)
    return found and replace(found, id="")


Place = tuple[Any, str, Any]
_OFF: dict[str, tuple[Place, ...]] = {
    "chain": (
        (ledger, "chain_problems", lambda _entries: []),
        (ledger, "head_problems", lambda *_arguments: []),
    ),
    "head": ((ledger, "head_problems", lambda *_arguments: []),),
    "id": ((ledger_place, "joined_by", _whichever),),
    "joined": ((ledger, "store_of", lambda _directory: None),),
    "left": ((ledger, "left_behind", lambda _path: []),),
    "told": ((ledger_sharing, "_refuse_untrusted", lambda *_arguments: None),),
    "untold": ((status, "with_untold", lambda found, _directory, _runs: found),),
    "files": ((status, "promotes_evidence", lambda _runs, _directory: PromotesEvidence((), 0, 0)),),
    "entered": ((conclusion, "_enter", lambda _document, _run_dir: (True, [])),),
}
KNOWN = frozenset(_OFF)


def switch_off(defences: Iterable[str], patch: pytest.MonkeyPatch) -> None:
    """Take these defences away. Raises ``KeyError`` for an unknown one."""
    for name in defences:
        for place, attribute, instead in _OFF[name]:
            patch.setattr(place, attribute, instead)
