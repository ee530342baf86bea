"""A driver that goes wrong in one way at a time, over PoCL: what it does is named, and the next case is measured."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_weekops.core.errors import DeviceError, WorkerCrash, WorkerError, WorkerTimeout
from pytest_weekops.core.measurement.records import Measurement, MeasurementStatus
from pytest_weekops.drivers.platforms import resolve_platforms
from pytest_weekops.worker.supervisor import PlatformSupervisor
from tests.faults.conftest import SHORT, FaultyDriver
from tests.faults.runs import children
from tests.faults.table import FAULTS, ROOT, TABLE, rows
from tests.support.benches import Bench

SHAPE = (64, 64, 64)
LONGEST_S = 2 * (3.0 + 2.0) + 20.0  # twice deadline and margin, and two starts of Python on a busy machine


@pytest.mark.device
@pytest.mark.long
@pytest.mark.parametrize("row", rows("launching", "answering", "timing"))
def test_a_fault_while_measuring(faulty: FaultyDriver, faulty_bench: Bench, row: dict[str, Any]) -> None:
    """Status, phase and words are the table's, within the deadline; once the fault is gone the next case is ok."""
    faulty.has(row["driver"])
    began = time.monotonic()
    answer = faulty_bench.measure("scalar", SHAPE, iterations=6)
    assert time.monotonic() - began < LONGEST_S
    faulty.has("")
    hold_against(row, answer)
    works_again(faulty_bench)


@pytest.mark.device
@pytest.mark.long
@pytest.mark.parametrize("row", rows("building"))
def test_a_fault_while_building(
    faulty: FaultyDriver, faulty_bench: Bench, start_faulty: Callable[..., Bench], row: dict[str, Any]
) -> None:
    """The same, in a worker that has built nothing yet and gets a short time for it."""
    bench = start_faulty(SHORT.model_copy(update={"first_build_s": 3.0}))
    faulty.has(row["driver"])
    began = time.monotonic()
    answer = bench.measure("scalar", SHAPE)
    assert time.monotonic() - began < LONGEST_S
    faulty.has("")
    hold_against(row, answer)
    works_again(faulty_bench)


def works_again(bench: Bench) -> None:
    """The next case is measured, in a new worker where the last one went down."""
    again = bench.measure("scalar", SHAPE)
    assert (again.status, again.flaky) == (MeasurementStatus.OK, False), again.reason


def hold_against(row: dict[str, Any], answer: Measurement) -> None:
    """The measurement is what the table says."""
    said = f"{answer.reason}\n{answer.signal}\n{answer.stderr_tail}\n{answer.timer and answer.timer.reason}"
    assert answer.status.value == row["status"], said
    assert row["says"] in said
    if "phase" in row:
        assert answer.phase is not None
        assert answer.phase.value in row["phase"], said
    if row["group"] == "timing":
        assert answer.timer is not None
        assert not answer.timer.trusted
        assert all(session.device_ns is None for session in answer.sessions)


@pytest.mark.device
@pytest.mark.long
@pytest.mark.parametrize("row", rows("loading"))
def test_a_fault_while_loading(tmp_path: Path, faulty: FaultyDriver, row: dict[str, Any]) -> None:
    """The platform is lost with phase and words, nothing is left of its worker, and without the fault it opens."""
    (launch,) = resolve_platforms([f"{row['driver']}=pocl@{faulty.library}"], scratch=tmp_path)
    faulty.has(row["driver"])
    supervisor = PlatformSupervisor(launch, SHORT, tmp_path)
    began = time.monotonic()
    before = children()
    if row.get("status") == "ok":
        assert supervisor.start().platform_name
    else:
        with pytest.raises((WorkerError, DeviceError)) as caught:
            supervisor.start()
        assert row["says"] in str(caught.value)
        if "phase" in row:
            assert isinstance(caught.value, WorkerCrash | WorkerTimeout)
            assert caught.value.phase in row["phase"]
        assert children() == before
    assert time.monotonic() - began < LONGEST_S
    faulty.has("")
    supervisor.close()
    again = PlatformSupervisor(launch, SHORT, tmp_path)
    assert again.start().platform_name
    assert again.close() == ""


def test_each_row_is_run() -> None:
    """A row is one of the faulty driver's, in a group that a test above takes, or names a test that is there."""
    source = (Path(__file__).parent / "faulty_driver.c").read_text(encoding="utf-8")
    for row in FAULTS:
        assert row["group"] in TABLE["groups"]
        if "driver" in row:
            assert row["group"] != "around"
            where, _, how = row["driver"].partition("-")
            assert f'"{row["driver"]}"' in source or (f'ends("{where}")' in source and f'"{how}"' in source), row
        else:
            path, _, name = row["test"].partition("::")
            assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), row["test"]
