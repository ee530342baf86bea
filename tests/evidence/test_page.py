"""``report.html`` beside the journal: written last, the same from the journal alone, and it turns no verdict around."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_weekops.cli import main
from pytest_weekops.evidence import page
from pytest_weekops.evidence.artifacts import judged_anew, write_artifacts
from pytest_weekops.evidence.stored_run import read_run
from pytest_weekops.files.hashing import hash_file
from pytest_weekops.policies.files import default_policy
from tests.support.stored import STATUS, write_run
from tests.support.synthetic import make_plan, make_records

PLAN = make_plan("canonical")


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    """A run that ended, with its journal alone."""
    return write_run(tmp_path / "run", PLAN, make_records(PLAN), ended=STATUS)


def written(run_dir: Path) -> str:
    """Write all artifacts, then the page; what had to be said of it."""
    verdict, facts = judged_anew(read_run(run_dir))
    return page.write_page(run_dir, verdict, facts, write_artifacts(run_dir, verdict, facts))


def test_the_journal_alone_gives_the_same_page(run_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a live run wrote, `weekops page` writes again to the byte; hashes of decision and journal stand on it."""
    monkeypatch.delenv("WEEKOPS_NO_PAGE")
    assert written(run_dir) == ""
    first = (run_dir / "report.html").read_bytes()
    (run_dir / "report.html").unlink()
    assert main(["page", str(run_dir)]) == 0
    assert (run_dir / "report.html").read_bytes() == first
    assert main(["page", str(run_dir / "journal.jsonl"), "--output", str(run_dir / "else.html")]) == 0
    assert (run_dir / "else.html").read_bytes() == first
    for name in ("journal.jsonl", "decision.json", "summary.md"):
        assert hash_file(run_dir / name) in first.decode()
    names = [each["path"] for each in json.loads((run_dir / "decision.json").read_text("utf-8"))["artifacts"]]
    assert names == ["journal.jsonl", "summary.md"]  # a view is no evidence


def test_a_run_that_was_broken_off_says_so(tmp_path: Path) -> None:
    """No end in the journal: the page says interrupted and iterate, whatever the records would give."""
    run_dir = write_run(tmp_path / "run", PLAN, make_records(PLAN))
    assert main(["page", str(run_dir)]) == 0
    text = (run_dir / "report.html").read_text(encoding="utf-8")
    assert "The run was interrupted" in text
    assert "iterate" in text[text.index("<h1>") : text.index("</h1>")]


@pytest.mark.parametrize("error", [RuntimeError("no fonts"), MemoryError(), KeyboardInterrupt()], ids=repr)
def test_a_page_that_breaks_is_a_sentence(run_dir: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Whatever goes wrong while it is made: the other artifacts stand, and the sentence says how to make it."""
    monkeypatch.delenv("WEEKOPS_NO_PAGE")

    def broken(*_arguments: object) -> str:
        raise error

    monkeypatch.setattr(page, "page_text", broken)
    words = written(run_dir)
    assert words.startswith("the page was not written")
    assert "`weekops page run`" in words
    assert (run_dir / "decision.json").exists()
    assert not (run_dir / "report.html").exists()


def test_a_place_that_cannot_be_written_is_a_sentence(run_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory in the page's place stays, and the run's other artifacts do."""
    monkeypatch.delenv("WEEKOPS_NO_PAGE")
    (run_dir / "report.html" / "mine").mkdir(parents=True)
    assert "cannot be written" in written(run_dir)
    assert (run_dir / "report.html" / "mine").is_dir()


def test_a_run_writes_none_where_none_is_wanted(run_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """WEEKOPS_NO_PAGE leaves it out and says nothing."""
    monkeypatch.setenv("WEEKOPS_NO_PAGE", "1")
    assert written(run_dir) == ""
    assert not (run_dir / "report.html").exists()


@pytest.mark.parametrize("name", ["decision.json", "journal.jsonl", "report"])
def test_a_page_never_replaces_evidence(run_dir: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """--output takes names of pages only, so that a slip of the hand loses no journal."""
    before = (run_dir / "journal.jsonl").read_bytes()
    assert main(["page", str(run_dir), "--output", str(run_dir / name)]) == 4
    assert "ends in .html" in capsys.readouterr().err
    assert (run_dir / "journal.jsonl").read_bytes() == before


def test_what_the_policy_changed_since_the_run_before_stands_on_the_page(tmp_path: Path) -> None:
    """Of the same kind, by name; a later run, another kind or a file that is none is not the run before."""

    def made(name: str, min_ratio: float) -> Path:
        policy = default_policy()
        looser = policy.model_copy(update={"split": policy.split.model_copy(update={"min_ratio": min_ratio})})
        directory = write_run(tmp_path / name, PLAN, make_records(PLAN), ended=STATUS, policy=looser)
        written(directory)
        return directory

    first, second = made("canonical-20261101T000000Z-aaaa", 0.85), made("canonical-20261108T000000Z-aaaa", 0.7)
    made("canonical-20261115T000000Z-aaaa", 0.5)
    assert page.policy_before(first, "canonical") is None
    assert main(["page", str(second)]) == 0
    text = (second / "report.html").read_text(encoding="utf-8")
    assert "since canonical-20261101T000000Z-aaaa" in text
    assert "looser: split.min_ratio 0.85 -&gt; 0.7" in text
    (first / "decision.json").write_text("{", encoding="utf-8")
    assert page.policy_before(second, "canonical") is None
