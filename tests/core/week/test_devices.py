"""Each driver on each device: never better than the channel, and never better than its own last run."""

from __future__ import annotations

from typing import Any

from pytest_weekops.core.week.channel import ChannelState, channel_of
from pytest_weekops.core.week.devices import DeviceState, device_states
from pytest_weekops.core.week.entry import RunEntry, run_entries
from tests.support.entries import failure, numbered, promote, stage

ELSEWHERE: dict[str, Any] = {
    "drivers": {"clover": "9"}, "hardware": {"clover": "a card"}, "plan": {"platforms": ["clover"]},
}  # fmt: skip
MILD: dict[str, Any] = {"severity": 3, "exit_status": 1, "created_at": "2026-11-20T12:00:00+00:00"}


def states(*parts: Any) -> tuple[DeviceState, ...]:
    """What is said of each driver of these records."""
    entries = numbered(*parts)
    return device_states(run_entries(entries), channel_of(entries))


def words(*parts: Any) -> list[tuple[str, str, str | None]]:
    """Platform, driver and state of each."""
    return [(each.platform, each.driver, each.state and each.state.value) for each in states(*parts)]


def test_the_last_driver_of_a_device_has_the_state() -> None:
    """The one before it has none any more, whatever it was."""
    newer = promote("second", drivers={"pocl": "2"})
    assert words(promote("first"), newer) == [("pocl", "2", "promoted"), ("pocl", "1", None)]
    first, second = states(promote("first"), promote("again"))[0], states(promote("first"), newer)[0]
    assert ([run.run_id for run in first.runs], first.promote and first.promote.run_id) == (["first", "again"], "again")
    assert second.why == "run second promoted"


def test_a_failure_elsewhere_holds_every_device() -> None:
    """One channel: a promote here is no leave to deploy while something else stands open."""
    (there, here) = states(promote("here"), failure("there", **ELSEWHERE))
    assert (there.state, there.open[0].run_id, there.promote) == (ChannelState.FROZEN, "there", None)
    assert (here.state, here.open) == (ChannelState.FROZEN, ())
    assert "held by something else" in here.why


def test_a_mild_failure_is_iterate() -> None:
    """It does not freeze, and is no promote."""
    mild: dict[str, Any] = {"severity": 3, "exit_status": 1}
    assert words(promote("first"), failure("later", **mild)) == [("pocl", "1", "iterate")]


def test_who_did_not_promote_last_is_not_promoted_by_others() -> None:
    """A mild failure of an earlier week is answered in the channel by any promote, and not on its own device."""
    runs: list[RunEntry] = [promote("here", created_at="2026-11-19T12:00:00+00:00"), failure("mild", **MILD)]
    entries = numbered(*runs, promote("there", **{**ELSEWHERE, "plan": runs[0].plan}))
    assert channel_of(entries).state is ChannelState.PROMOTED
    found = device_states(run_entries(entries), channel_of(entries))
    assert [(each.platform, each.state) for each in found] == [
        ("clover", ChannelState.PROMOTED),
        ("pocl", ChannelState.ITERATE),
    ]


def test_a_gate_alone_measures_nothing() -> None:
    """And a rollback holds what promoted before it."""
    (gate,) = states(promote("gate", "canonical"))
    assert (gate.state, gate.why, gate.promote) == (ChannelState.ITERATE, "it was not measured", None)
    assert words(promote("first"), stage("begun"), stage("verified")) == [("pocl", "1", "rolled_back")]
