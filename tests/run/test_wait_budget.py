"""The time that a run may spend on waiting, and who is measured again."""

from __future__ import annotations

import time

import pytest

from pytest_weekops.core.policy.policy import HostRules
from pytest_weekops.run.wait_budget import WaitBudget


def test_a_void_case_has_the_attempts_of_the_policy() -> None:
    """As long as there is time, and it did not wait in vain."""
    budget = WaitBudget(HostRules(max_attempts=3))
    budget.spend(1.0, 4.0, is_void=True)
    assert [budget.is_for(attempt) for attempt in (2, 3, 4)] == [True, True, False]
    assert budget.of_attempt_s == 20.0


def test_a_case_that_waited_as_long_as_it_may_is_not_measured_again() -> None:
    """Another attempt would meet the same neighbour; one that may not wait at all waited for nothing."""
    budget = WaitBudget(HostRules())
    budget.spend(20.0, 24.0, is_void=True)
    assert not budget.is_for(2)
    budget.spend(19.0, 24.0, is_void=True)
    assert budget.is_for(2)
    never = WaitBudget(HostRules(max_wait_s=0.0))
    never.spend(0.0, 4.0, is_void=True)
    assert never.is_for(2)


def test_a_run_has_one_budget_for_all_its_cases() -> None:
    """Waiting counts, and the whole of what was void; what is left bounds the next case, and nothing is below 0."""
    budget = WaitBudget(HostRules(max_wait_minutes=1.0))
    budget.spend(15.0, 40.0, is_void=False)
    assert budget.of_attempt_s == 20.0
    budget.spend(3.0, 35.0, is_void=True)
    assert budget.of_attempt_s == pytest.approx(10.0)
    budget.spend(9.0, 300.0, is_void=True)
    assert (budget.of_attempt_s, budget.is_for(2)) == (0.0, False)


def test_settling_is_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it is broken off."""
    clock = iter((10.0, 22.0))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    budget = WaitBudget(HostRules(max_wait_minutes=0.3))
    with pytest.raises(KeyboardInterrupt), budget.settling():
        raise KeyboardInterrupt
    assert budget.of_attempt_s == pytest.approx(6.0)
