"""A ledger in a database: connections that are cut, servers that restart, rights, locks, and what somebody altered."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import errors

from pytest_weekops.core.week.entry import Entry
from pytest_weekops.week.ledger import DuplicateEntry, Ledger, LedgerError, UnsureEntry
from pytest_weekops.week.ledger_head import read_head_file
from pytest_weekops.week.ledger_postgres import PostgresWrite
from pytest_weekops.week.ledger_sharing import join_ledger
from tests.support.ledgers import WITHOUT_TRIGGERS, Kept
from tests.support.postgres import Server

CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'weekops'"


@pytest.fixture
def team(shared: Callable[[], Kept]) -> Kept:
    """A directory that has joined a ledger of a database."""
    return shared()


def server_of(team: Kept) -> Server:
    """The server that the ledger is on."""
    assert team.server is not None
    return team.server


@contextmanager
def cut_behind_commit(monkeypatch: pytest.MonkeyPatch, cut: Callable[[], object]) -> Iterator[None]:
    """The next commit is kept, and its answer is lost."""
    commit = PostgresWrite.commit

    def cut_off(self: PostgresWrite) -> None:
        patch.undo()
        commit(self)
        cut()
        self.head()  # whoever waits for the answer hears that the connection is gone

    with monkeypatch.context() as patch:
        patch.setattr(PostgresWrite, "commit", cut_off)
        yield


def test_a_connection_cut_behind_the_commit(team: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """The record is there once, its head is remembered, and what its caller wrote was written once."""
    written: list[Entry] = []
    with cut_behind_commit(monkeypatch, lambda: server_of(team).execute(CUT)):
        entry = team.ledger().append("note", "once", {}, before_commit=written.append)
    assert team.ledger().entries() == (entry,)
    assert written == [entry]
    assert read_head_file(team.ledger().head_path) == (1, entry.hash)
    with pytest.raises(DuplicateEntry):
        team.ledger().append("note", "once", {})


def test_a_connection_cut_before_the_commit(team: Kept) -> None:
    """It is written anew; the caller's own writing, which is for the very same record, is not."""
    written: list[Entry] = []

    def cut(entry: Entry) -> None:
        written.append(entry)
        server_of(team).execute(CUT)

    entry = team.ledger().append("note", "once", {}, before_commit=cut)
    assert (written, team.ledger().entries()) == ([entry], (entry,))


def test_somebody_else_was_faster_while_the_connection_was_cut(team: Kept) -> None:
    """The record gets the next number, and the caller hears of that one."""
    written: list[Entry] = []

    def cut(entry: Entry) -> None:
        written.append(entry)
        if len(written) == 1:
            server_of(team).execute(CUT)
            team.ledger().append("note", "faster", {})

    entry = team.ledger().append("note", "slower", {}, before_commit=cut)
    assert [(each.seq, each.key) for each in written] == [(1, "slower"), (2, "slower")]
    assert [each.key for each in team.ledger().entries()] == ["faster", "slower"]
    assert entry == written[1]


def test_a_server_that_restarts_in_mid_write(team: Kept) -> None:
    """It is waited for, and the record is entered once."""
    server = server_of(team)

    def restart(_entry: Entry) -> None:
        server.stop(signal.SIGQUIT)
        server.launch(after_s=0.5)

    entry = team.ledger().append("note", "once", {}, before_commit=restart)
    assert team.ledger().entries() == (entry,)


