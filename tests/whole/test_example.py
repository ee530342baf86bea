"""The run in ``reports/example``: whole, and judged today as it was when it was made."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from pytest_weekops.evidence.judging import judge_stored
from pytest_weekops.evidence.stored_run import read_run

EXAMPLE = Path(__file__).resolve().parents[2] / "reports" / "example"


def test_the_example_is_whole() -> None:
    """Its decision gives the hash of each file beside it."""
    decision = json.loads((EXAMPLE / "decision.json").read_text(encoding="utf-8"))
    named = {entry["path"]: entry["sha256"] for entry in decision["artifacts"]}
    assert set(named) == {path.name for path in EXAMPLE.iterdir()} - {"decision.json"}
    for name, digest in named.items():
        assert hashlib.sha256((EXAMPLE / name).read_bytes()).hexdigest() == digest, name


def test_the_example_is_judged_as_it_was() -> None:
    """A journal stays readable, and its verdict is not what the judge's version makes of it."""
    then = json.loads((EXAMPLE / "decision.json").read_text(encoding="utf-8"))["verdict"]
    verdict = judge_stored(read_run(EXAMPLE))
    now = verdict.model_dump(mode="json")
    assert (now["decision"], verdict.failed_checks, now["rows"]) == ("promote", (), then["rows"])
    statuses = [{f["check"]: f["status"] for f in one["findings"]} for one in (then, now)]
    assert statuses[0].items() <= statuses[1].items()
    assert {statuses[1][name] for name in statuses[1].keys() - statuses[0].keys()} <= {"pass"}
