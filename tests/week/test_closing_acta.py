"""The acta: every number is a record's, strangers' strings stay text, and no half-written week remains."""

from __future__ import annotations

import errno
import hashlib
import json
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_weekops.core.errors import InputError, WeekopsError
from pytest_weekops.core.week.entry import ROLLBACK
from pytest_weekops.report.acta import render_acta
from pytest_weekops.week.closing import close_week
from pytest_weekops.week.ledger import Ledger, open_ledger
from pytest_weekops.week.run_record import record_run
from tests.support.synthetic import make_plan
from tests.support.weeks import W47, W48, add_run, healthy_week, leftovers, roll_back, snapshot


def leaves(value: Any) -> Iterator[str]:
    """Every value and key inside a document, as text."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from leaves(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from leaves(inner)
    else:
        yield str(value)


def numbers(text: str) -> set[str]:
    """Numbers as a reader sees them: digits with what belongs to them, hashes and time stamps whole."""
    return set(re.findall(r"(?<![\w.])\d[\w.:+-]*(?<![.:,+-])|(?<![\w.])[0-9a-f]{16,64}(?!\w)", text))


def eventful_week(reports: Path) -> dict[str, Any]:
    """A week with everything an acta can show."""
    healthy_week(reports, day="2026-11-17", prefix="a-", without="split")
    close_week(reports, W47)
    ledger = healthy_week(reports)
    add_run(reports, "bad", crash=True, created_at="2026-11-24T13:00:00+00:00")
    roll_back(ledger, "begun", "switched", "verified")
    ledger.append(ROLLBACK, "r", {"stage": "rehearsed", "seconds": 7.125, "verified": True})
    add_run(reports, "weak", created_at="2026-11-29T22:00:00+00:00", plan=make_plan("weekly", snapshots=5), driver="2")
    (reports / "gate" / "summary.md").write_text("altered", encoding="utf-8")
    return close_week(reports, W48).document


def test_every_number_of_the_acta_is_in_the_decision_record(tmp_path: Path) -> None:
    """Nothing is counted, rounded or added while it is written for people."""
    document = eventful_week(tmp_path)
    acta = (tmp_path / "weeks" / "2026-W48" / "acta.md").read_text(encoding="utf-8").replace("\\", "")
    stated = numbers(" ".join(leaves(document)))
    found = numbers(acta)
    assert len(found) > 40
    assert found - stated == set()
    for text in ("7.125 s, verified", "Verified 4.5 s", "snapshots 5, was 6", "2026-W47-1 (carried over)"):
        assert text in acta


def test_the_acta_has_results_and_findings_with_their_numbers(tmp_path: Path) -> None:
    """Who reads it need not open the run: every cell, every ratio, what failed and by how much, what held."""
    eventful_week(tmp_path)
    acta = (tmp_path / "weeks" / "2026-W48" / "acta.md").read_text(encoding="utf-8").replace("\\", "")
    lines = acta.splitlines()
    cells = [line for line in lines if line.startswith("| pocl auto 128 | ")]
    assert len(cells) == 3
    headings = lines[lines.index(cells[0]) - 2]
    assert headings == "| cell | GFLOPS | p95 ms | drift % | launches | status |"
    assert re.fullmatch(r"\| pocl auto 128 \| [\d.]+ \| [\d.]+ \| -?[\d.]+ \| 96 \| pass \|", cells[0])
    compared = next(line for line in lines if line.startswith("| auto 256 seed 512 |"))
    assert re.search(r"\| - \| 1\.\d+ \| [\d.]+ \| pass \|", compared)
    assert re.search(r"^\| weekly 2 \| iterate \| SEV1 \| 10 \| bad \| 7 \| minimum_snapshots, ", acta, re.MULTILINE)
    assert "\n- finding: all_runs_success fail 6 (required 0): 6 runs are not ok: pocl-auto-256-seed11-s1" in acta
    assert "correctness_error_bound 1e-05 (required 0.001)" in acta
    assert "canonical_gate 0" not in acta


def test_every_number_of_the_decision_record_comes_from_a_record(tmp_path: Path) -> None:
    """Attempts are the ledger's, hashes are the files', and everything names the record it comes from."""
    document = eventful_week(tmp_path)
    entries = {entry.seq: entry for entry in open_ledger(tmp_path).entries()}
    for attempt in document["attempts"]:
        body = entries[attempt["ledger_record"]].body
        same = (
            "run_id",
            "kind",
            "decision",
            "exit_status",
            "severity",
            "failed_checks",
            "counts",
            "drivers",
            "command",
        )
        assert {key: attempt[key] for key in same} == {key: body[key] for key in same}
    for track in document["tracks"].values():
        for file in track["evidence"]:
            data = (tmp_path / file["path"]).read_bytes()
            assert file["sha256"] == hashlib.sha256(data).hexdigest()
            recorded = json.dumps(dict(entries[file["ledger_record"]].body))
            assert file["recorded_sha256"] in recorded
            assert file["intact"] == (file["sha256"] == file["recorded_sha256"])
    rehearsal, last = document["last_rehearsal"], entries[document["last_rehearsal"]["ledger_record"]]
    assert (rehearsal["seconds"], rehearsal["at"]) == (last.body["seconds"], last.recorded_at)
    week = entries[document["depends_on"]["ledger_record"]]
    assert document["depends_on"]["sha256"] == week.body["decision_sha256"]
    head = entries[document["ledger"]["records"]]
    assert (head.hash, max(entries)) == (document["ledger"]["head"], head.seq + 1)
    own = hashlib.sha256((tmp_path / "weeks" / "2026-W48" / "decision.json").read_bytes()).hexdigest()
    assert entries[max(entries)].body["decision_sha256"] == own


NASTY = (
    "<script>alert(1)</script>",
    "| a | b |",
    "[click](javascript:alert(1))",
    "![x](http://example.invalid/x.png)",
    "**bold** _it_ `tick` ~~gone~~ # head",
    "x\x1b[2J\x07\x00y",
    "line\nbreak\r\n\n# Heading\n- item",
    "\u202eright to left\u2028next",
    "``` fence ``` and ```` more ````",
    "../../../etc/passwd",
    "\udcff\ud800",
)


@pytest.mark.parametrize("nasty", NASTY)
def test_strangers_strings_stay_text(tmp_path: Path, nasty: str) -> None:
    """Platforms, drivers, kernels, checks, commands and policy words come from outside; none becomes markup or path."""
    reports = tmp_path / "reports"
    plan = make_plan("weekly", platforms=("pocl",))
    document = json.loads((add_run(reports, "run", plan=plan, recorded=False) / "decision.json").read_text("utf-8"))
    identity = document["identities"]["pocl"] | {"driver_version": nasty, "hardware": nasty}
    document["identities"] = {nasty: identity}
    document["plan"] |= {"platforms": [nasty], "kernels": [nasty]}
    document["verdict"] |= {"owner": nasty, "action": nasty}
    document["policy"]["id"] = nasty
    document |= {"decision": nasty, "failed_checks": [nasty], "command": ["pytest", "-k", nasty], "kind": nasty}
    document["artifacts"] += [{"path": nasty, "sha256": nasty}]
    document["counts"][nasty] = 3
    record_run(reports / "ledger.sqlite", document)
    closed = close_week(reports, W48)
    acta = (closed.directory / "acta.md").read_text(encoding="utf-8")
    assert all(character.isprintable() for character in acta.replace("\n", ""))
    prose = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "CODE", re.sub(r"\\.", "", acta)).splitlines()
    table, text = ([line for line in prose if line.startswith("| ") is wanted] for wanted in (True, False))
    assert not re.search(r"[<|\[`~]", "\n".join(text)), text
    assert [line.count("|") for line in table] == [8] * 3 + [7] * 4  # the attempts, and its two cells
    assert not re.search(r"[<\[`~]", "\n".join(table)), table
    assert len([line for line in prose if line.startswith("#")]) == 7
    assert all(line.startswith(("- ", "  - ", "#")) or line in ("", "None.", "Nothing.") for line in text)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["reports"]
    assert leftovers(reports) == ["2026-W48"]


@pytest.mark.parametrize("name", ["../../etc", "/etc", "a/b", ".hidden", "-rf", "a\nb", "", "x" * 300, "\x1b[2J"])
def test_a_run_id_never_becomes_a_path(tmp_path: Path, name: str) -> None:
    """Such a run is not recorded, so that no closing meets it."""
    reports = tmp_path / "reports"
    document = json.loads((add_run(reports, "run", recorded=False) / "decision.json").read_text(encoding="utf-8"))
    with pytest.raises(InputError):
        record_run(reports / "ledger.sqlite", document | {"run_id": name})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["reports"]


# -- writing that fails ------------------------------------------------------------------------------------------


def _full_disk(*_args: object, **_kwargs: object) -> Any:
    raise OSError(errno.ENOSPC, "No space left on device")


BREAKS = {
    "write": "pytest_weekops.files.atomic._write_new",
    "hash": "pytest_weekops.week.closing.hash_file",
    "move": "pathlib.Path.rename",
    "sync": "pytest_weekops.week.closing.sync_directory",
}


@pytest.mark.parametrize("where", BREAKS)
def test_nothing_half_written_remains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    """Whichever write the disk refuses: no file, no record, and the week can be closed once there is room."""
    healthy_week(tmp_path)
    before = snapshot(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(BREAKS[where], _full_disk)
        with pytest.raises(WeekopsError, match="No space left on device"):
            close_week(tmp_path, W48)
    assert leftovers(tmp_path) == []
    assert snapshot(tmp_path) == before
    assert close_week(tmp_path, W48).exit_status == 0


def test_a_commit_that_fails_takes_the_files_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files in place without a record would look like a closed week."""
    healthy_week(tmp_path)
    connect = sqlite3.connect

    class Refusing(sqlite3.Connection):
        def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
            if sql == "COMMIT":
                raise sqlite3.OperationalError("disk I/O error")
            return super().execute(sql, *parameters)

    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", lambda *args, **options: connect(*args, **options, factory=Refusing))
        with pytest.raises(WeekopsError, match="disk I/O error"):
            close_week(tmp_path, W48)
    assert leftovers(tmp_path) == []
    assert close_week(tmp_path, W48).exit_status == 0


