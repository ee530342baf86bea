"""``weekops export``: each format from a stored run, to a file or standard output; what would harm is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_weekops.cli import main
from pytest_weekops.cli.export import FORMS
from tests.support.stored import STATUS, write_run
from tests.support.synthetic import make_plan, make_records


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A canonical run in a directory whose name has newlines, in a report directory of its own."""
    plan = make_plan("canonical")
    run = tmp_path_factory.mktemp("reports") / "run\nof #1"
    return write_run(run, plan, make_records(plan), ended=STATUS)


@pytest.mark.parametrize("name", FORMS)
def test_each_format_is_printed_and_written_alike(
    name: str, stored: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same bytes; the file is taken for its own the next time, and said so; 0 whatever the verdict."""
    assert main(["export", str(stored), "--format", name]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(FORMS[name].beginning)
    for suffix in FORMS[name].suffixes:
        output = tmp_path / f"out{suffix}"
        for source in (stored, stored / "journal.jsonl"):
            assert main(["export", str(source), "--format", name, "--output", str(output)]) == 0
        assert output.read_text(encoding="utf-8") == printed
    assert "verdict: promote (SEV4), exit status 0" in capsys.readouterr().out


def test_metrics_are_a_command_of_their_own(stored: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same bytes, by a shorter line; a file that is none of theirs is refused as there."""
    assert main(["export", str(stored), "--format", "openmetrics"]) == 0
    printed = capsys.readouterr().out
    assert main(["metrics", str(stored)]) == 0
    assert capsys.readouterr().out == printed
    assert main(["metrics", str(stored), "--output", str(tmp_path / "weekops.prom")]) == 0
    assert (tmp_path / "weekops.prom").read_text(encoding="utf-8") == printed
    assert main(["metrics", str(stored), "--output", str(tmp_path / "weekops.json")]) == 4


def test_the_verdict_is_no_exit_status(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run that was broken off is told as such, and the export has succeeded."""
    plan = make_plan("canonical")
    run = write_run(tmp_path / "run", plan, make_records(plan))
    assert main(["export", str(run), "--format", "badge-json"]) == 0
    assert json.loads(capsys.readouterr().out)["message"] == "interrupted, 2026-11-24"


def places(text: str) -> set[str]:
    """Where the findings of a code quality report are shown."""
    return {issue["location"]["path"] for issue in json.loads(text)}


def test_where_findings_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """At the decision as seen from here, from elsewhere without the machine's own path, or at a file that is named."""
    plan = make_plan("canonical")
    run = write_run(tmp_path / "reports" / "run", plan, make_records(plan))
    monkeypatch.chdir(tmp_path)
    words = ["export", str(run), "--format", "codequality"]
    assert main(words) == 0
    assert places(capsys.readouterr().out) == {"reports/run/decision.json"}
    assert main([*words, "--location", "./suites/a.py"]) == 0
    assert places(capsys.readouterr().out) == {"suites/a.py"}
    monkeypatch.chdir("/")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert main(words) == 0
    assert places(capsys.readouterr().out) == {"run/decision.json"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--format", "sarif", "--output", "journal.jsonl"), "is no name for --format sarif"),
        (("--format", "sarif", "--output", "decision.json"), "is no sarif file of an earlier export"),
        (("--format", "codequality", "--output", "decision.json"), "is no codequality file of an earlier export"),
        (("--format", "badge-json", "--output", "decision.json"), "is no badge-json file of an earlier export"),
        (("--format", "badge", "--output", "directory.svg"), "is no name for --format badge"),
        (("--format", "badge", "--output", "journal.jsonl/badge.svg"), "badge.svg cannot be written: "),
        (("--format", "badge", "--location", "x"), "--location 'x' has no use"),
        (("--format", "sarif", "--location", ""), "--location '' is no file of a repository"),
        (("--format", "sarif", "--location", "/etc/x"), "--location '/etc/x' is no file of a repository"),
        (("--format", "codequality", "--location", "a/../../x"), "is no file of a repository"),
    ],
)
def test_what_would_harm_is_refused(
    words: tuple[str, ...],
    said: str,
    stored: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """4, a sentence, and what was there is there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "directory.svg").mkdir()
    for name in ("journal.jsonl", "decision.json"):
        (tmp_path / name).write_text('{"evidence": 1}')
    assert main(["export", str(stored), *words]) == 4
    assert said in capsys.readouterr().err
    assert (tmp_path / "decision.json").read_text() == (tmp_path / "journal.jsonl").read_text() == '{"evidence": 1}'


@pytest.mark.parametrize("words", [("nowhere", "--format", "sarif"), (".",), (".", "--format", "yaml")])
def test_bad_input_is_four(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No run, no format, a format that is none."""
    monkeypatch.chdir(tmp_path)
    assert main(["export", *words]) == 4
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err


def test_what_something_beside_it_contradicts_is_four(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The decision beside it was made of another journal."""
    plan = make_plan("canonical")
    run = write_run(tmp_path / "run", plan, make_records(plan), ended=STATUS)
    journal = {"path": "journal.jsonl", "sha256": "0" * 64, "bytes": 1}
    (run / "decision.json").write_text(json.dumps({"run_id": "run", "artifacts": [journal]}))
    assert main(["export", str(run), "--format", "badge"]) == 4
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "is not what its run left" in shown.err


def test_a_damaged_journal_is_four(stored: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Evidence that cannot be believed becomes no badge."""
    journal = (stored / "journal.jsonl").read_text()
    (tmp_path / "journal.jsonl").write_text(journal.replace("promote", "iterate"))
    assert main(["export", str(tmp_path), "--format", "badge"]) == 4
    assert capsys.readouterr().out == ""
