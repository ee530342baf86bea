"""Reading policies: strict YAML with inheritance, and the older JSON files as they are.

Every refusal is a :class:`PolicyError` that names file, line, key and value, why it matters and what to do.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pytest_weekops.core.errors import PolicyError
from pytest_weekops.core.numbers import as_finite
from pytest_weekops.files.shipped import data_dir
from pytest_weekops.files.strict_json import parse_json
from pytest_weekops.policies.limits import refuse_limits

if TYPE_CHECKING:
    from pydantic import ValidationError

    from pytest_weekops.core.policy.policy import Policy

LARGEST_POLICY_BYTES = 1024 * 1024
DEEPEST_INHERITANCE = 8
Lines = dict[tuple[str, ...], int]

# Sexagesimal, octal and binary numbers, and digits with underscores.
_OLD_NUMBER = re.compile(r"[-+]?(0[0-7_]+\Z|0b|[0-9_.]*[_:])")


def policies_dir() -> Path:
    """The shipped policies: those of the wheel, or of the checkout."""
    return data_dir("policies")


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
    if text.lstrip().startswith("{"):
        return _load_json(path, text)
    lines: Lines = {}
    document = _resolve(path, text, lines, seen=())
    return _build(path, document, lines)


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
    try:
        if path.is_dir():
            raise PolicyError(f"Policy {path} is a directory. A policy is one file. Name the file.", path=str(path))
        if path.exists() and not path.is_file():
            raise PolicyError(
                f"Policy {path} is no regular file. Reading it might never end. Name a file.", path=str(path)
            )
        if path.stat().st_size > LARGEST_POLICY_BYTES:
            raise PolicyError(
                f"Policy {path} is larger than 1 MiB. No policy is. Check what this file is.", path=str(path)
            )
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise PolicyError(
            f"Policy {path} cannot be read: {error.strerror}. Without limits nothing can be judged. Check the path; "
            "`portable.yaml` is used where none is named.",
            path=str(path),
        ) from error
    except UnicodeDecodeError as error:
        raise PolicyError(
            f"Policy {path} is not UTF-8 text (byte {error.start}). Save it as UTF-8.", path=str(path)
        ) from error
    if not text.strip():
        raise PolicyError(
            f"Policy {path} is empty. A policy without limits would promote everything. Write one, or inherit: "
            "`inherits: portable.yaml`.",
            path=str(path),
        )
    return text


# -- YAML --------------------------------------------------------------------------------------------------------


def _resolve(path: Path, text: str, lines: Lines, *, seen: tuple[Path, ...]) -> dict[str, Any]:
    """The document with everything it inherits merged beneath it. ``lines`` maps this file's keys to lines."""
    document = _parse_yaml(path, text, lines)
    parent_name = document.pop("inherits", None)
    if parent_name is None:
        return document
    if not isinstance(parent_name, str) or not parent_name:
        raise _at(path, lines, ("inherits",), f"is {parent_name!r}, not the name of a policy", "Name one policy file.")
    here = path.resolve()
    if here in seen or len(seen) >= DEEPEST_INHERITANCE:
        raise _at(
            path, lines, ("inherits",), "closes a circle or is too deep", "Inherit from a policy that stands alone."
        )
    parent = _find_parent(path, parent_name, lines)
    base = _resolve(parent, _read(parent), {}, seen=(*seen, here))
    return _merge(base, document)


def _find_parent(path: Path, name: str, lines: Lines) -> Path:
    for candidate in (path.parent / name, policies_dir() / name):
        if _exists(candidate) and candidate.is_file():
            return candidate
    shipped = sorted(p.name for p in policies_dir().glob("*.yaml") if p.name != "platforms.yaml")
    raise _at(
        path,
        lines,
        ("inherits",),
        f"names {name!r}, which is neither beside this file nor a shipped policy",
        f"Shipped are {', '.join(shipped)}.",
    )


