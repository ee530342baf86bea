"""The search: every ladder, every build that says nothing, whatever the order in which answers become known."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_weekops.core.bisect.search import Contradiction, Narrowed, Said, most_answers, narrowed

LADDERS = st.integers(1, 70).flatmap(
    lambda last: st.tuples(st.just(last), st.integers(1, last), st.sets(st.integers(1, max(1, last - 1))))
)


def truth(place: int, first_bad: int, mute: set[int]) -> Said:
    """What a build says that is asked."""
    if place in mute:
        return Said.SKIPPED
    return Said.BAD if place >= first_bad else Said.GOOD


@settings(deadline=None)
@given(LADDERS)
def test_a_search_ends_in_time_and_keeps_the_first_bad_build(ladder: tuple[int, int, set[int]]) -> None:
    """Within ``ceil(log2 n)`` answers and one step more for each skip; what is left has the right one, and no more."""
    last, first_bad, mute = ladder
    mute -= {0, last}
    answers: dict[int, Said] = {}
    while (place := (state := narrowed(last, answers)).next_place) is not None:
        assert first_bad in state.suspects
        assert place not in answers
        answers[place] = truth(place, first_bad, mute)
    skipped = sum(said is Said.SKIPPED for said in answers.values())
    assert len(answers) - skipped <= math.ceil(math.log2(last)) == most_answers(last)
    assert first_bad in state.suspects
    assert all(place in mute for place in state.suspects[:-1])
    assert state.is_exact == (len(state.suspects) == 1)
    if not mute:
        assert (state.good, state.bad) == (first_bad - 1, first_bad)


@settings(deadline=None)
@given(LADDERS, st.data())
def test_right_answers_never_leave_the_first_bad_build_out(
    ladder: tuple[int, int, set[int]], data: st.DataObject
) -> None:
    """Of any builds, in any order."""
    last, first_bad, mute = ladder
    mute -= {0, last}
    asked = data.draw(st.permutations(range(last + 1)).flatmap(lambda p: st.integers(0, last + 1).map(lambda n: p[:n])))
    answers = {place: truth(place, first_bad, mute) for place in asked}
    state = narrowed(last, answers)
    assert first_bad in state.suspects
    assert not set(state.untried) & set(asked)
    assert state.good < state.bad


@settings(deadline=None)
@given(st.integers(1, 20), st.data())
def test_a_bad_build_before_a_good_one_is_a_contradiction_and_nothing_else_is(last: int, data: st.DataObject) -> None:
    """Answers that no first bad build explains are refused, with both places."""
    answers = data.draw(st.dictionaries(st.integers(0, last), st.sampled_from(Said)))
    known = {0: Said.GOOD, last: Said.BAD, **answers}
    good = [place for place, said in known.items() if said is Said.GOOD]
    bad = [place for place, said in known.items() if said is Said.BAD]
    if any(g >= b for g in good for b in bad) or (bad and 0 in bad) or last in good:
        with pytest.raises(Contradiction) as raised:
            narrowed(last, answers)
        assert raised.value.bad <= raised.value.good
    else:
        assert isinstance(narrowed(last, answers), Narrowed)


@pytest.mark.parametrize(("last", "answers"), [(0, {}), (3, {4: Said.GOOD}), (3, {-1: Said.BAD})])
def test_a_place_that_is_no_builds_is_refused(last: int, answers: dict[int, Said]) -> None:
    """A ladder has two ends at least."""
    with pytest.raises(ValueError, match="places 0 to"):
        narrowed(last, answers)
