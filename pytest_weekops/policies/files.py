"""Reading policies from disk: strict YAML with inheritance, and JSON as it is.

Every refusal is a :class:`PolicyError` that names file, line, key and value, why it matters and what to do.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pytest_weekops.core.errors import PolicyError
from pytest_weekops.files.shipped import data_dir
from pytest_weekops.files.strict_json import parse_json
from pytest_weekops.files.strict_yaml import Source, parse_yaml, read_text
from pytest_weekops.policies.build import build_policy, inherited
from pytest_weekops.policies.older import parse_policy_json

if TYPE_CHECKING:
    from pytest_weekops.core.policy.policy import Policy

DEEPEST_INHERITANCE = 8
_BESIDE = ("platforms.yaml", "expectations.yaml")  # in the same directory, and no policies


def policies_dir() -> Path:
    """The shipped policies: those of the wheel, or of the checkout."""
    return data_dir("policies")


def policy_files(directory: Path) -> list[Path]:
    """The policies of a directory, by name: without the platform profiles and the known faults that lie beside them."""
    return sorted(path for path in directory.glob("*.yaml") if path.name not in _BESIDE)


def default_policy() -> Policy:
    """The shipped ``portable.yaml``."""
    return load_policy(policies_dir() / "portable.yaml")


def load_policy(path: Path | str) -> Policy:
    """Read one policy, YAML or older JSON. Raises ``PolicyError``."""
    path = Path(path)
    if not _exists(path) and len(path.parts) == 1:
        shipped = policies_dir() / (path.name if path.suffix else f"{path.name}.yaml")
        path = shipped if _exists(shipped) else path
    text = _read(path)
    source = Source("Policy", path)
    if text.lstrip().startswith("{"):
        return parse_policy_json(source, text)
    return build_policy(source, _resolve(source, text, seen=()))


def load_lane_policy(policy: Policy, lane: Literal["t3", "t5"], path: Path) -> Policy:
    """The policy with the settings of an older T3 or T5 JSON policy in place. Raises ``PolicyError``."""
    from pytest_weekops.core.policy.lane_policies import with_lane_policy

    try:
        data = parse_json(_read(path))
    except (ValueError, RecursionError) as error:
        raise PolicyError(
            f"{lane.upper()} policy {path} is not JSON: {error}. The lane would run by other rules than you mean. "
            "Give an intact copy.",
            path=str(path),
        ) from error
    return with_lane_policy(policy, lane, data, str(path))


def _exists(path: Path) -> bool:
    """Whether anything is there; a name that the system refuses is told where the file is read."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _read(path: Path) -> str:
    source = Source("Policy", path)
    why = "Without limits nothing can be judged. Check the path; `portable.yaml` is used where none is named."
    text = read_text(source, why)
    if not text.strip():
        words = " is empty. A policy without limits would promote everything. Write one, or inherit: "
        raise source.refusal(f"{words}`inherits: portable.yaml`.")
    return text


def _resolve(source: Source, text: str, *, seen: tuple[Path, ...]) -> dict[str, Any]:
    """The document with everything it inherits merged beneath it. ``source`` knows the lines of this file's keys."""
    document = parse_yaml(source, text)
    if not isinstance(document, dict):
        raise source.refusal(f" holds {type(document).__name__}, not a mapping of keys. Start it with `version: 1`.")
    parent_name = document.pop("inherits", None)
    if parent_name is None:
        return document
    if not isinstance(parent_name, str) or not parent_name:
        raise source.at(("inherits",), f"is {parent_name!r}, not the name of a policy", "Name one policy file.")
    here = source.path.resolve()
    if here in seen or len(seen) >= DEEPEST_INHERITANCE:
        raise source.at(("inherits",), "closes a circle or is too deep", "Inherit from a policy that stands alone.")
    parent = _find_parent(source, parent_name)
    base = _resolve(Source("Policy", parent), _read(parent), seen=(*seen, here))
    return inherited(base, document)


def _find_parent(source: Source, name: str) -> Path:
    for candidate in (source.path.parent / name, policies_dir() / name):
        if _exists(candidate) and candidate.is_file():
            return candidate
    shipped = [path.name for path in policy_files(policies_dir())]
    raise source.at(
        ("inherits",),
        f"names {name!r}, which is neither beside this file nor a shipped policy",
        f"Shipped are {', '.join(shipped)}.",
    )
