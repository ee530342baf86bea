"""How an option may be spelled: by its own name always, by its short name where no other plugin has it.

``--weekops-device`` is registered with pytest and belongs to nobody else. ``--device`` is an everyday word, and this
plugin is loaded in runs that have nothing to do with it; so it is never registered. When every plugin and every first
``conftest.py`` has registered its options, the short names that are still free are replaced on the command line by the
long ones. Who was loaded first does not matter then, and a name that somebody else has is left to him.
"""

from __future__ import annotations

import copy
import os
import sys
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import argparse

PLUGIN_NAME = "weekops-spellings"
_LONG = "--weekops-"

Word = str | os.PathLike[str]


def long_name(name: str) -> str:
    """The spelling of an option that is always there."""
    return _LONG + name


def words_of(arguments: Sequence[Word]) -> Iterator[Word]:
    """The words of a command line, with those of ``@FILE`` in its place, as argparse reads them."""
    for word in arguments:
        if isinstance(word, str) and word.startswith("@") and Path(word[1:]).is_file():
            text = Path(word[1:]).read_text(sys.getfilesystemencoding(), sys.getfilesystemencodeerrors())
            yield from words_of(text.splitlines())
        else:
            yield word


def replaced(arguments: Sequence[Word], spellings: Mapping[str, str]) -> list[Word]:
    """The words with each option that is a key of ``spellings`` spelled as its value says, up to a bare ``--``."""
    words: list[Word] = []
    pending = words_of(arguments)
    for word in pending:
        if word == "--":
            return [*words, word, *pending]
        option, equals, value = word.partition("=") if isinstance(word, str) else ("", "", "")
        words.append(spellings[option] + equals + value if option in spellings else word)
    return words


def options_in(arguments: Sequence[Word]) -> list[tuple[str, str]]:
    """The words that stand as options on a command line, each with the word that may be its value."""
    words = [os.fspath(word) for word in words_of(arguments)]
    words = words[: words.index("--")] if "--" in words else words
    found: list[tuple[str, str]] = []
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word.startswith("--"):
            option, equals, value = word.partition("=")
            found.append((option, value if equals else following))
    return found


