"""Pinned baselines in the ledger's chain: what was edited since is refused, what the chain lacks can be entered."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_weekops.cli import main
from pytest_weekops.core.errors import InputError
from pytest_weekops.core.week.entry import PIN
from pytest_weekops.evidence import baselines
from pytest_weekops.rollback.floors import floors_of
from pytest_weekops.week.ledger import open_ledger
from pytest_weekops.week.pins import changed_baselines, missing_baseline, named_baseline, pin_run, pinned_baseline
from tests.core.test_units import POLICY
from tests.support.ledgers import WITHOUT_TRIGGERS, raw
from tests.support.synthetic import make_identity
from tests.support.weeks import add_run

POCL = make_identity("pocl")


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs of one device that promoted, of which the first was pinned and then the second."""
    directory = tmp_path_factory.mktemp("reports")
    for hour, name in enumerate(("first", "second"), start=12):
        add_run(directory, name, created_at=f"2026-11-24T{hour}:00:00+00:00", end=True)
    (path,) = pin_run(directory / "first", directory)
    shutil.copy(path, directory / "first.json")
    pin_run(directory / "second", directory)
    return directory


@pytest.fixture
def copy(reports: Path, tmp_path: Path) -> Path:
    """A copy of it, to alter."""
    return Path(shutil.copytree(reports, tmp_path / "reports"))


def pinned_file(reports: Path) -> Path:
    """The file of the one device."""
    return baselines.pinned_path(reports / "baselines", POCL.profile, POCL.hardware)


