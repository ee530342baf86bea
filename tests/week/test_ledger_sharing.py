"""Ledgers that are copied record by record, directories that join one, and what is refused on the way."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from pytest_weekops.week.ledger import Ledger, LedgerError, ledger_beside, open_ledger
from pytest_weekops.week.ledger_head import SHARED_NAME, read_head_file
from pytest_weekops.week.ledger_place import database, joined_by, shown
from pytest_weekops.week.ledger_sharing import copy_ledger, join_ledger
from tests.support.ledgers import WITHOUT_TRIGGERS, Kept, filled, raw
from tests.support.postgres import PASSWORD, Server

_numbers = count(1)


@pytest.fixture
def name() -> str:
    """A ledger's name that no other test has."""
    return f"s-{next(_numbers)}"


@pytest.fixture
def url(postgres: Server) -> str:
    """The address of the tests' database."""
    return postgres.url()


def files(directory: Path) -> dict[str, bytes]:
    """The files in a directory, without what SQLite keeps beside its own."""
    names = ("ledger.sqlite", "ledger.head", SHARED_NAME)
    return {name: (directory / name).read_bytes() for name in names if (directory / name).exists()}


# -- copies ------------------------------------------------------------------------------------------------------


def test_a_file_is_copied_record_by_record(
    tmp_path: Path, url: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hash by hash; the file is not touched, the directory goes on in the database, and a second copy adds nothing."""
    entries = filled(tmp_path).entries()
    before = (tmp_path / "ledger.sqlite").read_bytes()
    copied = copy_ledger(tmp_path, url, name)
    assert (copied.records, copied.new, copied.joined) == (4, 4, True)
    monkeypatch.setenv("WEEKOPS_LEDGER", url)
    assert open_ledger(tmp_path).entries() == entries
    assert (tmp_path / "ledger.sqlite").read_bytes() == before
    assert open_ledger(tmp_path).append("note", "n5", {}).seq == 5
    back = tmp_path / "back"
    assert copy_ledger(tmp_path, str(back), name).new == 5
    assert Ledger(back / "ledger.sqlite").entries() == open_ledger(tmp_path).entries()
    assert copy_ledger(tmp_path, str(back), name).new == 0
    with pytest.raises(LedgerError, match="its ledger already"):
        copy_ledger(tmp_path, url, name)


def test_the_file_left_behind_is_not_gone_on_with(
    tmp_path: Path, url: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the variable the directory is refused; without its mark too, since the head file has seen more."""
    filled(tmp_path)
    copy_ledger(tmp_path, url, name)
    with pytest.raises(LedgerError, match="has joined the ledger"):
        open_ledger(tmp_path)
    monkeypatch.setenv("WEEKOPS_LEDGER", url)
    open_ledger(tmp_path).append("note", "n5", {})
    monkeypatch.delenv("WEEKOPS_LEDGER")
    (tmp_path / SHARED_NAME).unlink()
    with pytest.raises(LedgerError, match="head file counts 5 records, the ledger has 4"):
        open_ledger(tmp_path).entries()


def test_a_copy_goes_on_where_an_earlier_one_ended(tmp_path: Path, url: str, name: str) -> None:
    """What is there already is the beginning, hash by hash; the rest is new."""
    one, two = tmp_path / "one", tmp_path / "two"
    filled(one)
    shutil.copytree(one, two)
    copy_ledger(one, url, name)
    open_ledger(two).append("note", "n5", {})
    assert copy_ledger(two, url, name).new == 1


def test_another_history_is_not_mixed_in(tmp_path: Path, url: str, name: str) -> None:
    """A target that is not the beginning of the source stays as it is, and the directory has joined nothing."""
    filled(tmp_path / "one")
    open_ledger(tmp_path / "two").append("note", "other", {})
    copy_ledger(tmp_path / "one", url, name)
    before = files(tmp_path / "two")
    with pytest.raises(LedgerError, match="holds another record 1 than the ledger that is to be copied"):
        copy_ledger(tmp_path / "two", url, name)
    assert files(tmp_path / "two") == before
    assert copy_ledger(tmp_path / "two", str(tmp_path / "three"), name).new == 1


@pytest.mark.parametrize("records", [0, 4])
def test_what_is_empty_or_damaged_is_not_copied(tmp_path: Path, url: str, name: str, records: int) -> None:
    """The chain is verified before; nothing is made at the other end."""
    ledger = filled(tmp_path, records) if records else open_ledger(tmp_path)
    if records:
        raw(ledger, *WITHOUT_TRIGGERS, "UPDATE record SET body = '{}' WHERE seq = 2")
    with pytest.raises(LedgerError, match="does not match its hash" if records else "holds no records"):
        copy_ledger(tmp_path, url, name)
    assert database(url, name, path=tmp_path).identity(10.0) is None
    assert not (tmp_path / SHARED_NAME).exists()


def test_a_copy_into_the_same_directory_is_refused(tmp_path: Path) -> None:
    """Neither onto itself."""
    filled(tmp_path)
    with pytest.raises(LedgerError, match="no place for a copy"):
        copy_ledger(tmp_path, str(tmp_path), "main")


# -- joining -----------------------------------------------------------------------------------------------------


def test_two_directories_of_one_team(tmp_path: Path, url: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each sees what the other entered, and each has its own memory of the head."""
    monkeypatch.setenv("WEEKOPS_LEDGER", url)
    one, two = tmp_path / "one", tmp_path / "two"
    with pytest.raises(LedgerError, match="is not there"):
        join_ledger(one, name)
    join_ledger(one, name, new=True)
    with pytest.raises(LedgerError, match="is there already"):
        join_ledger(two, name, new=True)
    first = open_ledger(one).append("note", "n1", {})
    assert join_ledger(two, name).records == 1
    assert read_head_file(two / "ledger.head") == (1, first.hash)
    second = open_ledger(two).append("note", "n2", {})
    assert open_ledger(one).entries() == (first, second)
    assert read_head_file(one / "ledger.head") == (2, second.hash)  # by reading, too
    (one / "ledger.head").unlink()
    with pytest.raises(LedgerError, match="head file is missing"):
        open_ledger(one).append("note", "n3", {})
    with pytest.raises(LedgerError, match="its head file is gone"):
        join_ledger(one, name)
    assert join_ledger(one, name, head=first.hash).records == 2
    assert open_ledger(one).append("note", "n3", {}).seq == 3


@pytest.mark.parametrize("new", [True, False])
def test_records_are_not_left_behind(
    tmp_path: Path, url: str, name: str, new: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A directory with a ledger of its own would leave a freeze behind by joining; it copies instead."""
    monkeypatch.setenv("WEEKOPS_LEDGER", url)
    if not new:
        join_ledger(tmp_path / "other", name, new=True)
    filled_there = tmp_path / "here"
    with monkeypatch.context() as alone:
        alone.delenv("WEEKOPS_LEDGER")
        filled(filled_there)
    with pytest.raises(LedgerError, match="belongs to another ledger"):
        join_ledger(filled_there, name, new=new)
    assert not (filled_there / SHARED_NAME).exists()
    assert (database(url, name, path=tmp_path).identity(10.0) is None) is new


def test_what_is_joined_already_is_said_so(
    tmp_path: Path, url: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not that it is another one's; and a word that is no hash has been seen by nobody."""
    monkeypatch.setenv("WEEKOPS_LEDGER", url)
    join_ledger(tmp_path / "one", name, new=True)
    open_ledger(tmp_path / "one").append("note", "n1", {})
    with pytest.raises(LedgerError, match="has joined a ledger already"):
        join_ledger(tmp_path / "one", name, new=True)
    with pytest.raises(LedgerError, match="'HASH' is no hash of a record"):
        join_ledger(tmp_path / "two", name, head="HASH")
    assert join_ledger(tmp_path / "one", name).records == 1


@pytest.mark.parametrize("sql", ["UPDATE record SET body = '{}' WHERE seq = 1", "DELETE FROM record WHERE seq = 2"])
def test_a_ledger_that_does_not_verify_is_not_joined(
    tmp_path: Path, postgres: Server, url: str, name: str, sql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its head would be trusted from then on; nothing is made in the directory."""
    monkeypatch.setenv("WEEKOPS_LEDGER", url)
    join_ledger(tmp_path / "one", name, new=True)
    kept = Kept(tmp_path / "one", postgres, f"weekops_{name.replace('-', '_')}")
    kept.filled(2)
    kept.raw(*WITHOUT_TRIGGERS, sql)
    with pytest.raises(LedgerError, match="does not verify"):
        join_ledger(tmp_path / "two", name)
    assert not (tmp_path / "two").exists()


def test_what_somebody_has_seen_has_to_be_there(
    tmp_path: Path, url: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any record of the chain will do; one that it lacks is named, and nothing is made in the directory."""
    monkeypatch.setenv("WEEKOPS_LEDGER", url)
    join_ledger(tmp_path / "one", name, new=True)
    first = open_ledger(tmp_path / "one").append("note", "n1", {})
    open_ledger(tmp_path / "one").append("note", "n2", {})
    with pytest.raises(LedgerError, match=f"holds no record with the hash {'f' * 64}"):
        join_ledger(tmp_path / "two", name, head="f" * 100)
    assert not (tmp_path / "two").exists()
    assert join_ledger(tmp_path / "two", name, head=first.hash).records == 2


# -- which ledger a directory has --------------------------------------------------------------------------------


def test_a_variable_alone_brings_no_directory_into_a_teams_channel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused before anything is tried; what moves nobody's channel has a file whatever the variable says."""
    monkeypatch.setenv("WEEKOPS_LEDGER", f"postgresql://me:{PASSWORD}@nowhere.invalid/team")
    with pytest.raises(LedgerError, match="has not joined it") as refused:
        open_ledger(tmp_path)
    assert PASSWORD not in str(refused.value)
    assert "postgresql://me@nowhere.invalid/team" in str(refused.value)
    for aside in ("aa", "runtime/checks", "runtime/rehearsals/20261128T120000Z"):
        assert open_ledger(tmp_path / aside).name == str(tmp_path / aside / "ledger.sqlite")
    assert ledger_beside(tmp_path).entries() == ()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"ledger": "main"}', "[" * 100_000])
def test_a_mark_that_is_none_is_a_sentence(tmp_path: Path, text: str) -> None:
    """Which ledger is meant is not guessed."""
    (tmp_path / SHARED_NAME).write_text(text, encoding="utf-8")
    for use in (open_ledger, ledger_beside, joined_by):
        with pytest.raises(LedgerError, match="cannot be read"):
            use(tmp_path)


@pytest.mark.parametrize(
    "url",
    [
        f"mysql://me:{PASSWORD}@host/team",
        f"postgresql://me:12/{PASSWORD}@host/team",
        f"postgresql://me:{PASSWORD}@host:port/team",
        f"postgresql://me:{PASSWORD}@host",
        f"me:{PASSWORD}@host/team",
        f"postgresql://[me:{PASSWORD}@host/team",
        f"postgresql:me:{PASSWORD}",
        PASSWORD,
    ],
)
def test_an_address_that_is_none_is_refused_and_not_shown(tmp_path: Path, url: str) -> None:
    """Whatever is wrong with it, the password in it is not printed."""
    with pytest.raises(LedgerError, match="does not name a database of PostgreSQL") as refused:
        database(url, "main", path=tmp_path)
    assert PASSWORD not in str(refused.value)
    assert PASSWORD not in shown(url)


@pytest.mark.parametrize("name", ["", "A", "a_b", "a;b", "1a", 'a"', "a" * 41])
def test_a_name_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    """It becomes part of a schema's name."""
    with pytest.raises(LedgerError, match="no name of a ledger"):
        database("postgresql://host/team", name, path=tmp_path)


IMPORTS = """
import sys
from pathlib import Path
import pytest_weekops.plugin, pytest_weekops.week.ledger_sharing
from pytest_weekops.week.ledger import open_ledger
open_ledger(Path(sys.argv[1])).append("note", "n1", {})
print([name for name in ("sqlalchemy", "psycopg") if name in sys.modules])
"""


def test_a_file_needs_no_library_of_databases(tmp_path: Path) -> None:
    """What no directory here has joined is not imported."""
    command = [sys.executable, "-c", IMPORTS, str(tmp_path)]
    assert subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout == "[]\n"


def test_a_library_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what installs it, and without the password."""
    (tmp_path / SHARED_NAME).write_text(json.dumps({"ledger": "main", "id": "x"}), encoding="utf-8")
    monkeypatch.setenv("WEEKOPS_LEDGER", f"postgresql://me:{PASSWORD}@host/team")
    monkeypatch.delitem(sys.modules, "pytest_weekops.week.ledger_postgres", raising=False)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(LedgerError, match=r"pytest-weekops\[fleet\]") as refused:
        open_ledger(tmp_path)
    assert PASSWORD not in str(refused.value)


def _use(directory: Path) -> Callable[[], object]:
    return open_ledger(directory).entries


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda server: server.url(host="network", password=f"{PASSWORD}-wrong"), "cannot be opened"),
        (lambda server: server.url("no_such_database"), "cannot be opened"),
        (lambda server: server.url().replace(f"port={server.port}", "port=1"), "cannot be reached"),
        (lambda server: server.url(host="network").replace(f":{server.port}", ":1"), "cannot be reached"),
        (lambda server: f"{server.url()}&sslmode=nonsense", "cannot be opened"),
    ],
    ids=["wrong password", "no database", "no socket", "no server", "wrong option"],
)
def test_a_server_that_does_not_let_one_in_is_a_sentence(
    postgres: Server,
    tmp_path: Path,
    change: Callable[[Server], str],
    words: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is wrong, and never the password."""
    monkeypatch.setattr("pytest_weekops.week.ledger.BUSY_TIMEOUT_S", 0.1)
    (tmp_path / SHARED_NAME).write_text(json.dumps({"ledger": "main", "id": "x"}), encoding="utf-8")
    monkeypatch.setenv("WEEKOPS_LEDGER", change(postgres))
    with pytest.raises(LedgerError, match=words) as refused:
        _use(tmp_path)()
    assert PASSWORD not in str(refused.value)
    chain = [refused.value, refused.value.__cause__, refused.value.__context__]
    assert not any(PASSWORD in str(each) for each in chain)
