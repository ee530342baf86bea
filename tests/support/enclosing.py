"""What a pytest process that a test starts must not take over from the pytest that runs the test."""

from __future__ import annotations

from collections.abc import Mapping

_MARK = "PYTEST_XDIST"


def alone(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without the marks of an xdist worker: pytest-benchmark would write no report under them."""
    return {name: value for name, value in environment.items() if not name.startswith(_MARK)}
