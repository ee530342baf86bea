"""Who reads files from outside, each with a file that it takes; for tests and the fuzzer, which break that file."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import tempfile
from functools import partial
from pathlib import Path

from pydantic import ValidationError

from pytest_weekops.cli import main
from pytest_weekops.core.errors import InputError, WorkerError
from pytest_weekops.core.week.entry import run_entries
from pytest_weekops.core.week.pins import pins_of
from pytest_weekops.core.week.run_entry import run_entry
from pytest_weekops.drivers.platforms import load_profiles
from pytest_weekops.evidence.baselines import SCHEMA, load_baseline
from pytest_weekops.evidence.calibrations import find_calibrations, write_calibration
from pytest_weekops.evidence.conformance.reading import read_results
from pytest_weekops.evidence.conformance.store import keep, kept
from pytest_weekops.evidence.injections import find_injections
from pytest_weekops.evidence.journal import encode_event
from pytest_weekops.evidence.recorded import read_campaign
from pytest_weekops.evidence.stored_run import read_run
from pytest_weekops.evidence.tunings import TuningBook, load_tunings
from pytest_weekops.files.catalog import read_catalog
from pytest_weekops.files.expectations import load_expectations, load_known_tests
from pytest_weekops.files.shipped import data_dir
from pytest_weekops.policies.files import default_policy, load_lane_policy, load_policy
from pytest_weekops.policies.fleet import load_fleet
from pytest_weekops.week.imported import IMPORTED_NAME, import_campaigns, imported_runs
from pytest_weekops.week.ledger import open_ledger
from pytest_weekops.week.ledger_place import joined_by
from pytest_weekops.week.untold import untold_failures
from pytest_weekops.worker.framing import encode, receive
from pytest_weekops.worker.protocol import MESSAGES, REQUESTS, Anchored, CloseRequest, Goodbye
from tests.core.judge.test_recall import record
from tests.core.measurement.test_calibration import NOW, make_calibration
from tests.core.selection.test_tuning import entry
from tests.evidence.conformance.test_reading import JUNIT, ended
from tests.evidence.test_calibrations import KERNELS as CALIBRATED
from tests.evidence.test_calibrations import ME as CALIBRATED_ME
from tests.evidence.test_tunings import KERNELS, ME
from tests.policies.test_fleet import TEXT as FLEET
from tests.policies.test_older import older
from tests.support.conformance import results
from tests.support.history import promoted
from tests.support.kept_readers import KEPT_READERS
from tests.support.ledgers import filled
from tests.support.reading import Reader, ask
from tests.support.recorded_data import split, weekly
from tests.support.stored import write_run
from tests.support.synthetic import make_plan, make_records

__all__ = ["READERS", "Reader", "ask"]


def _shipped(directory: str, name: str) -> bytes:
    return (data_dir(directory) / name).read_bytes()


def _lane(path: Path) -> object:
    return load_lane_policy(default_policy(), "t5", path)


LANE = {
    "policy_id": "hardening",
    "abft_mode": {"sampling_period": 8, "row_samples": 3, "col_samples": 3, "residual_floor": 0.05},
    "runtime_guardrails": {"disable_if_effective_overhead_percent_gt": 3.5, "disable_if_critical_recall_lt": 0.99},
}


def _baseline() -> bytes:
    row = {"kernel": "auto", "size": 128, "mean_gflops": 1.0, "p95_ms": 1.0}
    facts = {"profile": "p", "hardware": "h", "run_id": "r", "created_at": "2026-11-01T00:00:00+00:00"}
    body = {**facts, "source_sha256": "0" * 64, "rows": [row]}
    digest = hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    return json.dumps({"schema": SCHEMA, "baseline": body, "sha256": digest}).encode()


def _tuning() -> tuple[str, bytes]:
    """A tuning file of one variant: its name, which says whose it is, and what it holds."""
    with tempfile.TemporaryDirectory() as directory:
        book = TuningBook(Path(directory), ME, KERNELS)
        book.update(lambda file: file.with_variant(entry(expected_ms={256: 0.5})))
        return book.path.name, book.path.read_bytes()


def _calibration() -> tuple[str, bytes]:
    """A calibration: its place in a report directory, and what it holds."""
    with tempfile.TemporaryDirectory() as directory:
        path = write_calibration(Path(directory), make_calibration())
        return str(path.relative_to(directory)), path.read_bytes()


def _journal() -> bytes:
    """A small run's journal."""
    plan = make_plan("weekly", sizes=(128,), snapshots=2, iterations=2)
    with tempfile.TemporaryDirectory() as directory:
        return (write_run(Path(directory) / "run", plan, make_records(plan), ended=0) / "journal.jsonl").read_bytes()


