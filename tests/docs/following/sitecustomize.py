"""Writes down each function of the package as it is called, in every process that finds this file on its path."""

from __future__ import annotations

import os
import sys
from types import FrameType


def _follow(place: str, root: str) -> None:
    """One line per call, ``module name``, appended at once: processes that are killed have told theirs."""
    out = os.open(place, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def note(frame: FrameType, event: str, _argument: object) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(root):
            os.write(out, f"{code.co_filename[len(root) :]} {code.co_qualname}\n".encode())

    sys.setprofile(note)


if "WEEKOPS_FOLLOWED" in os.environ:
    _follow(os.environ["WEEKOPS_FOLLOWED"], os.environ["WEEKOPS_FOLLOWED_ROOT"])
