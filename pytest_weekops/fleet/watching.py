"""A fleet run as people see it while it lasts: a line for each change, or whatever draws how it stands."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from pytest_weekops.core.fleet.fleet_file import FleetFile
from pytest_weekops.core.fleet.outcome import HostOutcome, HostState
from pytest_weekops.core.fleet.progress import HostProgress, Row, about, rows, worst

TOLD_S = 60.0  # between two lines about a label that say how far it has come
_LONGEST = 1000


class FleetWatch:
    """How every host stands, from the first moment on.

    Without ``draw`` each change of a host's state is said, and how far its label has come once a minute. With it, it
    is called at each change, and only outcomes that are no promote are said.
    """

    def __init__(
        self, fleet: FleetFile, say: Callable[[str], None], draw: Callable[[FleetWatch], None] | None = None
    ) -> None:
        self._fleet = fleet
        self._say = say
        self._draw = draw
        self._hosts = {host.name: HostProgress(host.name, host.label) for host in fleet.hosts}
        self._outcomes: dict[str, HostOutcome] = {}
        self._told_at = time.monotonic()
        self._told: dict[str, Row] = {}

    def rows(self) -> list[Row]:
        """How each label stands, and all of them."""
        return rows(self._fleet.labels, self._hosts.values(), time.monotonic())

    def worst(self) -> str:
        """The gravest outcome so far in a line, or nothing."""
        return worst(self._outcomes.values(), self._fleet.severity)

    def stands(self, host: HostProgress) -> None:
        """A host stands so: its gate was begun, or came further."""
        changed = host.state != self._hosts[host.host].state
        self._hosts[host.host] = host
        if changed and self._draw is None:
            self._say(host.words(time.monotonic()))
        self._shown()

    def ended(self, outcome: HostOutcome, *, as_before: bool = False) -> None:
        """A host has this outcome; ``as_before`` it was begun again."""
        known = self._hosts[outcome.host]
        self._hosts[outcome.host] = replace(known, state=outcome.state.value, ended=time.monotonic())
        self._outcomes[outcome.host] = outcome
        if self._draw is None or outcome.state is not HostState.PROMOTED:
            why = ", as before" if as_before else f": {outcome.why}" if outcome.why else ""
            self._say(f"{outcome.host} ({outcome.label}): {outcome.state.value}{why}"[:_LONGEST])
        self._shown()

    def _shown(self) -> None:
        if self._draw is not None:
            self._draw(self)
            return
        moment = time.monotonic()
        if moment - self._told_at < TOLD_S:
            return
        self._told_at = moment
        for row in self.rows():
            counted = replace(row, left_s=None)
            if self._told.get(row.label) != counted:
                self._told[row.label] = counted
                self._say(row.words())


__all__ = ["TOLD_S", "FleetWatch", "Row", "about"]
