"""The keys of a policy, section by section."""

from __future__ import annotations

from pydantic import BaseModel

from generating.words import default_words, limits, said_of, table, type_words
from pytest_weekops.core.policy.bounds import BOUNDS, ROW_BOUNDS
from pytest_weekops.core.policy.defaults import SEVERITY_LEVELS
from pytest_weekops.core.policy.policy import Policy, RollbackStep, Row, SeverityLevel

HEADS = ("key", "what it does", "type", "default")
_ENTRIES: dict[str, type[BaseModel]] = {"rows": Row, "levels": SeverityLevel, "steps": RollbackStep}
_INHERITS = (
    "`inherits`",
    "the policy beneath this one (resolved when it is read; not part of the effective policy)",
    "text",
    "none",
)


def sections() -> dict[str, type[BaseModel]]:
    """Each section's model, and those of the entries inside sections."""
    found: dict[str, type[BaseModel]] = {}
    for name, value in Policy(policy_id="x"):
        if isinstance(value, BaseModel):
            found[name] = type(value)
    return {**found, **_ENTRIES}


def keys(section: str) -> str:
    """The table of one section, of ``top`` (what belongs to none), or of an entry: ``rows``, ``levels``, ``steps``."""
    if section == "top":
        model: type[BaseModel] = Policy
        names = [name for name in Policy.model_fields if name not in sections()]
    else:
        model = sections()[section]
        names = list(model.model_fields)
    rows = [_row(section, model, name) for name in names]
    if section == "top":
        rows.insert(3, _INHERITS)
    return table(HEADS, rows)


def _row(section: str, model: type[BaseModel], name: str) -> tuple[str, ...]:
    field = model.model_fields[name]
    unit, meaning = said_of(model, name)
    kind = type_words(field.annotation)
    kind = f"{kind}, {unit}" if unit else kind
    known = ROW_BOUNDS.get(name) if model is Row else BOUNDS.get(f"{section}.{name}")
    bounds = known.words if known is not None else limits(field)
    return f"`{name}`", meaning, f"{kind}, {bounds}" if bounds else kind, default_words(field)


def levels() -> str:
    """What each severity asks of whom, as shipped."""
    rows = [
        (str(level), f"{facts['within_minutes']} min", facts["action"], facts["owner"])
        for level, facts in SEVERITY_LEVELS.items()
    ]
    return table(("level", "within", "action", "owner"), rows)
