"""``--cold N``: how often the driver smoke opens each driver anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_weekops.plugin.options import Options


def cold_starts(options: Options) -> int:
    """The number asked for, 0 where none is. Refuses it where no smoke would do it (``pytest.UsageError``)."""
    from pytest_weekops.plugin.options import parse_integer

    asked = options.typed("cold")
    if asked is None:
        return 0
    said, smoke = options.said("cold"), options.said("driver-smoke")
    many = parse_integer(said, asked, least=1)
    if not options.given("driver-smoke"):
        raise pytest.UsageError(
            f"{said} {asked} belongs to the driver smoke, and {smoke} was not given: nothing would be started. "
            f"Use: pytest {smoke} {said} {asked}"
        )
    return many
