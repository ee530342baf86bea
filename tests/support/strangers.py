"""A tiny plugin of somebody else's that takes three of our everyday words, loaded in every way there is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PLUGIN = """
def pytest_addoption(parser, pluginmanager):
    parser.addoption("--device", action="append", default=[])
    parser.addoption("--mode", choices=("dark", "light"))
    parser.getgroup("strange", "Strange things").addoption("--seed", type=int)
    parser.came = "after" if pluginmanager.hasplugin("weekops") else "before"


def pytest_report_header(config):
    words = ("weekops_sizes", "weekops_iterations", "weekops_sessions", "weekops_mode", "weekops_device")
    ours = "; ".join(f"{word}={config.getoption(word, None)}" for word in words)
    theirs = f"device={config.option.device} mode={config.option.mode} seed={config.option.seed}"
    return f"theirs, {config._parser.came} ours: {theirs}\\nours: {ours}"
"""
CAMPAIGN = """
import pytest

pytestmark = pytest.mark.weekops_campaign("weekly")


def test_cell(weekops_case, measure):
    measure(weekops_case)
"""
ENTRY_POINT = {
    "METADATA": "Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n",
    "entry_points.txt": "[pytest11]\nstranger = stranger\n",
}
# how it is loaded -> (where its directory stands on sys.path, words of pytest's command line, who comes first)
WAYS: dict[str, tuple[str, tuple[str, ...], str]] = {
    "an entry point before ours": ("first", (), "before"),
    "an entry point after ours": ("last", (), "after"),
    "with -p": ("first", ("-p", "stranger"), "before"),
    "with -p, ours too": ("first", ("-p", "stranger", "-p", "weekops"), "before"),
    "with -p, behind ours": ("first", ("-p", "weekops", "-p", "stranger"), "after"),
    "from a conftest": ("last", (), "after"),
}


def settle(directory: Path, way: str) -> None:
    """Lay the plugin out in a project of its own, as this way of loading wants it."""
    home = directory / "site"
    home.mkdir()
    (directory / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (directory / "test_unrelated.py").write_text("def test_sum():\n    assert 1 + 1 == 2\n", encoding="utf-8")
    (directory / "campaign.py").write_text(CAMPAIGN, encoding="utf-8")
    if way == "from a conftest":
        (directory / "conftest.py").write_text(PLUGIN, encoding="utf-8")
        return
    (home / "stranger.py").write_text(PLUGIN, encoding="utf-8")
    if "entry point" in way:
        (home / "stranger-1.0.dist-info").mkdir()
        for name, text in ENTRY_POINT.items():
            (home / "stranger-1.0.dist-info" / name).write_text(text, encoding="utf-8")


def run_beside(directory: Path, way: str, *arguments: str, **environment: str) -> tuple[int, str]:
    """Exit status and output of pytest in that project."""
    place, words, _order = WAYS[way]
    home = str(directory / "site")
    path = f"sys.path.insert(0, {home!r})" if place == "first" else f"sys.path.append({home!r})"
    program = f"import sys; {path}; import pytest; sys.exit(pytest.main())"
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    done = subprocess.run(
        [sys.executable, "-c", program, "-p", "no:cacheprovider", *words, *arguments],
        cwd=directory,
        env={**clean, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr
