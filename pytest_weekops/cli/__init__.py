"""The ``weekops`` command: one module per subcommand, imported only when it is asked for.

Private: import from `pytest_weekops.api`.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import importlib
import importlib.util
import io
import logging
import os
import sys
import traceback
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from pytest_weekops import __version__
from pytest_weekops.cli.interrupting import interruptible
from pytest_weekops.core.errors import InputError, WeekopsError
from pytest_weekops.report.saying import say

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

# name -> help, short enough for one line at 80 columns. Each module in this package has ``configure(parser)`` and
# ``run(arguments) -> int``, whose docstring says below its help what it exits with; VERB_STATUSES has verbs that
# exit with something else.
COMMANDS = {
    "drivers": "show every platform profile and what answers on this machine",
    "peak": "measure what a device can do, each item verified",
    "conformance": "run piglit, or read results of other suites, and keep them",
    "judge": "judge a run directory, a journal or a recorded campaign",
    "report": "make a run's summary, JUnit XML and decision anew",
    "page": "make a run's page, report.html, anew",
    "comment": "print a run's verdict as Markdown for a merge request",
    "export": "give a run to CI systems: SARIF, GitLab, metrics, a badge",
    "metrics": "a run as OpenMetrics text, for a node exporter",
    "ledger": "share a ledger in PostgreSQL, or copy one",
    "record": "enter a finished run into a ledger that was locked then",
    "compare": "two runs: what differs, each cell's speed with its interval",
    "history": "each cell's speed over the runs of the ledger",
    "site": "static pages of the ledger: weeks, cells, runs side by side",
    "policy": "show, compare or recalibrate policies",
    "baseline": "pin a promoted run as its device's baseline, or show those",
    "calibrate": "measure a driver against itself: the noise of this host",
    "bisect": "find the build of a driver that made it slow, wrong or crash",
    "fleet": "run the gate on many hosts, and judge them together",
    "tune": "search build parameters that are faster on a device",
    "inject": "plant faults on a device and count what the T5 guard catches",
    "status": "show the channel: promoted, frozen, rolled back or iterate",
    "rollback": "plan, apply, undo, rehearse the switch to the baseline driver",
    "close": "close a week: decision record and acta",
    "action": "list or close the actions a week still owes",
}

_BEGIN = """\
where to begin:
  weekops drivers                         what answers on this machine
  pytest --tier canonical --driver-smoke  are this machine and the kernels sane?
  pytest suites/weekly                    the weekly replay, ends in a verdict
  weekops status                          what may be deployed now

`weekops COMMAND --help` has a command's options and exit statuses.
"""
_OTHER_STATUSES = "4: refused, and nothing was changed; 2: interrupted; 3: something broke on the way."


def _available() -> dict[str, str]:
    return {name: text for name, text in COMMANDS.items() if importlib.util.find_spec(f"{__name__}.{name}") is not None}


class _Lines(argparse.RawDescriptionHelpFormatter):
    """A command and what it does on one line: argparse forgets by how much the list of commands is indented."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog)
        self._action_max_length = max(map(len, COMMANDS)) + 2 * self._indent_increment


class _Parser(argparse.ArgumentParser):
    """Ends in 4 where argparse would say 2: that status means interrupted."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the options."""
        self.print_usage(sys.stderr)
        say(f"{self.prog}: error: {message}", sys.stderr)
        self.exit(4)

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Refuse what a command does not know, with its own usage; argparse would show the program's."""
        found, strangers = super().parse_known_args(args, namespace)
        if strangers:
            words = [word.partition("=")[0] for word in strangers if word.startswith("-")]
            self.error(f"unrecognized arguments: {' '.join(strangers)}{_meant(words, self._option_string_actions)}")
        return found, strangers

    def _check_value(self, action: argparse.Action, value: object) -> None:
        """Name the nearest command or choice before all that there are."""
        try:
            super()._check_value(action, value)
        except argparse.ArgumentError as error:
            error.message += _meant([str(value)], map(str, action.choices or ()))
            raise

    def _print_message(self, message: str, file: SupportsWrite[str] | None = None) -> None:
        """Write help and usage; argparse would be silent where they cannot be written."""
        if message:
            (file or sys.stderr).write(message)


def _meant(words: Sequence[str], known: Iterable[str]) -> str:
    """The known names that are nearest to these words, in brackets, or nothing where none is near."""
    names = list(known)
    near = (difflib.get_close_matches(word, names, n=1) for word in words)
    meant = dict.fromkeys(name for found in near for name in found)
    return f" (did you mean {' or '.join(meant)}?)" if meant else ""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand and return its exit status (see ``docs/reference/exit-statuses.md``)."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if sys.stderr is None:  # where print would otherwise take standard output instead
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - as long as the process
    if sys.stdout is None:
        _tell("weekops: standard output is closed, so nothing could be shown and nothing was done. Send it somewhere.")
        return _for_git(arguments, 4)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # where its cache is, is nobody's business
    asked = next((word for word in arguments if not word.startswith("-")), "")
    return _for_git(arguments, _shown(_ended(arguments, asked)))


