"""The defences of stored evidence, each switched off as if it had never been built."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_weekops.cli import status
from pytest_weekops.core.judge import verdict
from pytest_weekops.core.judge.campaign import Baseline
from pytest_weekops.core.judge.checks import checks_for
from pytest_weekops.core.policy.policy import Policy
from pytest_weekops.core.week import channel
from pytest_weekops.core.week.attempts import Change
from pytest_weekops.evidence import baselines, journal, stored_run
from pytest_weekops.evidence.journal import Event
from pytest_weekops.evidence.stored_run import StoredRun
from pytest_weekops.policies import build
from pytest_weekops.week import ledger, pins, witnesses
from pytest_weekops.week.evidence import PromotesEvidence

_checks_for = checks_for
_PROMOTED: Any = SimpleNamespace(decision=SimpleNamespace(value="promote"), failed_checks=())


def _unchecked(line: bytes, number: int, path: Path) -> Event:
    """A line as it says of itself, whatever its number and checksum."""
    entry = json.loads(line)
    return Event(seq=number, type=entry["type"], told=entry["data"])


class _Any:
    """Holds whatever is asked for."""

    def __contains__(self, _name: str) -> bool:
        return True


def _believed(path: Path) -> tuple[Baseline, str]:
    """A baseline's file without its hash."""
    document = json.loads(path.read_text(encoding="utf-8"))
    return Baseline.model_validate(document["baseline"]), str(document["sha256"])


def _of_any_run(run: StoredRun, path: Path) -> list[Baseline]:
    """A baseline of any run, whatever it came to."""
    return baselines.baselines_of(run, _PROMOTED, path)


Place = tuple[Any, str, Any]
_OFF: dict[str, tuple[Place, ...]] = {
    "bounds": (
        (build, "refuse_limits", lambda _policy, _refuse: None),
        (Policy, "refuses", lambda _policy, _plan: ""),
    ),
    "numbers": ((build, "_refuse_types", lambda _source, _document: None),),
    "witnesses": ((witnesses, "contradictions", lambda *_arguments: iter(())),),
    "one run": ((stored_run, "_refuse_two_runs", lambda _events, _journal: None),),
    "types": ((stored_run, "KNOWN", _Any()),),
    "checksums": ((journal, "decode_event", _unchecked),),
    "chain": (
        (ledger, "chain_problems", lambda _entries: []),
        (ledger, "head_problems", lambda *_arguments: []),
    ),
    "head": ((ledger, "head_problems", lambda *_arguments: []),),
    "untold": ((status, "with_untold", lambda found, _directory, _runs: found),),
    "accounts": ((status, "_accounted", lambda _ledger, entries: (entries, [])),),
    "files": ((status, "promotes_evidence", lambda _runs, _directory: PromotesEvidence((), 0, 0)),),
    "pins": (
        (pins, "_refuse_other", lambda *_arguments: None),
        (pins, "read_baseline", _believed),
    ),
    "attempts": ((channel, "compare", lambda _run, _before: Change()),),
    "age": ((status, "_days", lambda _text: None),),
    "promoted": ((pins, "promoted_baselines", _of_any_run),),
}
KNOWN = frozenset(_OFF) | {"strict"}


def switch_off(defences: Iterable[str], patch: pytest.MonkeyPatch) -> None:
    """Take these defences away; ``check NAME`` is a check of the judge's. Raises ``KeyError`` for an unknown one."""
    unasked = {name.removeprefix("check ") for name in defences if name.startswith("check ")}
    if unasked:

        def without(kind: str, **facts: Any) -> tuple[Callable[..., Any], ...]:
            return tuple(check for check in _checks_for(kind, **facts) if check.__name__ not in unasked)

        patch.setattr(verdict, "checks_for", without)
    for name in defences:
        if not name.startswith("check ") and name != "strict":
            for place, attribute, instead in _OFF[name]:
                patch.setattr(place, attribute, instead)
