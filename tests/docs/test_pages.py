"""What the pages say of files, options and each other is so; what they show as a file can be used as it stands."""

from __future__ import annotations

import argparse
import importlib
import re
import shlex
from pathlib import Path

import pytest

from pytest_weekops.drivers.platforms import load_profiles
from pytest_weekops.policies.files import load_policy
from tests.support.pages import PAGES, ROOT, blocks, commands, name_of, outside_of_fences

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
COMMANDS = [(page, command) for page in PAGES for command in commands(page)]
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("0*.md"))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as code hosts and the site make them."""
    headings = re.findall(r"^#+ (.+)$", outside_of_fences(page), re.MULTILINE)
    words = [re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)) for heading in headings]
    return {word.lower().replace(" ", "-") for word in words}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    """Each relative link names a file of the repository, and a heading of it where it names one."""
    for link in LINK.findall(outside_of_fences(page)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{link}: no such file"
        assert not anchor or anchor in anchors(target), f"{link}: {name_of(target)} has {sorted(anchors(target))}"


@pytest.mark.parametrize(("page", "command"), COMMANDS, ids=[f"{name_of(p)}: {c[:50]}" for p, c in COMMANDS])
def test_commands_name_options_that_exist(page: Path, command: str, pytestconfig: pytest.Config) -> None:
    """A command of ours parses; one of pytest's names options that pytest and this plugin have."""
    program, *words = shlex.split(command)
    if program == "weekops":
        parser = argparse.ArgumentParser(exit_on_error=False)
        importlib.import_module(f"pytest_weekops.cli.{words[0]}").configure(parser)
        if not {"|", "[--policy"} & set(command.replace("|", " | ").split()):  # else a synopsis, and no command
            parser.parse_args(words[1:])
        return
    actions = pytestconfig._parser.optparser._actions
    known = {spelling for action in actions for spelling in action.option_strings}
    asked = {re.sub("^--weekops-", "--", word.partition("=")[0]) for word in words if word.startswith("--")}
    assert asked <= known, f"{page}: {asked - known}"


def test_there_are_commands() -> None:
    """The test above has something to look at, in every part that shows commands."""
    parts = {name_of(page).split("/")[1] for page, _command in COMMANDS if page.is_relative_to(ROOT / "docs")}
    assert {"tutorial", "how-to", "explanation", "reference"} <= parts


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_policies_and_profiles_that_are_shown_can_be_used(page: Path, tmp_path: Path) -> None:
    """A block with ``policy_id`` is a policy, one with ``profiles`` a platform file."""
    for block in blocks(page):
        if block.language == "yaml" and "policy_id:" in block.text:
            (tmp_path / "policy.yaml").write_text(block.text, encoding="utf-8")
            assert load_policy(tmp_path / "policy.yaml").policy_id
        if block.language == "yaml" and "profiles:" in block.text:
            (tmp_path / "platforms.yaml").write_text(block.text, encoding="utf-8")
            assert "mine" in load_profiles([tmp_path / "platforms.yaml"]).profiles


@pytest.mark.parametrize("record", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_is_short_and_whole(record: Path) -> None:
    """Context, decision and consequence on at most thirty lines, and a line in the index with the record's title."""
    text = record.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 30
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequence"]
    number, title = re.match(r"# (\d{4}): (.+)\n", text).groups()  # type: ignore[union-attr]
    index = (record.parent / "index.md").read_text(encoding="utf-8")
    assert f"| [{number}]({record.name}) | {title} |" in index


def test_decisions_are_numbered_without_a_gap() -> None:
    """A record that went missing is told."""
    assert [path.name[:4] for path in DECISIONS] == [f"{number:04}" for number in range(1, len(DECISIONS) + 1)]
