"""The guards' states on disk: one file per report directory, locked against a second writer, whole or absent."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_weekops.core.errors import InputError
from pytest_weekops.core.guard.rails import Event, GuardState, advance
from pytest_weekops.core.measurement.lane_records import GuardEvidence
from pytest_weekops.core.measurement.records import Measurement, MeasurementStatus
from pytest_weekops.core.policy.policy import GuardRules
from pytest_weekops.files.atomic import write_atomic

BOOK_NAME = "guards.json"


@dataclass(frozen=True)
class Noted:
    """A measurement's evidence with the standing of its guard, and the event where that changed."""

    evidence: GuardEvidence
    key: str
    event: Event | None
    reason: str


class GuardBook:
    """The states of one report directory."""

    def __init__(self, report_dir: Path, *, rules: GuardRules, bounded_from: int, run_id: str) -> None:
        self.path = report_dir / BOOK_NAME
        self._rules = rules
        self._bounded_from = bounded_from
        self._run_id = run_id

    def note(self, measurement: Measurement, *, when: str) -> Noted | None:
        """Advance the state behind a guarded measurement; None where it has no guard. Raises ``InputError``."""
        if measurement.guard is None:
            return None
        key = guard_key(measurement)
        with self._locked():
            states = self.states()
            before = states.get(key, GuardState())
            after, event = advance(
                before,
                measurement.guard,
                self._rules,
                bounded=measurement.operation == "gemm" and measurement.case.size >= self._bounded_from,
                when=when,
                run_id=self._run_id,
                missed=_missed(measurement, self._rules),
            )
            if after != before:
                states[key] = after
                text = {name: state.model_dump(mode="json") for name, state in sorted(states.items())}
                write_atomic(self.path, json.dumps({"version": 1, "guards": text}, indent=2) + "\n")
        return Noted(self._standing(measurement.guard, before, after, event), key, event, after.reason or before.reason)

    def _standing(
        self, evidence: GuardEvidence, before: GuardState, after: GuardState, event: Event | None
    ) -> GuardEvidence:
        """Evidence that says when its guard is disabled: from this measurement on, or still from an earlier run."""
        if event == "disabled" and not evidence.disable_events:
            return evidence.model_copy(update={"disable_events": 1, "disable_reason": after.reason})
        earlier = before.disabled and before.run_id != self._run_id
        if earlier and not evidence.disable_events:
            story = f"disabled since {before.since} by run {before.run_id}: {before.reason}"
            ended = "; clean measurements of this run enable it again" if event == "enabled" else ""
            return evidence.model_copy(update={"disable_events": 1, "disable_reason": story + ended})
        return evidence

    def states(self) -> dict[str, GuardState]:
        """Every state by key. Raises ``InputError`` where the file is there and cannot be read."""
        try:
            usable = not self.path.exists() or self.path.is_file()  # reading a pipe would never end
            data: Any = json.loads(self.path.read_text(encoding="utf-8") if usable else "")
            guards = {1: data["guards"]}[data["version"]]
            return {str(key): GuardState.model_validate(state) for key, state in guards.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise InputError(
                f"The guards' state {self.path} cannot be read: {str(error).splitlines()[0]}. Whether a guard was "
                "disabled is not known, and starting anew would enable it unseen. Restore the file, or remove it and "
                "say so in the week's record."
            ) from error

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """One writer at a time: two runs may share a report directory."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _missed(measurement: Measurement, rules: GuardRules) -> str:
    """What the element-wise comparison found: a wrong result, or an error beyond the guard's own limit."""
    if measurement.status is MeasurementStatus.WRONG:
        return measurement.reason or "the result is wrong"
    limit = rules.max_correctness_error
    for session in measurement.sessions:
        if limit is not None and not session.max_abs_error <= limit:  # NaN too
            return f"session {session.session}: error {session.max_abs_error:.3g} above {limit:g}"
    return ""


def guard_key(measurement: Measurement) -> str:
    """Which guard this is: driver by its library's hash, hardware, variant and size."""
    identity = measurement.identity
    driver = f"{identity.profile} {identity.library_sha256[:16]} {identity.hardware}" if identity else "unknown"
    return f"{driver} | {measurement.variant} | {measurement.case.size}"
