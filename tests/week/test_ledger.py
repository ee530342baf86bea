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

from pytest_weekops.core.errors import InputError, WeekopsError
from pytest_weekops.core.week.entry import RUN, Entry, run_entries
from pytest_weekops.core.week.run_entry import run_entry
from pytest_weekops.week.ledger import APPLICATION_ID, DuplicateEntry, Ledger, LedgerError, open_ledger, record_run
from tests.support.history import promoted


def filled(directory: Path, records: int = 4) -> Ledger:
    """A ledger with numbered records, its log folded into the file."""
    ledger = open_ledger(directory)
    for number in range(1, records + 1):
        ledger.append("note", f"n{number}", {"number": number}, recorded_at="2026-11-24T12:00:00+00:00")
    raw(ledger, "PRAGMA wal_checkpoint(TRUNCATE)")
    return ledger


def raw(ledger: Ledger, *statements: str) -> None:
    """What somebody with the sqlite3 shell would do."""
    connection = sqlite3.connect(ledger.path, isolation_level=None)
    for statement in statements:
        connection.execute(statement).fetchall()
    connection.close()


WITHOUT_TRIGGERS = ("DROP TRIGGER record_is_never_changed", "DROP TRIGGER record_is_never_removed")


def test_records_come_back_in_order_and_verify(tmp_path: Path) -> None:
    """What was appended is read back, with numbers from 1 and a chain that holds."""
    ledger = filled(tmp_path)
    entries = Ledger(ledger.path).entries()
    assert [(e.seq, e.key, e.body["number"]) for e in entries] == [(n, f"n{n}", n) for n in (1, 2, 3, 4)]
    assert len({e.hash for e in entries}) == 4
    assert ledger.problems() == []
    assert json.loads(ledger.head_path.read_text(encoding="utf-8")) == {"count": 4, "hash": entries[-1].hash}


def test_reading_creates_nothing(tmp_path: Path) -> None:
    """A ledger that is not there is empty, and stays not there."""
    assert open_ledger(tmp_path).entries() == ()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("statement", ["UPDATE record SET body = '{}' WHERE seq = 2", "DELETE FROM record"])
def test_the_file_itself_refuses_changes(tmp_path: Path, statement: str) -> None:
    """The triggers stop an honest mistake."""
    ledger = filled(tmp_path)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        raw(ledger, statement)


def _cut_with_head(ledger: Ledger) -> None:
    first = ledger.entries()[2]
    raw(
        ledger,
        *WITHOUT_TRIGGERS,
        "DELETE FROM record WHERE seq = 4",
        f"UPDATE head SET count = 3, hash = '{first.hash}'",
    )


def _statements(*statements: str) -> Callable[[Ledger], object]:
    return lambda ledger: raw(ledger, *WITHOUT_TRIGGERS, *statements)


TAMPERED: dict[str, tuple[Callable[[Ledger], object], str]] = {
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
    "head file removed": (lambda ledger: ledger.head_path.unlink(), "head file is missing"),
    "head file garbled": (lambda ledger: ledger.head_path.write_text("{"), "head file does not match"),
    "ledger removed": (lambda ledger: ledger.path.unlink(), "head file counts 4 records, the ledger has 0"),
    "ledger emptied": (lambda ledger: ledger.path.write_bytes(b""), "head file counts 4 records, the ledger has 0"),
}


@pytest.mark.parametrize(
    "text", ['{"count": 1e999, "hash": "x"}', "[" * 100_000, "[]", '{"count": [], "hash": 1}', "\0"]
)
def test_a_head_file_that_is_none_is_a_sentence(tmp_path: Path, text: str) -> None:
    """Whatever stands in it: the ledger does not verify, and nothing raises anything else."""
    ledger = filled(tmp_path)
    ledger.head_path.write_text(text, encoding="utf-8")
    assert any("head file does not match" in problem for problem in ledger.problems())
    with pytest.raises(LedgerError, match="head file does not match"):
        ledger.append("note", "n5", {})


def test_a_head_file_that_is_a_pipe_does_not_hang(tmp_path: Path) -> None:
    """A pipe without a writer would be waited for without end."""
    ledger = filled(tmp_path)
    ledger.head_path.unlink()
    os.mkfifo(ledger.head_path)
    assert any("head file does not match" in problem for problem in ledger.problems())


