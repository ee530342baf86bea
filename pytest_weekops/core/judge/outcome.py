"""How checks phrase what they found: a pass needs evidence that is there, everything else says which is not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from pytest_weekops.core.judge.finding import CheckStatus, Finding
from pytest_weekops.core.measurement.records import Measurement

_SHOWN = 4


def passed(check: str, message: str, **facts: Any) -> Finding:
    """The check looked at evidence and found it good."""
    return Finding(check=check, status=CheckStatus.PASS, reason_code="ok", message=message, **facts)


def waived(check: str, code: str, message: str, **facts: Any) -> Finding:
    """The evidence was left out on purpose, for a reason in words: the verdict's line says them."""
    return Finding(check=check, status=CheckStatus.PASS, reason_code=code, message=message, **facts)


def failed(check: str, code: str, message: str, **facts: Any) -> Finding:
    """The evidence is there and it is bad."""
    return Finding(check=check, status=CheckStatus.FAIL, reason_code=code, message=message, **facts)


def no_data(check: str, code: str, message: str, **facts: Any) -> Finding:
    """Evidence that is asked for is not there."""
    return Finding(check=check, status=CheckStatus.NO_DATA, reason_code=code, message=message, **facts)


def inconclusive(check: str, code: str, message: str, **facts: Any) -> Finding:
    """The evidence is there and does not decide."""
    return Finding(check=check, status=CheckStatus.INCONCLUSIVE, reason_code=code, message=message, **facts)


def failed_by_name(
    check: str, code: str, problems: Iterable[tuple[str, str]], words: Callable[[str], str]
) -> Finding | None:
    """A failure that lists each (name, problem) with a problem, told in ``words``; None where there is none."""
    bad = [(name, problem) for name, problem in problems if problem]
    if not bad:
        return None
    message = words(listed([f"{name}: {problem}" for name, problem in bad]))
    return failed(check, code, message, rows=tuple(name for name, _problem in bad), observed=len(bad), required=0)


def problems_of(measured: Iterable[Measurement], problem: Callable[[Measurement], str]) -> Iterator[tuple[str, str]]:
    """Name and problem of each measurement that has one."""
    return ((m.case.id, found) for m in measured if (found := problem(m)))


def listed(items: Sequence[str]) -> str:
    """The first few items and how many more there are."""
    more = f" and {len(items) - _SHOWN} more" if len(items) > _SHOWN else ""
    return ", ".join(items[:_SHOWN]) + more
