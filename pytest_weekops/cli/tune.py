"""``weekops tune``: search a variant's build parameters on a device and keep what is faster than the shipped ones."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_weekops.cli.measuring import add_platforms, refuse_sizes, say_passed_over
from pytest_weekops.cli.places import add_report_dir
from pytest_weekops.core.errors import InputError, WeekopsError
from pytest_weekops.report.saying import say

if TYPE_CHECKING:
    from pytest_weekops.core.measurement.records import DeviceIdentity
    from pytest_weekops.core.selection.tuning import Kernel, VariantTuning
    from pytest_weekops.worker.host import HostWorker
    from pytest_weekops.worker.process import Launch
    from pytest_weekops.worker.supervisor import PlatformSupervisor


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_platforms(parser)
    parser.add_argument(
        "--kernel-dir",
        action="append",
        default=[],
        type=Path,
        metavar="DIR",
        help="with a catalog.yaml of your own kernels",
    )
    parser.add_argument(
        "--variants", nargs="+", metavar="NAME", help="kernels to tune (default: those that auto takes here)"
    )
    parser.add_argument(
        "--sizes",
        nargs="+",
        type=int,
        default=[1400, 2048],
        metavar="N",
        help="edges of the matrices (default: 1400 2048)",
    )
    parser.add_argument("--rounds", type=int, default=6, metavar="N", help="rounds against the default (default: 6)")
    parser.add_argument(
        "--candidates", type=int, default=48, metavar="N", help="to try per variant, at most (default: 48)"
    )
    parser.add_argument(
        "--budget-s", type=float, default=600.0, metavar="S", help="seconds to search per platform (default: 600)"
    )
    add_report_dir(parser, what="runs find it there")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--dry-run", action="store_true", help="list the candidates, build nothing")
    only.add_argument("--show", action="store_true", help="show what is stored, start nothing")


def run(arguments: argparse.Namespace) -> int:
    """Search each platform. Exit status 0 where every search came to its end, 1 where one broke off."""
    _refuse(arguments)
    if arguments.show:
        found = _stored(arguments.report_dir)
    else:
        found = [_on_platform(name, arguments) for name in arguments.platforms]
    if arguments.json:
        print(json.dumps({"schema": "weekops-tuning/1", "platforms": found}, indent=2, sort_keys=True))
    else:
        for entry in found:
            _print(entry)
        if not found:
            say(f"No search is kept below {arguments.report_dir}/ yet. Make one: weekops tune --platforms NAME.")
    return 1 if any(entry["broke_off"] for entry in found) else 0


def _refuse(arguments: argparse.Namespace) -> None:
    from pytest_weekops.core.selection.tuning import LEAST_ROUNDS, MOST_ROUNDS

    refuse_sizes(arguments.sizes, "tune at")
    if not LEAST_ROUNDS <= arguments.rounds <= MOST_ROUNDS:
        raise InputError(
            f"--rounds {arguments.rounds} is not from {LEAST_ROUNDS} to {MOST_ROUNDS}. Fewer give no interval, and "
            "without one the default is kept. Give 6 or so."
        )
    if not 1 <= arguments.candidates <= 1000:
        raise InputError(f"--candidates {arguments.candidates} is not from 1 to 1000. Give 48 or so.")
    if not 0 < arguments.budget_s < 1e6:
        raise InputError(f"--budget-s {arguments.budget_s:g} is no time to search in. Give seconds, 600 or so.")


def _on_platform(name: str, arguments: argparse.Namespace) -> dict[str, Any]:
    from pytest_weekops.campaigns.tune import DEADLINES, TUNING_RESTARTS
    from pytest_weekops.drivers.platforms import resolve_platforms
    from pytest_weekops.files.scratch import Scratch
    from pytest_weekops.worker.host import HostWorker
    from pytest_weekops.worker.supervisor import PlatformSupervisor

    with Scratch() as scratch:
        (launch,) = resolve_platforms([name], scratch=scratch, profile_files=arguments.platform_file, say=_say)
        say_passed_over(launch)
        supervisor = PlatformSupervisor(launch, DEADLINES, scratch, _say, restart_budget=TUNING_RESTARTS)
        host = HostWorker(scratch, DEADLINES)
        try:
            return _search(launch, supervisor, host, arguments)
        except InputError:
            raise
        except WeekopsError as error:  # this platform's end is not the other platforms'
            return {"platform": launch.label, "device": "", "file": "", "variants": [], "broke_off": str(error)}
        finally:
            supervisor.close()
            host.close()


def _search(
    launch: Launch, supervisor: PlatformSupervisor, host: HostWorker, arguments: argparse.Namespace
) -> dict[str, Any]:
    from pytest_weekops.campaigns.tune import Bounds, Tuner
    from pytest_weekops.evidence.tunings import DIRECTORY, TuningBook
    from pytest_weekops.files.shipped import data_dir
    from pytest_weekops.policies.files import default_policy

    dirs = (*(str(path) for path in arguments.kernel_dir), str(data_dir("kernels")))
    kernels = _kernels(dirs)
    _refuse_unknown(arguments.variants or (), kernels)
    identity = supervisor.start()
    variants = _variants(arguments.variants, kernels, identity)
    book = TuningBook(arguments.report_dir / DIRECTORY, identity, kernels)
    entry: dict[str, Any] = {"platform": launch.label, "device": identity.device_name, "broke_off": ""}
    if arguments.dry_run:
        return {**entry, "file": "", "variants": [_planned(kernels[v], identity, arguments) for v in variants]}
    if replaced := book.read()[1]:
        _say(f"{launch.label}: {replaced}")
    policy = default_policy()
    tuner = Tuner(
        supervisor=supervisor,
        host=host,
        book=book,
        kernels=kernels,
        kernel_dirs=dirs,
        sizes=tuple(arguments.sizes),
        rounds=arguments.rounds,
        count=arguments.candidates,
        bounds=Bounds(policy.max_abs_error, policy.k_scaled_bound),
        command=("weekops", *sys.argv[1:]),
        say=_say,
    )
    ends = time.monotonic() + arguments.budget_s
    found: list[VariantTuning] = []
    for number, variant in enumerate(variants):
        if tuner.broke_off:
            break
        _say(f"{launch.label}: tuning {variant}")
        # What one variant leaves over, the others share.
        found.append(tuner.tune(variant, budget_s=max(1.0, ends - time.monotonic()) / (len(variants) - number)))
    entry |= {"broke_off": tuner.broke_off, "file": str(book.path)}
    return {**entry, "variants": [each.model_dump(mode="json") for each in found]}


def _kernels(dirs: Sequence[str]) -> dict[str, Kernel]:
    from pytest_weekops.evidence.tunings import load_kernels

    try:
        return load_kernels(dirs)
    except (OSError, ValueError) as error:
        raise InputError(
            f"--kernel-dir: {error}. Its kernels cannot be tuned. Check the files that the catalogue names."
        ) from error


def _refuse_unknown(names: Sequence[str], kernels: Mapping[str, Kernel]) -> None:
    from pytest_weekops.core.selection.tuning_space import parameters
    from pytest_weekops.core.suggestion import suggest

    tunable = [mode for mode, kernel in kernels.items() if parameters(kernel.entry)]
    for name in names:
        if name not in tunable:
            what = "has nothing to tune" if name in kernels else "is no kernel variant"
            raise InputError(
                f"--variants {name!r} {what}. There is no parameter to search.{suggest(name, tunable)} "
                f"Known: {', '.join(tunable)}."
            )
    if len(set(names)) < len(names):
        raise InputError("--variants names a variant twice. The second search would replace the first. Name it once.")


def _variants(asked: Sequence[str] | None, kernels: Mapping[str, Kernel], identity: DeviceIdentity) -> tuple[str, ...]:
    from pytest_weekops.core.selection.selector import auto_variants, usable
    from pytest_weekops.core.selection.tuning_space import parameters

    entries = {mode: kernel.entry for mode, kernel in kernels.items()}
    if not asked:
        return tuple(name for name in auto_variants(identity, entries) if parameters(entries[name]))
    for name in asked:
        if reason := usable(entries[name], identity):
            raise InputError(f"--variants {name}: it {reason}. Nothing could be timed. Leave it out here.")
    return tuple(asked)


def _planned(kernel: Kernel, identity: DeviceIdentity, arguments: argparse.Namespace) -> dict[str, Any]:
    from pytest_weekops.core.selection.tuning_space import candidates, default_defines

    pool = candidates(kernel.entry, identity, count=arguments.candidates, k=max(arguments.sizes))
    default = default_defines(kernel.entry, identity)
    return {"variant": kernel.entry.mode, "kernel_sha256": kernel.sha256, "default": default, "candidates": list(pool)}


def _stored(report_dir: Path) -> list[dict[str, Any]]:
    from pytest_weekops.evidence.tunings import DIRECTORY, read_tuning

    found: list[dict[str, Any]] = []
    for path in sorted((report_dir / DIRECTORY).glob("*.json")):
        entry: dict[str, Any] = {"platform": "", "device": "", "file": str(path), "variants": [], "broke_off": ""}
        try:
            file = read_tuning(path)[0]
        except (OSError, ValueError) as error:
            entry["unreadable"] = str(error)
        else:
            entry |= {"platform": file.driver.platform_name, "device": file.driver.device_name}
            entry["variants"] = [each.model_dump(mode="json") for each in file.variants.values()]
            entry["rejected"] = [each.model_dump(mode="json") for each in file.rejected]
        found.append(entry)
    return found


def _print(entry: Mapping[str, Any]) -> None:
    device = f" ({entry['device']})" if entry["device"] else ""  # none where the search broke off before it was opened
    say(f"{entry['platform']}{device}" if entry["platform"] else entry["file"])
    for found in entry["variants"]:
        if "candidates" in found:
            say(f"  {found['variant']}: default {_words(found['default'])}, {len(found['candidates'])} candidates")
            for candidate in found["candidates"]:
                say(f"    {_words(candidate)}")
            continue
        what = _words(found["defines"]) or found["outcome"]
        tried = ", ".join(f"{count} {name}" for name, count in sorted(found["tried"].items()))
        say(f"  {found['variant']}: {what}: {found['decision']['reason']}")
        say(f"    at {' '.join(map(str, found['sizes']))}; candidates: {tried or 'none'}; {found['made_at']}")
    for rejected in entry.get("rejected", ()):
        ended = f"{rejected['status']} {rejected['signal']}".rstrip()
        say(f"  {rejected['variant']} {_words(rejected['defines'])}: {ended}, not tried again")
    if entry.get("unreadable"):
        say(f"  ignored: {entry['unreadable']}")
    if entry["broke_off"]:
        say(f"  BROKE OFF: {entry['broke_off']}")
    elif entry["file"] and entry["variants"]:
        say(f"  kept in {entry['file']}")


def _words(defines: Mapping[str, int]) -> str:
    return " ".join(f"{name}={value}" for name, value in defines.items())


def _say(line: str) -> None:
    say(line, sys.stderr)
