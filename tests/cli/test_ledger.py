"""``weekops ledger``, and the commands of a week on a ledger that a team shares."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_weekops.cli import main
from pytest_weekops.week.ledger import open_ledger
from tests.support.ledgers import WITHOUT_TRIGGERS, Kept, filled
from tests.support.postgres import PASSWORD, Server
from tests.support.weeks import add_run, healthy_week


@pytest.fixture
def url(postgres: Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of the tests' database, in the variable."""
    monkeypatch.setenv("WEEKOPS_LEDGER", postgres.url())
    return postgres.url()


def test_a_week_on_a_shared_ledger(
    tmp_path: Path, url: str, postgres: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    """Recorded, shown, verified and closed as on a file; what was altered is found; no password is printed."""
    place = ["--report-dir", str(tmp_path)]
    assert main(["ledger", "join", "--new", "--as", "cli-week", *place]) == 0
    healthy_week(tmp_path)
    late = add_run(tmp_path, "late", recorded=False, end=True)
    assert main(["report", str(late)]) == 0
    assert main(["record", str(late)]) == 0
    assert main(["status", "--verify", "--require", "promoted", *place]) == 0
    assert main(["ledger", "show", *place]) == 0
    assert main(["close", "--week", "2026-W48", *place]) == 0
    said = capsys.readouterr()
    assert "(cli-week): 4 records, every one verifies" in said.out
    assert [entry.kind for entry in open_ledger(tmp_path).entries()] == ["run"] * 4 + ["week"]
    assert not (tmp_path / "ledger.sqlite").exists()
    Kept(tmp_path, postgres, "weekops_cli_week").raw(*WITHOUT_TRIGGERS, "UPDATE record SET key = 'x' WHERE seq = 2")
    assert main(["status", "--verify", "--json", *place]) == 1
    found = capsys.readouterr()
    document = json.loads(found.out)
    assert document["verified"] is False
    assert document["ledger"].endswith("/weekops (cli-week)")
    assert main(["status", *place]) == 4
    assert main(["ledger", "show", *place]) == 4
    assert PASSWORD not in said.out + said.err + found.out + found.err + "".join(capsys.readouterr())


def test_a_directory_takes_its_ledger_along(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Until it has, it is refused; afterwards it is the same ledger under another address."""
    with monkeypatch.context() as alone:
        alone.delenv("WEEKOPS_LEDGER")
        entries = filled(tmp_path).entries()
    place = ["--report-dir", str(tmp_path)]
    assert main(["status", *place]) == 4
    assert main(["ledger", "join", "--as", "cli-copy", *place]) == 4
    assert main(["ledger", "copy", "--to", url, "--as", "cli-copy", *place]) == 0
    assert main(["ledger", "show", *place]) == 0
    said = capsys.readouterr()
    assert "4 records as in" in said.out
    assert "4 of them new; the chain holds" in said.out
    assert f"head: {entries[-1].hash}" in said.out
    assert "weekops ledger copy --to" in said.err
    assert PASSWORD not in said.out + said.err


@pytest.mark.parametrize("words", [("join",), ("copy", "--to", f"postgresql://me:{PASSWORD}@"), ("copy",), ()])
def test_what_cannot_be_done_is_said(
    tmp_path: Path, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit status 4, a sentence, nothing made."""
    filled(tmp_path)
    assert main(["ledger", *words, *(["--report-dir", str(tmp_path)] if words else [])]) == 4
    said = capsys.readouterr()
    assert "weekops" in said.err
    assert PASSWORD not in said.out + said.err
    assert not (tmp_path / "ledger.shared").exists()
