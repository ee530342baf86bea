"""The ledger: chained, append-only, whole or refused, and never a silent beginning anew."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_weekops.core.errors import InputError
from pytest_weekops.core.week.entry import GENESIS, RUN, Entry, run_entries
from pytest_weekops.core.week.run_entry import run_entry
from pytest_weekops.week.ledger import DuplicateEntry, Ledger, LedgerError, open_ledger
from pytest_weekops.week.ledger_head import is_joined
from tests.support.history import promoted
from tests.support.ledgers import WITHOUT_TRIGGERS, Kept, filled


def test_records_come_back_in_order_and_verify(kept: Kept) -> None:
    """What was appended is read back, with numbers from 1 and a chain that holds."""
    ledger = kept.filled()
    entries = kept.ledger().entries()
    assert [(e.seq, e.key, e.body["number"]) for e in entries] == [(n, f"n{n}", n) for n in (1, 2, 3, 4)]
    assert len({e.hash for e in entries}) == 4
    assert ledger.problems() == []
    joined = {"joined": True} if is_joined(ledger.head_path.parent) else {}
    assert json.loads(ledger.head_path.read_text(encoding="utf-8")) == {"count": 4, "hash": entries[-1].hash, **joined}


def test_reading_creates_nothing(tmp_path: Path) -> None:
    """A ledger that is not there is empty, and stays not there."""
    assert open_ledger(tmp_path).entries() == ()
    assert list(tmp_path.iterdir()) == []


def _cut_with_head(kept: Kept) -> None:
    first = kept.ledger().entries()[2]
    kept.raw(
        *WITHOUT_TRIGGERS,
        "DELETE FROM record WHERE seq = 4",
        f"UPDATE head SET count = 3, hash = '{first.hash}'",
    )


def _statements(*statements: str) -> Callable[[Kept], object]:
    return lambda kept: kept.raw(*WITHOUT_TRIGGERS, *statements)


TAMPERED: dict[str, tuple[Callable[[Kept], object], str]] = {
    "changed body": (_statements("UPDATE record SET body = '{\"number\":9}' WHERE seq = 2"), "Record 2"),
    "changed time": (_statements("UPDATE record SET recorded_at = '2027-01-01' WHERE seq = 3"), "Record 3"),
    "changed key": (_statements("UPDATE record SET key = 'other' WHERE seq = 1"), "Record 1"),
    "changed last": (_statements("UPDATE record SET body = '{}' WHERE seq = 4"), "Record 4"),
    "removed first": (_statements("DELETE FROM record WHERE seq = 1"), "Record 1 is missing"),
    "removed middle": (_statements("DELETE FROM record WHERE seq IN (2, 3)"), "Record 2 to 3 is missing"),
    "removed last": (_statements("DELETE FROM record WHERE seq = 4"), "the end was cut"),
    "removed last and head": (_cut_with_head, "head file counts 4 records, the ledger has 3"),
    "removed all": (_statements("DELETE FROM record"), "the end was cut"),
    "renumbered": (
        _statements("DELETE FROM record WHERE seq = 2", "UPDATE record SET seq = seq - 1 WHERE seq > 2"),
        "Record 2",
    ),
    "head table emptied": (_statements("DELETE FROM head"), "head table is empty"),
    "head file removed": (lambda kept: kept.ledger().head_path.unlink(), "head file is missing"),
    "head file garbled": (lambda kept: kept.ledger().head_path.write_text("{"), "head file does not match"),
    "all removed and head": (
        _statements("DELETE FROM record", f"UPDATE head SET count = 0, hash = '{GENESIS}'"),
        "head file counts 4 records, the ledger has 0",
    ),
}
# A database is asked for each of them, too, and for these with each change.
ALWAYS = ("changed body", "removed last and head", "head table emptied")
CASES = [
    *(("sqlite", name) for name in TAMPERED),
    *(pytest.param("postgresql", n, marks=() if n in ALWAYS else pytest.mark.long) for n in TAMPERED),
]
REMOVED: dict[str, Callable[[Ledger], object]] = {
    "ledger removed": lambda ledger: ledger.path.unlink(),
    "ledger emptied": lambda ledger: ledger.path.write_bytes(b""),
}


@pytest.mark.parametrize("body", [{}, {"run_id": 3}, {"created_at": "9999-12-31T23:59:59-14:00"}], ids=str)
def test_a_run_of_another_shape_is_a_sentence(tmp_path: Path, body: dict[str, object]) -> None:
    """A chain that somebody rewrote holds; what it says of a run does not."""
    ledger = open_ledger(tmp_path)
    entry = run_entry(promoted("good")).model_dump(mode="json", exclude={"seq"})
    ledger.append(RUN, "good", {**entry, **body} if body else {})
    with pytest.raises(InputError, match=r"Record 1 of the ledger \(run 'good'\) is no run"):
        run_entries(ledger.entries())


@pytest.mark.parametrize(("kept", "name"), CASES, indirect=["kept"])
def test_what_was_altered_is_found_and_neither_read_nor_continued(kept: Kept, name: str) -> None:
    """Verification names the damage; nothing is drawn from such a ledger and nothing is written behind it."""
    ledger = kept.filled()
    tamper, expected = TAMPERED[name]
    tamper(kept)
    assert any(expected in problem for problem in ledger.problems()), ledger.problems()
    with pytest.raises(LedgerError, match="does not verify"):
        ledger.entries()
    if not name.startswith(("changed body", "changed time", "changed key", "removed first", "removed middle")):
        with pytest.raises(LedgerError):
            ledger.append("note", "next", {})


@pytest.mark.parametrize("name", REMOVED)
def test_a_file_that_is_gone_is_found_by_its_head_file(tmp_path: Path, name: str) -> None:
    """A ledger is never begun anew behind one that was there."""
    ledger = filled(tmp_path)
    REMOVED[name](ledger)
    assert any("head file counts 4 records, the ledger has 0" in problem for problem in ledger.problems())
    with pytest.raises(LedgerError, match="does not verify"):
        ledger.append("note", "next", {})


def test_a_record_is_written_once(kept: Kept) -> None:
    """The second of one kind and key is refused, and the first stays."""
    ledger = kept.filled()
    with pytest.raises(DuplicateEntry, match="holds note 'n2' already"):
        ledger.append("note", "n2", {"number": 22})
    assert [e.body["number"] for e in ledger.entries()] == [1, 2, 3, 4]
    assert ledger.append("other kind", "n2", {}).seq == 5


def test_what_fails_before_the_commit_leaves_no_record(kept: Kept) -> None:
    """The caller's own writing and the record happen together or not at all."""
    ledger = kept.filled()

    def fail(_entry: Entry) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        ledger.append("note", "n5", {}, before_commit=fail)
    assert len(ledger.entries()) == 4
    assert ledger.append("note", "n5", {}).seq == 5


