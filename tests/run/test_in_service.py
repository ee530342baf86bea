"""Who was in service before: the last promoted run's driver, where its files are at hand and nobody switched back."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_weekops.core.errors import InputError
from pytest_weekops.core.measurement.capabilities import InServiceRecord
from pytest_weekops.core.measurement.plan import CampaignPlan, Partner
from pytest_weekops.core.week.entry import ROLLBACK, Entry
from pytest_weekops.run import in_service
from pytest_weekops.run.in_service import note_in_service
from pytest_weekops.week import in_service as ledger
from tests.support.entries import promote
from tests.support.synthetic import make_identity, make_plan

ABLE = make_identity("pocl").model_copy(update={"capabilities": ("cl_khr_fp16",)})


def noted(monkeypatch: pytest.MonkeyPatch, promoted: Any, *, back: bool = False, **facts: Any) -> Any:
    """A run for which the ledger names ``promoted``, which may be an error."""

    def last(_place: Path, label: str, hardware: str) -> Any:
        assert (label, hardware) == ("pocl", ABLE.hardware)
        if isinstance(promoted, InputError):
            raise promoted
        return promoted

    monkeypatch.setattr(in_service, "last_promoted", last)
    monkeypatch.setattr(in_service, "is_switched_back", lambda _place, _run: back)
    records: list[InServiceRecord] = []
    plan: CampaignPlan = facts.pop("plan", make_plan())
    run = SimpleNamespace(plan=plan, identities={"pocl": ABLE}, notes=[], records=records, record=records.append)
    run.earlier = facts.pop("earlier", None)
    note_in_service(run, Path("reports"))  # type: ignore[arg-type]
    return run


def stored(identity: Any) -> Any:
    """A promoted run."""
    return SimpleNamespace(run_id="weekly-1", identities={"pocl": identity} if identity is not None else {})


def test_the_last_promoted_driver_is_journalled(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its run, and nothing is said."""
    run = noted(monkeypatch, stored(ABLE))
    assert run.records == [InServiceRecord(platform="pocl", run_id="weekly-1", identity=ABLE)]
    assert run.notes == []


def test_what_is_not_at_hand_is_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lost files and a switch back are said; before there was anything, there is nothing to say."""
    lost = noted(monkeypatch, InputError("its journal is gone"))
    assert lost.records == []
    assert "could do is not known: its journal is gone" in lost.notes[0]
    back = noted(monkeypatch, stored(ABLE), back=True)
    assert back.records == []
    assert "switched back after weekly-1" in back.notes[0]
    for before in (None, stored(None), stored(make_identity("pocl"))):
        run = noted(monkeypatch, before)
        assert (run.records, run.notes) == ([], [])


def test_where_another_is_in_service_or_the_run_goes_on_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A split has its baseline, ``--against`` its partner, and a further segment what its beginning noted."""
    service = make_plan(partner=Partner(label="old", role="service"), looks=(2, 6))
    for facts in ({"plan": make_plan("split")}, {"plan": service}, {"earlier": object()}):
        assert noted(monkeypatch, stored(ABLE), **facts).records == []


@pytest.mark.parametrize(("stage", "back"), [("switched", True), ("rehearsed", False), (None, False)])
def test_a_switch_counts_where_it_is_later_than_the_run(
    monkeypatch: pytest.MonkeyPatch, stage: str | None, back: bool
) -> None:
    """A rehearsal switches nothing, and what came before the run was answered by it."""

    def entry(seq: int, kind: str, body: Any) -> Entry:
        return Entry(seq=seq, kind=kind, key=str(seq), recorded_at="", body=body)

    run = promote("weekly-1").model_dump(mode="json")
    entries = [entry(1, ROLLBACK, {"stage": "switched"}), entry(2, "run", run)]
    entries += [entry(3, ROLLBACK, {"stage": stage})] if stage else []
    monkeypatch.setattr(ledger, "open_ledger", lambda _place: SimpleNamespace(entries=lambda: entries))
    assert ledger.is_switched_back(Path("reports"), "weekly-1") is back
