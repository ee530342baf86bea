"""The checks of a live campaign: what each asks, how grave it is, and the reason codes it can give."""

from __future__ import annotations

import ast
import inspect
from functools import cache
from pathlib import Path

from generating.words import first_line, markdown, table
from pytest_weekops.core.judge.campaign import Campaign
from pytest_weekops.core.judge.checks import Check, checks_for
from pytest_weekops.core.measurement.plan import CampaignPlan
from pytest_weekops.core.policy.policy import Policy, SeverityTable

STATUS = {
    "waived": "pass",
    "failed": "fail",
    "failed_by_name": "fail",
    "no_data": "no_data",
    "inconclusive": "inconclusive",
}
KINDS = ("canonical", "weekly", "split")


def checks() -> str:
    """Each check once, in the order of its findings."""
    judged = {kind: {_name(check): check for check in checks_for(kind)} for kind in KINDS}
    every: dict[str, Check] = {}
    for found in (judged["weekly"], judged["split"]):
        every.update(found)
    severities = SeverityTable(checks={**Policy(policy_id="x").conformance.levels, **SeverityTable().checks})
    rows = [
        (
            f"`{name}`",
            first_line(check),
            "all" if all(name in judged[kind] for kind in KINDS) else ", ".join(k for k in KINDS if name in judged[k]),
            f"SEV{severities.checks.get(name, severities.unlisted)}",
            "<br>".join(f"`{code}` ({status})" for code, status in reasons(check)),
        )
        for name, check in every.items()
    ]
    return table(("check", "what it asks", "in", "severity", "reason codes"), rows)


def _name(check: Check) -> str:
    """What a check calls itself in its findings."""
    plan = CampaignPlan(kind="split", platforms=("a", "b"), kernels=(), sizes=(), seeds=(), baseline_platform="a")
    return check(Policy(policy_id="x"), Campaign(plan=plan, records=(), identities={})).check


def reasons(check: Check) -> list[tuple[str, str]]:
    """The reason codes that a check, and the functions of its module that it calls, can give; each with its status."""
    functions = _functions(Path(inspect.getfile(check)))
    seen: dict[str, None] = {}
    waiting = [check.__name__]
    found: dict[tuple[str, str], None] = {}
    while waiting:
        name = waiting.pop(0)
        if name in seen:
            continue
        seen[name] = None
        for call in _calls(functions[name]):
            called = call.func.id if isinstance(call.func, ast.Name) else ""
            if called in STATUS:
                found.update(dict.fromkeys((code, STATUS[called]) for code in _codes(call)))
            elif called in functions:
                waiting.append(called)
    return list(found)


def _calls(function: ast.FunctionDef) -> list[ast.Call]:
    return [node for node in ast.walk(function) if isinstance(node, ast.Call)]


def _codes(call: ast.Call) -> list[str]:
    """The texts that the second argument of a call may be. Raises ``TypeError`` where it is no text in the code."""
    parts = [call.args[1].body, call.args[1].orelse] if isinstance(call.args[1], ast.IfExp) else [call.args[1]]
    codes = [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    if len(codes) != len(parts):
        raise TypeError(f"{ast.unparse(call)}: its reason code cannot be read from the code. Write it out.")
    return codes


@cache
def _functions(path: Path) -> dict[str, ast.FunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


def words_of(enum: type) -> str:
    """The members of an enumeration and what each means, from the ``#:`` comments beside them."""
    from generating.words import comments

    said = comments(Path(inspect.getfile(enum)))
    rows = []
    for name, member in enum.__members__.items():  # type: ignore[attr-defined]
        if (enum.__name__, name) not in said:
            raise LookupError(f"{enum.__name__}.{name} has no words. Say what it means in a `#:` comment.")
        rows.append((f"`{member.value}`", markdown(said[enum.__name__, name])))
    return table(("value", "meaning"), rows)
