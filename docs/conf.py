"""How the pages become a site: ``sphinx-build -q -W -b html docs build/docs``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[1]

project = "pytest-weekops"
author = "the pytest-weekops authors"
(release,) = re.findall(
    r'^__version__ = "(.+)"$', (ROOT / "pytest_weekops" / "__init__.py").read_text("utf-8"), re.MULTILINE
)
version = release

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["generate.py", "**/__pycache__"]

myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]
suppress_warnings = ["toc.not_included"]

html_theme = "furo"
html_title = f"pytest-weekops {release}"
html_show_sphinx = False
html_show_copyright = False


def _without_empty_parts(_app: Sphinx, _name: str, source: list[str]) -> None:
    """Leave out the tables of contents of folders that have no page yet: Sphinx would warn of each."""
    docs = Path(__file__).parent
    for block in re.findall(r"```\{toctree\}.*?```\n", source[0], re.DOTALL):
        (pattern,) = re.findall(r"^([a-z-]+)/\*$", block, re.MULTILINE)
        if not list(docs.glob(f"{pattern}/*.md")):
            source[0] = source[0].replace(block, "")


def setup(app: Sphinx) -> None:
    """Register what Sphinx has no setting for."""
    app.connect("source-read", _without_empty_parts)
