"""Switch this machine to a candidate that was not measured here yet: one host's turn in a staged promotion.

A program for a fleet's hosts, ``python -m pytest_weekops.rollback.forward``, and no command for people: the coordinator
that asks measures next. It ends with 0 where the candidate is active, with 1 where the profile before is, and with 2
where that is not known.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from pytest_weekops.core.errors import InputError, WeekopsError
from pytest_weekops.rollback.switch import Rollout
from pytest_weekops.rollback.target import Target, resolve_target

ACTIVE, NOT_ACTIVE, NOT_KNOWN = 0, 1, 2


def main(words: Sequence[str]) -> int:
    """Switch, and say in one line what is active."""
    asked = _arguments(words)
    report_dir = Path(asked.report_dir)
    rollout = Rollout(report_dir)
    candidate: Target | None = None
    try:
        candidate = resolve_target(report_dir, platform=asked.candidate, policy_path=asked.policy, keep=True)
        # What could not be rolled back must not be switched.
        baseline = resolve_target(report_dir, platform=asked.baseline, policy_path=asked.policy, keep=True)
        if _driver(baseline) == _driver(candidate):
            raise InputError(
                f"{asked.candidate} and {asked.baseline} reach the same driver here. A rollback would change nothing, "
                "so nothing was switched. Name the driver that was in service before."
            )
        sys.stdout.write(rollout.deploy(candidate.profile, reason=asked.reason) + "\n")
    except (WeekopsError, OSError, ValueError, RuntimeError) as error:
        sys.stdout.write(f"{error}\n")
        return NOT_ACTIVE if candidate is None else _after(rollout, candidate)
    return ACTIVE


def _driver(target: Target) -> dict[str, str]:
    """The variables that select a driver, without its name."""
    return {name: value for name, value in target.profile.variables if name != "WEEKOPS_PLATFORM"}


def _after(rollout: Rollout, candidate: Target) -> int:
    """What is active after something went wrong."""
    try:
        return NOT_KNOWN if rollout.active().sha256 == candidate.profile.sha256 else NOT_ACTIVE
    except WeekopsError:
        return NOT_KNOWN


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m pytest_weekops.rollback.forward", allow_abbrev=False)
    for name in ("candidate", "baseline", "policy", "report-dir", "reason"):
        parser.add_argument(f"--{name}", required=True)
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