def test_nobody_answers_any_more(team: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lost in the commit, a record may be there: nobody says that nothing was changed. Lost before it, it is not."""
    server, ledger = server_of(team), team.ledger()
    ledger._busy_timeout_s = 0.3
    try:
        with cut_behind_commit(monkeypatch, server.stop), pytest.raises(UnsureEntry, match="nobody says which"):
            ledger.append("note", "there", {})
        with pytest.raises(LedgerError, match=r"cannot be reached .*nothing was changed") as refused:
            ledger.append("note", "not there", {})
        assert not isinstance(refused.value, UnsureEntry)
        with pytest.raises(LedgerError, match="cannot be reached"):
            ledger.entries()
    finally:
        server.start()
    assert [entry.key for entry in team.ledger().entries()] == ["there"]


# -- altered, older, newer, somebody else's ----------------------------------------------------------------------


@pytest.mark.parametrize("statement", ["UPDATE record SET body = '{}'", "DELETE FROM record", "TRUNCATE record"])
def test_the_database_itself_refuses_changes(team: Kept, statement: str) -> None:
    """The triggers stop an honest mistake."""
    team.filled(1)
    with pytest.raises(errors.RaiseException, match="append-only"):
        team.raw(statement)


def test_a_database_put_back_to_an_older_state_is_found(team: Kept) -> None:
    """Its own tables agree with each other; whoever has seen more has it written down."""
    ledger = team.filled(3)
    third = ledger.entries()[2]
    team.raw(*WITHOUT_TRIGGERS, "DELETE FROM record WHERE seq > 3")
    ledger.append("note", "later", {})
    team.raw("DELETE FROM record WHERE seq > 3", f"UPDATE head SET count = 3, hash = '{third.hash}'")
    with pytest.raises(LedgerError, match="head file counts 4 records, the ledger has 3"):
        team.ledger().entries()


@pytest.mark.parametrize("again", [True, False])
def test_a_ledger_that_is_gone_or_made_anew_is_refused(
    team: Kept, again: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """An empty one in its place would forget a freeze, even where its first record had not been entered yet."""
    server_of(team).execute(f"DROP SCHEMA {team.schema} CASCADE")
    if again:
        join_ledger(tmp_path_factory.mktemp("other"), team.schema.removeprefix("weekops_"), new=True)
    for use in (team.ledger().problems, team.ledger().entries, lambda: team.ledger().append("note", "n1", {})):
        with pytest.raises(LedgerError, match="made anew" if again else "it is gone"):
            use()


def test_a_newer_version_is_refused(team: Kept) -> None:
    """Reading what one does not understand could lift a freeze."""
    team.raw("UPDATE ledger SET version = 99")
    with pytest.raises(LedgerError, match="schema version 99"):
        team.ledger().entries()


def test_tables_of_another_program_are_refused(team: Kept) -> None:
    """What has another shape is read as no ledger, and nothing is written into it."""
    team.raw("DROP TABLE record")
    with pytest.raises(LedgerError, match="some other program"):
        team.ledger().append("note", "n1", {})


def test_a_record_that_is_no_json_is_a_sentence(team: Kept) -> None:
    """It was altered, and says so."""
    ledger = team.filled(2)
    team.raw(*WITHOUT_TRIGGERS, "UPDATE record SET body = '{' WHERE seq = 1")
    with pytest.raises(LedgerError, match="not JSON"):
        ledger.entries()


# -- rights and locks --------------------------------------------------------------------------------------------


def test_somebody_with_few_rights(team: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deployment job reads the state, and gets a sentence for the rest; a run needs no more than adding to it."""
    team.filled(2)
    server, reader = server_of(team), f"reader_{team.schema}"
    server.execute(
        f"CREATE ROLE {reader} LOGIN",
        f"GRANT USAGE ON SCHEMA {team.schema} TO {reader}",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA {team.schema} TO {reader}",
    )
    monkeypatch.setenv("WEEKOPS_LEDGER", server.url().replace("weekops:", f"{reader}:", 1))
    assert len(team.ledger().entries()) == 2
    with pytest.raises(LedgerError, match="does not let this user do that"):
        team.ledger().append("note", "n3", {})
    team.raw(f"GRANT INSERT ON record TO {reader}", f"GRANT UPDATE ON head TO {reader}")
    assert team.ledger().append("note", "n3", {}).seq == 3


def test_a_writer_that_does_not_end_is_named(team: Kept) -> None:
    """A second writer waits, then says so; readers are not held up."""
    ledger = team.filled(2)
    with ledger.held():
        waiting = Ledger(ledger.path, store=ledger._store, busy_timeout_s=0.1)
        with pytest.raises(LedgerError, match=r"is locked: another process has been writing for 0\.1 s"):
            waiting.append("note", "n3", {})
        assert len(team.ledger().entries()) == 2
    assert waiting.append("note", "n3", {}).seq == 3


def test_one_coordinator_at_a_time(kept: Kept) -> None:
    """The second is refused while the first one works, writes, and has ended; records can be entered by all."""
    with kept.ledger().coordinating() as right:
        with pytest.raises(LedgerError, match="has a coordinator already"), kept.ledger().coordinating():
            pass
        kept.ledger().append("note", "n1", {})
        right.check()
    with kept.ledger().coordinating() as right:
        right.check()


def test_a_coordinator_hears_that_its_right_is_lost(team: Kept) -> None:
    """With the connection the lock went, and somebody else may have it."""
    with team.ledger().coordinating() as right:
        server_of(team).execute(CUT)
        with team.ledger().coordinating() as other:
            other.check()
        with pytest.raises(LedgerError, match="lost while it was coordinated"):
            right.check()


def test_the_tests_server_asks_for_a_password(postgres: Server) -> None:
    """Else the tests of wrong ones would say nothing."""
    psycopg.connect(postgres.url(host="network")).close()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(postgres.url(host="network", password="another"))
