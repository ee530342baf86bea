"""Level 0 over drivers that go down: each item says what became of it, and the next one is tried."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pytest_weekops.campaigns.peak import measure_item, result_of, survey
from pytest_weekops.core.errors import WorkerCrash, WorkerTimeout
from pytest_weekops.core.measurement.peak import ITEMS, PeakAmounts, found
from pytest_weekops.core.measurement.records import MeasurementStatus, Phase
from pytest_weekops.worker.peak_messages import Peaked, PeakRequest
from pytest_weekops.worker.process import Launch
from pytest_weekops.worker.protocol import Failed, Goodbye, OpenRequest, Reply
from pytest_weekops.worker.supervisor import PlatformSupervisor

DOUBLE = str(Path(__file__).resolve().parents[1] / "support" / "double.py")
COPY = ITEMS["memory_copy"]
RIGHT = Peaked(**found(COPY, [10.0], 80.0, "so").model_dump())


def launch(fault: str, phase: str) -> Launch:
    """The worker double, which knows nothing of level 0: asked for it, it goes down."""
    command = (sys.executable, DOUBLE, fault, phase)
    return Launch(label="double", profile="double", open=OpenRequest(profile="double"), command=command)


def test_a_driver_that_goes_down_has_no_number(tmp_path: Path) -> None:
    """In an item: that one failed, and the next one too, by itself. At the start: there is nothing at all."""
    items = ("memory_gather", "build_cold")
    told = survey(launch("noise", "never"), PeakAmounts(), tmp_path, tmp_path, items=items)
    assert [(item.name, item.status, item.value) for item in told.items] == [(name, "failed", None) for name in items]
    assert all("double" in item.reason for item in told.items)
    assert told.device == "double"
    assert not told.has(list(items))

    gone = survey(launch("segv", "context"), PeakAmounts(), tmp_path, tmp_path)
    assert gone.items == ()
    assert "SIGSEGV" in gone.ended
    missing = launch("noise", "never").model_copy(update={"missing": "no driver is installed"})
    assert survey(missing, PeakAmounts(), tmp_path, tmp_path).ended == "no driver is installed"


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Failed(status=MeasurementStatus.LAUNCH_FAILED, phase=Phase.UPLOAD, reason="out of memory"), "out of memory"),
        (Goodbye(), "answered memory_copy with goodbye"),
        (RIGHT.model_copy(update={"name": "memory_gather"}), "answered memory_copy with peaked"),
        (RIGHT.model_copy(update={"unit": "ms"}), "answered memory_copy with peaked"),
    ],
)
def test_another_answer_is_no_number(reply: Reply, words: str) -> None:
    """Nor is that of another item."""
    result = result_of(COPY, reply)
    assert (result.status, result.value) == ("failed", None)
    assert words in result.reason
    assert result_of(COPY, RIGHT).value == 8.0


class Answers(PlatformSupervisor):
    """Answers or raises, one after another; keeps the widths it was asked for."""

    def __init__(self, *answers: Reply | Exception) -> None:
        self.answers = list(answers)
        self.widths: list[tuple[int, ...]] = []

    def peak(self, request: PeakRequest) -> Reply:
        """The next one."""
        self.widths.append(request.amounts.widths)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_a_crash_over_wide_vectors_is_told_beside_the_number() -> None:
    """Asked once more without them; such a platform does not count as sound. One that hangs is not asked again."""
    crash = WorkerCrash("the worker ended by SIGABRT", status="aborted")
    request = PeakRequest(item=COPY.name, kernel_dir="k")
    double = Answers(crash, RIGHT)
    again = measure_item(double, COPY, request)
    assert double.widths == [(1, 4, 8, 16), (1, 4, 8)]
    assert again.value == 8.0
    assert again.reason == "with vectors of up to 16 before: the worker ended by SIGABRT"
    twice = measure_item(Answers(crash, crash), COPY, request)
    assert twice.status == "failed"
    assert twice.reason.count("SIGABRT") == 2
    for answers, item in (
        ((crash,), ITEMS["memory_gather"]),
        ((WorkerTimeout("hung", deadline_s=1.0),), COPY),
    ):
        assert measure_item(Answers(*answers), item, request).status == "failed"
