"""``weekops inject``: plant faults on a device and count what a guard catches of them."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_weekops.cli.measuring import add_platforms, refuse_sizes, say_aside, say_passed_over
from pytest_weekops.cli.places import add_report_dir
from pytest_weekops.core.errors import InputError
from pytest_weekops.report.saying import say

if TYPE_CHECKING:
    from pytest_weekops.core.guard.injection import Injection
    from pytest_weekops.core.measurement.records import DeviceIdentity
    from pytest_weekops.core.policy.policy import GuardRules
    from pytest_weekops.core.selection.tuning import TunedVariant


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_platforms(parser)
    parser.add_argument(
        "--sizes",
        nargs="+",
        type=int,
        default=[512, 1400],
        metavar="N",
        help="edges of the matrices (default: 512 1400)",
    )
    parser.add_argument(
        "--kernel",
        default="auto_t5_guarded",
        metavar="MODE",
        help="whose launches are guarded: a GEMM variant, or a workload that has a guard (default: auto_t5_guarded)",
    )
    parser.add_argument(
        "--flips", type=int, default=200, metavar="N", help="flips of each of the 32 bits of C (default: 200)"
    )
    parser.add_argument("--faults", type=int, default=20, metavar="N", help="faults of each other kind (default: 20)")
    parser.add_argument(
        "--clean", type=int, metavar="N", help="launches without a fault (default: 3000 up to n = 700, else 300)"
    )
    parser.add_argument("--seed", type=int, default=11, metavar="N", help="seed of data and faults (default: 11)")
    parser.add_argument("--policy", type=Path, metavar="FILE", help="whose guard is tried (default: portable.yaml's)")
    parser.add_argument("--t5-policy", type=Path, metavar="FILE", help="older T5 JSON policy over it: may sample")
    parser.add_argument("--z", type=float, metavar="Z", help="threshold in standard deviations, over the policy's")
    parser.add_argument(
        "--min-critical-recall",
        type=float,
        metavar="R",
        help="share of critical flips to catch (default: the policy's, else 1)",
    )
    parser.add_argument(
        "--min-uniform-recall",
        type=float,
        metavar="R",
        help="share of all bits' flips to catch (default: the policy's)",
    )
    parser.add_argument(
        "--control", choices=("infinite-threshold", "idle-check"), help="break the guard on purpose: this must fail"
    )
    add_report_dir(parser, what="where runs find it")
    parser.add_argument(
        "--tuning", metavar="DIR", help="tuning files, or off (default: tuning/ in the report directory)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write that JSON object to a file as well")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="recall per bit as a picture")


def run(arguments: argparse.Namespace) -> int:
    """Run the campaign on each platform and size. Exit status 0 where each suffices, 1 where one does not."""
    _refuse(arguments)
    _refuse_unknown_kernel(arguments.kernel)
    rules = _rules(arguments)
    results: list[dict[str, Any]] = []
    for name in arguments.platforms:
        results += _on_platform(name, arguments, rules)
    document = {
        "schema": "weekops-injection/1",
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "control": arguments.control or "",
        "campaigns": results,
        "suffices": all(not result["shortfalls"] for result in results),
    }
    text = json.dumps(document, indent=2, sort_keys=True)
    if arguments.json:
        print(text)
    if arguments.output:
        from pytest_weekops.files.atomic import write_atomic

        write_atomic(arguments.output, text + "\n")
    if arguments.plot:
        plot(results, arguments.plot)
    return 0 if document["suffices"] else 1


def _refuse(arguments: argparse.Namespace) -> None:
    for option in ("flips", "faults", "clean", "seed"):
        value = getattr(arguments, option)
        if value is not None and value < 0:
            raise InputError(f"--{option} {value} is below 0. A count of faults cannot be. Give 0 or more.")
    refuse_sizes(arguments.sizes, "plant faults in")
    for name in ("output", "plot"):
        path = getattr(arguments, name)
        if path is not None and not (path.parent.is_dir() and os.access(path.parent, os.W_OK)):
            raise InputError(
                f"--{name} {path} cannot be written: {path.parent}/ is no directory that may be written to. What a "
                "campaign finds would have no place. Make it, or name another."
            )
    if arguments.z is not None and not 0 < arguments.z <= 1000:
        raise InputError(f"--z {arguments.z} is no threshold. Beyond it nothing would be caught. Give 8 or so.")
    for option in ("min_critical_recall", "min_uniform_recall"):
        value = getattr(arguments, option)
        if value is not None and not 0 <= value <= 1:
            name = option.replace("_", "-")
            raise InputError(f"--{name} {value} is no share. A recall is one of one. Give for example 0.99.")


def _rules(arguments: argparse.Namespace) -> GuardRules:
    """The guard of the policy that is named, with the older policy's settings over it and ``--z`` over both."""
    from pytest_weekops.policies.files import default_policy, load_lane_policy, load_policy

    policy = load_policy(arguments.policy) if arguments.policy else default_policy()
    if arguments.t5_policy:
        policy = load_lane_policy(policy, "t5", arguments.t5_policy)
    if arguments.z is None:
        return policy.guard
    if policy.guard.residual_scale is not None:
        raise InputError(
            f"--z {arguments.z:g} changes nothing: the policy's residual_scale {policy.guard.residual_scale:g} makes "
            "the thresholds of its sampled guard. Leave --z out, or change the policy."
        )
    return policy.guard.model_copy(update={"z": arguments.z})


