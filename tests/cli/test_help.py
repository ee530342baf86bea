"""What a new user reads first: ``weekops`` alone, each command's help, and the state of an empty directory."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_weekops import cli
from pytest_weekops.cli import COMMANDS, build_parser


@pytest.fixture(autouse=True)
def _eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def parsers(asked: str) -> Iterator[argparse.ArgumentParser]:
    """A command's parser and those of its verbs."""
    (commands,) = verbs_of(build_parser(asked))
    yield commands.choices[asked]
    for verbs in verbs_of(commands.choices[asked]):
        yield from verbs.choices.values()


def verbs_of(parser: argparse.ArgumentParser) -> list[argparse._SubParsersAction[argparse.ArgumentParser]]:
    """The one action that leads to other parsers, if there is one."""
    return [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]


@pytest.mark.parametrize("asked", COMMANDS)
def test_help_fits_80_columns_and_leaves_nothing_unsaid(asked: str) -> None:
    """Every argument is explained, and so is what the command exits with; the command itself is a sentence."""
    for parser in parsers(asked):
        text = parser.format_help()
        assert max(map(len, text.splitlines())) <= 80, text
        told = [action for action in parser._actions if not isinstance(action, argparse._SubParsersAction)]
        assert [action.dest for action in told if not action.help] == []
        assert not [action.help for action in told if (action.help or "").startswith("default: ")]
        assert parser.description, parser.prog
        assert parser.description[0].isupper()
        assert "xit status" in (parser.epilog or ""), parser.prog


def test_each_command_is_one_line_of_the_list() -> None:
    """As many lines as commands, and where to begin below them."""
    lines = build_parser("").format_help().splitlines()
    assert max(map(len, lines)) <= 80
    width = max(map(len, COMMANDS))
    for name, text in COMMANDS.items():
        assert f"    {name:<{width}}  {text}" in lines
    assert "where to begin:" in lines


def test_without_words_it_says_that_nothing_was_done(capsys: pytest.CaptureFixture[str]) -> None:
    """The help, on standard error, and what to do; 4, because nothing was done."""
    assert cli.main([]) == 4
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "where to begin:" in shown.err
    assert shown.err.splitlines()[-1].startswith("weekops: error: no COMMAND was given")


def test_the_state_of_an_empty_directory_says_where_it_looked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And leaves it empty."""
    monkeypatch.chdir(tmp_path)
    assert cli.main(["status"]) == 0
    said = "No run was recorded in reports/ yet. If the runs are elsewhere, name it: --report-dir DIR.\n"
    assert capsys.readouterr().out.startswith(said)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "usage", "said"),
    [
        ("judge x --polcy y", "weekops judge", "weekops judge: error: unrecognized arguments: --polcy y"),
        ("fleet keys x --plain", "weekops fleet keys", "weekops fleet keys: error: unrecognized arguments: --plain"),
        ("status x", "weekops status", "weekops status: error: unrecognized arguments: x"),
        ("statsu", "weekops", "weekops: error: argument COMMAND: invalid choice: 'statsu'"),
        ("status --require promotd", "weekops status", "weekops status: error: argument --require: invalid choice"),
    ],
)
def test_a_wrong_word_is_answered_by_the_command_that_it_was_said_to(
    capsys: pytest.CaptureFixture[str], words: str, usage: str, said: str
) -> None:
    """Its usage, not the program's, and 4."""
    assert cli.main(words.split()) == 4
    shown = capsys.readouterr()
    assert shown.err.startswith(f"usage: {usage} [-h]")
    assert shown.err.splitlines()[-1].startswith(said)


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("judge x --polcy=y", "--policy"),
        ("statsu", "status"),
        ("policy shw", "show"),
        ("tune --budget 5 --siezs 4", "--sizes"),
        ("tune --zzz", None),
    ],
)
def test_the_nearest_name_is_told(capsys: pytest.CaptureFixture[str], words: str, meant: str | None) -> None:
    """And none where nothing is near."""
    assert cli.main(words.split()) == 4
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.endswith(f"(did you mean {meant}?)") if meant else "did you mean" not in line


def test_the_end_of_a_wrong_line_is_wrapped_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All commands are named, and no word of them is broken in two."""
    monkeypatch.setattr("pytest_weekops.report.saying._terminal_columns", lambda _stream: 80)
    assert cli.main(["zzz"]) == 4
    lines = capsys.readouterr().err.splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) > 4


def test_a_verb_that_exits_otherwise_says_so() -> None:
    """`git bisect run` must not be told of a 4 that never comes, and what shows a policy recalibrates none."""
    told = {parser.prog: parser.epilog or "" for asked in ("bisect", "policy", "fleet") for parser in parsers(asked)}
    assert "125 where nobody can say, and 255" in told["weekops bisect step"]
    assert "4: refused" not in told["weekops bisect step"]
    assert "recalibrate" not in told["weekops policy show"]
    assert "4: refused" in told["weekops policy show"]
    assert "recalibrate" in told["weekops policy recalibrate"]
    assert told["weekops fleet keys"].startswith("Exit status 0 where they were made.")


@pytest.mark.parametrize("words", ["history --report-dir a import f", "history import --report-dir a f"])
def test_the_report_directory_may_stand_before_the_verb(words: str) -> None:
    """One option in one form, for every command that has it."""
    assert build_parser("history").parse_args(words.split()).report_dir == Path("a")
    assert build_parser("history").parse_args(["history", "import", "f"]).report_dir == Path("reports")
