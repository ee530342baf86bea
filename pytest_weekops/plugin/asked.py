"""Whether a pytest run was asked for a campaign: demanded by an option, named as a path, or collected on the way.

What is said here decides whether a run without a verdict may end with 0. A run that has nothing to do with campaigns
asks for none, and nothing is read for it but the few words of its command line.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from pytest_weekops.files.shipped import data_dir
from pytest_weekops.plugin import tiers
from pytest_weekops.plugin.options import REQUIRED_KINDS, Options
from pytest_weekops.plugin.spellings import Spellings, options_in, words_of

INJECT = "inject"
_MARKS = {"weekops_campaign": "weekly", "weekops_injection": INJECT}  # and the kind of one without a word
# what only asks, by pytest's name of the option: how it is typed
_INQUIRIES: dict[str, tuple[str, ...]] = {
    "collectonly": ("--collect-only", "--collectonly", "--co"),
    "setupplan": ("--setup-plan", "--setupplan"),
    "setuponly": ("--setup-only", "--setuponly"),
    "showfixtures": ("--fixtures", "--funcargs"),
    "show_fixtures_per_test": ("--fixtures-per-test",),
    "markers": ("--markers",),
    "cacheshow": ("--cache-show",),
    "help": ("--help", "-h"),
    "version": ("--version", "-V"),
}
_SELECTIONS: dict[str, tuple[str, ...]] = {
    "keyword": ("-k",),
    "markexpr": ("-m",),
    "deselect": ("--deselect",),
    "ignore": ("--ignore",),
    "ignore_glob": ("--ignore-glob",),
    "lf": ("--lf", "--last-failed"),
    "stepwise": ("--sw", "--stepwise"),
    "numprocesses": ("-n", "--numprocesses"),
    "weekops_tier": ("--tier", "--weekops-tier"),
}


class Wish(NamedTuple):
    """A verdict that was asked for: any of these kinds will do, and who asked, in words."""

    kinds: frozenset[str]
    words: str


def wishes(config: pytest.Config, *, seen: Iterable[str], empty: Callable[[Path], bool]) -> list[Wish]:
    """Every verdict that this run was asked for, the strongest first.

    ``seen`` are the kinds whose tests were collected, ``empty`` tells whether nothing was collected from a path. Who
    types ``--collect-only`` or its like wants to see and not to measure: then only a demand counts.
    """
    demand = demanded(config)
    found = [] if demand in ("", "none") else [_demand(config, demand)]
    if inquiry(config, typed=True):
        return found
    found += list(_named(config, empty))
    on_the_way = demand != "none" and Options(config).asked("tier") != "cpu-fast"
    return found + ([_collected(kind) for kind in sorted(set(seen))] if on_the_way else [])


def demanded(config: pytest.Config) -> str:
    """What ``--require-verdict`` or its ini value says; empty where neither does."""
    if config.getoption("help", default=None):  # pytest reads no further than that word
        words = dict(options_in(config.invocation_params.args))
        return next((words[said] for said in Spellings.of(config).all("require-verdict") if said in words), "")
    return Options(config).text("require-verdict") or ""


def refuse_unknown_demand(config: pytest.Config) -> None:
    """Refuse an ini value that names no kind: a demand that nothing can meet, or that nobody hears."""
    demand = demanded(config)
    if demand and demand not in REQUIRED_KINDS:
        raise pytest.UsageError(
            f"weekops_require_verdict = {demand} in {config.inipath} is no kind of verdict. "
            f"Give one of {', '.join(REQUIRED_KINDS)}."
        )


def _demand(config: pytest.Config, kind: str) -> Wish:
    options = Options(config)
    by_ini = config.getini("weekops_require_verdict") == kind and not options.asked("require-verdict")
    said = f"weekops_require_verdict = {kind}" if by_ini else f"{options.said('require-verdict')} {kind}"
    return Wish(frozenset({kind}), f"{said} demands a verdict")


def _collected(kind: str) -> Wish:
    return Wish(frozenset({kind}), f"Tests of a {kind} campaign were collected")


def _named(config: pytest.Config, empty: Callable[[Path], bool]) -> Iterator[Wish]:
    typed = config.args_source is pytest.Config.ArgsSource.ARGS or _unread(config)
    listed = config.args_source is pytest.Config.ArgsSource.TESTPATHS and demanded(config) != "none"
    gate = tiers.asked_suite(config)
    for word in _paths(config):
        path = Path(os.path.normpath(config.invocation_params.dir / word.partition("::")[0]))
        if not (typed or listed or (gate is not None and path == gate)):
            continue
        if not (is_shipped(config, path) or empty(path)):
            continue
        if kinds := kinds_in(path, word.partition("::")[2]):
            how = "--tier or --driver-smoke" if path == gate else "its path"
            yield Wish(kinds, f"{word} ({' or '.join(sorted(kinds))}) was asked for by {how}")


def _unread(config: pytest.Config) -> bool:
    return bool(config.getoption("help", default=None) or config.getoption("cacheshow", default=None))


def _paths(config: pytest.Config) -> list[str]:
    """The paths of the command line; where pytest read no further, or took one for a value, every word that is one."""
    if not _unread(config):
        return config.args
    words = [str(word) for word in words_of(config.invocation_params.args)]
    here = config.invocation_params.dir
    return [word for word in words if not word.startswith("-") and Path(here, word.partition("::")[0]).exists()]


def is_shipped(config: pytest.Config, path: Path) -> bool:
    """Whether a path is one of the shipped suites, or lies in one."""
    homes = {data_dir("suites").resolve(), tiers.suites_dir(config).resolve()}
    return any(path.resolve().is_relative_to(home) for home in homes)


def kinds_in(path: Path, node: str = "") -> frozenset[str]:
    """The kinds of campaign for which the tests of a file or directory are marked; with ``node`` that test's alone."""
    files = [path] if path.is_file() else sorted(path.rglob("*.py")) if path.is_dir() else []
    found: set[str] = set()
    for file in files:
        try:
            text = file.read_text(encoding="utf-8")
            if any(mark in text for mark in _MARKS):
                found |= _kinds_of(ast.parse(text), node.partition("::")[0].partition("[")[0])
        except (OSError, ValueError, SyntaxError):  # pytest says it where it collects the file
            continue
    return frozenset(found)


