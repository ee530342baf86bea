"""Pages name files that are there: a module that moved is told where it went."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted({*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")})
NAMED = re.compile(r"`((?:\.?[\w-]+/)+[\w.-]+\.(?:py|yaml|cl|clh|md|sh|svg)|\.ci/\w+|[\w-]+\.clh?)`")
# What readers have themselves, and what other projects have.
ELSEWHERE = ("reports/", "my-kernels/", "backends/", "runners/", "my_", "mine")
PLACES = ("", "pytest_weekops", "kernels", "policies", "docs")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_files_that_a_page_names_are_there(page: Path) -> None:
    """As seen from the project's root, from the package, or from the page itself."""
    names = {name for name in NAMED.findall(page.read_text(encoding="utf-8")) if not name.startswith(ELSEWHERE)}
    roots = [page.parent, *(ROOT / place for place in PLACES)]
    assert not sorted(name for name in names if not any((root / name).exists() for root in roots))


def test_pages_do_name_files() -> None:
    """The test above has something to look at."""
    named = {name for page in PAGES for name in NAMED.findall(page.read_text(encoding="utf-8"))}
    assert {"core/guard/abft.py", "register_block.clh", "suites/weekly/test_weekly.py"} <= named
