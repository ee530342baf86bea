"""The only module that changes the host: it switches the runtime profile, records each stage, and can switch back.

Below ``<report-dir>/runtime``: ``active.env`` is a symbolic link into ``profiles/``, whose files are named after their
content and never rewritten. The switch is one rename, so that a crash anywhere leaves either profile whole.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_weekops.core.errors import InputError, WeekopsError
from pytest_weekops.core.week.channel import rollback_in_effect
from pytest_weekops.core.week.rollback import (
    ACTIVE_NAME,
    PROFILES_NAME,
    RollbackPlan,
    RuntimeProfile,
    last_target,
    plan_rollback,
    rehearsal_story,
    rollback_story,
)
from pytest_weekops.files.atomic import switch_symlink, sync_directory, write_atomic
from pytest_weekops.files.hashing import hash_file
from pytest_weekops.rollback.active import Active, active_after_switch, read_active, runtime_directory
from pytest_weekops.rollback.outcome import Outcome, Verifier
from pytest_weekops.rollback.records import (
    evidence_document,
    nothing_to_undo,
    outcomes_document,
    record,
    record_after,
    record_deployed,
    target_document,
)
from pytest_weekops.rollback.steps import run_own_steps
from pytest_weekops.week.ledger import Ledger, open_ledger

if TYPE_CHECKING:
    from pytest_weekops.core.policy.policy import RollbackStep


@dataclass(frozen=True)
class Applied:
    """How a rollback ended. ``seconds`` run from the trigger to the end of the verification."""

    verified: bool
    seconds: float
    lines: tuple[str, ...]
    switched: bool = True
    problems: tuple[str, ...] = ()


@dataclass
class Rollout:
    """Switches the runtime profile of one report directory.

    ``after_step`` is told each step's name once it is done; ``say`` what is active, before the verification is through.
    """

    report_dir: Path
    cwd: Path = field(default_factory=Path.cwd)
    after_step: Callable[[str], None] = lambda _step: None
    say: Callable[[str], None] = lambda _line: None

    @property
    def runtime(self) -> Path:
        """The directory of the runtime profile, links followed. Raises ``InputError`` where that cannot be done."""
        return runtime_directory(self.report_dir)

    @property
    def ledger(self) -> Ledger:
        """The ledger in which each stage is recorded."""
        return open_ledger(self.report_dir)

    def active(self) -> Active:
        """The profile now in force. Raises ``InputError`` where the file is there and cannot be read."""
        return read_active(self.runtime)

    def plan(self, target: RuntimeProfile, verifier: Verifier, steps: Sequence[RollbackStep] = ()) -> RollbackPlan:
        """What :meth:`apply` would do; changes nothing."""
        active = self.active()
        return plan_rollback(
            active=active.platform,
            target=target,
            same=active.sha256 == target.sha256,
            own_steps=[step.argv for step in steps],
            gate=verifier.gate_argv,
        )

    # -- apply -------------------------------------------------------------------------------------------------

    def apply(
        self, target: RuntimeProfile, verifier: Verifier, *, steps: Sequence[RollbackStep] = (), reason: str = ""
    ) -> Applied:
        """Switch to ``target``, record it and verify it; harmless when it is active and verified already."""
        trigger = time.monotonic()
        with self._lock():
            before = self.active()
            entries = self.ledger.entries()
            current = rollback_in_effect(entries)
            same = before.sha256 == target.sha256
            # Somebody may have deployed this very profile by hand after a rollback to another one.
            ours = same and current is not None and last_target(entries) == target.sha256
            if ours and current is not None and current.stage == "verified":
                line = f"{target.platform} is active and verified already, since {current.since}. Nothing was changed."
                return Applied(verified=True, seconds=0.0, lines=(line,), switched=False)
            if not ours:
                before = self._preserve(before)
            if not same:
                self._write(target)
            if not ours:
                record(
                    self.report_dir,
                    "begun",
                    {"from": before.document(self.runtime), "to": target_document(target), "reason": reason},
                )
            self.after_step("begin")
            if not same:
                self._switch(target.file_name)
            self.after_step("switch")
            with contextlib.suppress(OSError, ValueError):  # whoever listens may be gone; the verification goes on
                self.say(f"{target.platform} is active now; verifying it.")
            unrecorded = record_after(
                self.report_dir, "switched", {"to": target_document(target), "seconds": _since(trigger)}
            )
            self.after_step("record")
            return self._verify(target, verifier, steps, trigger, unrecorded)

    def _preserve(self, active: Active) -> Active:
        """Keep a profile that somebody wrote by hand: the rename would take it away."""
        if active.path is not None and active.path.parent != self.runtime / PROFILES_NAME:
            kept = self.runtime / PROFILES_NAME / f"kept-{active.sha256[:16]}.env"
            write_atomic(kept, active.path.read_bytes())
            active = Active(kept, active.platform, active.sha256)
        self.after_step("preserve")
        return active

    def _write(self, target: RuntimeProfile) -> None:
        path = self.runtime / PROFILES_NAME / target.file_name
        write_atomic(path, target.text)
        self.after_step("write")

    def _switch(self, name: str | None) -> None:
        """Activate the profile in the file ``name``, or none at all."""
        link = self.runtime / ACTIVE_NAME
        try:
            if name is None:
                link.unlink(missing_ok=True)
                sync_directory(self.runtime)
            else:
                switch_symlink(link, f"{PROFILES_NAME}/{name}")
        except OSError as error:
            raise WeekopsError(
                f"{link} could not be switched: {error.strerror}. The profile before is still active. Check the "
                "permissions of the directory and run this again."
            ) from error

    def _verify(
        self,
        target: RuntimeProfile,
        verifier: Verifier,
        steps: Sequence[RollbackStep],
        trigger: float,
        unrecorded: Sequence[str],
    ) -> Applied:
        active = self.runtime / ACTIVE_NAME
        outcomes: dict[str, Outcome] = {}
        own = lambda: run_own_steps(steps, {**os.environ, **target.environment}, self.cwd)  # noqa: E731 - one of three
        stages: tuple[tuple[str, Callable[[], Outcome]], ...] = (
            ("own steps", own),
            ("gate", lambda: verifier.gate(active)),
            ("measure", lambda: verifier.measure(active)),
        )
        for name, stage in stages:
            outcomes[name] = _guarded(stage)
            self.after_step(name)
        document, unproved = outcomes_document(outcomes, self.report_dir)
        problems = [*unrecorded, *(problem for outcome in outcomes.values() for problem in outcome.problems), *unproved]
        now = active_after_switch(self.runtime)
        if now.sha256 != target.sha256:
            problems.append("The active profile is not the one that was switched to: something else changed it.")
        seconds = _since(trigger)
        body = {"to": target_document(target), "seconds": seconds, "problems": problems, "outcomes": document}
        problems = [*problems, *record_after(self.report_dir, "unverified" if problems else "verified", body)]
        self.after_step("finish")
        lines = tuple(rollback_story(now.platform, problems, seconds))
        return Applied(not problems, seconds, lines, problems=tuple(problems))

    # -- deploy ------------------------------------------------------------------------------------------------

    def deploy(self, target: RuntimeProfile, *, reason: str) -> str:
        """Make ``target`` the active profile and say so; recorded, and verified by nobody. Harmless where it is active.

        Raises ``InputError`` where a rollback was begun and not brought to an end: whose turn it is is not known then.
        """
        with self._lock():
            before = self.active()
            standing = rollback_in_effect(self.ledger.entries())
            if standing is not None and standing.stage in ("begun", "switched"):
                raise InputError(
                    f"A rollback to {standing.to_platform or 'the baseline'} was begun in {self.report_dir} and not "
                    "brought to an end. A switch beside it could leave either driver active, so nothing was switched. "
                    "Finish it there: weekops rollback --apply."
                )
            if before.sha256 == target.sha256:
                return f"{target.platform} is active already. Nothing was changed."
            before = self._preserve(before)
            self._write(target)
            places = {"from": before.document(self.runtime), "to": target_document(target)}
            record_deployed(self.report_dir, "begun", {**places, "reason": reason})
            self.after_step("begin")
            self._switch(target.file_name)
            self.after_step("switch")
        return f"{target.platform} is active now, instead of {before.platform or 'no profile'}."

    # -- undo and rehearse -------------------------------------------------------------------------------------

    def undo(self) -> str:
        """Put the profile before the rollback back and say so. Raises ``InputError`` where there is nothing to undo."""
        if nothing := nothing_to_undo(self.ledger.entries()):
            return nothing  # without the lock: where there is nothing to undo, nothing is written
        with self._lock():
            entries = self.ledger.entries()
            current = rollback_in_effect(entries)
            if current is None:
                return nothing_to_undo(entries)
            before = next(entry for entry in entries if entry.seq == current.seq).body["from"]
            name = before.get("platform") or ("the profile before" if before.get("file") else "no profile, as before")
            kept = self._restore(before)
            self.after_step("switch")
            unrecorded = record_after(self.report_dir, "undone", {"to": before})
            self.after_step("record")
        if unrecorded:
            raise WeekopsError(f"SWITCHED BACK, NOT RECORDED: active NOW is {name}. {unrecorded[0]}")
        return f"The rollback of {current.since} is undone; active now: {name}.{kept}"

    def _restore(self, before: Mapping[str, Any]) -> str:
        """Activate the profile before. What somebody wrote by hand since is kept; the answer says where."""
        name = None if before.get("file") is None else Path(str(before["file"])).name
        path = self.runtime / PROFILES_NAME / str(name)
        if name is not None and (not path.is_file() or hash_file(path) != before["sha256"]):
            raise InputError(
                f"The profile before, {path}, is gone or was changed since. Putting it back would activate something "
                "unknown, so nothing was switched. Restore that file, or deploy a profile anew."
            )
        active = self.active()
        if active.sha256 == before["sha256"]:
            return ""
        kept = self._preserve(active)
        self._switch(name)
        return "" if kept == active else f" What was deployed by hand since is kept as {kept.path}."

    def rehearse(
        self, target: RuntimeProfile, make_verifier: Callable[[Path], Verifier], *, steps: Sequence[RollbackStep] = ()
    ) -> Applied:
        """Do it all on a copy, undo it there, and record how long it took; the active profile stays as it is."""
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
        copy = self.runtime / "rehearsals" / stamp
        active = self.active()
        with self._lock():
            if active.path is not None:
                write_atomic(copy / "runtime" / ACTIVE_NAME, active.path.read_bytes())
            self._copy_baselines(copy)
            rehearsal = Rollout(copy, cwd=self.cwd, after_step=self.after_step)
            applied = rehearsal.apply(target, make_verifier(copy), steps=steps, reason="rehearsal")
            rehearsal.undo()
            problems = list(applied.problems)
            if rehearsal.active().sha256 != active.sha256:
                problems.append("The undo did not restore the profile.")
            if self.active() != active:
                problems.append("The active profile changed while it was rehearsed.")
            verified = applied.verified and not problems
            evidence = [evidence_document(copy / "ledger.sqlite", self.report_dir)]
            body = {
                "verified": verified,
                "seconds": applied.seconds,
                "to": target_document(target),
                "evidence": evidence,
            }
            record(self.report_dir, "rehearsed", {**body, "problems": problems})
        lines = tuple(rehearsal_story(target.platform, active.platform, problems, applied.seconds))
        return Applied(verified, applied.seconds, lines, switched=False, problems=tuple(problems))

    def _copy_baselines(self, copy: Path) -> None:
        """Copy the pinned baselines. Raises ``InputError`` where one is not what was pinned: the copy has no ledger."""
        from pytest_weekops.week.pins import changed_baselines

        for problem in changed_baselines(self.report_dir, open_ledger(self.report_dir).entries()):
            raise InputError(problem)
        baselines = self.report_dir / "baselines"
        try:
            if baselines.is_dir():
                shutil.copytree(baselines, copy / "baselines")
        except OSError as error:
            raise WeekopsError(
                f"{baselines} could not be copied for the rehearsal: {error}. Without its floors a rehearsal proves "
                "little, so none was made; the active profile is untouched. Check the directory."
            ) from error

    # -- one at a time -----------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        """One rollback at a time."""
        try:
            self.runtime.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.runtime / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise InputError(
                f"{self.runtime} cannot be written: {error.strerror}. No profile can be switched there, and nothing "
                "was. Check the path and its permissions."
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError as error:
            raise InputError(
                f"Another rollback is at work in {self.runtime}. Two at once could leave either profile active. "
                "Wait for it to end and run this again; nothing was changed."
            ) from error
        finally:
            os.close(descriptor)


def _guarded(stage: Callable[[], Outcome]) -> Outcome:
    """A verification step that breaks has not verified anything; the switch stays recorded."""
    try:
        return stage()
    except Exception as error:  # noqa: BLE001 - the profile is switched: whatever breaks now is told, not raised
        kind = "" if isinstance(error, WeekopsError | OSError | ValueError) else f"{type(error).__name__}: "
        return Outcome((f"The verification broke off: {kind}{error}",))


def _since(trigger: float) -> float:
    return round(time.monotonic() - trigger, 3)
