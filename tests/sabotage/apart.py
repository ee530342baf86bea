"""Pytest in processes of its own with other people's plugins, real ones; its defences are off where the table says so.

What a plugin does to a process (leaves it, starts others, stops it after a second) cannot be done to that of the tests.
The project's ``conftest.py`` makes the gate's answers up in each of these processes, those of pytest-xdist included.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from tests.sabotage.defences import switch_off
from tests.support.enclosing import alone
from tests.support.replayed import replay

ROOT = Path(__file__).resolve().parents[2]
OFF = "SABOTAGE_DEFENCES_OFF"
CONFTEST = "from tests.sabotage.apart import begin\nbegin()\n"
LONGEST_S = 120.0


def begin() -> None:
    """What each process of the project begins with: made-up answers, and the defences named in the environment off."""
    patch = pytest.MonkeyPatch()
    replay(patch, Path.cwd(), lay_out=False)
    for defence in filter(None, os.environ.get(OFF, "").split(",")):
        switch_off(defence, patch)


def run_apart(
    directory: Path, words: Sequence[str], plugins: Iterable[str], *, off: Iterable[str] = ()
) -> tuple[int, str]:
    """Run pytest there, with these plugins and no others, without these defences: its status, and what it said."""
    loaded = [word for plugin in ("pytest_weekops.plugin", *plugins) for word in ("-p", plugin)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *loaded, *words],
        cwd=directory,
        env={
            **alone(os.environ),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
            OFF: ",".join(off),
        },
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )
    return done.returncode, " ".join(f"{done.stdout} {done.stderr}".split())