class Spellings:
    """Whose the short names are in this pytest run; a plugin of its own, made where options are registered.

    ``short`` has the short names of each option, the usual one first and older ones behind it.
    """

    def __init__(self, short: Mapping[str, tuple[str, ...]]) -> None:
        self._short = short
        self._option = {spelling: name for name, spellings in short.items() for spelling in spellings}
        self._option |= {long_name(name): name for name in short}
        self._owners: dict[str, str] = {}
        self._typed: dict[str, str] = {}
        self._foreign: dict[str, str] = {}

    @staticmethod
    def of(config: pytest.Config) -> Spellings:
        """Those of a pytest run."""
        found = config.pluginmanager.get_plugin(PLUGIN_NAME)
        assert isinstance(found, Spellings)
        return found

    # -- while pytest reads its command line -------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_load_initial_conftests(
        self, early_config: pytest.Config, parser: pytest.Parser, args: list[Word]
    ) -> Generator[None, None, None]:
        """Spell our options out, once everybody who may register options has done so."""
        self._foresee(early_config, parser, args)
        yield
        self.settle(parser, args)

    def _foresee(self, config: pytest.Config, parser: pytest.Parser, args: list[Word]) -> None:
        """Take our values out of the paths in which pytest looks for the first ``conftest.py`` files.

        Which of them registers a short name for itself is not known before they are loaded; a word that does not
        parse as ours may be theirs, and is complained of later where it is not.
        """
        words = replaced(args, self._free(parser))
        if words == args:
            return
        try:
            known = parser.parse_known_args(words, namespace=copy.copy(config.option))
        except pytest.UsageError:
            return
        config.known_args_namespace.file_or_dir = known.file_or_dir

    def settle(self, parser: pytest.Parser, args: list[Word]) -> None:
        """Leave others what is theirs, and spell the rest of the short names out in ``args``."""
        free = self._free(parser)
        self._owners = {spelling: owner for spelling, owner in _owners(parser).items() if spelling not in free}
        for option, value in options_in(args):
            name = self._option.get(option, "")
            if name and (option in free or option == long_name(name)):
                self._typed[name] = option
            elif name:
                self._foreign[option] = value
        words = replaced(args, free)
        if words != args:
            args[:] = words
        self._show(parser, free)

    def _free(self, parser: pytest.Parser) -> dict[str, str]:
        owners = _owners(parser)
        return {
            spelling: long_name(name)
            for name, spellings in self._short.items()
            for spelling in spellings
            if spelling not in owners
        }

    def _show(self, parser: pytest.Parser, free: Mapping[str, str]) -> None:
        """Let ``--help`` and argparse's own complaints name what may be typed here."""
        for action in _actions(parser):
            name = self._option.get(action.option_strings[-1], "") if action.option_strings else ""
            if not name or action.option_strings[-1] != long_name(name):
                continue
            usual, *older = self._short[name]
            if usual in free:
                action.option_strings = [usual, long_name(name)]
            else:
                action.help = f"{action.help}; {usual} is another plugin's here"
            if older := [spelling for spelling in older if spelling in free]:
                action.help = f"{action.help}; older: {', '.join(older)}"

    # -- afterwards --------------------------------------------------------------------------------------------

    def said(self, name: str) -> str:
        """An option as it was typed, else as it may be: short where that is ours."""
        usual = self._short[name][0]
        return self._typed.get(name) or (long_name(name) if usual in self._owners else usual)

    def all(self, name: str) -> tuple[str, ...]:
        """Every spelling of an option that is ours here."""
        return (*(s for s in self._short[name] if s not in self._owners), long_name(name))

    @property
    def taken(self) -> list[str]:
        """Usual short names that are others' here, in the order of our options."""
        return [spellings[0] for spellings in self._short.values() if spellings[0] in self._owners]

    def foreign(self, name: str) -> str | None:
        """The word behind an option that was typed and is another plugin's here; None where none was."""
        return next((self._foreign[option] for option in self._short[name] if option in self._foreign), None)

    def refusal(self) -> str:
        """Why a campaign cannot be run with this command line; empty where it can.

        An option that was typed and is another plugin's never reached the campaign, which would be judged with a
        default that nobody asked for. Where the long name stands beside it, both are clear.
        """
        lost = [option for option in self._foreign if self._option[option] not in self._typed]
        if not lost:
            return ""
        whose = ", ".join(f"{option} ({self._owners[option]})" for option in lost)
        long = [long_name(self._option[option]) for option in lost]
        return (
            f"{whose}: in this environment that is another plugin's option, so its value did not reach the campaign, "
            f"which would run with a default that nobody asked for. Write {' and '.join(long)} for the campaign; "
            f"where {' and '.join(lost)} was meant for the other plugin, give both."
        )

    def note(self) -> str:
        """Which usual short names are not ours here, for who asks for a campaign; empty where all are."""
        taken = self.taken
        if not taken:
            return ""
        long = ", ".join(long_name(self._option[spelling]) for spelling in taken)
        return f"other plugins of this environment have {', '.join(taken)}; the campaign's are {long}"


def _actions(parser: pytest.Parser) -> list[argparse.Action]:
    """Every option that is registered: pytest has no public list of them, and argparse's own is as old as it is."""
    actions: list[argparse.Action] = parser.optparser._actions  # noqa: SLF001
    return actions


def _owners(parser: pytest.Parser) -> dict[str, str]:
    """Who has each registered spelling: the title of its group in ``--help``."""
    return {
        spelling: f"in --help under {getattr(getattr(action, 'container', None), 'title', None) or 'options'!r}"
        for action in _actions(parser)
        for spelling in action.option_strings
    }
