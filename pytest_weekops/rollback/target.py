"""What a rollback switches to: the baseline platform's variables and the policy, resolved to a runtime profile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_weekops.core.errors import InputError
from pytest_weekops.core.week.entry import run_entries
from pytest_weekops.core.week.rollback import RuntimeProfile, build_profile
from pytest_weekops.files.atomic import write_atomic
from pytest_weekops.files.scratch import Scratch
from pytest_weekops.week.ledger import open_ledger

if TYPE_CHECKING:
    from pytest_weekops.core.policy.policy import Policy, RollbackStep
    from pytest_weekops.rollback.verification import CanonicalVerifier
    from pytest_weekops.worker.process import Launch


@dataclass(frozen=True)
class Target:
    """The profile to switch to, the name that pytest's ``--platforms`` knows it by, and the policy it comes from."""

    profile: RuntimeProfile
    platform: str
    profile_name: str
    policy: Policy
    cwd: Path
    profile_files: tuple[Path, ...] = ()

    @property
    def steps(self) -> tuple[RollbackStep, ...]:
        """The user's own steps, from the policy."""
        return self.policy.rollback.steps

    def verifier(self, report_dir: Path) -> CanonicalVerifier:
        """The shipped verification, with its evidence below ``report_dir``."""
        from pytest_weekops.rollback.verification import CanonicalVerifier

        return CanonicalVerifier(
            self.platform,
            profile=self.profile_name,
            policy=self.policy,
            report_dir=report_dir,
            cwd=self.cwd,
            profile_files=self.profile_files,
        )


def resolve_target(
    report_dir: Path,
    *,
    platform: str | None = None,
    policy_path: str | None = None,
    decision: Mapping[str, Any] | None = None,
    keep: bool = False,
    cwd: Path | None = None,
    profile_files: Sequence[Path] = (),
) -> Target:
    """Resolve the baseline: the platform named, else the run's baseline, else the policy's.

    The policy is the one at ``policy_path``, else the run's, else the last recorded run's, else the shipped one. With
    ``keep`` an ICD file that had to be made is kept beside the profiles. Raises ``InputError``.
    """
    policy = _policy(report_dir, policy_path, decision)
    name = platform or _baseline_of(decision) or policy.split.baseline
    icd_dir = report_dir.resolve() / "runtime" / "icd"
    files = tuple(Path(path).resolve() for path in profile_files)
    launch, environment = _resolve(name, icd_dir, files, keep=keep)
    profile = build_profile(
        launch.label,
        environment=environment,
        cleared=_other_variables(files),
        policy=policy.effective(),
        policy_sha256=policy.sha256,
    )
    return Target(profile, name, launch.profile, policy, cwd or Path.cwd(), files)


def _policy(report_dir: Path, path: str | None, decision: Mapping[str, Any] | None) -> Policy:
    from pydantic import ValidationError

    from pytest_weekops.core.policy.policy import Policy
    from pytest_weekops.policies.files import default_policy, load_policy

    if path is not None:
        return load_policy(path)
    runs = run_entries(open_ledger(report_dir).entries()) if decision is None else ()
    effective = decision["policy"]["effective"] if decision is not None else runs[-1].policy if runs else None
    if effective is None:
        return default_policy()
    try:
        return Policy.model_validate(effective)
    except ValidationError as error:
        raise InputError(
            f"The policy of the last run cannot be read: {str(error).splitlines()[0]}. Which driver is the baseline is "
            "not known, so nothing was switched. Name the policy with --policy, and the platform with --platform."
        ) from error


def _baseline_of(decision: Mapping[str, Any] | None) -> str | None:
    """The baseline of a split run, by its label or, where the label is the user's own, by profile and ICD."""
    if decision is None:
        return None
    label = decision.get("plan", {}).get("baseline_platform")
    facts = decision.get("identities", {}).get(label) if label else None
    if not facts or facts.get("profile") == label or not str(facts.get("icd", "")).endswith(".icd"):
        return str(label) if label else None
    return f"{facts['profile']}@{facts['icd']}"


def _resolve(name: str, icd_dir: Path, files: tuple[Path, ...], *, keep: bool) -> tuple[Launch, dict[str, str]]:
    from pytest_weekops.drivers.platforms import resolve_platforms

    with Scratch() as scratch:
        launch = resolve_platforms([name], scratch=scratch, profile_files=files, said=["--platform"])[0]
        environment = dict(launch.environment)
        icd = Path(environment["OCL_ICD_VENDORS"])
        if icd.parent == scratch:  # made for a bare library: it must outlive this process
            environment["OCL_ICD_VENDORS"] = str(icd_dir / icd.name)
            if keep:
                write_atomic(icd_dir / icd.name, icd.read_bytes())
    return launch, environment


def _other_variables(files: tuple[Path, ...]) -> list[str]:
    """Variables of any profile: those the target does not set are emptied, or the old driver's would stay."""
    from pytest_weekops.drivers.platforms import load_profiles

    return sorted({name for profile in load_profiles(files).profiles.values() for name in profile.environment})
