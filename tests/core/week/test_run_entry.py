"""From a decision document to a ledger entry: whole or refused, and a name that stays a name."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_weekops.core.errors import InputError
from pytest_weekops.core.week.run_entry import run_directory, run_entry

DOCUMENT: dict[str, Any] = {
    "run_id": "weekly-1",
    "kind": "weekly",
    "created_at": "2026-11-24T12:00:00+00:00",
    "command": ["pytest", "suites/weekly"],
    "decision": "iterate",
    "exit_status": 1,
    "severity": 3,
    "verdict": {
        "owner": "somebody",
        "findings": [
            {"check": "a", "status": "pass"},
            {"check": "b", "status": "fail", "observed": 1.23456789, "required": None},
            {"check": "c", "status": "fail", "blocking": False},
            {"check": "b", "status": "no_data"},
        ],
    },
    "policy": {"id": "p", "sha256": "a" * 64},
    "identities": {"pocl": {"hardware": "a processor", "driver_version": "1", "library_sha256": "b" * 64}},
    "plan": {"sizes": [128]},
    "counts": {"planned": 12, "measured": 12},
    "kernels": {"kernels/a.cl": "d" * 64},
}


def test_the_entry_keeps_what_a_rerun_is_compared_with() -> None:
    """Plan, counts, driver and hardware; the checks that failed and block, each once; numbers in five digits."""
    entry = run_entry(DOCUMENT, decision_sha256="c" * 64)
    assert entry.failed_checks == ("b",)
    assert (entry.plan, entry.counts) == (DOCUMENT["plan"], DOCUMENT["counts"])
    assert (entry.drivers, entry.hardware) == ({"pocl": f"1 {'b' * 16}"}, {"pocl": "a processor"})
    assert entry.findings[1] == {"check": "b", "status": "fail", "observed": 1.2346}
    assert entry.kernels == {"kernels/a.cl": "d" * 12}
    assert (entry.run_dir, entry.decision_sha256) == ("weekly-1", "c" * 64)


def test_what_lies_below_a_driver_is_kept_in_words() -> None:
    """Modules without a version as well; an identity of before has none."""
    kernel = {"release": "6.17", "drivers": {"amdgpu": ""}, "firmware": {"microcode": "0xa"}}
    identities = {"clover": {**DOCUMENT["identities"]["pocl"], "kernel": kernel}, **DOCUMENT["identities"]}
    entry = run_entry({**DOCUMENT, "identities": identities})
    assert entry.host_kernels == {"clover": "6.17, amdgpu, microcode 0xa", "pocl": ""}


def test_a_document_of_before_has_no_kernels() -> None:
    """And is recorded all the same: nothing is compared with them but a history."""
    assert run_entry({key: value for key, value in DOCUMENT.items() if key != "kernels"}).kernels == {}


def test_a_command_may_be_one_text() -> None:
    """Older documents have it so; it stays one word."""
    assert run_entry({**DOCUMENT, "command": "pytest suites/weekly"}).command == ("pytest suites/weekly",)


@pytest.mark.parametrize("name", [name for name in DOCUMENT if name != "kernels"])
def test_a_document_that_lacks_something_is_not_recorded_by_halves(name: str) -> None:
    """What is not there cannot be compared with later."""
    with pytest.raises(InputError, match=rf"lacks what the ledger records: .*{name}"):
        run_entry({key: value for key, value in DOCUMENT.items() if key != name})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("severity", 5),
        ("exit_status", "none"),
        ("identities", ["pocl"]),
        ("verdict", None),
        ("counts", {"planned": None}),
        ("kernels", ["a.cl"]),
    ],
)
def test_a_document_of_another_shape_is_not_recorded(name: str, value: object) -> None:
    """One sentence, no exception of somebody else's."""
    with pytest.raises(InputError, match="proves nothing"):
        run_entry({**DOCUMENT, name: value})


def test_a_run_without_a_week_is_not_recorded() -> None:
    """It would belong to none."""
    with pytest.raises(InputError, match="is not ISO 8601"):
        run_entry({**DOCUMENT, "created_at": "yesterday"})


@pytest.mark.parametrize("name", ["", "..", ".hidden", "-rf", "a\\b", "a\nb", "a\0b", "x" * 201])
def test_a_name_that_could_lead_elsewhere_is_refused(name: str) -> None:
    """It becomes the name of a directory."""
    with pytest.raises(InputError, match="is no plain name"):
        run_entry({**DOCUMENT, "run_id": name, "run_dir": "fine"})
    with pytest.raises(InputError, match="is no plain name"):
        run_directory({"run_dir": f"reports/{name}" if name else ""})


def test_a_directory_is_known_by_its_last_part() -> None:
    """A path and a trailing slash are taken off; an id that is a path is refused all the same."""
    assert run_directory({"run_dir": "reports/weekly-1/"}) == run_directory({"run_id": "weekly-1"}) == "weekly-1"
    assert run_directory({"run_dir": "x" * 200}) == "x" * 200
    with pytest.raises(InputError, match=r"Run id 'a/b' is no plain name"):
        run_entry({**DOCUMENT, "run_id": "a/b", "run_dir": "fine"})


def test_what_is_wrong_in_many_places_is_told_once() -> None:
    """Counts that are seventeen things and no numbers: the first of them, in a sentence of its own length."""
    counts = {f"k{number}": [number] * 50 for number in range(17)}
    with pytest.raises(InputError, match=r"counts\.k0: Input should be a valid integer") as refusal:
        run_entry({**DOCUMENT, "counts": counts})
    assert len(str(refusal.value)) < 400
