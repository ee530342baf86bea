"""The host as a run of worker doubles needs it: nothing is computed there, and nothing moves."""

from __future__ import annotations

from pathlib import Path

from pytest_weekops.worker.protocol import Quanta


class QuietHost:
    """In the place of the host's workers: references nobody reads, and a host that holds still."""

    def __init__(self, *_arguments: object) -> None:
        pass

    def reference(self, _request: object) -> Path:
        """The double never looks at it."""
        return Path("/nonexistent")

    def anchor(self, *_arguments: object, **_options: object) -> float:
        """Always the same."""
        return 1.0

    def begin_quanta(self) -> None:
        """Nothing runs."""

    def end_quanta(self) -> Quanta:
        """Nothing ran."""
        return Quanta()

    def close(self) -> None:
        """Nothing to stop."""
