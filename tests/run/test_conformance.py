"""Which results a run takes in: those of the very drivers, a stranger's file only where it is tied, else why not."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_weekops.core.conformance.results import ConformanceRecord, SuiteResults
from pytest_weekops.core.errors import InputError
from pytest_weekops.core.measurement.driver_files import DriverListing
from pytest_weekops.core.measurement.plan import CampaignPlan
from pytest_weekops.core.measurement.records import DeviceIdentity
from pytest_weekops.evidence.conformance.reading import read_results
from pytest_weekops.evidence.conformance.store import keep
from pytest_weekops.run import conformance
from pytest_weekops.run.conformance import take_evidence
from pytest_weekops.week.in_service import last_promoted
from tests.support.conformance import HEALTHY, files_of, results
from tests.support.synthetic import make_identity, make_plan

UPDATED = files_of("pocl", "b")


def platform(label: str, files: Any = None, identity: DeviceIdentity | None = None) -> Any:
    """A platform that answered, with its files as they are when it is opened."""
    listing = DriverListing(platform=label, files=files_of(label) if files is None else files)
    supervisor = SimpleNamespace(files=SimpleNamespace(listing=lambda: listing))
    return SimpleNamespace(label=label, identity=identity or make_identity(label), supervisor=supervisor)


@dataclass
class StandIn:
    """What of a run the taking of evidence asks for."""

    plan: CampaignPlan
    platforms: dict[str, Any]
    partner: Any = None
    records: list[ConformanceRecord] = field(default_factory=list)

    def record(self, record: ConformanceRecord) -> ConformanceRecord:
        """Keep a record."""
        self.records.append(record)
        return record


def taken(place: Path, run: StandIn, *evidence: tuple[str, Path | None]) -> tuple[ConformanceRecord, ConformanceRecord]:
    """The record of the driver under test and that of its reference."""
    asked = evidence or (("piglit", None),)
    run.plan = run.plan.model_copy(update={"evidence": tuple(suite for suite, _path in asked)})
    take_evidence(run, SimpleNamespace(report_dir=place, conformance=None, evidence=asked))  # type: ignore[arg-type]
    mine, other = run.records
    assert (mine.role, other.role) == ("tested", "reference")
    return mine, other


def weekly(files: Any = None) -> StandIn:
    """A weekly run of one platform."""
    return StandIn(make_plan("weekly"), {"pocl": platform("pocl", files)})


def promoted_by(files: Any, run_id: str = "weekly-1") -> Any:
    """A stored run that promoted a driver with these files."""
    listing = DriverListing(platform="pocl", files=files)
    return SimpleNamespace(run_id=run_id, records=(listing,), identities={"pocl": make_identity("pocl")})


def test_a_split_takes_the_results_of_exactly_its_two_drivers(tmp_path: Path) -> None:
    """Each by its files; those of a third, and those from before an update, stay where they are."""
    for one in (results(profile="clover"), results(profile="rusticl"), results(), results(files=UPDATED)):
        keep(tmp_path / "conformance", one)
    plan = make_plan("split")
    run = StandIn(plan, {name: platform(name) for name in plan.platforms})
    mine, other = taken(tmp_path, run)
    assert mine.results is not None
    assert other.results is not None
    assert (mine.platform, mine.results.identity.profile) == ("rusticl", "rusticl")
    assert (other.platform, other.results.identity.profile) == ("rusticl", "clover")


def test_results_from_before_an_update_are_not_taken(tmp_path: Path) -> None:
    """Nor is a part of the driver known by which it could be them: it is said how many there are of others."""
    keep(tmp_path / "conformance", results())
    mine, _other = taken(tmp_path, weekly(UPDATED))
    assert (mine.results, mine.problem) == (
        None,
        "pocl has no piglit results; the 1 that are kept are of other drivers",
    )


def test_a_weekly_run_is_held_against_the_last_promoted_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose results are those of its files; where there are none, or no run promoted, it says so."""
    keep(tmp_path / "conformance", results({**HEALTHY, "api@one": "fail"}, files=UPDATED))
    keep(tmp_path / "conformance", results())
    _mine, none = taken(tmp_path, weekly())
    assert none.problem == "no run promoted a driver as pocl on this device, and --against names none in service"
    monkeypatch.setattr(conformance, "last_promoted", lambda *_where: promoted_by(UPDATED))
    mine, other = taken(tmp_path, weekly())
    assert other.reference_run == "weekly-1"
    assert mine.results == results()
    assert other.results is not None
    assert other.results.files == UPDATED
    monkeypatch.setattr(conformance, "last_promoted", lambda *_where: promoted_by(files_of("pocl", "c"), "weekly-0"))
    _mine, other = taken(tmp_path, weekly())
    assert other.problem == "the driver of the promoted run weekly-0 has no piglit results"
    unlisted = SimpleNamespace(run_id="old", records=(), identities={"pocl": make_identity("pocl")})
    monkeypatch.setattr(conformance, "last_promoted", lambda *_where: unlisted)
    assert taken(tmp_path, weekly())[1].results is None