def test_a_locked_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else writes and does not end: a sentence, nothing written, and the next try closes the week."""
    ledger = healthy_week(tmp_path)
    other = sqlite3.connect(ledger.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with monkeypatch.context() as patch:
        patch.setattr("pytest_weekops.week.closing.open_ledger", lambda _dir: Ledger(ledger.path, busy_timeout_s=0.05))
        with pytest.raises(InputError, match="is locked"):
            close_week(tmp_path, W48)
    other.execute("ROLLBACK")
    other.close()
    assert leftovers(tmp_path) == []
    assert close_week(tmp_path, W48).exit_status == 0


def test_what_a_crash_left_is_set_aside(tmp_path: Path) -> None:
    """Files without a record are not a closed week: they are kept under another name and not believed."""
    healthy_week(tmp_path, without="gate")
    left = tmp_path / "weeks" / "2026-W48"
    left.mkdir(parents=True)
    (left / "decision.json").write_text('{"block_decision": "promote"}', encoding="utf-8")
    assert close_week(tmp_path, W48).exit_status == 11
    aside, final = leftovers(tmp_path)
    assert (aside.startswith(".unfinished-2026-W48-"), final) == (True, "2026-W48")


def test_the_acta_is_the_document_and_nothing_else(tmp_path: Path) -> None:
    """Rendering the record read back from disk gives the same bytes."""
    eventful_week(tmp_path)
    week = tmp_path / "weeks" / "2026-W48"
    document = json.loads((week / "decision.json").read_text(encoding="utf-8"))
    assert render_acta(document) == (week / "acta.md").read_text(encoding="utf-8")
