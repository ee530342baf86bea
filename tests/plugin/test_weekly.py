"""The weekly gate end to end on a real driver: one promoted run, and everything that is said about it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from pathlib import Path

import jsonschema
import pytest

from pytest_weekops.core.judge.judged import JudgedRecord
from pytest_weekops.core.measurement.driver_files import DriverListing
from pytest_weekops.core.measurement.records import GateRecord, Measurement, PressureRecord
from pytest_weekops.evidence.judging import judge_stored
from pytest_weekops.evidence.stored_run import StoredRun, read_run
from pytest_weekops.report.decision import schema
from tests.support.command import weekops
from tests.support.gates import SMALL, GateResult, run_gate

pytestmark = pytest.mark.device


@pytest.fixture(scope="module")
def promoted(
    tmp_path_factory: pytest.TempPathFactory, repository: Path, need_platform: Callable[[str], str]
) -> GateResult:
    """One promoted run with every report switched on."""
    reports = ("--junitxml=junit.xml", "--json-report", "--json-report-file=report.json", "--benchmark-json=bench.json")
    directory = tmp_path_factory.mktemp("promoted")
    return run_gate(directory, repository / "suites/weekly", "--platforms", need_platform("pocl"), *SMALL, *reports)


@pytest.fixture(scope="module")
def stored(promoted: GateResult) -> StoredRun:
    """The promoted run, read back from its journal."""
    return read_run(promoted.run_dirs[0])


def test_a_healthy_driver_is_promoted(promoted: GateResult) -> None:
    """Exit status, verdict line and decision agree."""
    assert promoted.status == 0, promoted.output
    assert "verdict: promote (SEV4), exit status 0" in promoted.output
    assert promoted.decision["decision"] == "promote"


def test_each_case_is_one_line_of_a_log(promoted: GateResult, stored: StoredRun) -> None:
    """None is wrapped at 80 columns, and what is left is said until nothing is."""
    cases = len(stored.plan.all_cases())
    lines = [line for line in promoted.output.splitlines() if re.match(rf" *\d+/{cases} s\d+ pocl \w+ 96 ", line)]
    assert len(lines) == cases
    assert all(len(line) <= 79 and re.search(r" ~\w+ left$", line) for line in lines[:-1])
    assert lines[-1].endswith(" done")


def test_the_hosts_pace_stands_beside_the_launches(stored: StoredRun) -> None:
    """Sessions of a CPU device have fixed work quanta from within them.

    These sessions last milliseconds: beside other work many pass without a quantum, and their record has no pace.
    """
    measured = [record for record in stored.records if isinstance(record, Measurement)]
    paces = [(len(m.sessions), pace) for m in measured for pace in m.host.paces]
    assert paces
    assert all(1 <= pace.session <= sessions and 0 < pace.median_us < 1e5 for sessions, pace in paces)


def test_each_launch_has_its_run_delay_beside_it(stored: StoredRun) -> None:
    """Linux tells what a thread had of the CPUs, and what it waited for them; other programs show in the latter."""
    sessions = [s for record in stored.records if isinstance(record, Measurement) for s in record.sessions]
    assert sessions
    for session in sessions:
        assert session.cpu_ns is not None
        assert session.delay_ns is not None
        assert len(session.cpu_ns) == len(session.delay_ns) == len(session.wall_ns)
        assert sum(session.cpu_ns) > 0


def test_the_decision_fits_its_schema(promoted: GateResult) -> None:
    """decision.json is valid by the shipped schema."""
    jsonschema.Draft202012Validator(schema()).validate(promoted.decision)


def test_the_drivers_files_are_listed(promoted: GateResult, stored: StoredRun) -> None:
    """With the decision, in the journal and in the summary; each measurement names the listing that was true for it."""
    listed, who = promoted.decision["driver_files"]["pocl"], stored.identities["pocl"]
    files = {file["path"]: file["sha256"] for file in listed["files"]}
    assert files[who.library_path] == who.library_sha256
    assert len(files) > 1
    digests = {r.digest for r in stored.records if isinstance(r, DriverListing)}  # PoCL loads more of itself later
    assert listed["sha256"] in digests
    assert {m.driver_files for m in stored.records if isinstance(m, Measurement)} <= digests
    assert promoted.finding("one_driver")["status"] == "pass"
    assert listed["sha256"][:16] in (promoted.run_dirs[0] / "summary.md").read_text(encoding="utf-8")


def test_the_decision_names_whole_artifacts(promoted: GateResult) -> None:
    """Each artifact has the hash that the decision gives."""
    for entry in promoted.decision["artifacts"]:
        data = (promoted.run_dirs[0] / entry["path"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == entry["sha256"], entry["path"]


def test_the_journal_gives_the_same_verdict_bytes(promoted: GateResult, stored: StoredRun) -> None:
    """Judging the journal again is bit for bit the live verdict."""
    again = judge_stored(stored).model_dump(mode="json")
    live = promoted.decision["verdict"]
    assert json.dumps(again, sort_keys=True) == json.dumps(live, sort_keys=True)


def test_weekops_judge_agrees(promoted: GateResult) -> None:
    """The command line judges the run directory to the same end."""
    done = weekops("judge", promoted.run_dirs[0], "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["decision"] == "promote"


def test_no_record_can_be_dropped(stored: StoredRun) -> None:
    """Without any one of its records the same run is not promoted."""
    for place, record in enumerate(stored.records):
        rest = [*stored.records[:place], *stored.records[place + 1 :]]
        if isinstance(record, Measurement) and record.void:
            continue
        verdict = judge_stored(_with(stored, rest))
        assert verdict.decision == "iterate", f"promoted without {record.type} {getattr(record, 'case', record)}"


def test_no_record_can_be_doubled_or_spoiled(stored: StoredRun) -> None:
    """A doubled measurement, a failed gate and a failed pulse each block."""
    for place, record in enumerate(stored.records):
        if isinstance(record, Measurement) and not record.void:
            changed: list[JudgedRecord] = [*stored.records, record]
        elif isinstance(record, GateRecord):
            changed = [
                *stored.records[:place],
                record.model_copy(update={"passed": False}),
                *stored.records[place + 1 :],
            ]
        elif isinstance(record, PressureRecord):
            changed = [*stored.records, record.model_copy(update={"failures": 1})]
        else:
            continue
        assert judge_stored(_with(stored, changed)).decision == "iterate", f"promoted with a spoiled {record.type}"


def _with(stored: StoredRun, records: Sequence[JudgedRecord]) -> StoredRun:
    return dataclasses.replace(stored, records=tuple(records))


def test_pytest_benchmark_sees_the_measured_times(promoted: GateResult, stored: StoredRun) -> None:
    """Each benchmark's data are the worker's launch times, in order."""
    document = json.loads((promoted.directory / "bench.json").read_text(encoding="utf-8"))
    by_name = {entry["name"]: entry["stats"]["data"] for entry in document["benchmarks"]}
    measured = [m for m in stored.records if isinstance(m, Measurement) and not m.void]
    assert measured
    for measurement in measured:
        wall = [ns * 1e-9 for session in measurement.sessions for ns in session.wall_ns]
        assert by_name[f"test_cell[{measurement.case.id}]"] == pytest.approx(wall, rel=1e-6)


def test_junit_carries_measurements_and_verdict(promoted: GateResult) -> None:
    """JUnit XML has a property per measurement and the verdict on the suite."""
    tree = ET.parse(promoted.directory / "junit.xml")
    names = {node.get("name"): node.get("value") for node in tree.iter("property")}
    assert names["weekops_decision"] == "promote"
    assert names["weekops_status"] == "ok"
    assert float(names["weekops_gflops"] or "nan") > 0


def test_json_report_carries_the_verdict(promoted: GateResult) -> None:
    """pytest-json-report's document has the whole decision."""
    document = json.loads((promoted.directory / "report.json").read_text(encoding="utf-8"))
    assert document["weekops"]["decision"] == "promote"
    assert document["weekops"]["run_id"] == promoted.run_dirs[0].name


