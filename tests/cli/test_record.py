"""``weekops record``: a run that its ledger did not take, entered later and honestly; nothing else is let in."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_weekops.cli import main
from pytest_weekops.core.measurement.records import Measurement, MeasurementStatus
from pytest_weekops.core.week.channel import ChannelState, channel_of
from pytest_weekops.core.week.entry import RunEntry, run_entries
from pytest_weekops.week.ledger import open_ledger
from pytest_weekops.week.run_record import record_run
from tests.support.entries import failure, numbered, promote
from tests.support.history import promoted
from tests.support.stored import write_run
from tests.support.synthetic import Records, make_plan, make_records

PLAN = make_plan("weekly", sizes=(128,))
RECORDS = make_records(PLAN)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that promoted, with its artifacts; copied, never changed."""
    directory = write_run(tmp_path_factory.mktemp("finished") / "run", PLAN, RECORDS, ended=0)
    assert main(["report", str(directory)]) == 0
    return directory


@pytest.fixture
def run_dir(finished: Path, tmp_path: Path) -> Path:
    """A copy of it in a report directory without a ledger."""
    return Path(shutil.copytree(finished, tmp_path / "reports" / "run"))


def recorded(run_dir: Path) -> tuple[RunEntry, ...]:
    """The runs in its ledger."""
    return run_entries(open_ledger(run_dir.parent).entries())


def test_a_finished_run_is_entered_once(run_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It promotes as if it had entered itself, says how late it came, and is refused a second time."""
    assert main(["record", str(run_dir)]) == 0
    (entry,) = recorded(run_dir)
    assert entry.is_promote
    assert entry.late_s is not None
    assert entry.late_s > 0
    assert main(["status", "--verify", "--require", "promoted", "--report-dir", str(run_dir.parent)]) == 0
    capsys.readouterr()
    assert main(["record", str(run_dir)]) == 4
    assert "already" in capsys.readouterr().err
    assert len(recorded(run_dir)) == 1


def wrong_decision(run_dir: Path) -> None:
    """Somebody made the exit status milder."""
    path = run_dir / "decision.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"severity": 4', '"severity": 3'), encoding="utf-8")


def another_journal(run_dir: Path) -> None:
    """A better run's journal lies in its place."""
    (run_dir / "journal.jsonl").unlink()
    write_run(run_dir, PLAN, make_records(PLAN, speed=lambda _case: 1.1), ended=0)


def no_end(run_dir: Path) -> None:
    """It was killed before its end."""
    lines = (run_dir / "journal.jsonl").read_bytes().splitlines(keepends=True)
    (run_dir / "journal.jsonl").write_bytes(b"".join(lines[:-1]))


def another_name(run_dir: Path) -> None:
    """Its journal is that of a run of another name."""
    (run_dir / "journal.jsonl").unlink()
    other = write_run(run_dir.parent / "other", PLAN, RECORDS, ended=0)
    shutil.move(other / "journal.jsonl", run_dir / "journal.jsonl")


CHANGES: dict[str, Callable[[Path], object]] = {
    "contradicts itself: severity": wrong_decision,
    "the hash of journal.jsonl": another_journal,
    "was broken off": no_end,
    "holds the journal of run other": another_name,
    "has no decision.json": lambda run_dir: (run_dir / "decision.json").unlink(),
    "summary.md was changed": lambda run_dir: (run_dir / "summary.md").write_text("better", encoding="utf-8"),
    "is none": lambda run_dir: (run_dir / "decision.json").write_text("[", encoding="utf-8"),
}


@pytest.mark.parametrize("words", CHANGES)
def test_what_is_incomplete_or_contradicted_is_refused(
    run_dir: Path, capsys: pytest.CaptureFixture[str], words: str
) -> None:
    """Each is named, and no ledger is made of it."""
    CHANGES[words](run_dir)
    assert main(["record", str(run_dir)]) == 4
    assert words in capsys.readouterr().err
    assert not (run_dir.parent / "ledger.sqlite").exists()


def test_a_clock_that_was_ahead_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run that ends in the future cannot be recorded after its end."""
    directory = write_run(tmp_path / "run", PLAN, RECORDS, ended=0, ended_at="2126-11-24T12:00:00+00:00")
    assert main(["report", str(directory)]) == 0
    assert main(["record", str(directory)]) == 4
    assert "has not come yet" in capsys.readouterr().err


def wrong(records: Records) -> Records:
    """The records with one wrong result."""
    place = next(place for place, record in enumerate(records) if isinstance(record, Measurement))
    changed = list(records)
    changed[place] = changed[place].model_copy(update={"status": MeasurementStatus.WRONG})
    return changed


def test_a_failed_run_freezes_the_channel_though_it_came_late(tmp_path: Path) -> None:
    """Behind nothing that answers it, a run that failed stands open from the moment it is recorded."""
    reports = tmp_path / "reports"
    directory = write_run(reports / "run", PLAN, wrong(RECORDS), ended=10)
    assert main(["report", str(directory)]) == 0
    record_run(reports / "ledger.sqlite", promoted("before", created_at="2026-11-23T12:00:00+00:00"))
    assert main(["status", "--require", "frozen", "--report-dir", str(reports)]) == 0  # untold, and known all the same
    assert main(["record", str(directory)]) == 0
    assert main(["status", "--require", "frozen", "--report-dir", str(reports)]) == 0
    assert json.loads((directory / "decision.json").read_text(encoding="utf-8"))["exit_status"] == 10


def test_a_late_record_stands_where_the_run_was_made() -> None:
    """A promote that came after a failure answers it, in whichever order the ledger learned of them; not before it."""
    failed = failure("failed", created_at="2026-11-24T10:00:00+00:00", late_s=3600.0)
    after = promote("after", created_at="2026-11-24T11:00:00+00:00")
    before = promote("before", created_at="2026-11-24T09:00:00+00:00")
    assert channel_of(numbered(after, failed)).state is ChannelState.PROMOTED
    assert channel_of(numbered(before, failed)).state is ChannelState.FROZEN
    late = after.model_copy(update={"late_s": 60.0, "created_at": "2026-11-24T09:30:00+00:00"})
    assert channel_of(numbered(failed, late)).state is ChannelState.FROZEN
    assert [run.run_id for run in run_entries(numbered(before, after, failed))] == ["before", "failed", "after"]
