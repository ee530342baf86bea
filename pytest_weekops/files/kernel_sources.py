"""Kernel sources in a worker: entries by mode, text with its includes, and its hash."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_weekops.core.errors import SourceChanged
from pytest_weekops.core.measurement.catalog import KernelEntry
from pytest_weekops.files.catalog import CATALOG, read_catalog

_INCLUDE = re.compile(r'^[ \t]*#include[ \t]+"([\w.-]+)"[ \t]*$', re.MULTILINE)

_LATER_NEEDS = (
    "atomics",
    "pointer_results",
    "halves",
    "vector_loads",
    "wide_vectors",
    "strict_math",
    "fused_doubles",
    "mad_sat",
    "sub_rectangles",
    "waiting_arguments",
    "out_of_order",
    "fill",
    "svm",
    "images",
)


@dataclass(frozen=True)
class Source:
    """One variant's entry and its whole text.

    ``sha256`` covers text, options that do not come from the device, and the file of an operation of the user's own.
    ``tuned`` are the build parameters that a tuning put in force, as ``NAME=VALUE``; empty as shipped.
    """

    entry: KernelEntry
    path: Path
    text: str
    sha256: str
    tuned: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """What its times belong to: the source, and the values that a tuning put in force."""
        return " ".join((self.sha256, *self.tuned))


def load_sources(dirs: Sequence[str]) -> dict[str, Source]:
    """Sources by mode; the first directory that has a mode wins. Raises ``PolicyError`` or ``OSError``."""
    found: dict[str, Source] = {}
    for directory in dirs:
        root = Path(directory)
        for entry in read_catalog(root).kernels.values():
            if entry.mode not in found:
                text = expand(root / entry.file)
                own = _file_digest(root / entry.operation_file) if entry.operation_file else ""
                digest = hashlib.sha256((text + _stated(entry) + own).encode()).hexdigest()
                found[entry.mode] = Source(entry=entry, path=root / entry.file, text=text, sha256=digest)
    return found


def _stated(entry: KernelEntry) -> str:
    """The entry as JSON. A need that came later and is not stated is left out: what is known of a source stays so."""
    unstated = {name for name in _LATER_NEEDS if not getattr(entry.needs, name)}
    return entry.model_dump_json(exclude={"needs": unstated} if unstated else None)


def _file_digest(path: Path) -> str:
    """SHA-256 of a file, or nothing where it is not there: that is refused where it is used, by name."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def expand(path: Path) -> str:
    """The file's text with each ``#include "name"`` replaced by that file beside it.

    Done here because not every driver's compiler can read the host's files. ``#line`` keeps the log's line numbers.
    """

    def include(match: re.Match[str]) -> str:
        name = match.group(1)
        line = text[: match.start()].count("\n") + 2
        return f'#line 1 "{name}"\n{(path.parent / name).read_text(encoding="utf-8")}\n#line {line} "{path.name}"'

    text = path.read_text(encoding="utf-8")
    return f'#line 1 "{path.name}"\n' + _INCLUDE.sub(include, text)


def hash_sources(dirs: Sequence[str]) -> dict[str, str]:
    """SHA-256 by path of every file that a kernel of these directories, or a check of it, is made of.

    Catalogues, sources, what they include, operations of one's own, and the guard's kernels. What is not there is left
    out: it is refused where it is used.
    """
    files: dict[Path, None] = {}
    for directory in dirs:
        root = Path(directory).resolve()
        path = root / CATALOG
        catalog = read_catalog(root)
        names = [name for e in catalog.kernels.values() for name in (e.file, e.operation_file) if name]
        files.update(dict.fromkeys([path, *(root / name for name in names), *sorted(root.glob("abft_*.cl"))]))
    found: dict[str, str] = {}
    for path in files:
        for file in (path, *_included(path)):
            if digest := _file_digest(file):
                found[str(file)] = digest
    return found


def _included(path: Path) -> list[Path]:
    if path.suffix != ".cl" or not path.is_file():
        return []
    return [path.parent / name for name in _INCLUDE.findall(path.read_text(encoding="utf-8", errors="replace"))]


def refuse_changed(hashes: Mapping[str, str]) -> None:
    """Refuse sources that are not what they were when the run began (:func:`hash_sources`).

    Raises ``SourceChanged``.
    """
    for name, expected in hashes.items():
        path = Path(name)
        digest = _file_digest(path)
        if digest != expected:
            shown = f"{path.parent.name}/{path.name}"
            now = f"{digest[:12]} now" if digest else "gone now"
            raise SourceChanged(
                f"Kernel source {shown} is not what it was when the run began ({expected[:12]} then, {now}). What is "
                "measured before and after would be two kernels. Leave it alone during a run, and run again.",
                name=f"kernel source {shown} {expected[:12]} when the run began and {now}",
            )


def hash_kernels(dirs: Sequence[str]) -> dict[str, str]:
    """SHA-256 of every kernel and operation file that could have been used, by directory name and file name."""
    found: dict[str, str] = {}
    for directory in dirs:
        for path in sorted(Path(directory).glob("*")):
            if path.suffix in (".cl", ".clh", ".h", ".yaml", ".py"):
                name = f"{path.parent.name}/{path.name}"
                found.setdefault(name, hashlib.sha256(path.read_bytes()).hexdigest())
    return found
