"""Platform files: what is understood whole, and what could reach the wrong driver and is refused."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_weekops.core.errors import PolicyError
from pytest_weekops.core.measurement.profile import parse_profiles

SLOW = {"first-build": 900.0, "build": 30.0}


def test_a_file_of_profiles_is_read() -> None:
    """Patterns, an environment, and the order in which auto tries; what is not said, or null, matches anything."""
    data = {
        "version": 1,
        "profiles": {
            "mine": {"platform_name": "^My .*", "environment": {"A": "1"}},
            "any": {"platform_name": None, "deadlines": SLOW},
        },
        "auto": ["mine"],
    }
    found = parse_profiles(data, "platforms.yaml")
    assert found.profiles["mine"].platform_name == "^My .*"
    assert found.profiles["mine"].environment == {"A": "1"}
    assert found.profiles["any"].platform_name is None
    assert found.profiles["any"].deadlines == SLOW
    assert found.auto == ("mine",)


REFUSED: dict[str, tuple[Any, str]] = {
    "no mapping": ([], "the document"),
    "another version": ({"version": 2}, "version"),
    "unknown key": ({"version": 1, "profiles": {"mine": {"plattform_name": "x"}}}, "profiles.mine.plattform_name"),
    "unknown type": ({"version": 1, "profiles": {"mine": {"device_types": ["tpu"]}}}, "profiles.mine.device_types.0"),
    "null environment": (
        {"version": 1, "profiles": {"mine": {"environment": {"A": None}}}},
        "profiles.mine.environment.A",
    ),
    "no phase": ({"version": 1, "profiles": {"mine": {"deadlines": {"compile": 3}}}}, "profiles.mine.deadlines"),
    "no time": ({"version": 1, "profiles": {"mine": {"deadlines": {"build": 0}}}}, "profiles.mine.deadlines.build"),
    "no end": (
        {"version": 1, "profiles": {"mine": {"deadlines": {"build": float("inf")}}}},
        "profiles.mine.deadlines.build",
    ),
    **{
        f"bad {key}": ({"version": 1, "profiles": {"mine": {key: "(unclosed"}}}, f"profiles.mine.{key}")
        for key in ("platform_name", "platform_vendor", "platform_version")
    },
}


def test_an_empty_file_is_said_to_be_empty() -> None:
    """What a parser makes of it, nothing, has no key to name."""
    with pytest.raises(PolicyError, match=r"^Platform file platforms\.yaml holds nothing\. .* Write it, or name"):
        parse_profiles(None, "platforms.yaml")


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_understood_is_refused_by_its_key(name: str) -> None:
    """With the file and the place in it, in the sentence and as facts."""
    data, key = REFUSED[name]
    with pytest.raises(PolicyError, match="could reach the wrong driver") as caught:
        parse_profiles(data, "platforms.yaml")
    assert str(caught.value).startswith(f"Platform file platforms.yaml: {key}: ")
    assert caught.value.path == "platforms.yaml"
    assert caught.value.key == ("" if key == "the document" else key)


def test_a_pattern_that_is_none_says_why() -> None:
    """In the words of the regular expressions' own parser."""
    with pytest.raises(PolicyError, match="is no regular expression: missing"):
        parse_profiles({"version": 1, "profiles": {"mine": {"platform_name": "(unclosed"}}}, "platforms.yaml")
