r"""The runtime profile as text, and what a rollback would do: pure, nothing here touches the host.

A profile is an environment file that systemd's ``EnvironmentFile`` and a POSIX shell's ``.`` read alike. Every value
stands in double quotes with ``" \ $ `` and the backquote escaped, the one spelling both parsers agree on.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_weekops.core.errors import InputError
from pytest_weekops.core.numbers import as_finite
from pytest_weekops.core.week.entry import ROLLBACK, Entry

ACTIVE_NAME = "active.env"
PROFILES_NAME = "profiles"
STEPS = ("preserve", "write", "begin", "switch", "record", "own steps", "gate", "measure", "finish")

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LINE = re.compile(r'([A-Za-z_][A-Za-z0-9_]*)="((?:[^"\\$`]|\\["\\$`])*)"')
_PLAIN = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=([A-Za-z0-9_./:,@%+=-]*)")
_ESCAPED = re.compile(r'([\\"$`])')


@dataclass(frozen=True)
class RuntimeProfile:
    """What consumers load: the platform by name, and every variable in the order of the file."""

    platform: str
    variables: tuple[tuple[str, str], ...]

    @property
    def environment(self) -> dict[str, str]:
        """The variables as a process gets them."""
        return dict(self.variables)

    @property
    def text(self) -> str:
        """The environment file."""
        head = (
            "# Runtime profile, written by weekops. Consumers load it with systemd's EnvironmentFile=, or with\n"
            "# `set -a; . ./active.env; set +a`. Change it with `weekops rollback`, not by hand.\n"
        )
        return head + "".join(f'{name}="{_escape(value)}"\n' for name, value in self.variables)

    @property
    def sha256(self) -> str:
        """Hash of the file's bytes."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def file_name(self) -> str:
        """Name of the file in the profiles directory; says the platform, and differs where the content does."""
        plain = re.sub(r"[^A-Za-z0-9_.-]+", "-", self.platform).strip(".-")[:40] or "platform"
        return f"{plain}-{self.sha256[:16]}.env"


def build_profile(
    platform: str,
    *,
    environment: Mapping[str, str],
    cleared: Sequence[str] = (),
    policy: Mapping[str, Any],
    policy_sha256: str,
) -> RuntimeProfile:
    """The profile that selects ``platform``: its variables, other platforms' variables emptied, and the T5 policy."""
    rails = policy.get("guardrails", {})
    own = {
        "WEEKOPS_PLATFORM": platform,
        "WEEKOPS_POLICY_ID": str(policy.get("policy_id", "")),
        "WEEKOPS_POLICY_SHA256": policy_sha256,
        "WEEKOPS_T5_POLICY": "guarded",
        "WEEKOPS_T5_MAX_OVERHEAD_PERCENT": _number(rails.get("max_t5_overhead_percent")),
        "WEEKOPS_T5_MAX_FALSE_POSITIVE_RATE": _number(rails.get("max_t5_false_positive_rate")),
        "WEEKOPS_T5_MAX_DISABLE_EVENTS": _number(rails.get("max_t5_disable_events_total")),
    }
    emptied = {name: "" for name in sorted(cleared) if name not in environment}
    variables = {**own, **emptied, **dict(sorted(environment.items()))}
    for name, value in variables.items():
        _refuse_variable(name, value)
    return RuntimeProfile(platform, tuple(variables.items()))


def _number(value: Any) -> str:
    number = as_finite(value)
    return "" if number is None else f"{number:g}"


def _refuse_variable(name: str, value: str) -> None:
    if not _NAME.fullmatch(name) or not value.isprintable():
        raise InputError(
            f"Variable {name!r:.60} = {value!r:.60} cannot stand in an environment file. A line break or a control "
            "character would become another variable or a command. Correct the platform's profile."
        )


def _escape(value: str) -> str:
    return _ESCAPED.sub(r"\\\1", value)


def parse_environment(text: str) -> dict[str, str]:
    """The variables of an environment file, ours or a plain hand-written one. Raises ``InputError`` for other lines."""
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if not stripped or stripped[0] in "#;":
            continue
        if quoted := _LINE.fullmatch(stripped):
            found[quoted[1]] = re.sub(r'\\([\\"$`])', r"\1", quoted[2])
        elif plain := _PLAIN.fullmatch(stripped):
            found[plain[1]] = plain[2]
        else:
            raise InputError(
                f'Environment file line {number} is neither NAME="value" nor a plain NAME=value: {stripped!r:.80}. '
                "What consumers would read from it is not known. Write it in one of the two forms."
            )
    return found


@dataclass(frozen=True)
class RollbackPlan:
    """What would be done: from which profile to which, and each step as a sentence."""

    from_platform: str
    to_platform: str
    already_active: bool
    steps: tuple[str, ...]


def plan_rollback(
    *, active: str, target: RuntimeProfile, same: bool, own_steps: Sequence[Sequence[str]], gate: Sequence[str]
) -> RollbackPlan:
    """The steps of a rollback in words. ``active`` is the platform of the active profile, or nothing."""
    before = active or "no profile"
    first = (
        [f"the profile of {target.platform} is active already: nothing is switched"]
        if same
        else [
            f"write {PROFILES_NAME}/{target.file_name} beside the active profile ({before})",
            f"switch {ACTIVE_NAME} from {before} to {target.platform} by one rename",
        ]
    )
    steps = (
        *first,
        "record it in the ledger; the channel is then rolled_back",
        *(f"run your own step: {' '.join(argv)}" for argv in own_steps),
        f"run the canonical gate on the profile then active: {' '.join(gate)}",
        f"measure again that {target.platform} answers and performs within its floors",
        "report the seconds from trigger to verified",
    )
    return RollbackPlan(active, target.platform, same, steps)


def last_target(entries: Sequence[Entry]) -> str:
    """Hash of the profile that the last recorded switch, or its undoing, led to; empty where there is none."""
    bodies = (entry.body for entry in reversed(entries) if entry.kind == ROLLBACK)
    last = next((body for body in bodies if body.get("stage") != "rehearsed"), {})
    return str((last.get("to") or {}).get("sha256", ""))


def rollback_story(platform: str, problems: Sequence[str], seconds: float) -> Iterator[str]:
    """How a rollback ended, in lines. A failure says first what is active."""
    if not problems:
        yield f"{platform} is active and verified, {seconds:g} s after the trigger."
        return
    yield f"ROLLED BACK, NOT VERIFIED: {platform} is active NOW, and it did not pass ({seconds:g} s)."
    yield from (f"  {problem}" for problem in problems)
    yield "Take this platform out of service, or `weekops rollback --undo`; then find out why the baseline fails."


def rehearsal_story(platform: str, active: str, problems: Sequence[str], seconds: float) -> Iterator[str]:
    """How a rehearsal ended, in lines. It never claims that anything was switched."""
    untouched = f"The active profile is untouched ({active or 'no profile'})."
    if not problems:
        yield f"Rehearsed on a copy: {platform} would be active and verified in {seconds:g} s. {untouched}"
        return
    yield f"REHEARSAL FAILED: a rollback to {platform} would not be verified ({seconds:g} s). {untouched}"
    yield from (f"  {problem}" for problem in problems)
    yield "Mend this before the rollback is needed: on that day it would switch, and then fail in the same way."
