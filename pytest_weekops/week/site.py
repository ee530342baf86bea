"""The site of a report directory: static pages from the ledger and the run directories, made anew where they changed.

Nothing here is evidence, and nothing is written outside of the site's own directory.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pytest_weekops.week.site_files import has_many_pages, is_older
from pytest_weekops.week.site_work import Ahead

if TYPE_CHECKING:
    from pytest_weekops.week.site_building import Built

SITE_NAME = "site"
GROWS = ("ledger.head", "imported.json")  # in a report directory; with one of them cells of histories grow


def build_site(report_dir: Path, output: Path, *, copy: bool = False) -> Built:
    """Build or refresh the site. With ``copy`` the runs' own pages are copied into it, else linked where they lie.

    Raises ``InputError`` for a ledger that does not verify and for a directory that holds something else.
    """
    has_grown = has_many_pages(output) and is_older(output, *(report_dir / name for name in GROWS))
    with Ahead(_get_ready, is_worth=has_grown) as drawing:
        # Behind the line above, since it takes as long to load as what draws.
        from pytest_weekops.week.site_building import built

        return built(report_dir, output, drawing, copy=copy)


def _get_ready() -> None:
    """Load what draws cells: it takes as long as to find out which of them are to be drawn."""
    from pytest_weekops.week.site_cells import load

    load()
