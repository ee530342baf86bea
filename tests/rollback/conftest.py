"""A report directory with a profile in force."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_weekops.rollback.switch import Rollout
from tests.support.rollbacks import OLD, Checks


@pytest.fixture
def deployed(tmp_path: Path) -> Path:
    """A report directory in which rusticl's profile is active."""
    Rollout(tmp_path).apply(OLD, Checks())
    return tmp_path
