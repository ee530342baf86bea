"""What all tests share: which platforms must be there, and a private place for device locks."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_weekops.core.errors import InputError
from tests.support.benches import benches, host, own_kernels, start_bench
from tests.support.gates import gate

__all__ = ["benches", "gate", "host", "own_kernels", "start_bench"]  # fixtures, for the tests of every room


@pytest.fixture(scope="session")
def need_platform(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """``need_platform(name)``: the name where that driver is installed; else skip, or fail where it is required."""
    from pytest_weekops.drivers.platforms import resolve_platforms

    scratch = tmp_path_factory.mktemp("platforms")

    def need(name: str) -> str:
        required = os.environ.get("WEEKOPS_REQUIRE_PLATFORMS", "").split(",")
        try:
            resolve_platforms([name], scratch=scratch)
        except InputError as error:
            if name in required:
                pytest.fail(f"platform {name} is required here and missing: {error}")
            pytest.skip(f"platform {name} is not installed: {error}")
        return name

    return need


@pytest.fixture(scope="session")
def repository() -> Path:
    """The project's root directory."""
    return Path(__file__).resolve().parents[1]
