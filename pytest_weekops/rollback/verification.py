"""After a switch: does the profile now active work? The canonical gate in a process of its own, then a measurement."""

from __future__ import annotations

import importlib.metadata
import json
import os
import secrets
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_weekops.core.errors import WeekopsError
from pytest_weekops.core.week.rollback import parse_environment
from pytest_weekops.files.scratch import Scratch
from pytest_weekops.files.shipped import data_dir
from pytest_weekops.rollback.floors import PROBE_CELL, cell_document, floors_of, shortfall
from pytest_weekops.rollback.outcome import Outcome
from pytest_weekops.rollback.steps import run_step

if TYPE_CHECKING:
    from pytest_weekops.core.measurement.profile import Profile
    from pytest_weekops.core.policy.policy import Policy
    from pytest_weekops.run.live import Run

GATE_TIMEOUT_S = 900.0


class CanonicalVerifier:
    """The shipped verification of one platform: ``pytest --tier canonical --driver-smoke``, then a few cells."""

    def __init__(
        self,
        platform: str,
        *,
        profile: str,
        policy: Policy,
        report_dir: Path,
        cwd: Path,
        profile_files: tuple[Path, ...] = (),
    ) -> None:
        self._platform = platform
        self._profile = profile
        self._policy = policy
        self._checks = checks_dir(report_dir)  # with a ledger of its own: checks are no attempts of a week
        self._report_dir = report_dir
        self._cwd = cwd
        self._profile_files = profile_files
        self._prefix = f"gate-{secrets.token_hex(4)}"

    @property
    def gate_argv(self) -> tuple[str, ...]:
        """The options by the names that no other plugin can have; a gate that fails must not roll back in turn."""
        plugin = () if _is_installed() else ("-p", "pytest_weekops.plugin")
        asked = ("--weekops-tier", "canonical", "--weekops-driver-smoke", "--weekops-platforms", self._platform)
        places = (f"--weekops-report-dir={self._checks.absolute()}", "--weekops-report-prefix", self._prefix)
        files = shlex.join(map(str, self._profile_files))
        known = ("-o", f"weekops_platform_files={files}") if files else ()
        last = ("--weekops-rollback", "never", "--weekops-mode", "ci", "-p", "no:cacheprovider")
        return (sys.executable, "-m", "pytest", *self._suite(), *plugin, *asked, *places, *known, *last)

    def _suite(self) -> tuple[str, ...]:
        """Collect the canonical suite and nothing else, whatever else the project would have pytest collect."""
        if (self._cwd / "suites" / "canonical").is_dir():
            return ("suites/canonical",)
        # As an argument, the package's directory would become pytest's root and hide the project's configuration.
        # Shipped suites may lie below another project's conftest, which is none of this run's business.
        shipped = data_dir("suites")
        return ("-o", f"testpaths={shlex.quote(str(shipped / 'canonical'))}", "--confcutdir", str(shipped))

    def gate(self, active: Path) -> Outcome:
        """Run the gate with the active profile's variables; its ``decision.json`` is the evidence."""
        environment = {**os.environ, **parse_environment(active.read_text(encoding="utf-8"))}
        root = str(Path(__file__).resolve().parents[2])
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [root, environment.get("PYTHONPATH", "")]))
        environment.pop("PYTEST_ADDOPTS", None)  # somebody's -k must not thin out the gate
        argv = self.gate_argv
        status, tail = run_step(argv, environment=environment, timeout_s=GATE_TIMEOUT_S, cwd=self._cwd)
        found = sorted(self._checks.glob(f"{self._prefix}-*/decision.json"))
        facts = {"argv": list(argv), "exit_status": status}
        if status != 0 or len(found) != 1:
            why = "ran past its time limit" if status == 124 else f"ended with exit status {status}"
            return Outcome((f"The canonical gate {why} and left {len(found)} decisions. {tail}",), facts, tuple(found))
        return Outcome(tuple(gate_problems(found[0], self._profile)), facts, tuple(found))

    def measure(self, active: Path) -> Outcome:
        """Measure with exactly the active profile's variables, in a worker of its own."""
        from pytest_weekops.drivers.platforms import load_profiles

        environment = parse_environment(active.read_text(encoding="utf-8"))
        directory = self._checks / f"measure-{secrets.token_hex(4)}"
        with Scratch() as scratch:
            try:
                profile = load_profiles(self._profile_files).profiles[self._profile]
                run = _open_run(self._profile, profile, environment, self._policy, directory, scratch)
            except WeekopsError as error:
                return Outcome((f"The platform could not be measured: {error}",))
            try:
                return self._measure(run, directory)
            except WeekopsError as error:
                return Outcome((f"The measurement broke off: {error}",), {}, (directory / "journal.jsonl",))
            finally:
                run.close()

    def _measure(self, run: Run, directory: Path) -> Outcome:
        from pytest_weekops.core.judge.metrics import case_metrics
        from pytest_weekops.core.measurement.records import Case, MeasurementStatus

        run.open()
        label, platform = next(iter(run.platforms.items()))
        if platform.identity is None:
            return Outcome((f"{label} does not answer: {platform.unusable}",), {}, (directory / "journal.jsonl",))
        floors, words = floors_of(self._policy, platform.identity, self._report_dir)
        problems, cells = [], []
        for (kernel, size), floor in floors.items():
            answer = run.measure(Case(platform=label, kernel=kernel, size=size, seed=11, snapshot=1))
            metrics = case_metrics(answer, run.plan) if answer.status is MeasurementStatus.OK else None
            if metrics is None:
                problems.append(f"{kernel}:{size} on {label} is {answer.status.value}: {answer.reason}")
                continue
            reached = metrics.throughput, metrics.unit
            cells.append(cell_document(f"{kernel}:{size}", reached, floor))
            problems += shortfall(f"{kernel}:{size}", label, reached, floor)
        identity = platform.identity
        facts = {
            "platform_name": identity.platform_name,
            "platform_version": identity.platform_version,
            "device_name": identity.device_name,
            "driver_version": identity.driver_version,
            "library_sha256": identity.library_sha256,
            "cells": cells,
            "floors": words,
        }
        return Outcome(tuple(problems), facts, (directory / "journal.jsonl",))