def test_a_driver_in_service_is_asked_first(tmp_path: Path) -> None:
    """The partner of the run, by its files; it may have none."""
    plan = make_plan("weekly", looks=(2, 6), partner={"label": "old", "role": "service"})
    run = StandIn(plan, {"pocl": platform("pocl")}, platform("old"))
    keep(tmp_path / "conformance", results(profile="old"))
    _mine, other = taken(tmp_path, run)
    assert other.results is not None
    run = StandIn(plan, {"pocl": platform("pocl")}, platform("old", UPDATED))
    assert taken(tmp_path, run)[1].problem == "old, the driver in service, has no piglit results"


def test_a_strangers_file_counts_where_it_is_tied_and_is_nobodys_else(tmp_path: Path) -> None:
    """By its hash: another file, an edited one and half a one are not what was tied."""
    path = tmp_path / "results.csv"
    path.write_text("a,Pass,1\n")

    def asked() -> ConformanceRecord:
        return taken(tmp_path, weekly(), ("deqp", path))[0]

    assert "results.csv cannot be tied to a driver: it does not say whose results they are" in asked().problem
    facts = {"suite": "deqp", "source_sha256": read_results("deqp", path).sha256}
    keep(tmp_path / "conformance", results({"a": "pass"}, **facts))
    keep(tmp_path / "conformance", results({"a": "fail"}, suite="deqp", source_sha256="0" * 64))
    found = asked().results
    assert isinstance(found, SuiteResults)
    assert found.by_test["a"].status == "pass"
    path.write_text("a,Pass,1\nb,Pass,1\n")
    assert asked().results is None
    path.write_text("a,Pa")
    assert "What is not whole" in asked().problem


def test_results_that_were_kept_elsewhere_may_be_named(tmp_path: Path) -> None:
    """A file or a directory of them; one that cannot be read refuses the run."""
    other = tmp_path / "other"
    path = keep(other, results())
    for place in (path, other):
        assert taken(tmp_path, weekly(), ("piglit", place))[0].results == results()
    assert taken(tmp_path, weekly(), ("junit", path))[0].results is None
    path.write_text(path.read_text().replace('"fail"', '"pass"'))
    with pytest.raises(InputError, match="cannot be read"):
        taken(tmp_path, weekly(), ("piglit", other))


def test_a_platform_that_did_not_answer_has_no_results(tmp_path: Path) -> None:
    """Whatever is kept."""
    keep(tmp_path / "conformance", results())
    silent = platform("pocl")
    silent.identity = None
    mine, other = taken(tmp_path, StandIn(make_plan("weekly"), {"pocl": silent}))
    assert (mine.results, other.results) == (None, None)


def test_without_a_ledger_nobody_was_promoted(tmp_path: Path) -> None:
    """And none is made by asking."""
    assert last_promoted(tmp_path, "pocl", "a processor") is None
    assert list(tmp_path.iterdir()) == []
