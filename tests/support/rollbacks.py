"""What tests of the rollback share: two profiles, a verification with a set outcome, and a crash at a chosen step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pytest_weekops.core.week.rollback import RuntimeProfile, build_profile, parse_environment
from pytest_weekops.rollback.outcome import Outcome

POLICY = {"policy_id": "p", "guardrails": {"max_t5_overhead_percent": 3.5}}


def profile(environment: dict[str, str], *, platform: str = "clover") -> RuntimeProfile:
    """A profile with these variables."""
    return build_profile(platform, environment=environment, cleared=["OTHER"], policy=POLICY, policy_sha256="0" * 64)


OLD = profile({"RUSTICL_ENABLE": "llvmpipe"}, platform="rusticl")
NEW = profile({"LP_CL": "1"}, platform="clover")


@dataclass
class Checks:
    """A verification whose outcome the test sets; it notes which profile was active when it was asked."""

    problems: tuple[str, ...] = ()
    seen: list[str] = field(default_factory=list)
    gate_argv: tuple[str, ...] = ("the", "gate")

    def gate(self, active: Path) -> Outcome:
        """The gate's outcome."""
        self.seen.append(parse_environment(active.read_text(encoding="utf-8"))["WEEKOPS_PLATFORM"])
        return Outcome(self.problems)

    def measure(self, active: Path) -> Outcome:
        """The measurement's outcome."""
        return self.gate(active)


class Crash(BaseException):
    """The process ends here: nothing catches it."""


def crash_after(step: str) -> Callable[[str], None]:
    """End the process after a step."""

    def after(done: str) -> None:
        if done == step:
            raise Crash(step)

    return after


def active(report_dir: Path) -> str:
    """The bytes consumers read."""
    path = report_dir / "runtime" / "active.env"
    return path.read_text(encoding="utf-8") if path.exists() else ""


def deploy_by_hand(report_dir: Path, text: str) -> None:
    """What somebody does who does not know this program: a plain file in the place of the link."""
    path = report_dir / "runtime" / "active.env"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_text(text, encoding="utf-8")
