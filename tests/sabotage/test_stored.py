"""Every forgery of stored evidence ends in red with words that name it, and is green without its defence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from pytest_weekops.cli import main
from pytest_weekops.core.judge.checks import checks_for
from tests.sabotage.stored import PLANS, asked, make_reports
from tests.sabotage.stored_defences import KNOWN, switch_off

ROOT = Path(__file__).resolve().parents[2]
TABLE: dict[str, Any] = yaml.safe_load((ROOT / "docs" / "sabotage-stored.yaml").read_text(encoding="utf-8"))
SABOTAGES: list[dict[str, Any]] = TABLE["sabotages"]


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report directory that each sabotage alters a copy of."""
    return make_reports(tmp_path_factory.mktemp("reports"))


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param(e, id=e["kind"] + ": " + e["name"], marks=[pytest.mark.long] * e.get("long", False))
        for e in SABOTAGES
    ],
)
def test_a_forgery_is_red_and_would_be_green(
    entry: dict[str, Any], reports: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It ends with the status and the words of the table; with its defences off it ends with 0."""
    line = asked(entry, reports, tmp_path)
    capsys.readouterr()
    status = main(line)
    said = _said(capsys)
    assert status == entry["status"], said
    assert entry["says"] in said, said
    with pytest.MonkeyPatch.context() as patch:
        switch_off(entry["defence"], patch)
        status = main([*line, *(["--rules", "compat"] if "strict" in entry["defence"] else [])])
    assert status == 0, f"no sabotage: without its defences it is red all the same: {_said(capsys)}"


def _said(capsys: pytest.CaptureFixture[str]) -> str:
    out, err = capsys.readouterr()
    return " ".join(f"{out} {err}".split())


@pytest.mark.parametrize(
    "entry",
    [
        *({"ask": "judge", "run": run} for run in PLANS),
        {"ask": "recorded", "edit": []},
        *({"ask": ask, "does": []} for ask in ("status", "require", "judge there", "pin", "pin again")),
    ],
    ids=lambda entry: " ".join(str(entry.get(key, "")) for key in ("ask", "run")).strip(),
)
def test_what_nobody_touched_is_green(entry: dict[str, Any], reports: Path, tmp_path: Path) -> None:
    """Each that is asked above says yes to what is as it was."""
    assert main(asked(entry, reports, tmp_path)) == 0


def test_the_table_is_of_one_piece() -> None:
    """Each kind and each defence is used, known and in words; each check named is one; nothing stands there twice."""
    used = {defence for entry in SABOTAGES for defence in entry["defence"]}
    checks = {defence.removeprefix("check ") for defence in used if defence.startswith("check ")}
    assert {entry["kind"] for entry in SABOTAGES} == set(TABLE["kinds"])
    assert {d for d in used if not d.startswith("check ")} == set(TABLE["defences"]) == KNOWN
    assert checks <= {check.__name__ for kind in ("weekly", "split") for check in checks_for(kind)}
    names = [(entry["kind"], entry["name"]) for entry in SABOTAGES]
    assert len(names) == len(set(names))
    assert all(entry["status"] != 0 and entry["defence"] for entry in SABOTAGES)
