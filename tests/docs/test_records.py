"""The page on records names every kind of line that a journal can hold."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from pytest_weekops.evidence.journal import RESUME
from pytest_weekops.evidence.stored_run import JUDGED, KNOWN, read_run
from pytest_weekops.evidence.tuning_event import EVENT


def written(package: Path) -> set[str]:
    """The types that the code writes: the records, and whatever else it appends to a journal by name."""
    found = {*JUDGED, EVENT, RESUME}
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-2:] == ["journal", "append"]:
                found |= {str(node.args[0].value)} if isinstance(node.args[0], ast.Constant) else set()
    return found


def test_every_type_of_line_is_told(repository: Path) -> None:
    """Each has a row of the table, and no row speaks of a line that nobody writes."""
    page = (repository / "docs" / "reference" / "records.md").read_text(encoding="utf-8")
    rows = page.split("| type | what it holds |", 1)[1].split("\n\n", 1)[0].splitlines()
    told = {name for row in rows for name in re.findall(r"`([a-z_]+)`", row.split(" | ")[0])}
    assert told == written(repository / "pytest_weekops") == KNOWN
    assert told >= {event.type for event in read_run(repository / "reports" / "example").events}
