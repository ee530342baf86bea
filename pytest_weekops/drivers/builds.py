"""Builds of a driver on disk: which file of each is the driver, and which builds a ladder has, in which order."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_weekops.core.bisect.order import version_key
from pytest_weekops.core.errors import InputError

# Where a build that was installed below a directory of its own has its ICD file or its library, likeliest first.
_USUAL = (
    "*.icd",
    "etc/OpenCL/vendors/*.icd",
    "share/OpenCL/vendors/*.icd",
    "lib*/lib*OpenCL.so*",
    "lib*/*/lib*OpenCL.so*",
    "lib*/libpocl.so*",
    "lib*/*/libpocl.so*",
    "*.so",
)
_SHOWN = 6


@dataclass(frozen=True)
class Ladder:
    """Driver files from the good build's to the bad one's, and where their order comes from, in words."""

    builds: tuple[Path, ...]
    order: str


def driver_in(place: Path, inside: str = "") -> Path:
    """The one ICD file or library of a build: the file itself, or what ``inside``, a glob, finds below a directory.

    Without it the usual places are looked at in order. Raises ``InputError`` where there is none, or more than one.
    """
    if place.is_file():
        return place.resolve()
    if not place.is_dir():
        raise InputError(f"Build {place} is not there. Nothing can be loaded from it. Check the path.")
    for pattern in (inside,) if inside else _USUAL:
        found = sorted({path.resolve() for path in place.glob(pattern) if path.is_file()})
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(path.name for path in found[:_SHOWN])
            raise InputError(
                f"Build {place} has {len(found)} files that may be the driver ({names}). Another one than you mean "
                "could be measured. Name the file below each build with --inside GLOB."
            )
    raise InputError(
        f"Build {place} has no driver (looked for {inside or ', '.join(_USUAL)}). Nothing can be loaded from it. Name "
        "the ICD file or library below each build with --inside GLOB."
    )


def ladder(words: Sequence[str], good: Path, bad: Path, inside: str = "") -> Ladder:
    """The builds from the good one to the bad one: of one glob in the order of their versions, of several as listed.

    ``good`` and ``bad`` are driver files; where they are not among the builds they are put before and behind them, and
    what lies outside of them is left out. Raises ``InputError`` where nothing matches, where two builds are one file,
    and where the bad one comes first.
    """
    if len(words) == 1:
        places = sorted(glob.glob(words[0]), key=version_key)  # noqa: PTH207 - a pattern with a root of its own
        order = "by version, as people read it"
    else:
        places, order = list(words), "as listed"
        if places != sorted(places, key=version_key):
            order = "as listed, which is not the order of their versions"
    if not places:
        raise InputError(f"--builds {words[0]!r} matches nothing. There is nothing to search. Check the pattern.")
    found = [driver_in(Path(place).expanduser(), inside) for place in places]
    if twice := next((path for path in found if found.count(path) > 1), None):
        raise InputError(f"--builds names {twice} twice. A build has one place in the order. Name it once.")
    found = found if good in found else [good, *found]
    found = found if bad in found else [*found, bad]
    first, last = found.index(good), found.index(bad)
    if first >= last:
        raise InputError(
            f"--builds has the bad build {bad} before the good one {good}, {order}. The search goes from good to bad. "
            "List the builds in their order: --builds A B C."
        )
    return Ladder(tuple(found[first : last + 1]), order)
