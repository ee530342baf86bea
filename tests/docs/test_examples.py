"""Every fenced block of every page is used as its reader would use it, as far as that needs no device.

A Python block is run (a suite's tests and hooks are asked what they need and give), YAML is read by what would read it,
ini values are known, journal lines have the right checksum, and commands, those of CI jobs as well, are parsed by the
real parsers. OpenCL C is built where its page is followed on a device.
"""

from __future__ import annotations

import argparse
import ast
import configparser
import importlib
import inspect
import json
import re
import shlex
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pluggy
import pytest
import yaml
from markdown_it import MarkdownIt

from pytest_weekops.cli import COMMANDS
from pytest_weekops.core.units import UNITS
from pytest_weekops.drivers.platforms import load_profiles
from pytest_weekops.evidence.journal import encode_event
from pytest_weekops.evidence.judging import judge_stored
from pytest_weekops.evidence.stored_run import read_run
from pytest_weekops.files.catalog import kernel_operations, variant_names
from pytest_weekops.files.expectations import load_expectations, load_known_losses, load_known_tests
from pytest_weekops.plugin import fixtures, hookspecs
from pytest_weekops.plugin.hooks import MARKERS
from pytest_weekops.plugin.options import short_spellings
from pytest_weekops.plugin.spellings import long_name, replaced
from pytest_weekops.policies.files import load_policy
from pytest_weekops.report.openmetrics import WORDS
from tests.support.ci_jobs import our_commands, shell_of_pipeline, steps
from tests.support.recorded_data import ROOT

