"""What a verdict at SEV1 sets in motion: the rollback that is due, planned or applied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pytest_weekops.core.errors import WeekopsError
from pytest_weekops.core.judge.finding import ExitStatus
from pytest_weekops.run.conclusion import Conclusion


def react(conclusion: Conclusion, mode: str, report_dir: Path, profile_files: Sequence[Path] = ()) -> Conclusion:
    """At SEV1, plan or apply the rollback that ``mode`` asks for, and say what came of it. The verdict stays.

    Only after a weekly or split run, and after its workers are gone: the rollback runs a canonical gate of its own on
    the same devices, and that gate must not roll back in turn.
    """
    if conclusion.exit_status != ExitStatus.ROLLBACK_REQUIRED or mode == "never":
        return conclusion
    if conclusion.verdict.kind == "canonical":
        return conclusion
    from pytest_weekops.rollback.switch import Rollout
    from pytest_weekops.rollback.target import resolve_target

    try:
        keep = mode == "auto"
        target = resolve_target(report_dir, decision=conclusion.document, keep=keep, profile_files=profile_files)
        rollout, verifier = Rollout(report_dir), target.verifier(report_dir)
        if mode == "auto":
            lines = rollout.apply(target.profile, verifier, steps=target.steps, reason=conclusion.run_dir.name).lines
        else:
            plan = rollout.plan(target.profile, verifier, target.steps)
            lines = (f"a rollback to {plan.to_platform} is due; `weekops rollback --apply` does it",)
    except (WeekopsError, OSError, ValueError, RuntimeError) as error:  # the verdict of the run is not lost with it
        lines = (f"the rollback that is due could not be {'applied' if mode == 'auto' else 'planned'}: {error}",)
    return replace(conclusion, remarks=(*conclusion.remarks, *lines))
