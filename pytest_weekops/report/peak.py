"""Level 0 as lines for people: a block per platform, a line per item, and what is to be known of all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_weekops.core.measurement.peak import ITEMS, PeakResult, PlatformPeak

_NAME = max(map(len, ITEMS))


def peak_lines(platforms: Sequence[PlatformPeak]) -> Iterator[str]:
    """The lines. Each number is a median with its 95 % interval; what has none says why."""
    for platform in platforms:
        about = f": {platform.device}, {platform.driver}" if platform.device else ""
        yield f"{platform.platform}{about}"
        yield from (f"  {_line(item)}" for item in platform.items)
        if platform.ended:
            yield f"  ENDED: {platform.ended}"
        there = {item.name for item in platform.items}
        if there and (missing := [name for name in ITEMS if name not in there]):
            yield f"  not measured: {', '.join(missing)}"
    yield "Medians, with 95 % intervals from order statistics in brackets. Only right results have a number."


def _line(item: PeakResult) -> str:
    name = f"{item.name:<{_NAME}}"
    if item.status != "ok":
        word = {"wrong": "WRONG", "failed": "FAILED", "not_applicable": "not applicable"}[item.status]
        return f"{name}  {word}: {item.reason}"
    remark = f"; {item.reason}" if item.reason else ""
    value, low, high = (figure(number) for number in (item.value, item.low, item.high))
    return f"{name}  {value:>8} {item.unit:<6}  [{low}, {high}]  {item.how}{remark}"


def figure(number: float | None) -> str:
    """A number in four digits, so that 0.0312 and 31200 are both read at a glance."""
    if number is None:
        return "-"
    return f"{number:.0f}" if number >= 1000 else f"{number:.4g}"
