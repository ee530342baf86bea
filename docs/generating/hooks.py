"""The hooks that a project may implement, and the fixtures that a suite may ask for."""

from __future__ import annotations

import inspect

from generating.words import first_line, markdown, table
from pytest_weekops.plugin import fixtures as plugin_fixtures
from pytest_weekops.plugin import hookspecs


def hooks() -> str:
    """One section per hook: its signature and what it is for."""
    parts = []
    for name, hook in inspect.getmembers(hookspecs, inspect.isfunction):
        if name.startswith("pytest_weekops_"):
            arguments = ", ".join(inspect.signature(hook).parameters)
            returned = hook.__annotations__["return"].replace(
                "Check", "Callable[[CampaignPlan, Sequence[Measurement]], str | None]"
            )
            signature = f"```python\ndef {name}({arguments}): ...\n```"
            parts += [f"## `{name}`", signature, markdown(inspect.getdoc(hook) or "")]
            parts += [f"It returns `{returned}`."] if returned != "None" else []
    return "\n\n".join(parts)


def fixtures() -> str:
    """Every fixture, what it gives, and how long it lives."""
    rows = []
    for name, fixture in vars(plugin_fixtures).items():
        function = getattr(fixture, "_fixture_function", None)
        if function is not None:
            scope = fixture._fixture_function_marker.scope
            gives = function.__annotations__["return"]
            rows.append((f"`{name}`", f"`{gives}`", str(scope), first_line(function)))
    return table(("fixture", "gives", "per", "what it is"), rows)