def _ended(arguments: Sequence[str], asked: str) -> int:
    """Run what was asked for, and turn whatever breaks into a sentence and an exit status that is never a verdict's."""
    name = f"weekops {asked}" if asked in COMMANDS else "weekops"
    try:
        with interruptible():
            return _run(arguments, asked)
    except SystemExit as leaving:  # argparse has said why
        return leaving.code if isinstance(leaving.code, int) else 4
    except InputError as error:
        _tell(f"weekops: {error}")
        return 4
    except WeekopsError as error:
        _tell(f"weekops: {error}")
        return 3
    except BrokenPipeError:
        _drop_output()
        return 141
    except KeyboardInterrupt:
        return 2
    except OSError as error:
        place = f"{error.filename}: " if error.filename is not None else ""
        _tell(f"{name}: {place}{error.strerror or error}. It broke off there. Check the path, its rights and the room.")
        return 4
    except Exception as error:  # noqa: BLE001 - a traceback ends in 1, and 1 means that somebody's run has to iterate
        if os.environ.get("WEEKOPS_TRACEBACK"):
            traceback.print_exc()
        _tell(
            f"{name}: internal error: {type(error).__name__}: {error!s:.300}. This is a defect of weekops, and says "
            "nothing about a driver. Please report it; WEEKOPS_TRACEBACK=1 shows where it is."
        )
        return 3


def _for_git(arguments: Sequence[str], status: int) -> int:
    """What `git bisect run` may be told: it takes 1 to 127 for a bad commit, and what is no answer must stop it."""
    words = [word for word in arguments[: arguments.index("--") if "--" in arguments else None] if word[:1] != "-"]
    is_step = words[:1] == ["bisect"] and "step" in words
    return 255 if is_step and status not in (0, 1, 125) and status < 128 else status


def _run(arguments: Sequence[str], asked: str) -> int:
    parser = build_parser(asked)
    if not arguments:
        parser.print_help(sys.stderr)
        _tell("weekops: error: no COMMAND was given, so nothing was done. Name one of those above.")
        return 4
    namespace = parser.parse_args(arguments)
    return int(importlib.import_module(f"{__name__}.{namespace.command}").run(namespace))


def build_parser(asked: str) -> argparse.ArgumentParser:
    """The parser, with the arguments of the command that is asked for."""
    parser = _Parser(
        prog="weekops",
        description="May this OpenCL driver be promoted?",
        epilog=_BEGIN,
        formatter_class=_Lines,
    )
    parser.add_argument("--version", action="version", version=f"weekops {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, text in _available().items():
        child = subparsers.add_parser(name, help=text, description=_sentence(text))
        if name == asked:  # only the asked-for command's module is imported: the others stay free of charge
            module = importlib.import_module(f"{__name__}.{name}")
            module.configure(child)
            _describe(child, (module.run.__doc__ or "").split("\n\n", 1)[0], getattr(module, "VERB_STATUSES", {}))
    return parser


def _describe(parser: argparse.ArgumentParser, statuses: str, of_verbs: Mapping[str, str]) -> None:
    """Say below the options what a command does and exits with, and above those of a verb what the verb is for.

    A verb that exits with something else than its command has a text of its own; one that ends in 255 for git has no
    other statuses.
    """
    parser.epilog = _with_others(statuses)
    for action in parser._actions:  # noqa: SLF001 - argparse has no other way to its verbs
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for listed in action._choices_actions:  # noqa: SLF001
                verb, own = action.choices[listed.dest], of_verbs.get(listed.dest, statuses)
                verb.description = _sentence(listed.help or "")
                verb.epilog = own if "255" in own else _with_others(own)


def _with_others(statuses: str) -> str:
    return f"{' '.join(statuses.replace('``', '`').split())} {_OTHER_STATUSES}"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _shown(status: int) -> int:
    """The exit status, unless standard output did not take what was asked for."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _drop_output()
        return 141
    except (OSError, ValueError) as error:
        _drop_output()
        _tell(f"weekops: standard output cannot be written: {error}. What was asked for was not shown. Make room.")
        return 4
    return status


def _drop_output() -> None:
    """Nobody takes it; what is left in the buffer must not fail once more when the program ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _tell(text: str) -> None:
    with contextlib.suppress(OSError, ValueError):
        say(text, sys.stderr)
        sys.stderr.flush()