def test_the_run_is_in_the_ledger(promoted: GateResult) -> None:
    """Weekops status knows the run and says promoted."""
    done = weekops("status", "--require", "promoted", "--report-dir", "reports", cwd=promoted.directory)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_pinned_baseline_gives_floors(
    promoted: GateResult, repository: Path, need_platform: Callable[[str], str]
) -> None:
    """A pinned run bounds the next one: floors a hundred times higher block it, and say so."""
    from pytest_weekops.evidence import baselines
    from pytest_weekops.week.pins import pin_run

    (path,) = pin_run(promoted.run_dirs[0], promoted.directory / "pinned")
    document = json.loads(path.read_text(encoding="utf-8"))
    for row in document["baseline"]["rows"]:
        row["mean_gflops"] *= 100
    document["baseline"]["files"][-1]["sha256"] = "f" * 64
    document["baseline"]["identity"]["kernel"]["release"] = "5.10"
    document["sha256"] = baselines._digest(document["baseline"])
    high = promoted.directory / "high.json"
    high.write_text(json.dumps(document), encoding="utf-8")
    directory = promoted.directory / "again"
    directory.mkdir()
    suite = repository / "suites/weekly"
    result = run_gate(directory, suite, "--platforms", need_platform("pocl"), *SMALL, f"--baseline={high}")
    assert result.status == 1, result.output
    assert result.finding("per_kernel_size_slo")["status"] == "fail"
    said = " ".join(result.output.split())
    assert f"since baseline {promoted.run_dirs[0].name}: kernel release 5.10 became" in said
    assert "ffffffffffff became" in said


def test_an_altered_baseline_is_refused(promoted: GateResult) -> None:
    """A baseline whose numbers were edited no longer fits its hash."""
    from pytest_weekops.core.errors import InputError
    from pytest_weekops.evidence import baselines
    from pytest_weekops.week.pins import pin_run

    (path,) = pin_run(promoted.run_dirs[0], promoted.directory / "edited")
    path.write_text(path.read_text(encoding="utf-8").replace('"mean_gflops": ', '"mean_gflops": 0'), encoding="utf-8")
    with pytest.raises(InputError, match="baseline"):
        baselines.load_baseline(path)
