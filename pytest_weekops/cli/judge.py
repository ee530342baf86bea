"""``weekops judge``: the verdict on a run directory, a journal or a recorded campaign."""

from __future__ import annotations

import argparse
import json
import math
import secrets
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_weekops.core.errors import InputError
from pytest_weekops.core.numbers import finite_from
from pytest_weekops.report.saying import say

if TYPE_CHECKING:
    from pytest_weekops.core.judge.finding import Verdict

LARGEST_SIZE = 100_000_000


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the subcommand."""
    parser.add_argument(
        "campaign", nargs="?", type=Path, help="run directory, journal.jsonl, or recorded weekly or split JSON"
    )
    parser.add_argument("--split-artifact", type=Path, metavar="FILE", help="the same, as the older evaluator named it")
    parser.add_argument(
        "--policy",
        "--policy-path",
        metavar="FILE",
        help="YAML or the older JSON (default: a run's own; a recorded file's own rules)",
    )
    parser.add_argument(
        "--rules",
        choices=("strict", "compat"),
        default="strict",
        help="strict, or compat: as the older evaluators did (default: strict)",
    )
    parser.add_argument("--min-rusticl-ratio", metavar="R", help="split: least candidate / baseline throughput")
    parser.add_argument("--required-sizes", nargs="+", metavar="N", help="split: sizes needed on both platforms")
    parser.add_argument(
        "--baseline", type=Path, metavar="FILE", help="recorded file that a campaign's own rules compare with"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--output-dir", type=Path, metavar="DIR", help="keep that object there, as PREFIX-TIME.json")
    parser.add_argument("--output-prefix", metavar="PREFIX", help="with --output-dir (default: judged)")


def run(arguments: argparse.Namespace) -> int:
    """Exit status of the verdict: 0 promote, 1 iterate, 10 roll back, 11 more evidence is needed."""
    from pytest_weekops.evidence.journal_files import is_journal

    ratio = _ratio(arguments.min_rusticl_ratio)
    sizes = _sizes(arguments.required_sizes)
    path = arguments.campaign = _campaign(arguments)
    place = _place(arguments)
    if path.is_dir() or is_journal(path):
        verdict, extra = _judge_run(arguments, ratio, sizes)
    else:
        verdict, extra = _judge_recorded(arguments, ratio, sizes)
    text = json.dumps(_clean(as_document(verdict, extra)), indent=2, sort_keys=True, allow_nan=False)
    if arguments.json:
        print(text)
    _tell(verdict, extra)
    if place is not None:
        _keep(place, text + "\n")
    return int(verdict.exit_status)


def _campaign(arguments: argparse.Namespace) -> Path:
    given: list[Path] = [path for path in (arguments.campaign, arguments.split_artifact) if path is not None]
    if len(given) != 1:
        raise InputError(
            f"{'Two campaigns are' if given else 'No campaign is'} named. One verdict speaks of one campaign. Name a "
            "run directory, a journal or a recorded file, or give --split-artifact FILE."
        )
    return given[0]


def _place(arguments: argparse.Namespace) -> Path | None:
    """Where the verdict is kept, a name of its own each time; None where it is not."""
    directory, prefix = arguments.output_dir, arguments.output_prefix
    if directory is None and prefix is None:
        return None
    if directory is None:
        raise InputError("--output-prefix names a file and --output-dir is missing. Nothing would be kept. Give both.")
    name = "judged" if prefix is None else str(prefix)
    if not name or "/" in name or name.startswith(".") or not name.isprintable():
        raise InputError(
            f"--output-prefix {name!r:.90} is no plain name. It becomes part of a file's name. Give letters, digits, "
            "dots and dashes; --output-dir sets the place."
        )
    place: Path = directory / f"{name}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}.json"
    return place


def _keep(place: Path, text: str) -> None:
    from pytest_weekops.files.atomic import write_atomic

    write_atomic(place, text)
    say(f"kept: {place}", sys.stderr)


def _judge_run(
    arguments: argparse.Namespace, ratio: float | None, sizes: tuple[int, ...] | None
) -> tuple[Verdict, dict[str, Any]]:
    from pytest_weekops.core.judge.verdict import JudgeOptions
    from pytest_weekops.evidence.judging import judge_stored
    from pytest_weekops.policies.files import load_policy
    from pytest_weekops.week.witnesses import read_uncontradicted

    if arguments.rules == "compat":
        raise InputError(
            f"Run {arguments.campaign} cannot be judged with --rules compat: the older evaluators knew recorded files "
            "only, and would not see its raw samples. Leave --rules out."
        )
    stored = read_uncontradicted(arguments.campaign)
    policy = load_policy(arguments.policy) if arguments.policy else stored.policy
    problem = policy.refuses(stored.plan)
    if problem:
        raise InputError(problem)
    options = JudgeOptions(min_rusticl_ratio=ratio, required_sizes=sizes)
    return judge_stored(stored, policy=policy, options=options), {}


def _judge_recorded(
    arguments: argparse.Namespace, ratio: float | None, sizes: tuple[int, ...] | None
) -> tuple[Verdict, dict[str, Any]]:
    from pytest_weekops.cli.recorded import read_recorded
    from pytest_weekops.core.recorded.judge import judge_recorded

    policy, campaign = read_recorded(arguments.campaign, arguments.policy, arguments.baseline)
    _refuse_idle(arguments, is_split=campaign.is_split)
    judged = judge_recorded(policy, campaign, rules=arguments.rules, min_ratio=ratio, required_sizes=sizes)
    extra: dict[str, Any] = {"decision": judged.decision}
    if campaign.kind == "canary_campaign":
        extra["snapshot_decisions"] = list(judged.snapshot_decisions)
    return judged.verdict, extra


def _refuse_idle(arguments: argparse.Namespace, *, is_split: bool) -> None:
    """Refuse an option that the rules asked for would never look at."""
    options = {"--required-sizes": arguments.required_sizes, "--min-rusticl-ratio": arguments.min_rusticl_ratio}
    given = next((name for name, value in options.items() if value is not None), None)
    if given is None:
        return
    if not is_split:
        raise InputError(
            f"{given} speaks of a split, and {arguments.campaign} is a weekly campaign. It would demand nothing of it. "
            "Leave the option out, or name the split."
        )
    if arguments.policy is None and arguments.rules == "compat":
        raise InputError(
            f"{given} has no place in the rules that older campaigns applied to themselves, by which "
            f"{arguments.campaign} is judged here. It would demand nothing of it. Give --policy, or judge by "
            "--rules strict."
        )


def as_document(verdict: Verdict, extra: Mapping[str, Any]) -> dict[str, Any]:
    """What ``--json`` prints."""
    return {
        "kind": verdict.kind,
        "rules": verdict.rules,
        "decision": verdict.decision.value,
        "failed_checks": list(verdict.failed_checks),
        "strict_only": list(
            dict.fromkeys(f.check for f in verdict.findings if f.strict_only and f.check in verdict.failed_checks)
        ),
        "inconclusive_checks": list(verdict.inconclusive_checks),
        "severity": int(verdict.severity),
        "owner": verdict.owner,
        "respond_within_minutes": verdict.respond_within_minutes,
        "action": verdict.action,
        "exit_status": int(verdict.exit_status),
        "findings": [finding.model_dump(mode="json") for finding in verdict.findings],
        "policy_id": verdict.policy_id,
        "policy_sha256": verdict.policy_sha256,
        "rows": list(verdict.rows),
        "notes": list(verdict.notes),
        "left_out": list(verdict.left_out),
        **extra,
    }


def _clean(value: Any) -> Any:
    """NaN and infinities as words, so that what is printed is strict JSON."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {str(key): _clean(inner) for key, inner in value.items()}
    return [_clean(inner) for inner in value] if isinstance(value, list | tuple) else value


