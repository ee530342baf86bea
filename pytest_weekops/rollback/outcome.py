"""What verifying a switched profile comes to, and who can do it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True)
class Outcome:
    """What one step of a verification found: problems as sentences, facts, and the files that prove them."""

    problems: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    evidence: tuple[Path, ...] = ()


class Verifier(Protocol):
    """How a switched profile is verified; ``gate_argv`` is shown in plans."""

    @property
    def gate_argv(self) -> tuple[str, ...]:
        """The gate's argument list."""
        ...

    def gate(self, active: Path) -> Outcome:
        """Run the canonical gate on the profile in the file ``active``."""
        ...

    def measure(self, active: Path) -> Outcome:
        """Measure that the baseline's platform answers and performs within its floors."""
        ...
