"""What a rerun expects to fail that the run before it did not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_OF_NO_WEIGHT = ("reason", "owner", "expires")


def more_expected(new: Any, old: Any) -> Iterator[str]:
    """Each expectation of plan data ``new`` that ``old`` did not have, or had with an earlier day.

    What is no list has none, and an entry that is not understood is told as one more.
    """
    before = [_weight(one) for one in _entries(old)]
    for one in _entries(new):
        key, expires = _weight(one)
        if not any(known == key and expires <= until for known, until in before):
            yield f"expects {_told(one)} to fail, and did not before"


def _entries(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def _weight(one: Any) -> tuple[Any, str]:
    """What an entry excuses, and until when as an ISO day; of one that is no mapping nothing is known."""
    if not isinstance(one, Mapping):
        return one, ""
    return {key: value for key, value in one.items() if key not in _OF_NO_WEIGHT}, str(one.get("expires"))


def _told(one: Any) -> str:
    if not isinstance(one, Mapping):
        return f"{one!r:.60}"
    driver = one.get("driver")
    profile = driver.get("profile") if isinstance(driver, Mapping) else driver
    if capability := one.get("capability"):
        return f"{profile} {capability} (lost until {one.get('expires')})"
    what = one.get("case") or f"{one.get('suite')} {one.get('test')}"
    return f"{profile} {what} ({one.get('kind')} until {one.get('expires')})"
