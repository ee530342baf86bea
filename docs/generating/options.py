"""The plugin's options and ini values, as a pytest with this plugin alone knows them."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from unittest.mock import patch

import pytest

from generating.words import markdown, table
from pytest_weekops.core.measurement.plan import Deadlines

GROUP = "weekops"


@contextmanager
def config_alone(*words: str) -> Iterator[pytest.Config]:
    """A pytest that has read no configuration and loaded no other plugin."""
    from _pytest.config import _prepareconfig

    with patch.dict(os.environ, {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}):
        os.environ.pop("PYTEST_ADDOPTS", None)
        config = _prepareconfig(["-p", "pytest_weekops.plugin", "-c", os.devnull, "--rootdir", os.sep, *words])
    try:
        yield config
    finally:
        config._ensure_unconfigure()


@cache
def _known() -> tuple[tuple[dict[str, Any], ...], dict[str, Any]]:
    """Each option of ours as argparse has it, and each ini value: help, type, default."""
    with config_alone() as config:
        actions = [action for action in config._parser.optparser._actions if action.dest.startswith(f"{GROUP}_")]
        found = tuple(vars(action) | {"names": tuple(action.option_strings)} for action in actions)
        return found, {name: facts for name, facts in config._parser._inidict.items() if name.startswith(GROUP)}


def _shown() -> list[dict[str, Any]]:
    return [option for option in _known()[0] if option["help"] != argparse.SUPPRESS]


def _is_deadline(option: dict[str, Any]) -> bool:
    return "deadline" in option["dest"]


def value_words(option: dict[str, Any]) -> str:
    """What follows an option: its choices, or the name of its value."""
    if option["choices"]:
        return " or ".join(f"`{choice}`" for choice in option["choices"])
    if option["nargs"] == 0:
        return "none"
    name = str(option["metavar"] or option["dest"].upper())
    return f"{name} ..." if option["nargs"] in ("+", "*") else name


def options() -> str:
    """Every option but the deadlines: names, value, what it does, and whether an ini value can be its default."""
    inis = _known()[1]
    rows = [
        (
            "<br>".join(f"`{name}`" for name in option["names"]),
            value_words(option),
            markdown(option["help"] or ""),
            "yes" if option["dest"] in inis else "",
        )
        for option in _shown()
        if not _is_deadline(option)
    ]
    return table(("option", "value", "what it does", "ini"), rows)


def deadlines() -> str:
    """The options of the deadlines, with what holds without them."""
    rows = []
    for option in _shown():
        if _is_deadline(option):
            phase = option["dest"].split("deadline_", 1)[1]
            default = Deadlines.model_fields[f"{phase}_s"].default
            rows.append(("<br>".join(f"`{name}`" for name in option["names"]), option["help"], f"{default:g} s"))
    return table(("option", "what it bounds", "default"), rows)


def inis() -> str:
    """The ini values that belong to no option."""
    known, ini = _known()
    mine = set(ini) - {option["dest"] for option in known}
    rows = [
        (f"`{name}`", markdown(text), kind or "text") for name, (text, kind, _default) in ini.items() if name in mine
    ]
    return table(("ini value", "what it does", "type"), rows)


def markers() -> str:
    """The markers that the plugin registers."""
    from pytest_weekops.plugin.hooks import MARKERS

    return table(
        ("marker", "meaning"), [(f"`{name}`", text.strip()) for name, text in (m.split(":", 1) for m in MARKERS)]
    )
