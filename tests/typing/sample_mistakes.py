"""What a type checker must refuse in a user's suite: each mistake is expected by its code, and one too many is told."""

from __future__ import annotations

from pytest_weekops.api import Case, Measurement, Run, load_policy, private_name  # type: ignore[attr-defined]


def mistakes(case: Case, answer: Measurement, run: Run) -> None:
    """A size is a number, a record is no text, a policy has no such limit."""
    size: str = case.size  # type: ignore[assignment]
    run.record("text")  # type: ignore[type-var]
    load_policy(3)  # type: ignore[arg-type]
    print(size, answer.no_such_number, private_name)  # type: ignore[attr-defined]
