"""What to do about a driver that failed, told from its own last words or its compiler's."""

from __future__ import annotations

import re

# PoCL calls a linker at each kernel's first launch, against the C library and the compiler's own: a linker alone is
# not enough, and the packages of a bare system hold none of the three.
_LINK = (
    "This driver links each kernel with `ld`, libgcc and libc, and not all of them are here. Install binutils and what "
    "it links with: `apt-get install binutils gcc libc6-dev`."
)
_COMPILE = (
    "This driver's compiler does not know this CPU. Install Intel's CPU runtime with "
    '`pip install "pytest-weekops[cpu]"`, or Debian\'s newer PoCL, package pocl-opencl-icd.'
)
_MEMORY = (
    "This driver takes what a process may use for the device's memory, and that is too little. Raise the limit: "
    "`ulimit -d` and `ulimit -v` show it, and a container has one of its own."
)
_LACKING = (
    "This driver is not installed whole: a library that it needs is missing. Reinstall its package, or install the one "
    "that brings the library."
)
_EMPTY = (
    "This driver does not support this hardware, or not any more, or needs to be told to: docs/reference/drivers.md "
    "has the variables that a profile sets."
)
_NAMES = "`--platforms PROFILE@PATH` names the file that is meant."
_KNOWN = (
    (re.compile(r"Executable \"\S*ld\S*\" doesn't exist|cannot find -l(gcc|c|m)\b"), _LINK),
    (re.compile(r"unknown target CPU"), _COMPILE),
    (re.compile(r"Not enough memory to run on this device"), _MEMORY),
    (re.compile(r"cannot open shared object file"), _LACKING),
    (re.compile(r"has no device at all"), _EMPTY),
    (re.compile(r"names the driver .* (answers in its place|did not load it)"), _NAMES),
)


def advise(words: str, otherwise: str) -> str:
    """The advice for a known cause that ``words`` give away, else ``otherwise``."""
    return next((advice for pattern, advice in _KNOWN if pattern.search(words)), otherwise)
