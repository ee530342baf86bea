"""How the pages become a site: ``sphinx-build -q -W -b html docs build/docs``."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

project = "pytest-weekops"
author = "the pytest-weekops authors"
(release,) = re.findall(
    r'^__version__ = "(.+)"$', (ROOT / "pytest_weekops" / "__init__.py").read_text("utf-8"), re.MULTILINE
)
version = release

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}

smartquotes = False  # two dashes begin an option
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["tables.css"]
html_copy_source = False
html_title = f"pytest-weekops {release}"
html_show_sphinx = False
html_show_copyright = False
