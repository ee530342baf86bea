"""Whatever somebody does to a team's ledger in PostgreSQL ends in red, and would be green without its defence."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

import pytest
import yaml

from pytest_weekops.cli import main
from pytest_weekops.evidence.artifacts import write_artifacts
from tests.run.test_failing_end import a_run, ended
from tests.sabotage.team import Team, asked, promoted_run
from tests.sabotage.team_defences import KNOWN, switch_off
from tests.support.postgres import Server

ROOT = Path(__file__).resolve().parents[2]
TABLE: dict[str, Any] = yaml.safe_load((ROOT / "docs" / "sabotage-shared.yaml").read_text(encoding="utf-8"))
SABOTAGES: list[dict[str, Any]] = TABLE["sabotages"]
_numbers = count(1)


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report directory that begins the team's ledger: one run that promoted."""
    directory = tmp_path_factory.mktemp("reports")
    promoted_run(directory, "good", "2026-11-24T08:00:00+00:00")
    return directory


@pytest.fixture
def team(reports: Path, postgres: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Team:
    """A ledger of its own, in which nobody did anything yet."""
    monkeypatch.setenv("WEEKOPS_LEDGER", postgres.url())
    made = Team(tmp_path, postgres, f"team{next(_numbers)}")
    made.begin(reports)
    return made


@pytest.mark.parametrize(
    "entry", [pytest.param(e, id=e["name"], marks=[pytest.mark.long] * e.get("long", False)) for e in SABOTAGES]
)
def test_a_sabotage_is_red_and_would_be_green(
    entry: dict[str, Any], team: Team, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends with the status and the words of the table; with its defences off it ends with 0."""
    if entry["ask"] == "run":
        status, said = run_to_its_end(team, "canonical-1", monkeypatch)
    else:
        line = asked(entry, team)
        capsys.readouterr()
        status, said = main(line), " ".join(" ".join(capsys.readouterr()).split())
    assert status == entry["status"], said
    assert entry["says"] in said, said
    with pytest.MonkeyPatch.context() as patch:
        switch_off(entry["defence"], patch)
        if entry["ask"] == "run":
            status, said = run_to_its_end(team, "canonical-2", monkeypatch)
        else:
            status, said = main(line), " ".join(capsys.readouterr())
    assert status == 0, f"no sabotage: without its defences it is red all the same: {said}"


def run_to_its_end(team: Team, name: str, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    """A run that promotes, and the server is stopped when it is judged and not entered yet: its status, and remarks."""

    def stopped(*arguments: Any, **named: Any) -> dict[str, Any]:
        team.server.stop()
        return write_artifacts(*arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr("pytest_weekops.run.conclusion.write_artifacts", stopped)
        patch.setattr("pytest_weekops.week.run_record.RUN_BUSY_TIMEOUT_S", 0.3)
        try:
            made = ended(a_run(team.here / name))
        finally:
            team.server.start()
    assert made is not None
    assert made.verdict.decision.value == "promote"
    return made.exit_status, " ".join(made.remarks)


def test_what_nobody_touched_is_green(team: Team) -> None:
    """Each that is asked above says yes to what is as it was, in each directory that has the files."""
    for ask, at in (("require", "here"), ("status", "here"), ("require", "there"), ("join", "here"), ("join", "new")):
        assert main(asked({"ask": ask, "at": at}, team)) == 0
    assert main(asked({"ask": "join told", "at": "newer", "does": ["noted"]}, team)) == 0


def test_the_table_is_of_one_piece() -> None:
    """Each defence is used, known and in words; no sabotage stands there twice."""
    assert {entry["kind"] for entry in SABOTAGES} == set(TABLE["kinds"])
    assert {defence for entry in SABOTAGES for defence in entry["defence"]} == set(TABLE["defences"]) == KNOWN
    names = [entry["name"] for entry in SABOTAGES]
    assert len(names) == len(set(names))
    assert all(entry["status"] != 0 for entry in SABOTAGES)
