"""The reference driver of a weekly run: there by default, none where neither works, left out and insisted on."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import pytest

from pytest_weekops.core.measurement.records import Measurement
from pytest_weekops.evidence.stored_run import read_run
from tests.support.gates import SMALL, GateResult, run_gate

pytestmark = [pytest.mark.device, pytest.mark.long]
WORDS = ("--platforms", "pocl-system", "--kernels", "auto", *SMALL, "--sizes", "96", "1024")
TOOK_TURNS = "took turns with what was measured, launch by launch, as the reference driver, a clock; it is not judged"
# A machine on which neither of the drivers that could be one launches.
NOBODY = """\
from pytest_weekops.drivers import platforms

platforms._REFERENCES = ()
"""


def notes_of(result: GateResult) -> list[str]:
    """The verdict's notes."""
    found: list[str] = result.decision["verdict"]["notes"]
    return found


@pytest.fixture(scope="module")
def unasked(
    tmp_path_factory: pytest.TempPathFactory, repository: Any, need_platform: Callable[[str], str]
) -> GateResult:
    """A week that says nothing of a reference driver."""
    need_platform("pocl-system")
    need_platform("intel")
    directory = tmp_path_factory.mktemp("unasked")
    return run_gate(directory, repository / "suites" / "weekly", *WORDS, "--reference-driver", "auto")


def test_it_takes_turns_by_default(unasked: GateResult) -> None:
    """It stands in long measurements, in the verdict's notes and in the first line, and nowhere else."""
    assert unasked.status == 0, unasked.output
    (directory,) = unasked.run_dirs
    measured = [record for record in read_run(directory).records if isinstance(record, Measurement)]
    assert {(m.case.size, m.turns is not None) for m in measured} == {(96, False), (1024, True)}
    assert any(TOOK_TURNS in note for note in notes_of(unasked))
    assert "weekops: starting pocl-system, in turns with reference" in unasked.output
    assert list(unasked.decision["identities"]) == ["pocl-system"]
    partner = unasked.decision["plan"]["partner"]
    assert (partner["role"], partner["asked"], partner["required"]) == ("reference", "intel", False)


def test_one_is_taken_by_name(gate: Callable[..., GateResult], need_platform: Callable[[str], str]) -> None:
    """For a pin that went by it; in short launches, too."""
    need_platform("pocl-embedded")
    result = gate(*WORDS, "--sizes", "96", "--reference-driver", "pocl-embedded")
    assert result.status == 0, result.output
    partner = result.decision["plan"]["partner"]
    assert (partner["role"], partner["asked"], partner["required"]) == ("reference", "pocl-embedded", True)
    assert any(TOOK_TURNS in note for note in notes_of(result))


def test_it_is_left_out_where_that_is_said(gate: Callable[..., GateResult]) -> None:
    """As it was."""
    result = gate(*WORDS)
    assert result.status == 0, result.output
    assert result.decision["plan"]["partner"] is None


def test_short_launches_are_measured_alone_unless_it_is_asked_for(gate: Callable[..., GateResult]) -> None:
    """In turns their threads wait for each other, so that beside another program no pair is calm."""
    result = gate(*WORDS, "--sizes", "96", "--reference-driver", "auto")
    assert result.status == 0, result.output
    assert result.decision["plan"]["partner"] is None


def test_a_week_without_gemm_has_none(gate: Callable[..., GateResult]) -> None:
    """It would take no turn, and the verdict's notes would say that it did."""
    words = [word for word in WORDS if word not in ("--kernels", "auto", "--reference-driver", "off")]
    result = gate(*words, "--kernels", "triad", "--reference-driver", "auto")
    assert result.decision["plan"]["partner"] is None, result.output


@pytest.mark.parametrize("asked", ["auto", "on"])
def test_where_none_works_it_is_none_or_a_sentence(gate: Callable[..., GateResult], tmp_path: Any, asked: str) -> None:
    """Who insists on it is told what is missing; who does not has the host's clock."""
    (tmp_path / "nobody.py").write_text(NOBODY, encoding="utf-8")
    places = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    result = gate("-p", "nobody", *WORDS, "--reference-driver", asked, PYTHONPATH=places)
    if asked == "on":
        assert result.status == 4
        assert "--reference-driver on: neither" in result.output
        return
    assert result.status == 0, result.output
    assert result.decision["plan"]["partner"] is None


def test_a_suite_with_kernels_of_its_own_has_none_unless_it_asks(gate: Callable[..., GateResult]) -> None:
    """Its cases are many, and it says what a driver can do."""
    words = [word for word in WORDS if word not in ("--kernels", "auto", "--reference-driver", "off")]
    result = gate(*words, "--kernels", "triad", suite="workloads")
    (decision,) = result.directory.glob("reports/workloads/*/decision.json")
    assert json.loads(decision.read_text(encoding="utf-8"))["plan"]["partner"] is None, result.output
