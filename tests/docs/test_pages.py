"""Links lead somewhere, and each decision is a record that the index has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from tests.support.pages import PAGES, ROOT, name_of, outside_of_fences

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CELL_END = re.compile(r"(?<!\\)\|")
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


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_rows_stand_in_tables(page: Path) -> None:
    """No row is torn off its table by an empty line, and each has as many cells as the head above it."""
    lines = page.read_text(encoding="utf-8").splitlines()
    width = 0
    for token in MarkdownIt("commonmark").enable("table").parse("\n".join(lines)):
        if token.type == "inline":
            torn = [line for line in token.content.splitlines() if line.startswith("|")]
            assert not torn, f"no head above this row: {torn[0]}"
        elif token.type in ("thead_open", "tr_open") and token.map:
            cells = len(CELL_END.findall(lines[token.map[0]])) - 1
            width = cells if token.type == "thead_open" else width
            assert cells == width, f"{cells} cells under a head of {width}: {lines[token.map[0]]}"


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