@pytest.mark.parametrize("body", [{}, {"run_id": 3}, {"created_at": "9999-12-31T23:59:59-14:00"}], ids=str)
def test_a_run_of_another_shape_is_a_sentence(tmp_path: Path, body: dict[str, object]) -> None:
    """A chain that somebody rewrote holds; what it says of a run does not."""
    ledger = open_ledger(tmp_path)
    entry = run_entry(promoted("good")).model_dump(mode="json", exclude={"seq"})
    ledger.append(RUN, "good", {**entry, **body} if body else {})
    with pytest.raises(InputError, match=r"Record 1 of the ledger \(run 'good'\) is no run"):
        run_entries(ledger.entries())


@pytest.mark.parametrize("name", TAMPERED)
def test_what_was_altered_is_found_and_neither_read_nor_continued(tmp_path: Path, name: str) -> None:
    """Verification names the damage; nothing is drawn from such a ledger and nothing is written behind it."""
    ledger = filled(tmp_path)
    tamper, expected = TAMPERED[name]
    tamper(ledger)
    assert any(expected in problem for problem in ledger.problems()), ledger.problems()
    with pytest.raises(LedgerError, match="does not verify"):
        ledger.entries()
    if not name.startswith(("changed body", "changed time", "changed key", "removed first", "removed middle")):
        with pytest.raises(LedgerError):
            ledger.append("note", "next", {})


def test_a_record_is_written_once(tmp_path: Path) -> None:
    """The second of one kind and key is refused, and the first stays."""
    ledger = filled(tmp_path)
    with pytest.raises(DuplicateEntry, match="holds note 'n2' already"):
        ledger.append("note", "n2", {"number": 22})
    assert [e.body["number"] for e in ledger.entries()] == [1, 2, 3, 4]
    assert ledger.append("other kind", "n2", {}).seq == 5


def test_two_runs_with_one_id(tmp_path: Path) -> None:
    """The ledger holds a run once, whatever the second one says."""
    record_run(tmp_path / "ledger.sqlite", promoted("run-1"))
    with pytest.raises(DuplicateEntry):
        record_run(tmp_path / "ledger.sqlite", promoted("run-1", created_at="2026-11-25T12:00:00+00:00"))


@pytest.mark.parametrize("name", ["../../outside", "a/b", "", ".hidden", "-rf", "x\n", "a\\b"])
def test_a_run_whose_name_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    """Run ids name directories."""
    with pytest.raises(InputError):
        record_run(tmp_path / "ledger.sqlite", promoted(name))
    assert list(tmp_path.iterdir()) == []


def test_what_fails_before_the_commit_leaves_no_record(tmp_path: Path) -> None:
    """The caller's own writing and the record happen together or not at all."""
    ledger = filled(tmp_path)

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


def test_a_newer_version_is_refused(tmp_path: Path) -> None:
    """Reading what one does not understand could lift a freeze."""
    ledger = filled(tmp_path)
    raw(ledger, "PRAGMA user_version = 99")
    for use in (ledger.entries, lambda: ledger.append("note", "n5", {})):
        with pytest.raises(LedgerError, match="schema version 99"):
            use()
    raw(ledger, "PRAGMA user_version = 2")
    assert len(ledger.entries()) == 4


def test_an_older_version_is_brought_up_to_date(tmp_path: Path) -> None:
    """The triggers of the second version arrive with the next record."""
    ledger = filled(tmp_path)
    raw(ledger, *WITHOUT_TRIGGERS, "PRAGMA user_version = 1")
    assert len(ledger.entries()) == 4
    ledger.append("note", "n5", {})
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        raw(ledger, "DELETE FROM record WHERE seq = 5")


@pytest.mark.parametrize("content", [b"not a database at all" * 100, b"SQLite format 3\x00" + b"\xff" * 5000])
def test_a_damaged_file_is_refused_and_kept(tmp_path: Path, content: bytes) -> None:
    """A file that is no database is not written over."""
    ledger = open_ledger(tmp_path)
    ledger.path.write_bytes(content)
    with pytest.raises(LedgerError):
        ledger.entries()
    with pytest.raises(LedgerError):
        ledger.append("note", "n1", {})
    assert ledger.path.read_bytes() == content


