"""Ledgers to be tested: the same tests for a file and for a database."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from pytest_weekops.week.ledger_sharing import join_ledger
from tests.support.ledgers import Kept
from tests.support.postgres import Server

_numbers = count(1)


@pytest.fixture(params=["sqlite", "postgresql"])
def kept(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kept:
    """A report directory whose ledger is empty: its own file, or one of a team's database that it has joined."""
    if request.param == "sqlite":
        return Kept(tmp_path)
    make: Callable[[], Kept] = request.getfixturevalue("shared")
    return make()


@pytest.fixture
def shared(postgres: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Kept]:
    """Make a ledger in the database, and let the test's directory join it."""
    monkeypatch.setenv("WEEKOPS_LEDGER", postgres.url())

    def make() -> Kept:
        name = f"t{next(_numbers)}"
        join_ledger(tmp_path, name, new=True)
        return Kept(tmp_path, postgres, f"weekops_{name}")

    return make
