"""What this program consists of, by hash: a host that has another one would be measured by other rules."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from pytest_weekops.core.week.entry import canonical_json
from pytest_weekops.files.hashing import hash_file
from pytest_weekops.files.kernel_sources import hash_kernels
from pytest_weekops.files.shipped import data_dir

_SHIPPED = ("kernels", "policies", "suites")


@cache
def program_sha256() -> str:
    """SHA-256 over every file of the package and of the kernels, policies and suites that are shipped with it."""
    package = Path(__file__).resolve().parents[1]
    roots = {"": package, **{name: data_dir(name) for name in _SHIPPED}}
    found = {
        f"{name}/{path.relative_to(root).as_posix()}": hash_file(path)
        for name, root in roots.items()
        for path in sorted(root.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts and (name or "_data" not in path.parts)
    }
    return hash_of(found)


@cache
def kernels_sha256() -> str:
    """SHA-256 over the shipped kernels, as a journal lists them."""
    return hash_of(hash_kernels([str(data_dir("kernels"))]))


def hash_of_kernels(listed: object) -> str:
    """SHA-256 over the kernels that a journal lists; nothing where it lists none."""
    if not isinstance(listed, Mapping) or not listed:
        return ""
    return hash_of({str(name): str(value) for name, value in listed.items()})


def hash_of(files: Mapping[str, str]) -> str:
    """SHA-256 of hashes by name."""
    return hashlib.sha256(canonical_json(dict(files)).encode()).hexdigest()
