"""The pages become a site without a warning."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def build(docs: Path, place: Path) -> subprocess.CompletedProcess[str]:
    """Build the site as CONTRIBUTING says, warnings being errors."""
    pytest.importorskip("sphinx", reason="the extra docs is not installed")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", "-d", f"{place}-trees"]
    return subprocess.run([*command, str(docs), str(place)], capture_output=True, text=True, check=False)


def test_the_site_builds_without_a_warning(repository: Path, tmp_path: Path) -> None:
    """Every link leads somewhere, every page is in a table of contents, and pictures are taken along."""
    done = build(repository / "docs", tmp_path / "site")
    assert (done.returncode, done.stderr) == (0, "")
    for name in ("index", "tutorial/index", "how-to/index", "reference/options", "explanation/architecture"):
        assert (tmp_path / "site" / f"{name}.html").is_file()
    assert {path.name for path in (tmp_path / "site" / "_images").iterdir()} >= {"rooms.svg", "terminal.svg"}
