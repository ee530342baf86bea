"""``weekops rollback``: plan, apply, undo or rehearse the switch back to the baseline driver."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pytest_weekops.cli.places import add_report_dir
from pytest_weekops.report.saying import say
from pytest_weekops.rollback.switch import Applied, Rollout
from pytest_weekops.rollback.target import resolve_target


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--apply", action="store_true", help="switch, run the canonical gate, measure again")
    action.add_argument("--undo", action="store_true", help="put the profile before the rollback back")
    action.add_argument("--rehearse", action="store_true", help="do it all on a copy and record how long it took")
    parser.add_argument("--platform", metavar="NAME", help="the baseline (default: the policy's split.baseline)")
    parser.add_argument("--policy", metavar="PATH", help="policy (default: that of the last recorded run)")
    parser.add_argument(
        "--platform-file",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="platform profiles of your own, as weekops_platform_files names them for pytest; may be given again",
    )
    add_report_dir(parser)


def run(arguments: argparse.Namespace) -> int:
    """Exit status 0 when it is done and verified (or only planned), 1 when the verification failed."""
    report_dir: Path = arguments.report_dir
    rollout = Rollout(report_dir, say=_say)
    if arguments.undo:
        say(rollout.undo())
        return 0
    keep = arguments.apply or arguments.rehearse
    target = resolve_target(
        report_dir,
        platform=arguments.platform,
        policy_path=arguments.policy,
        keep=keep,
        profile_files=arguments.platform_file,
    )
    if arguments.apply:
        verifier = target.verifier(report_dir)
        return _report(rollout.apply(target.profile, verifier, steps=target.steps, reason="asked for"))
    if arguments.rehearse:
        return _report(rollout.rehearse(target.profile, target.verifier, steps=target.steps))
    plan = rollout.plan(target.profile, target.verifier(report_dir), target.steps)
    say(f"rollback from {plan.from_platform or 'no profile'} to {plan.to_platform}; nothing is done yet:")
    for number, step in enumerate(plan.steps, start=1):
        say(f"  {number}. {step}")
    say("`weekops rollback --apply` does it, `weekops rollback --rehearse` tries it on a copy.")
    return 0


def _say(line: str) -> None:
    """At once: whoever interrupts the verification must have read what is active."""
    say(line, sys.stderr)
    sys.stderr.flush()


def _report(applied: Applied) -> int:
    stream = sys.stdout if applied.verified else sys.stderr
    for line in applied.lines:
        say(line, stream)
    return 0 if applied.verified else 1