def test_a_locked_ledger_is_refused(tmp_path: Path) -> None:
    """A second writer waits, then says so."""
    ledger = filled(tmp_path)
    other = sqlite3.connect(ledger.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LedgerError, match="is locked"):
        Ledger(ledger.path, busy_timeout_s=0.05).append("note", "n5", {})
    assert len(ledger.entries()) == 4  # readers are not held up
    other.execute("ROLLBACK")
    other.close()
    assert ledger.append("note", "n5", {}).seq == 5


def test_a_directory_in_the_ledgers_place_is_refused(tmp_path: Path) -> None:
    """What cannot be opened is said in a sentence."""
    open_ledger(tmp_path).path.mkdir()
    with pytest.raises(LedgerError, match="nothing was changed"):
        open_ledger(tmp_path).append("note", "n1", {})


NOBODY = 65534
WRITE = """
import os, sys
from pathlib import Path
from pytest_weekops.week.ledger import LedgerError, open_ledger
os.setgid({nobody}); os.setuid({nobody})
ledger = open_ledger(Path(sys.argv[1]))
print(len(ledger.entries()))
try:
    ledger.append("note", "n5", {{}})
except LedgerError as error:
    print(error)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody without permissions")
def test_a_read_only_ledger_is_read_and_not_written(tmp_path: Path) -> None:
    """Somebody without write permission reads the state and gets a sentence for the rest."""
    ledger = filled(tmp_path)
    for parent in (tmp_path, *tmp_path.parents):
        if parent.name.startswith(("test_", "popen-", "pytest-")):
            parent.chmod(0o755)
    for file in tmp_path.iterdir():
        file.chmod(0o444)
    command = [sys.executable, "-c", WRITE.format(nobody=NOBODY), str(tmp_path)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert answer.stdout.startswith("4\n"), answer.stderr
    assert "cannot be written" in answer.stdout, answer.stderr
    assert len(ledger.entries()) == 4


NO_ROOM = """
import resource, signal, sys
from pathlib import Path
from pytest_weekops.week.ledger import LedgerError, open_ledger
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
ledger = open_ledger(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (ledger.path.stat().st_size + 8192, resource.RLIM_INFINITY))
try:
    ledger.append("note", "large", {"text": "x" * 100_000})
except LedgerError as error:
    print(error)
"""


def test_a_disk_without_room_takes_the_record_back(tmp_path: Path) -> None:
    """A record that does not fit leaves the ledger as it was, and the sentence does not call the file damaged."""
    ledger = filled(tmp_path)
    command = [sys.executable, "-c", NO_ROOM, str(tmp_path)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert "Make room on its disk" in answer.stdout, answer.stderr
    assert "damaged" not in answer.stdout
    assert (len(ledger.entries()), ledger.problems()) == (4, [])
    ledger.append("note", "small", {})


APPENDER = """
import contextlib, sys, time
from pathlib import Path
from pytest_weekops.week.ledger import DuplicateEntry, open_ledger
directory, name = Path(sys.argv[1]), sys.argv[2]
print("ready", flush=True)
while not (directory / "go").exists():
    time.sleep(0)
for number in range(int(sys.argv[3])):
    open_ledger(directory).append("note", f"{name}-{number}", {"number": number})
    with contextlib.suppress(DuplicateEntry):
        open_ledger(directory).append("note", f"everybody-{number}", {"by": name})
    open_ledger(directory).entries()
"""


RACES = [*(("sqlite", n) for n in range(3)), pytest.param("postgresql", 0, marks=pytest.mark.long)]


@pytest.mark.parametrize(("kept", "attempt"), RACES, indirect=["kept"])
def test_several_writers_make_one_chain(kept: Kept, attempt: int) -> None:
    """Processes that make a ledger and append to it at once wait for each other; nothing is lost or twice there."""
    each = 12 if kept.server is None else 4
    start = [sys.executable, "-c", APPENDER, str(kept.directory)]
    commands = [[*start, f"{name}-{attempt}", str(each)] for name in "abc"]
    writers = [subprocess.Popen(c, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for c in commands]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    (kept.directory / "go").touch()
    assert [writer.communicate(timeout=120)[1] for writer in writers] == ["", "", ""]
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    ledger = kept.ledger()
    assert ledger.problems() == []
    assert len(ledger.entries()) == 4 * each
