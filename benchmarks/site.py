"""How long a site takes: python benchmarks/site.py [--runs 520].

Makes a report directory of so many weeks, each with a copy of the shipped run (36 cases, 6 cells) at a speed of its own
and with a closed week, and prints how long `weekops site` takes as a process for all of it, for one run more, and where
nothing changed; then the number of pages and the largest one.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

from pytest_weekops.core.calendar import week_of
from pytest_weekops.core.week.entry import WEEK
from pytest_weekops.evidence.journal import Event, Journal
from pytest_weekops.evidence.stored_run import read_run
from pytest_weekops.week.ledger import Ledger, open_ledger
from pytest_weekops.week.run_record import record_run

EXAMPLE = Path(__file__).resolve().parents[1] / "reports" / "example"
BEGAN = datetime(2016, 1, 6, 3, tzinfo=UTC)
EVIDENCE = {"assumed_sd_percent": 5.0, "max_false_block": 0.01}
JUMP_EVERY = 90  # runs, and with each a new driver


class Made:
    """A report directory that grows by one week at a time."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.ledger: Ledger = open_ledger(place)
        self.decision: dict[str, Any] = json.loads((EXAMPLE / "decision.json").read_text(encoding="utf-8"))
        self.events = read_run(EXAMPLE).events
        self.draw = random.Random(1)
        self.level = 0.0

    def add(self, number: int) -> None:
        """One run, its record, and its week."""
        if number % JUMP_EVERY == 0:
            self.level += self.draw.choice((-0.08, 0.05))
        speed = math.exp(self.level + self.draw.gauss(0.0, 0.01))
        moment = (BEGAN + timedelta(days=7 * number)).isoformat(timespec="seconds")
        run_id = f"weekly-{number:04d}"
        journal = Journal(self.place / run_id / "journal.jsonl")
        for kind, data in self._events(run_id, moment, speed):
            journal.append(kind, data)
        journal.close()
        self._record(run_id, moment, speed, f"{3 + number // JUMP_EVERY}.0")
        self._close(moment)

    def _events(self, run_id: str, moment: str, speed: float) -> Iterator[tuple[str, dict[str, Any]]]:
        for event in self.events:
            yield event.type, self._changed(event, run_id, moment, speed)

    def _changed(self, event: Event, run_id: str, moment: str, speed: float) -> dict[str, Any]:
        data: dict[str, Any] = json.loads(json.dumps(event.data))
        if event.type == "run":
            data |= {"run_id": run_id, "created_at": moment}
        for session in data.get("sessions") or ():
            session["wall_ns"] = [max(1, int(wall / speed)) for wall in session["wall_ns"]]
        return data

    def _record(self, run_id: str, moment: str, speed: float, driver: str) -> None:
        document: dict[str, Any] = json.loads(json.dumps(self.decision))
        body = (self.place / run_id / "journal.jsonl").read_bytes()
        artifact = {"path": "journal.jsonl", "bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}
        document |= {"run_id": run_id, "created_at": moment, "artifacts": [artifact]}
        document["policy"]["effective"]["evidence"] |= EVIDENCE
        for facts in document["identities"].values():
            facts["driver_version"] = driver
        for row in document["verdict"]["rows"]:
            row["mean_gflops"] = row["mean_gflops"] * speed if row.get("mean_gflops") else None
        text = json.dumps(document, indent=2)
        (self.place / run_id / "decision.json").write_text(text, encoding="utf-8")
        (self.place / run_id / "report.html").write_text("<!DOCTYPE html><title>a run</title>", encoding="utf-8")
        record_run(self.ledger.path, {**document, "run_dir": run_id})

    def _close(self, moment: str) -> None:
        week = str(week_of(moment))
        tracks = {
            name: {"decision": "promote", "rationale": "Run was complete and ended in promote.", "evidence": []}
            for name in ("gate", "replay", "split", "severity", "rollback")
        }
        document = {
            "closed_at": moment,
            "block_rationale": "Every step of the runbook has its evidence and promotes; no failed run is unanswered.",
            "severity": {"owner": "run owner", "deadline": None, "action": "record and continue"},
            "channel": {"state": "promoted", "since": moment},
            "tracks": tracks,
            "findings": [],
            "lifted_by": [],
        }
        text = json.dumps(document)
        place = self.place / "weeks" / week / "decision.json"
        place.parent.mkdir(parents=True)
        place.write_text(text, encoding="utf-8")
        body = {"decision": "promote", "severity": 4, "new_actions": []}
        sha256 = hashlib.sha256(text.encode()).hexdigest()
        self.ledger.append(WEEK, week, {**body, "decision_sha256": sha256}, recorded_at=moment)


def built(place: Path) -> tuple[float, float, str]:
    """Seconds that the command takes, those of CPU time of all its processes, and its first line."""
    command = [sys.executable, "-m", "pytest_weekops.cli", "site", "--report-dir", str(place)]
    begun, used = time.perf_counter(), os.times()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    after = os.times()
    cpu = after.children_user + after.children_system - used.children_user - used.children_system
    return time.perf_counter() - begun, cpu, done.stdout.splitlines()[0].rpartition("/")[2]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=520, help="weeks with one run each (default: 520, ten years)")
    count = parser.parse_args().runs
    unsynced = mock.patch("os.fsync", return_value=None)  # what is made for the measurement may be lost
    with tempfile.TemporaryDirectory() as scratch, unsynced:
        made = Made(Path(scratch) / "reports")
        for number in range(count):
            made.add(number)
        print(f"{count} runs, {len(os.sched_getaffinity(0))} CPUs")
        for words, more in (("all of it", 0), ("one run more", 1), ("nothing changed", 0)):
            for number in range(count, count + more):
                made.add(number)
            seconds, cpu, said = built(made.place)
            print(f"{words:16} {seconds:6.2f} s, {cpu:6.2f} s of CPU  {said}", flush=True)
        pages = sorted((path.stat().st_size, path.name) for path in (made.place / "site").rglob("*.html"))
        print(f"largest page: {pages[-1][1]}, {pages[-1][0] / 1024:.0f} KiB of 2048")


if __name__ == "__main__":
    main()
