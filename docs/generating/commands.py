"""The ``weekops`` command: each subcommand's arguments, as argparse has them, and what it exits with."""

from __future__ import annotations

import argparse
import importlib
from types import ModuleType

from generating.options import value_words
from generating.words import markdown, table
from pytest_weekops.cli import COMMANDS


def commands() -> str:
    """One section per subcommand."""
    return "\n\n".join(_section(name, text) for name, text in COMMANDS.items())


def parser_of(name: str) -> argparse.ArgumentParser:
    """The parser of a subcommand."""
    parser = argparse.ArgumentParser(prog=f"weekops {name}")
    _module(name).configure(parser)
    return parser


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"pytest_weekops.cli.{name}")


def _section(name: str, text: str) -> str:
    parser = parser_of(name)
    verbs = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    said = (_module(name).run.__doc__ or "").split("\n\n", 1)[0]
    parts = [f"## `weekops {name}`", f"{text[0].upper()}{text[1:]}.", markdown(" ".join(said.split()))]
    if not all(choice.required for choice in verbs) or not verbs:  # it does something without a verb, too
        parts.append(_arguments(parser))
    own: dict[str, str] = getattr(_module(name), "VERB_STATUSES", {})
    for choice in verbs:
        helps = {entry.dest: entry.help or "" for entry in choice._choices_actions}
        for verb, child in choice.choices.items():
            parts += [f"### `weekops {name} {verb}`", f"{helps[verb][0].upper()}{helps[verb][1:]}."]
            parts += [markdown(own[verb])] if verb in own else []
            parts.append(_arguments(child))
    return "\n\n".join(parts)


def _arguments(parser: argparse.ArgumentParser) -> str:
    rows = []
    for action in parser._actions:
        is_listed = not isinstance(action, argparse._HelpAction | argparse._SubParsersAction)
        if not is_listed or action.help == argparse.SUPPRESS:
            continue
        facts = {name: getattr(action, name) for name in ("choices", "nargs", "metavar", "dest")}
        if action.option_strings:
            names, value = "<br>".join(f"`{word}`" for word in action.option_strings), value_words(facts)
        else:
            names, value = f"`{action.metavar or action.dest.upper()}`", _how_many(action)
        value = f"{value}, required" if action.option_strings and action.required else value
        if not action.help:
            raise LookupError(f"{parser.prog}: {names} has no help. Say what it does.")
        rows.append((names, value, markdown(action.help or "")))
    return table(("argument", "value", "what it does"), rows)


def _how_many(action: argparse.Action) -> str:
    return {"?": "may be left out", "*": "any number", "+": "one or more"}.get(str(action.nargs), "one")
