"""A run has many requirements: its false block is bounded as a whole, and the list of what failed is Holm's.

Each of ``m`` requirements gets an ``m``-th of the run's error; where some fail, the rest share it among fewer (Holm
1979; for looks, Maurer and Bretz 2013). So the run fails where the strictest of all says so, and each further name in
the list is as sure as the first. On the passing side nothing is divided: a promote needs every requirement to pass.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pytest_weekops.core.judge.certainty.answers import Answer, Errors, Requirement, answer
from pytest_weekops.core.judge.certainty.sequential import LookPlan
from pytest_weekops.core.judge.finding import CheckStatus

Asked = Callable[[Errors], Answer]  # a requirement that waits for its own error


@dataclass(frozen=True)
class RunAnswer:
    """Answers in the order asked."""

    answers: tuple[Answer, ...]

    @property
    def status(self) -> CheckStatus:
        """Fail where any fails, pass where every one passes and there is one, else inconclusive."""
        found = {each.status for each in self.answers}
        if CheckStatus.FAIL in found:
            return CheckStatus.FAIL
        return CheckStatus.PASS if found == {CheckStatus.PASS} else CheckStatus.INCONCLUSIVE

    @property
    def is_decided(self) -> bool:
        """Whether every requirement is decided, so that measuring may stop."""
        return all(each.is_decided for each in self.answers)

    @property
    def failing(self) -> tuple[str, ...]:
        """Names of what failed, each with the whole run's error behind it."""
        return tuple(each.name for each in self.answers if each.status is CheckStatus.FAIL)


def answer_run(
    requirements: Sequence[Requirement], plan: LookPlan, errors: Errors | None = None, *, family: int | None = None
) -> RunAnswer:
    """Answer the requirements of a run. ``family``: how many share its ``false_fail``, other checks' included.

    Raises ``ValueError`` as :func:`~pytest_weekops.core.judge.certainty.answers.answer` does, and for a family smaller
    than what is asked.
    """
    asked = [lambda own, each=each: answer(each, plan, own) for each in requirements]
    return step_down(asked, errors or Errors(), family=family)


def step_down(asked: Sequence[Asked], errors: Errors, *, family: int | None = None) -> RunAnswer:
    """Holm's steps over anything that can be asked with an error of its own: floors, trends and falls together."""
    size = len(asked) if family is None else family
    if size < len(asked):
        raise ValueError(f"a family of {size} cannot hold {len(asked)} requirements")
    failed: dict[int, Answer] = {}
    while True:
        shared = len(failed)
        own = replace(errors, false_fail=errors.false_fail / max(1, size - shared))
        answers = [failed.get(place) or ask(own) for place, ask in enumerate(asked)]
        failed |= {place: each for place, each in enumerate(answers) if each.status is CheckStatus.FAIL}
        if len(failed) in (shared, len(asked)):
            return RunAnswer(tuple(answers))
