"""``weekops drivers``: every platform profile, what answers behind it, and what to do where nothing does."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_weekops.cli.measuring import say_aside
from pytest_weekops.report.saying import say

if TYPE_CHECKING:
    from pytest_weekops.worker.process import Launch


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--platforms", nargs="+", metavar="NAME", help="profiles to look at (default: all)")
    parser.add_argument(
        "--platform-file", action="append", default=[], type=Path, metavar="FILE", help="platform profiles of your own"
    )
    parser.add_argument("--device", metavar="PATTERN", help="regular expression that picks the device")


def run(arguments: argparse.Namespace) -> int:
    """Probe each profile in a worker of its own. Exit status 0 where one passes, of those named each one; else 1."""
    from pytest_weekops.files.scratch import Scratch

    with Scratch() as scratch:
        document = survey(scratch, arguments.platforms, arguments.device, arguments.platform_file)
    if arguments.json:
        print(json.dumps(document, indent=2, sort_keys=True))
    else:
        _print(document)
    return 0 if document["overall_status"] == "ok" or (document["opencl"] and not arguments.platforms) else 1


def survey(
    scratch: Path, names: list[str] | None = None, device: str | None = None, files: Sequence[Path] = ()
) -> dict[str, Any]:
    """``overall_status`` (ok, degraded, none), ``opencl``, ``recommendations`` and one entry per profile.

    What is not installed degrades nothing, unless it is named.
    """
    from pytest_weekops.drivers.platforms import every_launch, name_launches

    if names:
        launches = name_launches(names, scratch=scratch, device_pattern=device, profile_files=files)
    else:
        launches = every_launch(scratch, files)
    entries: list[dict[str, Any]] = []
    for launch in launches:  # a gate that was waited for once in vain is not waited for again
        was_busy = any(entry["status"] == "busy" for entry in entries)
        entries.append(_entry(launch, scratch, lock_wait_s=0.0 if was_busy else None))
    installed = [entry for entry in entries if entry["status"] != "not installed"]
    working = [entry for entry in installed if entry["status"] in ("ok", "warning")]
    broken = [entry for entry in (entries if names else installed) if entry not in working]
    advice = [f"{e['profile']}: {text}" for e in installed for text in e["recommendations"]]
    if not working:
        advice += [f"{e['profile']}: {e['reason']}" for e in entries if e["status"] == "not installed"]
    return {
        "overall_status": "none" if not working else "degraded" if broken else "ok",
        "opencl": bool(working),
        "recommendations": advice,
        "platforms": entries,
    }


def _entry(launch: Launch, scratch: Path, *, lock_wait_s: float | None) -> dict[str, Any]:
    from pytest_weekops.drivers.probe import probe

    entry: dict[str, Any] = {
        "profile": launch.label,
        "reason": "",
        "identity": None,
        "steps": [],
        "recommendations": [],
    }
    if launch.missing:
        return {**entry, "status": "not installed", "reason": launch.missing}
    answer = probe(launch, scratch, say_aside, lock_wait_s=lock_wait_s)
    warned = any(step.status == "warning" for step in answer.steps)
    return {
        "profile": launch.label,
        "status": "busy" if answer.busy else "failed" if not answer.works else "warning" if warned else "ok",
        "reason": answer.refusal or (" ".join(answer.failed.detail.split()) if answer.failed else ""),
        "identity": answer.identity.model_dump(mode="json") if answer.identity else None,
        "steps": [step.model_dump(mode="json") for step in answer.steps],
        "recommendations": list(answer.advice),
    }


def _print(document: dict[str, Any]) -> None:
    """A line per profile and per advice; paths and names stay whole, and each profile is one line of a log."""
    say(f"OpenCL: {document['overall_status']}")
    for entry in document["platforms"]:
        who = entry["identity"]
        words = (
            f"{who['platform_name']}, {who['device_name']}, driver {who['driver_version']}" if who else entry["reason"]
        )
        if who and entry["reason"]:
            words += f": {entry['reason'][:300]}"
        prefix = f"Profile {entry['profile']}: "
        say(f"  {entry['profile']}: {entry['status']}: {words.removeprefix(prefix)}")
    for text in document["recommendations"]:
        say(f"- {text}")