PAGES = sorted({*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")})
# Blocks that a test of their own runs, letter by letter.
ELSEWHERE = {"docs/explanation/architecture.md": ROOT / "tests" / "run" / "test_script.py"}
NO_RULE = {"c", "text", "console", "{toctree}"}  # shown output, and what a device test follows
EXAMPLE = ROOT / "reports" / "example"


@dataclass(frozen=True)
class Block:
    """A block of a page: its language (``indented`` where it has no fence) and its text."""

    language: str
    text: str


def blocks(page: Path) -> list[Block]:
    """The blocks of a page as a Markdown reader finds them."""
    tokens = MarkdownIt().parse(page.read_text(encoding="utf-8"))
    return [
        Block(token.info.split()[0] if token.info.strip() else "indented", token.content)
        for token in tokens
        if token.type in ("fence", "code_block")
    ]


def name_of(page: Path) -> str:
    """A page's path as a test's id."""
    return page.relative_to(ROOT).as_posix()


def shown(*languages: str) -> list[Any]:
    """The blocks in these languages, each a parameter with its page and place as id."""
    return [
        pytest.param(page, block, id=f"{name_of(page)}-{number}")
        for page in PAGES
        for number, block in enumerate(blocks(page), 1)
        if block.language in languages
    ]


def run(block: Block, place: str) -> dict[str, Any]:
    """Run a block as a module and return its names."""
    names: dict[str, Any] = {"__name__": "example", "__file__": place}
    exec(compile(block.text, place, "exec"), names)
    return names


def test_no_block_escapes() -> None:
    """Each language that a page uses has a rule here, and the pages do show something."""
    found = {block.language for page in PAGES for block in blocks(page)}
    assert found <= set(RULES) | NO_RULE
    assert {"python", "yaml", "json", "ini", "sh", "indented"} <= found


def python(page: Path, block: Block, directory: Path) -> None:
    """A script is run, a suite's fixtures and markers exist, hooks are called, an operation says its unit."""
    functions = {node.name for node in ast.walk(ast.parse(block.text)) if isinstance(node, ast.FunctionDef)}
    if name_of(page) in ELSEWHERE:
        assert block.text.strip() in ELSEWHERE[name_of(page)].read_text(encoding="utf-8")
        return
    names = run(block, name_of(page))
    if any(name.startswith("test_") for name in functions):
        suite(names)
    elif any(name.startswith("pytest_weekops_") for name in functions):
        hooks(names, directory)
    elif "Operation" in names:
        assert names["Operation"]().unit in UNITS


def suite(names: dict[str, Any]) -> None:
    """What its tests ask for is a fixture or a parameter, and its mark is one of ours."""
    known = {name for name, thing in vars(fixtures).items() if hasattr(thing, "_fixture_function")}
    marks = names["pytestmark"]
    assert marks.name in {marker.split("(")[0].split(":")[0] for marker in MARKERS}
    for name, test in names.items():
        if name.startswith("test_"):
            given = {mark.args[0] for mark in getattr(test, "pytestmark", []) if mark.name == "parametrize"}
            assert set(inspect.signature(test).parameters) - given <= known, name


def hooks(names: dict[str, Any], directory: Path) -> None:
    """Each is a hook of ours with that hook's arguments, and gives what the hook asks for."""
    manager = pluggy.PluginManager("pytest")
    manager.add_hookspecs(hookspecs)
    implemented = {name: thing for name, thing in names.items() if name.startswith("pytest_weekops_")}
    plugin = type("Example", (), {name: staticmethod(pytest.hookimpl(thing)) for name, thing in implemented.items()})
    manager.register(plugin)
    manager.check_pending()
    stored = read_run(EXAMPLE)
    measured = [record for record in stored.records if record.type == "measurement"]
    if checks := implemented.get("pytest_weekops_checks", lambda **_: None)(config=None):
        assert {type(check(stored.plan, measured)) for check in checks.values()} <= {str, type(None)}
    if "pytest_weekops_report" in implemented:
        implemented["pytest_weekops_report"](config=None, run_dir=directory, verdict=judge_stored(stored))
    for name in {"pytest_weekops_platform_files", "pytest_weekops_kernel_dirs"} & set(implemented):
        assert all(isinstance(path, Path) for path in implemented[name](config=None) or ())


def yaml_file(page: Path, block: Block, directory: Path) -> None:
    """A policy, platforms, known faults, a catalogue of kernels, or a workflow: each is read by what would read it."""
    path = directory / "catalog.yaml"
    path.write_text(block.text, encoding="utf-8")
    document = yaml.safe_load(block.text)
    if "policy_id" in document:
        assert load_policy(path).policy_id == document["policy_id"]
    elif "profiles" in document:
        assert set(document["profiles"]) <= set(load_profiles([path]).profiles)
    elif "expectations" in document:
        assert len(load_expectations(path)[0]) == len(document["expectations"])
    elif "conformance" in document:
        assert len(load_known_tests(path)) == len(document["conformance"])
    elif "capabilities" in document:
        assert len(load_known_losses(path)) == len(document["capabilities"])
    elif "kernels" in document:
        for kernel in document["kernels"].values():
            for name in {kernel["file"], kernel.get("operation_file", kernel["file"])}:
                (directory / name).touch()
        assert set(variant_names([str(directory)])) >= set(document["kernels"])
        assert kernel_operations([str(directory)])
    elif "groups" in document:
        asked = {
            name for group in document["groups"] for rule in group["rules"] for name in METRIC.findall(rule["expr"])
        }
        assert asked
        assert asked <= set(WORDS)
    else:
        assert_known(page, steps(document))


def groovy(page: Path, block: Block, directory: Path) -> None:
    """What a Jenkins pipeline gives to a shell."""
    assert_known(page, shell_of_pipeline(block.text))


def assert_known(page: Path, scripts: Iterable[str]) -> None:
    """A job runs the gate, and each of our programs in it takes the words that it is given."""
    found = [words for script in scripts for words in our_commands(script)]
    assert "pytest" in {words[0] for words in found}, f"{name_of(page)}: nobody reads this job"
    for program, *words in found:
        problem = refused_by_pytest(words) if program == "pytest" else refused_by_weekops(words)
        assert not problem, f"{name_of(page)}: {program} {shlex.join(words)}: {problem}"


def ini_file(page: Path, block: Block, directory: Path) -> None:
    """Each value is one that the plugin knows."""
    if block.language == "toml":
        values = tomllib.loads(block.text)["tool"]["pytest"]
    else:
        parser = configparser.ConfigParser()
        parser.read_string(block.text)
        values = dict(parser["pytest"])
    assert values
    assert set(values) <= set(KNOWN["config"]._parser._inidict), name_of(page)


def json_text(page: Path, block: Block, directory: Path) -> None:
    """JSON, and where it is a journal's line, one with the right checksum."""
    document = json.loads(block.text)
    if isinstance(document, dict) and "crc" in document:
        assert encode_event(document["seq"], document["type"], document["data"]).decode() == block.text


def script(page: Path, block: Block, directory: Path) -> None:
    """A script's commands wherever they stand in it; without a first line of its own, lines to type."""
    if block.text.startswith("#!"):
        assert_known(page, [block.text])
    else:
        command_lines(page, block, directory)


def command_lines(page: Path, block: Block, directory: Path) -> None:
    """Each line that begins with one of our programs is parsed as it would be."""
    for line in block.text.replace("\\\n", " ").splitlines():
        for part in line.split(" && "):
            command = part.split(" #")[0].strip()
            if command.startswith(("pytest ", "weekops ")) and not SYNOPSIS.search(command):
                program, *words = shlex.split(command)
                problem = refused_by_pytest(words) if program == "pytest" else refused_by_weekops(words)
                assert not problem, f"{name_of(page)}: {command}: {problem}"


def refused_by_pytest(words: list[str]) -> str:
    """What pytest, with this plugin, says of options; empty where it takes them."""
    try:
        KNOWN["config"]._parser.parse(replaced(words, SHORT))
    except (pytest.UsageError, SystemExit) as error:
        return str(error) or "refused"
    return ""


def refused_by_weekops(words: list[str]) -> str:
    """What the parser of the subcommand says; empty where it takes the words."""
    if words[0] not in COMMANDS:
        return "no subcommand" if not words[0].startswith("-") else ""
    parser = argparse.ArgumentParser(exit_on_error=False)
    importlib.import_module(f"pytest_weekops.cli.{words[0]}").configure(parser)
    try:
        parser.parse_args(words[1:])
    except (argparse.ArgumentError, SystemExit) as error:
        return str(error) or "refused"
    return ""


RULES: dict[str, Callable[[Path, Block, Path], None]] = {
    "python": python,
    "yaml": yaml_file,
    "json": json_text,
    "ini": ini_file,
    "toml": ini_file,
    "groovy": groovy,
    "sh": script,
    "indented": command_lines,
}


METRIC = re.compile(r"weekops_\w+")
SYNOPSIS = re.compile(r"[|\[\]]")  # choices and what may be left out: a form of commands, and no command
SHORT = {short: long_name(name) for name, every in short_spellings().items() for short in every}
KNOWN: dict[str, Any] = {}


@pytest.fixture
def at_home(monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config) -> None:
    """Examples speak of files as seen from the project's root, to a pytest with this plugin."""
    monkeypatch.chdir(ROOT)
    KNOWN["config"] = pytestconfig


@pytest.mark.usefixtures("at_home")
@pytest.mark.parametrize(("page", "block"), shown(*RULES))
def test_what_a_page_shows_can_be_used(page: Path, block: Block, tmp_path: Path) -> None:
    """By the rule of its language."""
    RULES[block.language](page, block, tmp_path)