def _tell(verdict: Verdict, extra: Mapping[str, Any]) -> None:
    """The verdict in words on standard error; control characters of strangers' names are not passed on."""
    from pytest_weekops.report.summary import verdict_line

    lines = [f"{verdict.kind}, {verdict.rules} rules, policy {verdict.policy_id}"]
    for finding in sorted(verdict.findings, key=lambda f: int(f.severity or 4)):
        if finding.status.value != "pass":
            level = f"SEV{int(finding.severity or 4)}"
            lines.append(f"  {level} {finding.check} {finding.status.value}: {finding.message}")
    lines += [f"  note: {note}" for note in verdict.notes]
    word = extra.get("decision", verdict.decision.value)
    lines.append(verdict_line(verdict, str(word), int(verdict.severity), int(verdict.exit_status)))
    if verdict.decision.value != "promote":
        lines.append(f"owner: {verdict.owner}, within {verdict.respond_within_minutes} minutes: {verdict.action}")
    for line in lines:
        say(line, sys.stderr)


def _ratio(text: str | None) -> float | None:
    from pytest_weekops.core.policy.bounds import LEAST_RATIO

    if text is None:
        return None
    value = finite_from(text)
    if value is None or not value >= LEAST_RATIO:
        raise InputError(
            f"--min-rusticl-ratio {text!r} is not a finite number of at least {LEAST_RATIO:g}. A limit that no "
            "candidate fails would let everything pass. Give a ratio such as 0.85."
        )
    return value


def _sizes(words: list[str] | None) -> tuple[int, ...] | None:
    if words is None:
        return None
    for word in words:
        if not (word.isascii() and word.isdigit() and 0 < int(word[:12]) <= LARGEST_SIZE):
            raise InputError(
                f"--required-sizes {word!r} is not a size. A size that cannot be read cannot be required. "
                "Give whole numbers above 0."
            )
    return tuple(dict.fromkeys(int(word) for word in words))
