"""``weekops bisect``: which build of a driver is the first bad one."""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_weekops.cli.measuring import refuse_sizes
from pytest_weekops.core.errors import InputError
from pytest_weekops.core.numbers import finite_from
from pytest_weekops.report.saying import say

if TYPE_CHECKING:
    from pytest_weekops.core.bisect.step import Settings, Step
    from pytest_weekops.drivers.builds import Ladder

DIRECTORY = "reports/bisect"
SNAPSHOTS, MAX_SNAPSHOTS = 6, 40
UNJUDGED = 125  # what `git bisect run` takes for a commit that cannot be judged
INCONCLUSIVE = 11
_STDERR = 2  # our own standard output is for answers
_MOST_COMMITS = 1024  # that `git bisect run` is planned for: ten steps


VERB_STATUSES = {
    "step": "Exit status 0 where the commit is good, 1 where it is bad, 125 where nobody can say, and 255, which stops "
    "`git bisect run`, where something was refused or broke."
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of a search, and ``step``."""
    add = parser.add_argument
    add("--good", metavar="NAME", help="PROFILE@PATH of the build that is good: a driver file, or its directory")
    add("--bad", metavar="NAME", help="the same of the one that is bad")
    add("--builds", nargs="+", metavar="PATH", help="a glob, taken in the order of versions; or several, as listed")
    add("--built", type=Path, metavar="PATH", help="for `git bisect run`, instead of --builds: what each commit builds")
    add("--inside", default="", metavar="GLOB", help="the driver file below a build's directory, where it is not clear")
    add("--by", choices=("speed", "correctness", "crash"), default="speed", help="what bad means (default: speed)")
    add("--sizes", nargs="+", type=int, default=[1400], metavar="N", help="problem sizes (default: 1400)")
    add("--kernels", nargs="+", default=["auto"], metavar="MODE", help="kernels, as pytest takes them (default: auto)")
    add("--snapshots", type=int, metavar="N", help=f"of a step, at least (default: {SNAPSHOTS}; 2 where not by speed)")
    add("--max-snapshots", type=int, metavar="N", help=f"budget of a step (default: {MAX_SNAPSHOTS}; 2 likewise)")
    add("--error", default="0.05", metavar="P", help="most probability of a wrong answer, by speed (default: 0.05)")
    add("--policy", default="", metavar="FILE", help="policy that the splits are judged by (default: portable)")
    add("--split-options", default="", metavar="WORDS", help="further options for the splits, in one word")
    add("--dir", type=Path, default=Path(DIRECTORY), metavar="DIR", help=f"what is kept (default: {DIRECTORY})")
    add("--json", action="store_true", help="the answer as one JSON object")
    verbs = parser.add_subparsers(dest="verb", metavar="step")
    step = verbs.add_parser(
        "step", help="for `git bisect run`: build a commit, end with 0 good, 1 bad, 125 unknown, 255 stop"
    )
    step.add_argument("--dir", type=Path, default=argparse.SUPPRESS, metavar="DIR", help="where it was begun")
    step.add_argument("building", nargs="*", metavar="COMMAND", help="behind --: what builds it; a failure is 125")


def run(arguments: argparse.Namespace) -> int:
    """Exit status 0 with the first bad build, or ends that differ for --built; 11 where evidence does not suffice."""
    if arguments.verb == "step":
        return _step(arguments)
    from pytest_weekops.campaigns.bisect import Bisection, NotDecided
    from pytest_weekops.core.bisect.surety import step_error
    from pytest_weekops.drivers.builds import ladder
    from pytest_weekops.evidence.bisections import BisectionBook

    if not arguments.good or not arguments.bad or bool(arguments.builds) == (arguments.built is not None):
        raise InputError(
            "A bisection goes from --good PROFILE@PATH to --bad PROFILE@PATH, over --builds or, for `git bisect run`, "
            "over what each commit puts to --built. Without them nothing can be searched. Give all three."
        )
    profile, good, bad = _ends(arguments)
    found = ladder(arguments.builds, good, bad, arguments.inside) if arguments.builds else None
    last = len(found.builds) - 1 if found else _MOST_COMMITS
    settings = _settings(arguments, profile, good, bad, lambda error: step_error(error, last))
    _try_names(settings)
    book = BisectionBook(arguments.dir.absolute())
    bisection = Bisection(book, book.begin(settings), _say)
    try:
        ends = bisection.ends()
    except NotDecided as error:
        _say(str(error))
        return INCONCLUSIVE
    if found is None:
        _say(f"The two ends differ by {settings.by}. Next: git bisect run weekops bisect step --dir DIR -- COMMAND")
        return 0
    _say(f"{len(found.builds)} builds {found.order}: {', '.join(map(str, found.builds))}")
    state = bisection.search(found.builds, ends)
    return _answer(arguments, bisection, found, ends, state)


def _answer(arguments: argparse.Namespace, bisection: Any, found: Ladder, ends: Step, state: Any) -> int:
    from pytest_weekops.files.atomic import write_atomic
    from pytest_weekops.report.bisection import bisection_document, bisection_lines, bisection_markdown

    names = [str(build) for build in found.builds]
    document = bisection_document(bisection.settings, names, found.order, state, ends, bisection.known(found.builds))
    text = json.dumps(document, indent=2, allow_nan=False)
    directory = bisection.book.directory
    write_atomic(directory / "answer.json", text + "\n")
    write_atomic(directory / "answer.md", bisection_markdown(document))
    if arguments.json:
        print(text)
    else:
        for line in bisection_lines(document):
            say(line)
        say(f"Each step and its run: {directory / 'answer.md'}")
    return 0 if state.is_exact else INCONCLUSIVE


def _ends(arguments: argparse.Namespace) -> tuple[str, Path, Path]:
    """The profile and both driver files. Raises ``InputError`` for a name without a path, and for two profiles."""
    from pytest_weekops.drivers.builds import driver_in

    found = []
    for option in ("good", "bad"):
        profile, _, path = str(getattr(arguments, option)).partition("@")
        if not profile or not path:
            raise InputError(
                f"--{option} {getattr(arguments, option)!r:.200} is no PROFILE@PATH. Builds are told apart by where "
                f"they lie. Name the driver file, or the directory that it is in: --{option} pocl@/opt/pocl-6.0."
            )
        found.append((profile, driver_in(Path(path).expanduser(), arguments.inside)))
    (profile, good), (other, bad) = found
    if profile != other or good == bad:
        raise InputError(
            f"--good and --bad are {'one file' if good == bad else f'of two profiles, {profile} and {other}'}. A "
            "search goes between two builds of one driver. Name both ends of it."
        )
    return profile, good, bad


def _settings(arguments: argparse.Namespace, profile: str, good: Path, bad: Path, share: Any) -> Settings:
    from pytest_weekops.core.bisect.step import Settings

    error = finite_from(arguments.error)
    if error is None or not 0 < error < 0.5:
        raise InputError(f"--error {arguments.error!r:.40} is no probability of a wrong answer. Give 0.05 or so.")
    refuse_sizes(arguments.sizes, "search at")
    by_speed = arguments.by == "speed"
    least = arguments.snapshots if arguments.snapshots is not None else SNAPSHOTS if by_speed else 2
    most = arguments.max_snapshots if arguments.max_snapshots is not None else max(least, MAX_SNAPSHOTS * by_speed, 2)
    if not 2 <= least <= most <= 200:
        raise InputError(
            f"--snapshots {least} and --max-snapshots {most}: a step takes two at least and 200 at most, and no more "
            "at least than at most. Give 6 and 40 or so."
        )
    policy = Path(arguments.policy) if arguments.policy else None
    return Settings(
        profile=profile,
        good=str(good),
        bad=str(bad),
        built=str(arguments.built.absolute()) if arguments.built else "",
        inside=arguments.inside,
        by=arguments.by,
        sizes=tuple(arguments.sizes),
        kernels=tuple(arguments.kernels),
        error=error,
        step_error=share(error),
        snapshots=least,
        max_snapshots=most,
        policy=str(policy.absolute()) if policy is not None and policy.is_file() else arguments.policy,
        options=_options(arguments.split_options),
    )


def _options(text: str) -> tuple[str, ...]:
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        raise InputError(f"--split-options {text!r:.200} cannot be taken apart: {error}. Close its quotes.") from error
    if words and not words[0].startswith("-"):
        raise InputError(
            f"--split-options begins with {words[0]!r:.80}, which is no option. As a path it would name other tests. "
            "Give options of the split, such as --split-options='--seeds 11 12'."
        )
    return words


def _try_names(settings: Settings) -> None:
    """Refuse a profile that does not exist before anything is measured."""
    from pytest_weekops.drivers.platforms import resolve_platforms
    from pytest_weekops.files.scratch import Scratch

    with Scratch() as scratch:
        resolve_platforms([f"{settings.profile}@{path}" for path in (settings.good, settings.bad)], scratch=scratch)


def _step(arguments: argparse.Namespace) -> int:
    """One commit: build it, measure it, and say what it is in git's own statuses."""
    from pytest_weekops.campaigns.bisect import Bisection
    from pytest_weekops.core.bisect.search import Said
    from pytest_weekops.drivers.builds import driver_in
    from pytest_weekops.evidence.bisections import BisectionBook

    book = BisectionBook(arguments.dir.absolute())
    settings = book.settings()
    if not settings.built:
        raise InputError(
            f"The bisection in {book.directory} is over builds that are there. What a commit builds is none of them. "
            "Begin one with --built PATH in another --dir."
        )
    if arguments.building and (status := _build(arguments.building)):
        _say(f"{arguments.building[0]} ended with {status}: this commit cannot be built, and so not be judged")
        return UNJUDGED
    bisection = Bisection(book, settings, _say)
    ends = bisection.ends()
    try:
        build = driver_in(Path(settings.built), settings.inside)
    except InputError as error:
        _say(f"{error} This commit cannot be judged.")
        return UNJUDGED
    if str(build) in (settings.good, settings.bad):
        raise InputError(
            f"--built {settings.built} is one of the two ends. Each commit would replace it. Keep both ends elsewhere."
        )
    step = bisection.step(build, ends)
    return {Said.GOOD: 0, Said.BAD: 1, Said.SKIPPED: UNJUDGED}[step.said]


def _build(command: list[str]) -> int:
    """Run what builds a commit. Raises ``InputError`` where it cannot even be started: no commit is to blame."""
    try:
        return subprocess.run(command, check=False, stdout=_STDERR).returncode
    except OSError as error:
        raise InputError(
            f"{command[0]} cannot be started: {error.strerror}. No commit could be built. Check its path."
        ) from error


def _say(line: str) -> None:
    say(line, sys.stderr)
