"""The one gate session and the one fault campaign of a pytest run, made when they are first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_weekops.plugin.inject_session import InjectSession
    from pytest_weekops.plugin.session import GateSession

_SESSION = pytest.StashKey["GateSession"]()
_INJECT = pytest.StashKey["InjectSession"]()


def gate_session(config: pytest.Config) -> GateSession:
    """The gate session of this pytest run, made when first asked for."""
    from pytest_weekops.plugin.session import GateSession

    if _SESSION not in config.stash:
        config.stash[_SESSION] = GateSession(config)
    return config.stash[_SESSION]


def inject_session(config: pytest.Config) -> InjectSession:
    """The fault campaigns of this pytest run, made when first asked for."""
    from pytest_weekops.plugin.choices import Choices
    from pytest_weekops.plugin.inject_session import InjectSession

    if _INJECT not in config.stash:
        config.stash[_INJECT] = InjectSession(Choices(config, "weekly"))
    return config.stash[_INJECT]


def active_injection(config: pytest.Config) -> InjectSession | None:
    """The fault campaigns of this pytest run, where there are any."""
    return config.stash.get(_INJECT, None)


def active_gate(config: pytest.Config) -> GateSession | None:
    """The gate session of this pytest run, where there is one."""
    return config.stash.get(_SESSION, None)
