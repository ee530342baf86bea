"""YAML read strictly: no duplicated keys, and a line number for every key so that refusals can point at it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from pytest_weekops.core.errors import PolicyError

LARGEST_BYTES = 4 * 1024 * 1024


class _StrictLoader(yaml.SafeLoader):
    """SafeLoader that refuses a key given twice: the second would silently win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        seen: set[Any] = set()
        for key_node, _value in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, str | int | float | bool) and key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key {key!r} is given twice", key_node.start_mark)
            seen.add(key if isinstance(key, str | int | float | bool) else id(key_node))
        return super().construct_mapping(node, deep=deep)


def load_yaml(path: Path, what: str) -> Any:
    """Parse one YAML file. Raises ``PolicyError`` that names ``what``, the file and the line."""
    try:
        if path.exists() and not path.is_file():
            raise _refusal(path, what, "is no regular file; reading it might never end")
        if path.stat().st_size > LARGEST_BYTES:
            raise _refusal(path, what, "is larger than 4 MiB; no such file is that long")
        text = path.read_text(encoding="utf-8")
        data = yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a SafeLoader subclass
    except FileNotFoundError as error:
        raise _refusal(path, what, "is not there") from error
    except (OSError, UnicodeDecodeError) as error:
        raise _refusal(path, what, f"cannot be read: {error}") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}" if mark is not None else ""
        problem = getattr(error, "problem", None) or error
        raise _refusal(path, what, f"is not YAML:{line}: {problem}") from error
    except RecursionError as error:
        raise _refusal(path, what, "is nested absurdly deep") from error
    if data is None:
        raise _refusal(path, what, "is empty")
    return data


def _refusal(path: Path, what: str, problem: str) -> PolicyError:
    return PolicyError(f"{what} {path} {problem}. Nothing can be judged by it. Check the file.", path=str(path))


def line_of(path: Path, keys: tuple[str | int, ...]) -> int | None:
    """Line (from 1) of the node that ``keys`` lead to, or of the deepest one that exists; None where nothing is."""
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, yaml.YAMLError, UnicodeDecodeError):
        return None
    line = node.start_mark.line + 1 if node is not None else None
    for key in keys:
        child = _child(node, key)
        if child is None:
            break
        node, line = child[0], child[1]
    return line


def _child(node: Any, key: str | int) -> tuple[Any, int] | None:
    if isinstance(node, yaml.MappingNode):
        for key_node, value in node.value:
            if str(key_node.value) == str(key):
                return value, key_node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
        return node.value[key], node.value[key].start_mark.line + 1
    return None
