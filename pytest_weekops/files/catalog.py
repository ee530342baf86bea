"""Reading kernel catalogues from directories, for the controller: names and operations, never a user's Python code."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from pytest_weekops.core.errors import PolicyError
from pytest_weekops.core.measurement.catalog import Catalog, KernelEntry, parse_catalog
from pytest_weekops.core.measurement.kernel_operation import KernelOperation, OperationFile
from pytest_weekops.files.strict_yaml import Source, parse_yaml, read_text

CATALOG = "catalog.yaml"


def variant_names(dirs: Sequence[str]) -> tuple[str, ...]:
    """Modes of every variant in the directories, the first directory's first. Raises ``PolicyError``."""
    return tuple(kernel_operations(dirs))


def read_catalog(directory: Path) -> Catalog:
    """The catalogue of a directory. Raises ``PolicyError``, also where there is none."""
    path = directory / CATALOG
    source = Source("Kernel catalogue", path)
    return _parsed(path, read_text(source, "Without it no kernel is known. Check the directory."))


@lru_cache(maxsize=16)
def _parsed(path: Path, text: str) -> Catalog:
    """The catalogue of a text. Workers read theirs before every measurement, and it is the same nearly always."""
    return parse_catalog(parse_yaml(Source("Kernel catalogue", path), text), str(path))


def kernel_entries(dirs: Sequence[str]) -> dict[str, KernelEntry]:
    """The entry of every variant, by mode; the first directory that has a mode wins. Raises ``PolicyError``."""
    found: dict[str, KernelEntry] = {}
    for directory in dirs:
        for entry in read_catalog(Path(directory)).kernels.values():
            found.setdefault(entry.mode, entry)
    return found


def kernel_operations(dirs: Sequence[str]) -> dict[str, KernelOperation]:
    """The operation of every variant, by mode; the first directory that has a mode wins. Raises ``PolicyError``.

    A user's operation is hashed, not loaded: workers load it, and refuse a file that has changed since.
    """
    found: dict[str, KernelOperation] = {}
    for directory in dirs:
        path = Path(directory) / CATALOG
        for entry in read_catalog(Path(directory)).kernels.values():
            if not (Path(directory) / entry.file).is_file():
                raise _missing(path, entry, entry.file, "could not be built")
            if entry.mode not in found:
                found[entry.mode] = KernelOperation(name=entry.operation, file=_operation_file(path, entry))
    return found


def _operation_file(catalog: Path, entry: KernelEntry) -> OperationFile | None:
    if not entry.operation_file:
        return None
    path = catalog.resolve().parent / entry.operation_file
    try:
        return OperationFile(path=str(path), sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    except OSError as error:
        raise _missing(catalog, entry, entry.operation_file, "could not be verified") from error


def _missing(catalog: Path, entry: KernelEntry, name: str, why: str) -> PolicyError:
    return PolicyError(
        f"Kernel catalogue {catalog}: variant {entry.mode} names {name}, which is not beside it. It {why}. Add the "
        "file or remove the entry.",
        path=str(catalog),
    )
