"""The older evaluators' arithmetic as it was: Python's ``max`` with its NaN habit, exact means, inclusive bounds."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from typing import Any

from pytest_weekops.core.judge.finding import CheckStatus, Finding
from pytest_weekops.core.numbers import as_number
from pytest_weekops.core.recorded.campaign import Run


class OlderError(Exception):
    """The older evaluator would have raised here; today that is a finding that fails."""


def need(value: object, what: str) -> float:
    """A number, or ``OlderError`` where the older code would have failed to convert it."""
    number = as_number(value)
    if number is None:
        raise OlderError(f"{what} is {'missing' if value is None else repr(value)[:40]}")
    return number


def metric(run: Run, name: str) -> float:
    """A metric that the older code read without a default."""
    return need(run.metrics.get(name), f"{name} of {run.name}")


def metric_or_zero(run: Run, name: str) -> float:
    """A metric for which the older code took 0 where the key was absent."""
    return need(run.metrics.get(name, 0.0), f"{name} of {run.name}")


def mean(values: Sequence[float]) -> float:
    """Exact arithmetic mean, as ``statistics.mean`` rounds it."""
    try:
        return float(statistics.mean(values))
    except (statistics.StatisticsError, OverflowError) as error:
        raise OlderError("a mean cannot be formed") from error


def change_percent(first: float, last: float) -> float:
    """Change in percent; 0 where there was nothing to begin with."""
    return (last - first) / first * 100.0 if first != 0 else 0.0


def check(name: str, compute: Callable[[], tuple[bool, dict[str, Any]]]) -> Finding:
    """Run one older check; where it would have raised, it fails and says so."""
    try:
        passed, facts = compute()
    except (OlderError, OverflowError) as error:
        return Finding(
            check=name,
            status=CheckStatus.FAIL,
            reason_code="unreadable",
            message=f"{error}: the older evaluator stopped with an error here",
        )
    message = str(facts.pop("message", "") or _words(facts, passed=passed))
    status = CheckStatus.PASS if passed else CheckStatus.FAIL
    return Finding(check=name, status=status, reason_code="ok" if passed else "bound", message=message, **facts)


def _words(facts: dict[str, Any], *, passed: bool) -> str:
    verb = "holds" if passed else "does not hold"
    seen = f" observed {facts['observed']}" if facts.get("observed") is not None else ""
    wanted = f", required {facts['required']}" if facts.get("required") is not None else ""
    rows = f" ({', '.join(facts['rows'][:6])})" if facts.get("rows") and not passed else ""
    return f"{verb}:{seen}{wanted}{rows}" if seen or wanted or rows else verb
