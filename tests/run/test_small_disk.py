"""The end of a run on a real file system that is too small, whatever room there is: before or after, and said."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_weekops.core.week.entry import run_entries
from pytest_weekops.evidence.artifacts import contradictions, judged_anew
from pytest_weekops.evidence.stored_run import read_run
from pytest_weekops.week.ledger import open_ledger
from pytest_weekops.week.run_record import record_run
from tests.run.test_failing_end import a_run, ended
from tests.support.history import promoted

ROOMS_KB = (60, 84, 86, 88, 90, 92, 96, 100, 4096)
OLDER = "older"


def in_little_room(reports: Path) -> dict[str, object]:
    """A run ends there: its status, what the ledger holds, and what contradicts what; empty where none could begin."""
    try:
        record_run(reports / "ledger.sqlite", promoted(OLDER))
        run = a_run(reports / "canonical-1")
    except Exception:  # noqa: BLE001 - not even the older run finds room
        return {}
    conclusion = ended(run)
    roomy = reports.with_name("roomy")  # SQLite wants room even to read
    shutil.copytree(reports, roomy)
    directory = roomy / "canonical-1"
    decision, found = directory / "decision.json", []
    if decision.exists():
        verdict, facts = judged_anew(read_run(directory))
        found = list(contradictions(directory, facts.decision(verdict), json.loads(decision.read_text("utf-8"))))
    recorded = [entry.run_id for entry in run_entries(open_ledger(roomy).entries())]
    left = [path.name for path in directory.glob(".*")]
    shutil.rmtree(roomy)
    return {
        "status": None if conclusion is None else int(conclusion.exit_status),
        "remarks": "" if conclusion is None else " ".join(conclusion.remarks),
        "recorded": recorded,
        "contradictions": found,
        "left": left,
    }


def _mounted(rooms: list[str], place: Path) -> None:
    """In a namespace of this process's own, where it may mount: what came of each size, a line each."""
    place.mkdir()
    for room in rooms:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={room}k", "none", str(place)], check=True)
        print(json.dumps([int(room), in_little_room(place)]), flush=True)
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_in_whatever_room_there_is_the_state_is_before_or_after(tmp_path: Path) -> None:
    """Nothing is half there, the older run stays recorded, and what ends with 0 is whole and in the ledger."""
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-rm", "true"], check=False).returncode:
        pytest.skip("this machine lets nobody mount a file system of his own")
    done = subprocess.run(
        ["unshare", "-rm", sys.executable, "-m", "tests.run.test_small_disk", str(tmp_path), *map(str, ROOMS_KB)],
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    outcomes = dict(json.loads(line) for line in done.stdout.splitlines() if line.startswith("["))
    assert list(outcomes) == list(ROOMS_KB)
    for room, found in outcomes.items():
        if found:
            whole = found["recorded"] == [OLDER, "canonical-1"]
            assert whole or found["recorded"] == [OLDER], (room, found)
            assert (found["contradictions"], found["left"]) == ([], []), (room, found)
            assert found["status"] in ((0,) if whole else (None, 3)), (room, found)
    assert outcomes[ROOMS_KB[-1]]["status"] == 0
    assert {found.get("status") for found in outcomes.values()} >= {0, 3}, outcomes


if __name__ == "__main__":
    _mounted(sys.argv[2:], Path(sys.argv[1], "reports"))