def checks_dir(report_dir: Path) -> Path:
    """Where a verification's runs are written; never behind a link that leads out, where nobody takes them as proof."""
    usual = report_dir / "runtime" / "checks"
    try:
        inside = usual.resolve().is_relative_to(report_dir.resolve())
    except (OSError, RuntimeError):  # RuntimeError: links that lead in a circle
        inside = False
    return usual if inside else report_dir / "checks"


def gate_problems(decision: Path, profile: str) -> list[str]:
    """Why a gate's decision does not prove that ``profile`` is sane; empty where it does."""
    try:
        document = json.loads(decision.read_text(encoding="utf-8"))
        promoted = document["decision"] == "promote" and document["exit_status"] == 0
        kind, profiles = document["kind"], [facts["profile"] for facts in document["identities"].values()]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        return [f"The gate's decision {decision.name} cannot be read: {error}"]
    problems = [] if promoted else [f"The canonical gate decided {document['decision']!r:.40}"]
    if kind != "canonical":
        problems.append(f"The gate was a {kind!r:.40} run, not a canonical one")
    if profiles != [profile]:
        problems.append(f"The gate ran on {', '.join(map(str, profiles)) or 'no platform'}, not on {profile}")
    return problems


def _is_installed() -> bool:
    """Whether pytest finds the plugin by itself; naming it twice would be refused."""
    return any(point.name == "weekops" for point in importlib.metadata.entry_points(group="pytest11"))


def _open_run(
    profile_name: str,
    profile: Profile,
    environment: Mapping[str, str],
    policy: Policy,
    directory: Path,
    scratch: Path,
) -> Run:
    from pytest_weekops.core.measurement.plan import CampaignPlan, Deadlines
    from pytest_weekops.evidence.journal import Journal
    from pytest_weekops.files.catalog import kernel_operations
    from pytest_weekops.run.live import Platform, Run
    from pytest_weekops.worker.host import HostWorker
    from pytest_weekops.worker.process import Launch
    from pytest_weekops.worker.protocol import OpenRequest
    from pytest_weekops.worker.supervisor import PlatformSupervisor

    launch = Launch(
        label=profile_name,
        profile=profile_name,
        environment=dict(environment),
        open=OpenRequest(
            profile=profile_name,
            platform_name=profile.platform_name,
            platform_vendor=profile.platform_vendor,
            platform_version=profile.platform_version,
            device_types=profile.device_types,
            icd=environment.get("OCL_ICD_VENDORS", ""),
        ),
    )
    kernel, size = PROBE_CELL
    deadlines = Deadlines()
    plan = CampaignPlan(
        kind="weekly", platforms=(profile_name,), kernels=(kernel,), sizes=(size,), seeds=(11,), snapshots=1
    )
    return Run(
        plan=plan,
        policy=policy,
        platforms={profile_name: Platform(profile_name, PlatformSupervisor(launch, deadlines, scratch))},
        host=HostWorker(scratch, deadlines),
        journal=Journal(directory / "journal.jsonl"),
        kernel_dirs=(str(data_dir("kernels")),),
        operations=kernel_operations((str(data_dir("kernels")),)),
    )
