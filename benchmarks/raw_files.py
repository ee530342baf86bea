"""What measuring leaves behind: a line of JSON for each thing measured, compressed; and tables in the docs."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pytest_weekops.files.atomic import write_atomic

DECISION_QUALITY = Path(__file__).resolve().parents[1] / "docs" / "explanation" / "decision-quality.md"
KEPT = Path(__file__).with_name("measured")
HOSTS = {"no": (False,), "yes": (True,), "both": (False, True)}  # beside a busy loop or not, by what --busy says


def read(path: Path) -> list[dict[str, Any]]:
    """Every line, in the order in which it was measured; nothing of a file that is not there yet.

    One that was killed while it wrote has a torn end, which is left out.
    """
    lines: list[dict[str, Any]] = []
    if path.exists():
        with gzip.open(path, "rt", encoding="utf-8") as stream, suppress(EOFError, zlib.error, json.JSONDecodeError):
            for line in stream:
                lines.append(json.loads(line))  # noqa: PERF401 - what was read before a torn end stays
    return lines


def add(path: Path, line: dict[str, Any]) -> None:
    """One more line, on disk when this returns: measuring may be broken off at any time and gone on with."""
    with gzip.open(path, "at", encoding="utf-8") as stream:
        stream.write(json.dumps(line, separators=(",", ":")) + "\n")


def pack(path: Path) -> None:
    """The same lines without a torn end, and compressed together: a quarter of the size, and always the same bytes."""
    if not path.exists():
        return
    text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in read(path))
    write_atomic(path, gzip.compress(text.encode(), mtime=0))


def put(text: str, name: str, content: str) -> str:
    """The page with what stands between a table's marks replaced. Raises ``ValueError`` where it has no such marks."""
    marks = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
    if not marks.search(text):
        raise ValueError(f"the page has no marks for {name}")
    return marks.sub(lambda found: f"{found[1]}\n{content}\n\n{found[2]}", text)


def put_into_docs(name: str, rows: Sequence[str], page: Path = DECISION_QUALITY) -> None:
    """Write a table's rows between its marks in a page of the docs."""
    page.write_text(put(page.read_text(encoding="utf-8"), name, "\n".join(rows)), encoding="utf-8")


def show(
    raw: Path,
    table: Callable[[list[dict[str, Any]]], list[str]],
    name: str,
    *,
    in_docs: bool,
    page: Path = DECISION_QUALITY,
) -> None:
    """Print the table of what was measured so far, and write it into the docs where that is asked for."""
    rows = table(read(raw))
    print("\n".join(rows))
    if in_docs:
        put_into_docs(name, rows, page)