def _refuse_unknown_kernel(name: str) -> None:
    from pytest_weekops.core.guard.invariants import GUARDED
    from pytest_weekops.core.measurement.modes import T5_KERNEL
    from pytest_weekops.core.suggestion import suggest
    from pytest_weekops.files.catalog import kernel_entries
    from pytest_weekops.files.shipped import data_dir

    entries = kernel_entries((str(data_dir("kernels")),))
    known = [T5_KERNEL, "auto", *(mode for mode, entry in entries.items() if entry.operation in ("gemm", *GUARDED))]
    if name not in known:
        raise InputError(
            f"--kernel {name!r:.80} is no kernel whose launches are guarded. No fault was planted."
            f"{suggest(name, known)} Known: {', '.join(known)}."
        )


def _on_platform(name: str, arguments: argparse.Namespace, rules: GuardRules) -> list[dict[str, Any]]:
    from pytest_weekops.campaigns.faults import clean_launches, demands_at, keep, render
    from pytest_weekops.core.guard.injection import shortfalls
    from pytest_weekops.core.guard.settings import settings_of
    from pytest_weekops.core.measurement.plan import Deadlines
    from pytest_weekops.drivers.platforms import resolve_platforms
    from pytest_weekops.files.scratch import Scratch
    from pytest_weekops.files.shipped import data_dir
    from pytest_weekops.worker.protocol import InjectRequest
    from pytest_weekops.worker.supervisor import PlatformSupervisor

    found: list[dict[str, Any]] = []
    with Scratch() as scratch:
        launch = resolve_platforms([name], scratch=scratch, profile_files=arguments.platform_file, say=say_aside)[0]
        say_passed_over(launch)
        supervisor = PlatformSupervisor(launch, Deadlines(), scratch, say_aside)
        try:
            identity = supervisor.start()
            tuned = _tuned(launch.label, identity, arguments)
            for size in arguments.sizes:
                request = InjectRequest(
                    kernel=arguments.kernel,
                    size=size,
                    seed=arguments.seed,
                    flips_per_bit=arguments.flips,
                    faults=arguments.faults,
                    clean_launches=clean_launches(size) if arguments.clean is None else arguments.clean,
                    guard=settings_of(rules),
                    control=arguments.control or "",
                    kernel_dirs=(str(data_dir("kernels")),),
                    tuned=tuned,
                )
                result = supervisor.inject(request)
                asked = (arguments.min_critical_recall, arguments.min_uniform_recall)
                missing = shortfalls(result, demands_at(size, rules, critical=asked[0], uniform=asked[1]))
                if not arguments.control:  # what a guard that was broken on purpose caught is no evidence
                    keep(arguments.report_dir, launch.label, identity, result)
                if not arguments.json:
                    for line in render(launch.label, identity, result, missing):
                        say(line)
                    sys.stdout.flush()
                found.append(_document(launch.label, identity, result, missing))
        finally:
            supervisor.close()
    return found


def _tuned(label: str, identity: DeviceIdentity, arguments: argparse.Namespace) -> tuple[TunedVariant, ...]:
    """The build parameters in force, told on standard error with whatever was ignored."""
    from pytest_weekops.evidence.tunings import load_kernels, load_tunings, tuning_directory
    from pytest_weekops.files.shipped import data_dir

    directory = tuning_directory(arguments.tuning, arguments.report_dir, Path.cwd())
    if directory is None:
        return ()
    found, notes = load_tunings(directory, {label: identity}, load_kernels((str(data_dir("kernels")),)))
    tuning = found.get(label)
    if tuning is not None and tuning.tuned:
        notes.append(f"{label}: tuned by {tuning.file}: {tuning.words}")
    for note in notes:
        say(note, sys.stderr)
    return tuning.tuned if tuning is not None else ()


def _document(label: str, identity: DeviceIdentity, result: Injection, missing: Sequence[str]) -> dict[str, Any]:
    return {
        "platform": label,
        "identity": identity.model_dump(mode="json"),
        "mode": result.guard.mode,
        "coverage": result.guard.coverage(result.size, result.size),
        "result": result.model_dump(mode="json"),
        "shortfalls": list(missing),
    }


def plot(results: Sequence[dict[str, Any]], path: Path) -> None:
    """Recall per bit, one line per platform and size. Raises ``InputError`` without matplotlib."""
    try:
        import matplotlib as mpl
    except ImportError as error:
        raise InputError(
            "--plot needs matplotlib, which is not installed. The figures are printed all the same. Install it with "
            '`pip install "pytest-weekops[plot]"`.'
        ) from error
    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 4), layout="constrained")
    for result in results:
        bits = [bit for bit in result["result"]["bits"] if bit["tried"]]
        shares = [100 * bit["caught"] / bit["tried"] for bit in bits]
        label = f"{result['platform']}, n = {result['result']['size']}"
        axes.plot([bit["bit"] for bit in bits], shares, marker="o", markersize=3, label=label)
    axes.axvspan(22.5, 30.5, color="0.93", zorder=0)
    axes.text(26.5, 4, "exponent", ha="center", color="0.4")
    axes.text(31, 4, "sign", ha="center", color="0.4")
    axes.set(xlabel="bit of one element of C that was flipped", ylabel="caught by the guard [%]", ylim=(-3, 105))
    axes.set_xticks(range(0, 32, 2))
    axes.legend(loc="center left", frameon=False)
    figure.savefig(path, dpi=120)