def forge(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Edit a baseline's file and hash it anew: by itself it is whole."""
    document = json.loads(path.read_text(encoding="utf-8"))
    change(document["baseline"])
    document["sha256"] = baselines._digest(document["baseline"])
    path.write_text(json.dumps(document), encoding="utf-8")
    assert baselines.load_baseline(path)


def _slower(baseline: dict[str, Any]) -> None:
    for row in baseline["rows"]:
        row["mean_gflops"] /= 1000


def _anchor(baseline: dict[str, Any]) -> None:
    for row in baseline["rows"]:
        row["anchor_ms"] *= 1e6


def test_a_pin_is_a_record_of_the_chain(reports: Path) -> None:
    """Who pinned which run when, for which device and driver, and the hash of the file."""
    entry = open_ledger(reports).entries()[-1]
    body = entry.body
    assert (entry.kind, body["run_id"], body["profile"], body["hardware"]) == (PIN, "second", "pocl", POCL.hardware)
    assert (body["device_name"], body["library_sha256"]) == (POCL.device_name, POCL.library_sha256)
    assert body["by"].count("@") == 1
    assert body["baseline_sha256"] == json.loads(pinned_file(reports).read_text(encoding="utf-8"))["sha256"]
    pinned = pinned_baseline(reports, POCL)
    assert pinned is not None
    assert (pinned.baseline.run_id, pinned.note) == ("second", "")


@pytest.mark.parametrize("change", [_slower, _anchor])
def test_a_baseline_that_was_edited_and_hashed_anew_is_refused(
    copy: Path, capsys: pytest.CaptureFixture[str], change: Callable[[dict[str, Any]], None]
) -> None:
    """By a run, by the rollback's verification, by the command; until the run is pinned again."""
    forge(pinned_file(copy), change)
    with pytest.raises(InputError, match=r"is not what was pinned: .* record 4 of the ledger .* run second"):
        pinned_baseline(copy, POCL)
    with pytest.raises(InputError, match="is not what was pinned"):
        floors_of(POLICY, POCL, copy)
    with pytest.raises(InputError, match="is not what was pinned"):
        named_baseline(pinned_file(copy), copy)
    with pytest.raises(InputError, match="is not what was pinned"):
        named_baseline(pinned_file(copy), copy.parent / "elsewhere")
    assert len(changed_baselines(copy, open_ledger(copy).entries())) == 1
    for words in (("show",), ("pin", "--again")):
        assert main(["baseline", *words, "--report-dir", str(copy)]) == 4
        assert "is not what was pinned" in capsys.readouterr().err
    assert main(["baseline", "pin", str(copy / "second"), "--report-dir", str(copy)]) == 0
    assert pinned_baseline(copy, POCL) is not None
    assert changed_baselines(copy, open_ledger(copy).entries()) == []


def test_an_older_pin_in_the_place_of_the_last_is_refused(copy: Path) -> None:
    """It was pinned once, and is not now; by its name it may still be asked for, and the run says so."""
    shutil.copy(copy / "first.json", pinned_file(copy))
    with pytest.raises(InputError, match=r"is not what was pinned: .* for run second"):
        pinned_baseline(copy, POCL)
    named = named_baseline(copy / "first.json", copy)
    assert named.baseline.run_id == "first"
    assert "names the pin of run first: speed is not held against that of run second" in named.note


def test_a_baseline_that_is_gone_is_known_to_have_been(copy: Path) -> None:
    """By the chain; a verification that would have no floors refuses as well."""
    pinned_file(copy).unlink()
    assert pinned_baseline(copy, POCL) is None
    assert getattr(missing_baseline(copy, POCL), "run_id", "") == "second"
    with pytest.raises(InputError, match=r"run second, record 4 of the ledger\) is not there"):
        floors_of(POLICY, POCL, copy)
    assert missing_baseline(copy, make_identity("other").model_copy(update={"library_sha256": "1" * 64})) is None


def _before_pins(copy: Path) -> None:
    """A ledger from before pins were entered: its runs alone."""
    ledger = open_ledger(copy)
    entries = ledger.entries()[:2]
    head = f"UPDATE head SET count = 2, hash = '{entries[1].hash}'"
    raw(ledger, *WITHOUT_TRIGGERS, "DELETE FROM record WHERE seq > 2", head)
    ledger.head_path.write_text(json.dumps({"count": 2, "hash": entries[1].hash}), encoding="utf-8")


def test_an_older_pin_is_used_with_a_note_and_can_be_entered(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Held against its run's journal first; once in the chain it is as any other."""
    _before_pins(copy)
    pinned = pinned_baseline(copy, POCL)
    assert pinned is not None
    assert "is not in the ledger, so nothing vouches for its figures" in pinned.note
    assert named_baseline(pinned_file(copy), copy).note == pinned.note
    again = ["baseline", "pin", "--again", "--report-dir", str(copy)]
    assert main(again) == 0
    assert "is entered as record 3: its figures are those of its run's journal" in capsys.readouterr().out
    assert getattr(pinned_baseline(copy, POCL), "note", "?") == ""
    assert main(again) == 0
    assert "is in the ledger already (record 3)" in capsys.readouterr().out


def _other_source(baseline: dict[str, Any]) -> None:
    baseline["source_sha256"] = "0" * 64


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_slower, "its figures are not those that run second reached"),
        (_other_source, "it names another journal of run second than the ledger"),
    ],
)
def test_an_older_pin_that_was_edited_is_not_entered(
    copy: Path, capsys: pytest.CaptureFixture[str], change: Callable[[dict[str, Any]], None], words: str
) -> None:
    """What its run reached can be worked out again, and the ledger has the hash of its journal."""
    _before_pins(copy)
    forge(pinned_file(copy), change)
    assert main(["baseline", "pin", "--again", "--report-dir", str(copy)]) == 4
    assert words in capsys.readouterr().err
    assert len(open_ledger(copy).entries()) == 2


def test_an_older_pin_whose_run_is_gone_is_entered_as_it_is(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And the record says that nothing else vouched for it."""
    for path in (*copy.glob("ledger*"), *copy.glob("*/journal.jsonl")):
        path.unlink()
    assert main(["baseline", "pin", "--again", "--report-dir", str(copy)]) == 0
    told = capsys.readouterr().out
    assert "neither its run nor a record of it is here; its figures are taken as they are" in " ".join(told.split())
    assert open_ledger(copy).entries()[0].body["proof"].startswith("neither its run")


@pytest.mark.parametrize("words", [(), ("somewhere", "--again")])
def test_pin_wants_a_run_or_again(tmp_path: Path, words: tuple[str, ...]) -> None:
    """One of the two, or nothing was meant."""
    assert main(["baseline", "pin", *words, "--report-dir", str(tmp_path)]) == 4
    assert list(tmp_path.iterdir()) == []


def test_a_ledger_that_takes_no_pin_keeps_the_file_as_it_was(copy: Path) -> None:
    """File and record are one: a baseline that the chain does not know would be refused by the next run."""
    before = pinned_file(copy).read_bytes()
    (copy / "ledger.head").write_text('{"count": 99, "hash": "x"}', encoding="utf-8")
    assert main(["baseline", "pin", str(copy / "first"), "--report-dir", str(copy)]) == 4
    assert pinned_file(copy).read_bytes() == before