def _merge(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    """Sections are merged key by key, rows are replaced whole, and everything else is replaced."""
    merged = dict(base)
    for key, value in top.items():
        below = merged.get(key)
        if key == "rows" and isinstance(below, dict) and isinstance(value, dict):
            merged[key] = {**below, **value}
        elif isinstance(below, dict) and isinstance(value, dict):
            merged[key] = _merge(below, value)
        else:
            merged[key] = value
    return merged


def _parse_yaml(path: Path, text: str, lines: Lines) -> dict[str, Any]:
    import yaml

    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        document = _construct(path, node, (), lines)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise PolicyError(
            f"Policy {path}{where} is not YAML: {problem}. Nothing in it can be trusted. Correct the line.",
            path=str(path),
        ) from error
    except RecursionError as error:
        raise PolicyError(f"Policy {path} is nested too deeply. No policy is. Flatten it.", path=str(path)) from error
    if not isinstance(document, dict):
        raise PolicyError(
            f"Policy {path} holds {type(document).__name__}, not a mapping of keys. Start it with `version: 1`.",
            path=str(path),
        )
    return document


def _construct(path: Path, node: Any, at: tuple[str, ...], lines: Lines) -> Any:
    """Build plain data from a YAML node, refusing duplicate keys and aliases and remembering lines."""
    import yaml

    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            place = (*at, key)
            if key in found or not isinstance(key_node, yaml.ScalarNode):
                line = key_node.start_mark.line + 1
                raise PolicyError(
                    f"Policy {path} line {line}: key {'.'.join(place)} stands there twice or is no plain word. Only "
                    "one of the two could count. Remove one.",
                    path=str(path),
                    key=".".join(place),
                )
            lines[place] = key_node.start_mark.line + 1
            found[key] = _construct(path, value_node, place, lines)
        return found
    if isinstance(node, yaml.SequenceNode):
        return [_construct(path, child, (*at, str(number)), lines) for number, child in enumerate(node.value)]
    if node is None:
        return None
    return _scalar(path, node, at, lines)


def _scalar(path: Path, node: Any, at: tuple[str, ...], lines: Lines) -> Any:
    """One plain value. What only YAML 1.1 reads as a number is refused: nobody means 90 by 1:30, or 8 by 010."""
    import yaml

    tag = str(node.tag).rpartition(":")[2]
    if node.style is None and tag in ("int", "float") and _OLD_NUMBER.match(str(node.value)):
        problem = f"is {str(node.value)!r:.60}, a spelling that older YAML reads as another number"
        raise _at(path, lines, at, problem, "Write a plain decimal number, or quote it where it is a text.")
    try:
        return yaml.SafeLoader("").construct_object(node, deep=True)
    except (ValueError, ArithmeticError, LookupError, AttributeError, TypeError) as error:
        problem = f"is {str(node.value)!r:.60}, which cannot be read as {tag}"
        raise _at(path, lines, at, problem, "Correct it, or quote it where it is a text.") from error


def _build(path: Path, document: dict[str, Any], lines: Lines) -> Policy:
    from pydantic import ValidationError

    from pytest_weekops.core.policy.policy import Policy

    if "version" not in document:
        raise _at(path, lines, ("version",), "is missing", "Start the file with `version: 1`.")
    if document["version"] != 1 or isinstance(document["version"], bool):
        raise _at(path, lines, ("version",), f"is {document['version']!r}", "This program reads version 1.")
    document = _with_severity_defaults(document)
    try:
        policy = Policy.model_validate(document, strict=False)
    except ValidationError as error:
        raise _explain(path, lines, error) from error
    refuse_types(path, document, lines)
    refuse_limits(policy, lambda key, problem, advice: _at(path, lines, key, problem, advice))
    return policy


def _with_severity_defaults(document: dict[str, Any]) -> dict[str, Any]:
    """Let a policy name only the checks and levels whose severity it changes."""
    from pytest_weekops.core.policy.defaults import SEVERITY_LEVELS, SEVERITY_OF_CHECK

    severity = document.get("severity")
    if not isinstance(severity, dict):
        return document
    filled = dict(severity)
    if isinstance(severity.get("checks", {}), dict):
        filled["checks"] = {**SEVERITY_OF_CHECK, **severity.get("checks", {})}
    if isinstance(severity.get("levels", {}), dict):
        levels = {str(level): facts for level, facts in SEVERITY_LEVELS.items()}
        filled["levels"] = _merge(levels, severity.get("levels", {}))
    return {**document, "severity": filled}


def refuse_types(path: Path, document: Any, lines: Lines, at: tuple[str, ...] = ()) -> None:
    """Refuse booleans and texts where a number is wanted: pydantic would turn ``yes`` and ``"5"`` into numbers."""
    if isinstance(document, dict):
        for key, value in document.items():
            refuse_types(path, value, lines, (*at, str(key)))
    elif (
        at and at[-1].startswith(("max_", "min_", "minimum_", "flag_", "voids_")) and (isinstance(document, bool | str))
    ):
        raise _at(path, lines, at, f"is {document!r}, not a number", "Give a plain number without quotes.")


def _explain(path: Path, lines: Lines, error: ValidationError) -> PolicyError:
    first = error.errors()[0]
    place = tuple(str(part) for part in first["loc"] if part != "[key]")
    value = first.get("input")
    if first["type"] == "extra_forbidden":
        return _at(
            path, lines, place, "is no key of a policy", f"A limit under a wrong name limits nothing.{_close(place)}"
        )
    return _at(path, lines, place, f"is {value!r}: {first['msg'].lower()}", "Correct the value.")


def _close(place: tuple[str, ...]) -> str:
    from pytest_weekops.core.policy import policy as sections

    model: Any = sections.Policy
    for part in place[:-1]:
        field = model.model_fields.get(part) if hasattr(model, "model_fields") else None
        model = field.annotation if field is not None else None
        if part == "rows":
            model = sections.Row
    known = list(getattr(model, "model_fields", {})) or list(sections.Row.model_fields)
    match = difflib.get_close_matches(place[-1], known, n=1, cutoff=0.5)
    return f" Did you mean {match[0]}?" if match else f" Known here: {', '.join(known)}."


def _at(path: Path, lines: Lines, key: tuple[str, ...], problem: str, advice: str) -> PolicyError:
    line = next((lines[key[:depth]] for depth in range(len(key), 0, -1) if key[:depth] in lines), 1)
    dotted = ".".join(key)
    return PolicyError(f"Policy {path} line {line}: {dotted} {problem}. {advice}", path=str(path), key=dotted)


# -- older JSON --------------------------------------------------------------------------------------------------


def _load_json(path: Path, text: str) -> Policy:
    """The older weekly JSON policy, or an effective policy as ``weekops policy show --json`` prints it."""
    try:
        document = parse_json(text)
    except (ValueError, RecursionError) as error:
        raise PolicyError(
            f"Policy {path} starts like JSON and cannot be read: {error}. Correct it or write YAML.", path=str(path)
        ) from error
    if "weekly_slo" in document:
        return _from_slo(path, document)
    if "version" in document:
        return _build(path, document, {})
    name = next((document[key] for key in ("policy_id", "profile_id", "sla_id") if document.get(key)), "no id")
    raise PolicyError(
        f"Policy {path} ({name!s:.80}) has no weekly_slo. It configures something else and holds no limits for a "
        "week. Give a weekly policy.",
        path=str(path),
        key="weekly_slo",
    )


_SLO_GUARDRAILS = (
    "minimum_snapshots",
    "max_correctness_error",
    "max_t3_fallback_rate",
    "max_t5_disable_events_total",
    "max_t5_overhead_percent",
    "max_abs_throughput_drift_percent",
    "max_p95_drift_percent",
)


def _from_slo(path: Path, document: dict[str, Any]) -> Policy:
    """Numbers as they are, whatever their sign: such a policy must judge today as it did then."""
    from pydantic import ValidationError

    from pytest_weekops.core.policy.policy import Policy

    slo = document["weekly_slo"]
    guardrails = slo.get("global_guardrails") if isinstance(slo, dict) else None
    rows = slo.get("per_kernel_size") if isinstance(slo, dict) else None
    if not isinstance(guardrails, dict) or not isinstance(rows, dict):
        raise _at(path, {}, ("weekly_slo",), "lacks global_guardrails or per_kernel_size", "Give an intact policy.")
    try:
        return Policy.model_validate(
            {
                "policy_id": str(document.get("policy_id") or path.stem),
                "description": "Read from an older JSON policy; what it does not state has the shipped default.",
                "scope": {"kinds": ("weekly", "split"), "platform": _slo_platform(path, document)},
                "guardrails": {name: _slo_number(path, guardrails, name) for name in _SLO_GUARDRAILS},
                "rows": {
                    str(key): {
                        name: _slo_number(path, row if isinstance(row, dict) else {}, name, at=f"per_kernel_size.{key}")
                        for name in ("min_avg_gflops", "max_p95_time_ms")
                    }
                    for key, row in rows.items()
                },
            }
        )
    except ValidationError as error:
        raise _explain(path, {}, error) from error


def _slo_platform(path: Path, document: Mapping[str, Any]) -> str:
    """The platform that the policy is for; none where it does not speak of one."""
    scope = document.get("scope", {})
    advice = "Its limits would hold for any platform. Correct it."
    if not isinstance(scope, dict):
        raise _at(path, {}, ("scope",), f"is {scope!r:.60}, not an object", advice)
    platform = scope.get("platform", "")
    if not isinstance(platform, str):
        raise _at(path, {}, ("scope", "platform"), f"is {platform!r:.60}, not a name", advice)
    return platform


def _slo_number(path: Path, section: Mapping[str, Any], name: str, *, at: str = "global_guardrails") -> float:
    value = section.get(name)
    if not isinstance(value, int | float) or as_finite(value) is None:
        what = "is missing" if name not in section else f"is {value!r:.60}, not a finite number"
        raise _at(path, {}, ("weekly_slo", at, name), what, "A limit that is not there limits nothing. State it.")
    return value
