"""``weekops policy``: show the effective policy, compare two, or propose a tighter one."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_weekops.core.errors import InputError, PolicyError
from pytest_weekops.policies.files import default_policy, load_policy
from pytest_weekops.report.saying import say

if TYPE_CHECKING:
    from pytest_weekops.core.policy.policy import Policy
    from pytest_weekops.core.policy.recalibration import Proposal, Recipe


VERB_STATUSES = dict.fromkeys(("show", "diff"), "Exit status 0 where it was shown.")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add ``show``, ``diff`` and ``recalibrate``."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    show = actions.add_parser("show", help="the effective policy: every key with its value in force")
    show.add_argument("policy", nargs="?", help="a file, or the name of a shipped policy (default: portable)")
    show.add_argument("--json", action="store_true", help="JSON instead of YAML")
    diff = actions.add_parser("diff", help="what became stricter and what looser from A to B")
    diff.add_argument("before", metavar="A", help="the policy in service: a file, or a shipped policy's name")
    diff.add_argument("after", metavar="B", help="the policy that would follow it")
    diff.add_argument("--json", action="store_true", help="one JSON object")
    again = actions.add_parser("recalibrate", help="propose tighter rows from promoted runs, as a new file")
    again.add_argument("policy", nargs="?", help="the policy in service (default: portable)")
    again.add_argument("--from", dest="runs", nargs="+", type=Path, required=True, metavar="RUN", help="promoted runs")
    again.add_argument("--output", type=Path, metavar="FILE", help="the new policy; never overwritten")
    again.add_argument(
        "--fraction", type=float, default=0.15, metavar="F", help="share of the headroom to take (default: 0.15)"
    )
    again.add_argument("--allow-looser", action="store_true", help="let a limit follow worse evidence")


def run(arguments: argparse.Namespace) -> int:
    """Exit status 0, or 11 where ``recalibrate`` holds every row."""
    if arguments.action == "show":
        return _show(_load(arguments.policy), as_json=arguments.json)
    if arguments.action == "diff":
        return _diff(_load(arguments.before), _load(arguments.after), as_json=arguments.json)
    return _recalibrate(arguments)


def _load(name: str | None) -> Policy:
    return load_policy(name) if name else default_policy()


def _show(policy: Policy, *, as_json: bool) -> int:
    if as_json:
        print(json.dumps(policy.effective(), indent=2, sort_keys=True))
        return 0
    import yaml

    print(f"# effective policy, sha256 {policy.sha256}")  # one line on any terminal: YAML
    print(yaml.safe_dump(policy.effective(), sort_keys=False, allow_unicode=True, width=110), end="")
    return 0


def _diff(before: Policy, after: Policy, *, as_json: bool) -> int:
    from pytest_weekops.core.policy.diff import diff_policies

    changes = diff_policies(before, after)
    if as_json:
        document: dict[str, Any] = {"a": before.sha256, "b": after.sha256}
        for direction in ("stricter", "looser", "changed"):
            document[direction] = [
                {"key": c.key, "before": c.before, "after": c.after} for c in changes if c.direction == direction
            ]
        print(json.dumps(document, indent=2))
    else:
        for change in changes or ("no limit differs",):
            say(change)
    return 0


def _recalibrate(arguments: argparse.Namespace) -> int:
    from pytest_weekops.core.policy.diff import diff_policies
    from pytest_weekops.core.policy.policy import Policy
    from pytest_weekops.core.policy.recalibration import Recipe, recalibrate
    from pytest_weekops.evidence.promoted import read_evidence
    from pytest_weekops.week.witnesses import read_uncontradicted

    if not 0 < arguments.fraction < 1:
        raise InputError(
            f"--fraction {arguments.fraction} is no share of the headroom. 1 would put the limit on the mean and fail "
            "every second run. Give a number between 0 and 1, for example 0.15."
        )
    policy = _load(arguments.policy)
    output: Path = arguments.output or Path(f"{_file_name(policy.policy_id)}-recalibrated.yaml")
    _refuse_existing(output)
    recipe = Recipe(fraction=arguments.fraction)
    evidence = read_evidence(arguments.runs, policy, read=read_uncontradicted)
    proposals = recalibrate(policy, evidence, recipe=recipe, allow_looser=arguments.allow_looser)
    for proposal in proposals:
        say(f"{proposal.key}: {'held, ' + proposal.held if proposal.row is None else 'proposed'}")
    rows = {proposal.key: proposal.row for proposal in proposals if proposal.row is not None}
    if not rows:
        say("held: the evidence allows no change, so no file is written.")
        return 11
    tightened = Policy.model_validate(
        {
            **policy.effective(),
            "policy_id": f"{policy.policy_id}-recalibrated",
            "rows": {**policy.effective()["rows"], **{key: row.model_dump(mode="json") for key, row in rows.items()}},
            "notes": {**policy.notes, **_evidence_notes(policy, proposals, recipe)},
        }
    )
    for change in diff_policies(policy, tightened):
        say(f"  {change}")
    _write_new(output, tightened)
    say(f"written: {output} (sha256 {tightened.sha256[:16]})")
    return 0


def _evidence_notes(policy: Policy, proposals: tuple[Proposal, ...], recipe: Recipe) -> dict[str, str]:
    runs = sorted({item.run_id for proposal in proposals for item in proposal.evidence})
    notes = {
        "recalibrated_from": f"{policy.policy_id} sha256 {policy.sha256}",
        "recalibration_recipe": f"{recipe.fraction:g} of the headroom, at least {recipe.min_runs} promoted runs",
        "recalibration_runs": ", ".join(runs),
    }
    for proposal in proposals:
        words = [
            f"{item.run_id} {item.throughput:.6g} {item.unit} p95 {item.p95_ms:.6g} ms" for item in proposal.evidence
        ]
        notes[f"evidence {proposal.key}"] = "; ".join(words) or "none"
        if proposal.held:
            notes[f"held {proposal.key}"] = proposal.held
    return notes


def _file_name(policy_id: str) -> str:
    """A policy's id as a file name: ids come from files of strangers, so only plain characters stay."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in policy_id)[:80] or "policy"


def _refuse_existing(path: Path) -> None:
    try:
        there = path.exists() or path.is_symlink()
    except OSError as error:
        raise _unwritable(path, error) from error
    if there:
        raise _exists(path)


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError(f"--output {path} cannot be written: {error.strerror}. Choose another place.")


def _exists(path: Path) -> InputError:
    return InputError(
        f"--output {path} exists already. A policy in service is never overwritten. Name a new file; then "
        "`weekops policy diff` compares the two."
    )


def _refuse_unreadable(draft: Path, policy: Policy) -> None:
    """A proposal that could not be read back, or reads back as something else, is none."""
    try:
        same = load_policy(draft) == policy
    except PolicyError as error:
        raise InputError(
            f"The proposal is not a policy that can be read: {error} Nothing was written. Correct the policy "
            "in service first."
        ) from error
    if not same:
        raise InputError("The proposal reads back as another policy. Nothing was written. Report this.")


def _write_new(path: Path, policy: Policy) -> None:
    """Write a file that must not exist yet, whole or not at all."""
    import yaml

    text = yaml.safe_dump(policy.effective(), sort_keys=False, allow_unicode=True, width=110)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with draft.open("x", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        _refuse_unreadable(draft, policy)
        os.link(draft, path)  # refuses an existing file, unlike a rename
    except FileExistsError as error:  # a link that leads nowhere is there, too
        raise _exists(Path(str(error.filename2 or error.filename))) from error
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        with contextlib.suppress(OSError):  # below a file that is no directory there is nothing to take away
            draft.unlink(missing_ok=True)
