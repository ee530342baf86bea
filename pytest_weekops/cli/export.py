"""``weekops export``: a run in the formats that CI systems, dashboards and readmes show by themselves."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_weekops.cli.places import write_asked
from pytest_weekops.core.errors import InputError
from pytest_weekops.report.saying import say

if TYPE_CHECKING:
    from pytest_weekops.core.judge.finding import Verdict

    Render = Callable[[Verdict, Mapping[str, Any], str], str]


@dataclass(frozen=True)
class Form:
    """How the files of a format are called and begin, and whether it shows findings at a place."""

    suffixes: tuple[str, ...]
    beginning: str
    has_places: bool = False


FORMS = {
    "sarif": Form((".sarif", ".json"), '{\n  "$schema": "', has_places=True),
    "codequality": Form((".json",), "[", has_places=True),
    "metrics": Form((".txt",), "# TYPE weekops_"),
    "openmetrics": Form((".prom", ".txt"), "# TYPE weekops_"),
    "badge": Form((".svg",), "<svg "),
    "badge-json": Form((".json",), '{\n  "schemaVersion": '),
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("run", type=Path, metavar="RUN", help="run directory or journal.jsonl")
    parser.add_argument(
        "--format",
        choices=tuple(FORMS),
        required=True,
        help="sarif; codequality or metrics of GitLab; openmetrics for a node exporter; a badge, or one for shields.io",
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="where to write it (default: standard output)")
    parser.add_argument(
        "--location",
        metavar="FILE",
        help="sarif, codequality: the repository's file that findings are shown at (default: the run's decision.json)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Exit status 0 where it was written; the verdict is in it, and `weekops judge` exits with it."""
    from pytest_weekops.evidence.artifacts import judged_anew
    from pytest_weekops.evidence.journal import find_journal
    from pytest_weekops.week.witnesses import read_uncontradicted

    form = FORMS[arguments.format]
    output: Path | None = arguments.output
    _refuse_location(arguments.location, arguments.format, form)
    if output is not None:
        _refuse_other(output, arguments.format, form)
    verdict, facts = judged_anew(read_uncontradicted(arguments.run))
    document = facts.decision(verdict)
    location: str | None = arguments.location
    place = _place(find_journal(arguments.run).parent) if location is None else Path(location).as_posix()
    text = _renderer(arguments.format)(verdict, document, place)
    if output is None:
        print(text, end="")
        return 0
    write_asked(output, text)
    say(f"{output} written: {arguments.format} of run {document['run_id']}")
    say(f"verdict: {document['decision']} (SEV{document['severity']}), exit status {document['exit_status']}")
    return 0


def _renderer(name: str) -> Render:
    from pytest_weekops.report import badge, gitlab, openmetrics, sarif

    renderers: dict[str, Render] = {
        "sarif": sarif.render_sarif,
        "codequality": gitlab.render_code_quality,
        "metrics": lambda verdict, document, _place: openmetrics.render_gitlab_metrics(verdict, document),
        "openmetrics": lambda verdict, document, _place: openmetrics.render_openmetrics(verdict, document),
        "badge": lambda _verdict, document, _place: badge.render_badge_svg(document),
        "badge-json": lambda _verdict, document, _place: badge.render_badge_json(document),
    }
    return renderers[name]


def _place(run_dir: Path) -> str:
    """The run's decision as seen from here, and where it lies elsewhere without the machine's own path."""
    from pytest_weekops.evidence.artifacts import DECISION_NAME

    absolute, here = run_dir.absolute(), Path.cwd()
    below = absolute.relative_to(here) if absolute.is_relative_to(here) else Path(absolute.name)
    return (below / DECISION_NAME).as_posix()


def _refuse_location(location: str | None, name: str, form: Form) -> None:
    """A place that no reader would show is refused, and so is one that this format leaves out."""
    if location is None:
        return
    if not form.has_places:
        raise InputError(
            f"--location {location!r:.60} has no use: {name} shows no findings. It would be left out silently. "
            "Leave it out, or choose sarif or codequality."
        )
    if not location or Path(location).is_absolute() or ".." in Path(location).parts:
        raise InputError(
            f"--location {location!r:.60} is no file of a repository, and a code host would show nothing there. Give a "
            "path relative to its root, such as suites/weekly/test_weekly.py."
        )


def _refuse_other(output: Path, name: str, form: Form) -> None:
    """An export must not take the place of what a verdict rests on, nor of anything else that is no such export."""
    if output.suffix.lower() not in form.suffixes or (output.exists() and not output.is_file()):
        raise InputError(
            f"--output {output} is no name for --format {name}. Whatever lies there would be replaced. Give a file "
            f"that ends in {' or '.join(form.suffixes)}."
        )
    if output.exists():
        with output.open(encoding="utf-8", errors="replace") as file:
            found = file.read(len(form.beginning))
        if found not in ("", form.beginning):
            raise InputError(
                f"--output {output} is there and is no {name} file of an earlier export. It would be replaced, and it "
                "may be evidence. Move it away, or give another name."
            )