def test_somebody_elses_database_is_refused(tmp_path: Path) -> None:
    """A browser's history is no ledger."""
    ledger = open_ledger(tmp_path)
    raw(ledger, "CREATE TABLE record (seq INTEGER)")
    with pytest.raises(LedgerError, match="some other program's"):
        ledger.append("note", "n1", {})
    raw(ledger, f"PRAGMA application_id = {APPLICATION_ID + 1}")
    with pytest.raises(LedgerError, match="some other program's"):
        ledger.entries()


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
import sys, time
from pathlib import Path
from pytest_weekops.week.ledger import open_ledger
directory, name = Path(sys.argv[1]), sys.argv[2]
print("ready", flush=True)
while not (directory / "go").exists():
    time.sleep(0)
for number in range(12):
    open_ledger(directory).append("note", f"{name}-{number}", {"number": number})
    open_ledger(directory).entries()
"""


@pytest.mark.parametrize("attempt", range(3))
def test_several_writers_make_one_chain(tmp_path: Path, attempt: int) -> None:
    """Processes that make a ledger and append to it at once wait for each other; nothing is lost, the chain holds."""
    commands = [[sys.executable, "-c", APPENDER, str(tmp_path), f"{name}-{attempt}"] for name in "abc"]
    writers = [subprocess.Popen(c, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for c in commands]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    (tmp_path / "go").touch()
    assert [writer.communicate(timeout=120)[1] for writer in writers] == ["", "", ""]
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    ledger = open_ledger(tmp_path)
    assert ledger.problems() == []
    assert len(ledger.entries()) == 36


def test_a_crash_before_the_head_file_leaves_a_ledger_that_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between a commit and its head file another writer, a reader and the next start find a lagging head, no damage."""
    with monkeypatch.context() as crash:
        crash.setattr(Ledger, "_catch_up_head", lambda *_: None)
        open_ledger(tmp_path).append("note", "first", {})
    ledger = open_ledger(tmp_path)
    assert json.loads(ledger.head_path.read_text(encoding="utf-8"))["count"] == 0
    assert (ledger.problems(), len(ledger.entries())) == ([], 1)
    second = ledger.append("note", "second", {})
    assert json.loads(ledger.head_path.read_text(encoding="utf-8")) == {"count": 2, "hash": second.hash}
    assert ledger.problems() == []


def test_a_late_writer_does_not_set_the_head_file_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that was held up between its commit and its head file writes the newest head, not its own."""
    catch_up = Ledger._catch_up_head

    def held_up(self: Ledger, connection: sqlite3.Connection) -> None:
        monkeypatch.setattr(Ledger, "_catch_up_head", catch_up)
        open_ledger(tmp_path).append("note", "overtakes", {})
        catch_up(self, connection)

    monkeypatch.setattr(Ledger, "_catch_up_head", held_up)
    open_ledger(tmp_path).append("note", "slow", {})
    ledger = open_ledger(tmp_path)
    assert json.loads(ledger.head_path.read_text(encoding="utf-8"))["count"] == 2
    assert [entry.key for entry in ledger.entries()] == ["slow", "overtakes"]


def test_a_reader_that_meets_the_first_record_halfway_reads_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No head file when the reading began and one record when it ended: somebody wrote, nobody removed."""
    read_head = Ledger._head_file

    def and_then_somebody_writes(self: Ledger) -> tuple[int, str] | None:
        head = read_head(self)
        monkeypatch.setattr(Ledger, "_head_file", read_head)
        open_ledger(tmp_path).append("note", "first", {})
        return head

    monkeypatch.setattr(Ledger, "_head_file", and_then_somebody_writes)
    assert [entry.key for entry in open_ledger(tmp_path).entries()] == ["first"]


def test_without_a_head_file_no_first_record_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the head file cannot be written, the first record is taken back: it could be cut without a trace."""

    def full(*_: object) -> None:
        raise WeekopsError("no room")

    with monkeypatch.context() as disk:
        disk.setattr("pytest_weekops.week.ledger.write_atomic", full)
        with pytest.raises(WeekopsError, match="no room"):
            open_ledger(tmp_path).append("note", "first", {})
    assert open_ledger(tmp_path).entries() == ()
    open_ledger(tmp_path).append("note", "first", {})
    assert open_ledger(tmp_path).problems() == []
