"""The ``weekops`` command: one module per subcommand, imported only when it is asked for."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import sys
from collections.abc import Sequence

from pytest_weekops import __version__
from pytest_weekops.core.errors import InputError, WeekopsError
from pytest_weekops.report.saying import say

# name -> one-line help. Each module in this package has ``configure(parser)`` and ``run(arguments) -> int``.
COMMANDS = {
    "drivers": "show every OpenCL platform profile and what answers on this machine",
    "judge": "judge a run directory, a journal or a recorded campaign",
    "policy": "show, compare or recalibrate policies",
    "baseline": "pin a promoted run as the baseline of this device, or show it",
    "tune": "search build parameters that are faster than the shipped ones on a device",
    "inject": "plant faults on a device and count what the T5 guard catches",
    "status": "show the state of the channel: promoted, frozen, rolled back or iterate",
    "rollback": "plan, apply, undo or rehearse the switch back to the baseline driver",
    "close": "close a week: decision record and acta",
    "action": "list or close the actions a week still owes",
}


def _available() -> dict[str, str]:
    return {name: text for name, text in COMMANDS.items() if importlib.util.find_spec(f"{__name__}.{name}") is not None}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand and return its exit status (see ``docs/architecture.md`` for the statuses)."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    commands = _available()
    parser = argparse.ArgumentParser(prog="weekops", description="May this OpenCL driver be promoted?")
    parser.add_argument("--version", action="version", version=f"weekops {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    asked = next((word for word in arguments if not word.startswith("-")), None)
    for name, text in commands.items():
        child = subparsers.add_parser(name, help=text, description=text)
        if name == asked:  # only the asked-for command's module is imported: the others stay free of charge
            importlib.import_module(f"{__name__}.{name}").configure(child)
    namespace = parser.parse_args(arguments)
    module = importlib.import_module(f"{__name__}.{namespace.command}")
    try:
        return int(module.run(namespace))
    except InputError as error:
        say(f"weekops: {error}", sys.stderr)
        return 4
    except WeekopsError as error:
        say(f"weekops: {error}", sys.stderr)
        return 3
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except KeyboardInterrupt:
        return 2
