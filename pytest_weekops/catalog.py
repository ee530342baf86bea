"""Reading kernel catalogues from directories, for the controller: names only, the worker reads them for itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import yaml

from pytest_weekops.core.catalog import parse_catalog
from pytest_weekops.core.errors import PolicyError


def variant_names(dirs: Sequence[str]) -> tuple[str, ...]:
    """Modes of every GEMM variant in the directories, the first directory's first. Raises ``PolicyError``."""
    names: dict[str, None] = {}
    for directory in dirs:
        path = Path(directory) / "catalog.yaml"
        try:
            data = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise PolicyError(
                f"Kernel catalogue {path} cannot be read: {error}. Without it no kernel is known. Check the directory.",
                path=str(path),
            ) from error
        catalog = parse_catalog(data, str(path))
        for entry in catalog.kernels.values():
            if not (Path(directory) / entry.file).is_file():
                raise PolicyError(
                    f"Kernel catalogue {path}: variant {entry.mode} names {entry.file}, which is not beside it. "
                    "It could not be built. Add the file or remove the entry.",
                    path=str(path),
                )
            if entry.operation == "gemm":
                names.setdefault(entry.mode)
    return tuple(names)
