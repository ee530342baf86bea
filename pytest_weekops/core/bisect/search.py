"""The search itself: from what is known of the builds to the one that is asked next, or to the answer.

Builds have places from 0, the good one, to ``last``, the bad one. Of those in between that were not tried and can still
be the first bad one, the middle one comes next: an answer halves them and a skip takes one away, so that a search ends
after ``ceil(log2(last))`` answers and as many steps more as builds were skipped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Said(StrEnum):
    """What a step says of a build."""

    GOOD = "good"  #: the build does not have what is looked for
    BAD = "bad"  #: it has
    SKIPPED = "skipped"  #: it cannot be judged, or the budget did not decide


class Contradiction(ValueError):
    """A build is bad and a later one is good: there is no first bad build."""

    def __init__(self, bad: int, good: int) -> None:
        super().__init__(f"the build at place {bad} is bad and the one at {good} behind it is good")
        self.bad, self.good = bad, good


@dataclass(frozen=True)
class Narrowed:
    """Between which builds it happened: ``good`` is the last known good place, ``bad`` the first known bad one.

    ``untried`` are the places in between of which nothing was asked, in order.
    """

    good: int
    bad: int
    untried: tuple[int, ...]

    @property
    def is_exact(self) -> bool:
        """Whether the bad place is the first bad build, rather than the last of a range that has it."""
        return self.bad == self.good + 1

    @property
    def suspects(self) -> tuple[int, ...]:
        """Every place that can be the first bad build, in order."""
        return tuple(range(self.good + 1, self.bad + 1))

    @property
    def next_place(self) -> int | None:
        """Which build to ask; None where the search has ended."""
        return self.untried[len(self.untried) // 2] if self.untried else None


def narrowed(last: int, answers: Mapping[int, Said]) -> Narrowed:
    """What the answers leave, whatever their order. ``last`` is the bad build's place, above 0.

    Raises ``Contradiction`` where a bad build comes before a good one, ``ValueError`` for a place that is no build's.
    """
    if last < 1 or any(not 0 <= place <= last for place in answers):
        raise ValueError(f"builds have the places 0 to {last}, from 0 to 1 at least, not {sorted(answers)}")
    known = {0: Said.GOOD, last: Said.BAD, **answers}
    good = max((place for place, said in known.items() if said is Said.GOOD), default=0)
    bad = min((place for place, said in known.items() if said is Said.BAD), default=last)
    if bad <= good:
        raise Contradiction(bad, good)
    return Narrowed(good, bad, tuple(place for place in range(good + 1, bad) if place not in known))


def most_answers(last: int) -> int:
    """How many answers a search needs at most, skipped builds aside: ``ceil(log2(last))``."""
    return (last - 1).bit_length()
