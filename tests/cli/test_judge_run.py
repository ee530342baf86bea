"""``weekops judge`` on a run directory and its journal: the same verdict as the live one, and no compat."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_weekops.cli import main
from pytest_weekops.core.measurement.records import Measurement
from pytest_weekops.evidence.judging import judge_records
from pytest_weekops.evidence.stored_run import read_run
from pytest_weekops.policies.files import default_policy
from tests.support.stored import write_run
from tests.support.synthetic import make_identity, make_plan, make_records


@pytest.mark.parametrize("kind", ["weekly", "split"])
def test_a_journal_gives_the_verdict_of_the_live_run(tmp_path: Path, kind: str) -> None:
    """Through disk and back, the verdict is the same bytes."""
    plan = make_plan(kind)
    records = make_records(plan)
    live = judge_records(
        default_policy(),
        plan,
        records,
        identities={p: make_identity(p) for p in plan.platforms},
        created_at="2026-11-24T12:00:00+00:00",
    )
    from pytest_weekops.evidence.judging import judge_stored

    stored = judge_stored(read_run(write_run(tmp_path / "run", plan, records)))
    assert stored.model_dump_json() == live.model_dump_json()


@pytest.mark.parametrize("name", ["", "journal.jsonl"])
def test_a_run_directory_and_its_journal_are_judged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Both names of a run lead to its verdict, by its own policy."""
    plan = make_plan("weekly")
    run = write_run(tmp_path / "run", plan, make_records(plan))
    assert main(["judge", str(run / name), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["decision"] == "promote"
    assert document["policy_sha256"] == default_policy().sha256


def test_an_interrupted_run_is_inconclusive(tmp_path: Path) -> None:
    """A journal that stops early never promotes."""
    plan = make_plan("weekly")
    records = make_records(plan)
    last = max(place for place, record in enumerate(records) if isinstance(record, Measurement))
    assert main(["judge", str(write_run(tmp_path / "run", plan, records[:last]))]) == 11


def test_compat_is_refused_for_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The older evaluators knew no raw samples."""
    plan = make_plan("weekly")
    run = write_run(tmp_path / "run", plan, make_records(plan))
    assert main(["judge", str(run), "--rules", "compat"]) == 4
    assert "recorded files" in capsys.readouterr().err


def test_a_policy_for_other_devices_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Floors of one driver say nothing about another."""
    plan = make_plan("weekly")
    run = write_run(tmp_path / "run", plan, make_records(plan))
    assert main(["judge", str(run), "--policy", "rx590-weekly-v3"]) == 4
    assert "is for Clover" in capsys.readouterr().err


def test_an_empty_directory_is_refused(tmp_path: Path) -> None:
    """No journal, no verdict."""
    assert main(["judge", str(tmp_path)]) == 4
