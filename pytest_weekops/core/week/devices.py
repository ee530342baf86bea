"""The channel as each driver on each device sees it, drawn from runs and the one channel there is. Pure.

No driver stands better here than the channel does: one ledger has one channel, and that is what a deployment asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_weekops.core.week.channel import Channel, ChannelState
from pytest_weekops.core.week.entry import RunEntry


@dataclass(frozen=True)
class DeviceState:
    """One driver on one device: its runs, oldest first, and its state; None where another driver came after it.

    ``open`` are its runs that did not promote and are not answered; ``promote`` is its last promote, if it has one.
    """

    platform: str
    hardware: str
    driver: str
    state: ChannelState | None
    why: str
    runs: tuple[RunEntry, ...]
    open: tuple[RunEntry, ...]
    promote: RunEntry | None


def device_states(runs: Sequence[RunEntry], channel: Channel) -> tuple[DeviceState, ...]:
    """Every driver on every device, the one that was measured last first. ``runs`` are in their order."""
    mine: dict[tuple[str, str, str], list[RunEntry]] = {}
    last: dict[tuple[str, str], str] = {}
    for run in runs:
        for platform, driver in run.drivers.items():
            device = platform, run.hardware.get(platform, "")
            mine[(*device, driver)] = [*mine.pop((*device, driver), []), run]
            last[device] = driver
    states = (_state(key, tuple(found), channel, is_last=last[key[:2]] == key[2]) for key, found in mine.items())
    return tuple(states)[::-1]


def _state(key: tuple[str, str, str], runs: tuple[RunEntry, ...], channel: Channel, *, is_last: bool) -> DeviceState:
    ids = {run.run_id for run in runs}
    standing = tuple(one.run for one in channel.obstacles if one.run.run_id in ids)
    measured = [run for run in runs if run.kind != "canonical"]
    promote = next((run for run in reversed(measured) if run.is_promote), None)
    state, why = _judged(measured, standing, channel, is_last=is_last)
    return DeviceState(*key, state, why, runs, standing, promote)


def _judged(
    measured: Sequence[RunEntry], standing: Sequence[RunEntry], channel: Channel, *, is_last: bool
) -> tuple[ChannelState | None, str]:
    if not is_last:
        return None, "another driver was measured on this device after it"
    if standing:
        state = ChannelState.FROZEN if any(run.freezes for run in standing) else ChannelState.ITERATE
        return state, f"not answered: {', '.join(run.run_id for run in standing)}"
    if not measured or not measured[-1].is_promote:
        return (
            ChannelState.ITERATE,
            "its last weekly or split run did not promote" if measured else "it was not measured",
        )
    if channel.state is not ChannelState.PROMOTED:
        return channel.state, "its own last run promoted; the channel is held by something else"
    return ChannelState.PROMOTED, f"run {measured[-1].run_id} promoted"
