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
    assert capsys.readouterr().out.startswith("No run was recorded in reports/ yet; the first one makes the ledger.")
    assert list(tmp_path.iterdir()) == []