def _lines(journal: bytes) -> bytes:
    """Types and data of a journal's lines, without numbers and checksums."""
    events = (json.loads(line) for line in journal.splitlines())
    return b"\n".join(json.dumps([event["type"], event["data"]]).encode() for event in events)


def _judged(path: Path) -> None:
    """Judge the lines as a journal whose numbers and checksums fit: what is behind them is what is broken."""
    try:
        events = [json.loads(line) for line in path.read_bytes().splitlines()]
        lines = [encode_event(seq, kind, data) for seq, (kind, data) in enumerate(events, start=1)]
    except (ValueError, TypeError, RecursionError) as error:
        raise InputError("These lines make no journal.") from error
    with tempfile.TemporaryDirectory() as directory:
        (Path(directory) / "journal.jsonl").write_bytes(b"".join(lines))
        _command("judge", directory, "--json")


def _command(*words: str) -> None:
    """A command that may refuse, in words, and never fails."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(words)
    assert status in (0, 1, 4, 10, 11), err.getvalue()


def _rehashed(path: Path) -> None:
    """Read a baseline whose hash fits whatever its figures are."""
    try:
        body = json.loads(path.read_bytes())
        text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    except (ValueError, RecursionError) as error:
        raise InputError("This is no JSON.") from error
    digest = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "b.json"
        file.write_text(json.dumps({"schema": SCHEMA, "baseline": body, "sha256": digest}), encoding="utf-8")
        load_baseline(file)


def _imported() -> bytes:
    """Recorded campaigns beside a ledger, as they were imported."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "c.json"
        file.write_text(
            json.dumps({**weekly(), "metadata": {"timestamp_utc": "2026-02-08T12:00:00"}}), encoding="utf-8"
        )
        import_campaigns(Path(directory), [file])
        return (Path(directory) / IMPORTED_NAME).read_bytes()


def _ledger() -> tuple[bytes, bytes]:
    """A ledger of one run, and its head file."""
    with tempfile.TemporaryDirectory() as directory:
        ledger = filled(Path(directory), records=2)
        return ledger.path.read_bytes(), ledger.head_path.read_bytes()


def _entries(path: Path) -> None:
    """What commands draw from a ledger."""
    entries = open_ledger(path.parent).entries()
    pins_of(entries)
    untold_failures(path.parent, run_entries(entries))


def _beside_a_ledger(path: Path) -> None:
    """Read a ledger whose head file this is."""
    with tempfile.TemporaryDirectory() as directory:
        (Path(directory) / "ledger.sqlite").write_bytes(LEDGER[0])
        (Path(directory) / "ledger.head").write_bytes(path.read_bytes())
        _entries(Path(directory) / "ledger.sqlite")


def _decision(path: Path) -> None:
    """Enter a run by a decision document, as it is read back from disk."""
    try:
        document = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise InputError("This is no JSON.") from error
    if isinstance(document, dict):
        run_entry(document)


def _message(path: Path) -> None:
    """The frames of a worker, and of who asks it."""
    with path.open("rb") as stream:
        try:
            while (frame := receive(stream.fileno())) is not None:
                for who in (MESSAGES, REQUESTS):
                    with contextlib.suppress(ValidationError):
                        who.validate_python(frame)
        except WorkerError as error:
            raise InputError("This is no frame.") from error


EXPECTATIONS = """\
version: 1
expectations:
  - driver: {profile: pocl, driver_version: "3.1"}
    case: auto:2048
    kind: crashed
    phase: launch
    reason: a known bug
    owner: us
    expires: 2026-12-31
"""
KNOWN_TESTS = """\
version: 1
conformance:
  - driver: {profile: pocl, driver_version: "3.1"}
    suite: piglit
    test: api@one
    kind: crash
    reason: a known bug
    owner: us
    expires: 2026-12-31
"""
PIGLIT = {"options": {"profile": ["cl"]}, "tests": {"api@one": ended("fail"), "api@two": ended("pass")}}


