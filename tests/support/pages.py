"""The documents as data: their files, links, fenced blocks and commands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").rglob("*.md"))
_FENCE = re.compile(r"^```(\w+)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def name_of(page: Path) -> str:
    """A page's path as a test's id."""
    return page.relative_to(ROOT).as_posix()


@dataclass(frozen=True)
class Block:
    """A fenced block, and the last sentence before it."""

    language: str
    text: str
    before: str

    @property
    def file(self) -> str:
        """The file that the block is said to be: the line before it starts with its name in backticks; else empty."""
        found = re.match(r"`([\w./-]+\.(?:cl|ini|py|yaml))` ", self.before)
        return found[1] if found else ""


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in _FENCE.finditer(text):
        before = text[: match.start()].rstrip().rpartition("\n\n")[2]
        found.append(Block(match[1] or "", match[2], before))
    return found


def outside_of_fences(page: Path) -> str:
    """A page's text without its fenced blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Typed:
    """A command as a page shows it typed, and the output shown below it."""

    command: str
    output: tuple[str, ...]


def typed(block: Block) -> list[Typed]:
    """The commands of a console block: each line behind ``$``, with the lines up to the next one."""
    found: list[tuple[str, list[str]]] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif found:
            found[-1][1].append(line)
    return [Typed(command, tuple(output)) for command, output in found]
