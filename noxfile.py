"""The steps of ``.ci/run``, one session each, in environments of their own: ``nox -s lint``, or ``nox`` for all.

Each session installs what its step needs and calls the script of the same name in ``.ci/steps``; what a step does is
said there and nowhere else. ``nox -s tests -- tests/cli -x`` hands its arguments on to pytest.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import nox

nox.options.reuse_existing_virtualenvs = True
nox.options.error_on_missing_interpreters = False  # whoever has one CPython tests on one; nox says which it skipped

nox.options.sessions = ("lint", "types", "docs", "wheel", "coverage", "lowest", "tests")

PYTHONS = ("3.11", "3.12", "3.13")  # those of pyproject.toml's classifiers
STEPS = ".ci/steps/"


def _ask_all_of_pyenv() -> None:
    """Have pyenv's shims answer for each CPython that it holds; otherwise they do for the one in force only."""
    if not shutil.which("pyenv"):
        return
    held = subprocess.run(["pyenv", "versions", "--bare"], capture_output=True, text=True, check=False).stdout.split()
    ours = re.compile("|".join(rf"{re.escape(python)}\.\d+" for python in PYTHONS))
    if found := [version for version in reversed(held) if ours.fullmatch(version)]:
        os.environ.setdefault("PYENV_VERSION", ":".join(found))  # whoever has set it has chosen


_ask_all_of_pyenv()


def _step(session: nox.Session, name: str, *arguments: str) -> None:
    session.run(STEPS + name, *arguments, external=True)


@nox.session
def lint(session: nox.Session) -> None:
    """Ruff's rules and its formatting."""
    session.install("-e", ".[dev]")
    _step(session, "lint")


@nox.session
def types(session: nox.Session) -> None:
    """Strict types, of tests, suites and benchmarks too."""
    session.install("-e", ".[dev]")
    _step(session, "types")


@nox.session
def docs(session: nox.Session) -> None:
    """The generated reference is current, and the site builds without a warning."""
    session.install("-e", ".[dev]")
    _step(session, "docs")


@nox.session
def wheel(session: nox.Session) -> None:
    """The wheel holds what ships, and answers away from the checkout."""
    _step(session, "wheel")


@nox.session
def coverage(session: nox.Session) -> None:
    """Branches of the pure core; with arguments, of the whole package by those tests."""
    session.install("-e", ".[cpu,dev]")
    _step(session, "coverage", *session.posargs)


@nox.session(python=PYTHONS)
def lowest(session: nox.Session) -> None:
    """The short tests with the lowest versions allowed, on each CPython that is here."""
    _step(session, "lowest", *session.posargs)


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """The short tests with the newest versions, on each CPython that is here; with arguments, those tests."""
    session.install("-e", ".[cpu,test]")
    _step(session, "tests" if session.posargs else "short", *session.posargs)


@nox.session
def sabotage(session: nox.Session) -> None:
    """Every sabotage, against the wheel in a project that is not this one; no part of ``.ci/run``."""
    _step(session, "sabotage", *session.posargs)


@nox.session(python="3.11")
def fuzz(session: nox.Session) -> None:
    """Every reader of files under atheris, for ten minutes or as long as told; no part of ``.ci/run``."""
    session.install("-e", ".[test]", "atheris")
    session.run("python", "-m", "tests.fuzz.harness", *session.posargs)
