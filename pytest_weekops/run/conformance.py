"""The results of conformance suites that a run takes in: found by the driver's files, journalled before measuring."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_weekops.core.conformance.results import ConformanceRecord, SuiteResults
from pytest_weekops.core.conformance.tie import not_of, not_opened_as
from pytest_weekops.core.errors import InputError
from pytest_weekops.core.measurement.driver_files import DriverListing
from pytest_weekops.evidence.conformance.reading import read_results
from pytest_weekops.evidence.conformance.store import DIRECTORY, all_kept, is_kept, kept, of_one_driver
from pytest_weekops.week.in_service import last_promoted

if TYPE_CHECKING:
    from pytest_weekops.core.measurement.records import DeviceIdentity
    from pytest_weekops.evidence.stored_run import StoredRun
    from pytest_weekops.run.live import Platform, Run
    from pytest_weekops.run.request import RunRequest


@dataclass(frozen=True)
class Found:
    """All results of a suite at hand; ``named`` is the hash of what the user named, ``problem`` what that lacks."""

    every: tuple[SuiteResults, ...]
    named: str = ""
    problem: str = ""


def take_evidence(run: Run, request: RunRequest) -> None:
    """Journal, for each suite and platform under test, its results and those that they are held against.

    What is not there is journalled with why: the judge calls it missing. Raises ``InputError`` for results that are
    kept and cannot be read, and for a promoted run whose files are not what was recorded.
    """
    store = (request.conformance or request.report_dir) / DIRECTORY
    paths = dict(request.evidence)
    for suite in run.plan.evidence:
        found = _found(suite, store, paths.get(suite))
        for label in _under_test(run):
            run.record(_tested(run, suite, label, found))
            run.record(_reference(run, request, suite, label, found))


def _under_test(run: Run) -> tuple[str, ...]:
    plan = run.plan
    return (str(plan.candidate_platform),) if plan.kind == "split" else plan.platforms


def _found(suite: str, store: Path, path: Path | None) -> Found:
    """What is kept, with what the user named: results that were kept elsewhere, or a suite's own."""
    every = all_kept(store, suite)
    if path is None:
        return Found(every)
    if is_kept(path, suite):
        more = all_kept(path, suite) if path.is_dir() else (kept(path),)
        return Found((*every, *(one for one in more if one.suite == suite)))
    try:
        named = read_results(suite, path).sha256
    except InputError as error:
        return Found(every, problem=str(error))
    if any(results.source_sha256 == named for results in every):
        return Found(every, named)
    words = (
        f"{path.name} cannot be tied to a driver: it does not say whose results they are. `weekops conformance {suite} "
        "--results` ties them, where the driver that they are of is installed"
    )
    return Found(every, named, words)


def _tested(run: Run, suite: str, label: str, found: Found) -> ConformanceRecord:
    if found.problem:
        return ConformanceRecord(suite=suite, platform=label, role="tested", problem=found.problem)
    platform = run.platforms[label]
    mine = [one for one in found.every if found.named in ("", one.source_sha256)]
    results = of_one_driver([one for one in mine if _opened_as(platform, one)])
    lacks = f"{label} has no {suite} results; the {len(found.every)} that are kept are of other drivers"
    problem = "" if results is not None else lacks
    return ConformanceRecord(suite=suite, platform=label, role="tested", results=results, problem=problem)


def _reference(run: Run, request: RunRequest, suite: str, label: str, found: Found) -> ConformanceRecord:
    """The results of the split's baseline, of the partner in service, or of the last promoted run's driver."""
    plan = run.plan
    if plan.kind == "split":
        return _of_platform(run.platforms[str(plan.baseline_platform)], suite, label, found)
    if plan.service is not None and run.partner is not None:
        return _of_platform(run.partner, suite, label, found)
    identity = run.platforms[label].identity
    promoted = last_promoted(request.report_dir, label, identity.hardware) if identity is not None else None
    if promoted is None:
        problem = f"no run promoted a driver as {label} on this device, and --against names none in service"
        return ConformanceRecord(suite=suite, platform=label, role="reference", problem=problem)
    results = of_one_driver([one for one in found.every if _of_run(promoted, label, one)])
    problem = "" if results else f"the driver of the promoted run {promoted.run_id} has no {suite} results"
    return ConformanceRecord(
        suite=suite,
        platform=label,
        role="reference",
        results=results,
        problem=problem,
        reference_run=promoted.run_id,
    )


def _of_platform(platform: Platform, suite: str, label: str, found: Found) -> ConformanceRecord:
    results = of_one_driver([one for one in found.every if _opened_as(platform, one)])
    problem = "" if results else f"{platform.label}, the driver in service, has no {suite} results"
    return ConformanceRecord(suite=suite, platform=label, role="reference", results=results, problem=problem)


def _opened_as(platform: Platform, results: SuiteResults) -> bool:
    """Whether results are of a platform's driver, as far as it is known before it has compiled anything."""
    files = platform.supervisor.files.listing().files if platform.identity is not None else ()
    return not not_opened_as(results, platform.identity, files)


def _of_run(promoted: StoredRun, label: str, results: SuiteResults) -> bool:
    """Whether results are of the driver that a stored run promoted, by the files that it had first and last."""
    listings = [one for one in promoted.records if isinstance(one, DriverListing) and one.platform == label]
    identity: DeviceIdentity | None = promoted.identities.get(label)
    if not listings:
        return False
    opened, last = listings[0].files, listings[-1].files
    return not not_opened_as(results, identity, opened) and not not_of(results, identity, last)
