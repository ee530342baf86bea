"""Run a command that ends when its parent does: ``python -m pytest_weekops.fleet.leash PARENT SIGNAL COMMAND...``.

The kernel sends the signal (prctl(2), PR_SET_PDEATHSIG), so that it comes whatever ended the parent, SIGKILL included.
Set here, behind the fork and in a process of its own: a parent with several threads could not do so safely.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def leashed(command: Sequence[str], signal: int) -> list[str]:
    """The command line that runs ``command`` with this process as its parent."""
    return [sys.executable, "-m", __name__, str(os.getpid()), str(int(signal)), *command]


def environment(*without: str) -> dict[str, str]:
    """This process's environment for another program of ours: without what begins so, and with our own place.

    A team's ledger is the coordinator's alone: no host needs its address, and no host's gate has joined it.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith((*without, "WEEKOPS_LEDGER"))}
    root = str(Path(__file__).resolve().parents[2])
    return {**kept, "PYTHONPATH": os.pathsep.join(filter(None, [root, kept.get("PYTHONPATH", "")]))}


def main(words: Sequence[str]) -> None:
    """Become the command, unless the parent has ended meanwhile. Raises ``OSError`` where it cannot be started."""
    parent, signal, *command = words
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(signal), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "the process cannot be bound to its parent")
    if os.getppid() != int(parent):
        raise SystemExit(1)
    os.execv(command[0], command)  # noqa: S606 - a list of words, no shell


if __name__ == "__main__":
    main(sys.argv[1:])