def _kinds_of(module: ast.Module, name: str) -> set[str]:
    named = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    parts = [part for part in module.body if not (name and isinstance(part, named) and part.name != name)]
    nodes = [node for part in parts for node in ast.walk(part)]
    words: dict[int, str] = {}
    for node in nodes:
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            words[id(node.func)] = str(node.args[0].value)
    marks = [node for node in nodes if isinstance(node, ast.Attribute) and node.attr in _MARKS]
    return {words.get(id(mark), _MARKS[mark.attr]) if mark.attr != "weekops_injection" else INJECT for mark in marks}


def inquiry(config: pytest.Config, *, typed: bool = False) -> str:
    """The option in force that only asks, as it is typed; with ``typed`` only where it stands on the command line.

    One that comes from PYTEST_ADDOPTS or an ini file may have been forgotten there.
    """
    if Options(config).asked("tier") == "cpu-fast" and not Options(config).given("driver-smoke"):
        flags = ("--tier", "--weekops-tier")
        if typed and _is_typed(config, flags):
            return flags[0]
    for name, spellings in _INQUIRIES.items():
        if config.getoption(name, None) and (not typed or _is_typed(config, spellings)):
            return spellings[0]
    return ""


def selections(config: pytest.Config) -> list[str]:
    """Options in force that leave tests out, as they are typed, and whether they were typed at all."""
    found = []
    for name, flags in {**_SELECTIONS, **_INQUIRIES}.items():
        value = config.getoption(name, None)
        if value:
            words = value if isinstance(value, list) else [] if value is True else [value]
            shown = "".join(f" {word}" for word in words if word is not None)
            whence = "" if _is_typed(config, flags) else " (not typed: from PYTEST_ADDOPTS or an ini file)"
            found.append(f"{flags[0]}{shown}{whence}")
    return found


def _is_typed(config: pytest.Config, flags: tuple[str, ...]) -> bool:
    words = [str(word) for word in words_of(config.invocation_params.args)]
    short = tuple(flag for flag in flags if not flag.startswith("--"))
    return any(
        word.partition("=")[0] in flags
        or (word[:1] == "-" and word[:2] != "--" and any(flag[1] in word for flag in short))
        for word in words
    )