def _kept_results() -> bytes:
    with tempfile.TemporaryDirectory() as directory:
        return keep(Path(directory), results()).read_bytes()


TUNING, CALIBRATION, JOURNAL, LEDGER = _tuning(), _calibration(), _journal(), _ledger()
FRAMES = b"".join(map(encode, (CloseRequest(), Anchored(median_ms=1.0, calls=3), Goodbye())))
READERS: dict[str, Reader] = {
    "policy": Reader("mine.yaml", _shipped("policies", "portable.yaml"), load_policy),
    "rows": Reader("mine.yaml", _shipped("policies", "rx590-weekly-v1.yaml"), load_policy),
    "effective policy": Reader("p.json", default_policy().model_dump_json().encode(), load_policy),
    "older policy": Reader("old.json", older().encode(), load_policy),
    "lane policy": Reader("lane.json", json.dumps(LANE).encode(), _lane),
    "platform file": Reader("p.yaml", _shipped("policies", "platforms.yaml"), lambda path: load_profiles([path])),
    "expectations": Reader("known.yaml", EXPECTATIONS.encode(), load_expectations),
    "fleet file": Reader("fleet.yaml", FLEET.encode(), load_fleet),
    "known tests": Reader("known.yaml", KNOWN_TESTS.encode(), load_known_tests),
    "piglit": Reader("results.json", json.dumps(PIGLIT).encode(), partial(read_results, "piglit")),
    "cts": Reader("test_api.json", b'{"cmd": "x/test_api", "results": {"a": "pass"}}', partial(read_results, "cts")),
    "deqp": Reader("results.csv", b"a.b,Pass,0.5\na.c,Crash,\n", partial(read_results, "deqp")),
    "junit": Reader("r.xml", JUNIT.encode(), partial(read_results, "junit")),
    "kept results": Reader("conformance/piglit-x.json", _kept_results(), kept),
    "catalogue": Reader(
        "catalog.yaml",
        _shipped("kernels", "catalog.yaml")[:6000],
        lambda path: read_catalog(path.parent),
    ),
    "baseline": Reader("b.json", _baseline(), load_baseline),
    "fault campaign": Reader(
        "injections/x.json",
        record().model_dump_json().encode(),
        lambda path: list(find_injections(path.parent.parent, [ME])),
    ),
    "tuning": Reader(*TUNING, lambda path: load_tunings(path.parent, {"pocl": ME}, KERNELS)),
    "recorded campaign": Reader("c.json", json.dumps(weekly()).encode()[:20_000], read_campaign),
    "recorded verdict": Reader("c.json", json.dumps(weekly(2)).encode(), lambda path: _command("judge", str(path))),
    "recorded split": Reader("c.json", json.dumps(split()).encode(), lambda path: _command("judge", str(path))),
    "imported": Reader("imported.json", _imported(), lambda path: imported_runs(path.parent)),
    "journal": Reader("journal.jsonl", JOURNAL, lambda path: read_run(path.parent)),
    "journal's records": Reader("lines.txt", _lines(JOURNAL), _judged),
    "baseline's figures": Reader("b.json", json.dumps(json.loads(_baseline())["baseline"]).encode(), _rehashed),
    "calibration": Reader(
        *CALIBRATION,
        lambda path: find_calibrations(path.parent.parent, CALIBRATED_ME, CALIBRATED, NOW),
    ),
    "ledger": Reader("ledger.sqlite", LEDGER[0], _entries),
    "ledger's head": Reader("head", LEDGER[1], _beside_a_ledger),
    "joined ledger": Reader(
        "ledger.shared", b'{"ledger": "main", "id": "0123456789abcdef"}', lambda path: joined_by(path.parent)
    ),
    "decision": Reader("decision.json", json.dumps(promoted("good")).encode(), _decision),
    "worker's messages": Reader("frames", FRAMES, _message),
    **KEPT_READERS,
}
