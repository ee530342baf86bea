"""Deadlines by phase: what an option says comes before what a profile asks for, and that before what is usual."""

from __future__ import annotations

from pytest_weekops.core.measurement.plan import Deadlines, deadline_phases


def test_a_first_build_is_bounded_as_builds_are_where_that_is_said() -> None:
    """Who gives a build five seconds means the first one; nobody who says nothing does."""
    assert Deadlines(build_s=5.0).first_build_s == 5.0
    assert Deadlines(build_s=5.0, first_build_s=50.0).first_build_s == 50.0
    assert Deadlines().first_build_s > Deadlines().build_s
    assert Deadlines.model_validate(Deadlines(launch_s=3.0)) == Deadlines(launch_s=3.0)


def test_a_profile_is_heard_where_no_option_speaks() -> None:
    """By phase, spelled as the options are."""
    asked = Deadlines(launch_s=5.0)
    found = asked.on({"first-build": 900.0, "launch": 600.0, "warm-up": 700.0})
    assert (found.first_build_s, found.launch_s, found.warm_up_s) == (900.0, 5.0, 700.0)
    assert found.build_s == Deadlines().build_s
    assert asked.on({}) == asked
    assert Deadlines(build_s=5.0).on({"first-build": 900.0}).first_build_s == 5.0
    assert Deadlines().on({"build": 400.0}).build_s == 400.0


def test_phases_are_spelled_as_options_are() -> None:
    """Each has its own."""
    assert {"first-build", "warm-up", "read-back", "close"} <= set(deadline_phases())
