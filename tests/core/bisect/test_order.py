"""Builds stand in the order in which people read their versions."""

from __future__ import annotations

import itertools

import pytest

from pytest_weekops.core.bisect.order import version_key


@pytest.mark.parametrize(
    "ordered",
    [
        ("25.0", "25.0.1", "25.2", "25.9", "25.10", "26.0"),
        ("/opt/mesa-25.2-rc1", "/opt/mesa-25.2-rc2", "/opt/mesa-25.2-rc10", "/opt/mesa-25.2", "/opt/mesa-25.2.1"),
        ("v1.0alpha", "v1.0beta2", "v1.0rc1", "v1.0", "v1.0a"),
        ("build-2", "build-10", "build-10a", "build-10b"),
        ("dev", ""),
        ("A-1", "a-2", "A-3"),
    ],
)
def test_versions_are_read_as_people_read_them(ordered: tuple[str, ...]) -> None:
    """Whatever order they come in."""
    for mixed in itertools.permutations(ordered):
        assert sorted(mixed, key=version_key) == list(ordered)
