"""Two report directories of one team on a ledger in PostgreSQL, and what somebody does to it with psql."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pytest_weekops.core.week.entry import GENESIS, Entry
from pytest_weekops.week.ledger import open_ledger
from pytest_weekops.week.ledger_head import SHARED_NAME
from pytest_weekops.week.ledger_place import Joined, joined_by, write_joined
from pytest_weekops.week.ledger_sharing import copy_ledger, join_ledger
from tests.sabotage.forgeries import AFTER
from tests.support.ledgers import WITHOUT_TRIGGERS, Kept
from tests.support.postgres import Server
from tests.support.replayed import seen_to_work
from tests.support.synthetic import make_plan, make_records
from tests.support.weeks import add_run

LATER = "2026-11-24T19:00:00+00:00"
PLAN = make_plan("weekly", every_launch=True)


def promoted_run(directory: Path, name: str, at: str) -> None:
    """A run that promotes, entered into the directory's ledger."""
    records = seen_to_work(make_records(PLAN))
    add_run(directory, name, plan=PLAN, records=records, created_at=at, end=True)


@dataclass
class Team:
    """The directories ``here``, which had a ledger of its own and took it along, and ``there``, which joined it."""

    place: Path
    server: Server
    name: str
    seen: str = ""  # the hash that somebody noted down

    @property
    def here(self) -> Path:
        """Where the deployment job asks."""
        return self.place / "here"

    @property
    def there(self) -> Path:
        """Another host's."""
        return self.place / "there"

    @property
    def schema(self) -> str:
        """The ledger's, in the database."""
        return f"weekops_{self.name}"

    def begin(self, reports: Path) -> None:
        """Both directories, after one run that promoted; the variable is set."""
        shutil.copytree(reports, self.here)
        copy_ledger(self.here, os.environ["WEEKOPS_LEDGER"], self.name)
        join_ledger(self.there, self.name)

    def entries(self, directory: str = "there") -> tuple[Entry, ...]:
        """The records, and that directory remembers the head."""
        return open_ledger(self.place / directory).entries()

    def sql(self, *statements: str) -> None:
        """Statements of somebody who owns the tables."""
        Kept(self.here, self.server, self.schema).raw(*WITHOUT_TRIGGERS, *statements)

    def shell(self, *words: str, text: str = "") -> str:
        """One of PostgreSQL's own programs on this database, as its owner."""
        command = [str(self.server.programs / words[0]), "-d", self.server.url(), *words[1:]]
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=True, timeout=120)
        return done.stdout


# -- what happens, and what somebody does ------------------------------------------------------------------------


def failed(team: Team) -> None:
    """A run of the other host, after all others, in which a cell crashed."""
    add_run(team.there, "bad", created_at=AFTER, crash=True, plan=PLAN, end=True)


def answered(team: Team) -> None:
    """A later run of the other host that promotes."""
    promoted_run(team.there, "next", LATER)


def unheard(team: Team) -> None:
    """A failed run here that the ledger did not take."""
    add_run(team.here, "bad", created_at=AFTER, crash=True, end=True, recorded=False)


def looked(team: Team) -> None:
    """Somebody asked for the state here, and the directory has seen the head."""
    team.entries("here")


def noted(team: Team) -> None:
    """Somebody noted the head down."""
    team.seen = team.entries()[-1].hash


def sql(team: Team, *statements: str) -> None:
    """Statements of somebody with psql."""
    team.sql(*statements)


def cut(team: Team, keep: int) -> None:
    """The records after the first ``keep`` removed, and the head table made to fit."""
    last = team.entries()[keep - 1]
    team.sql(f"DELETE FROM record WHERE seq > {keep}", f"UPDATE head SET count = {keep}, hash = '{last.hash}'")


def body(team: Team, key: str, changes: dict[str, Any]) -> None:
    """Other facts in the body of one record."""
    entry = next(entry for entry in team.entries() if entry.key == key)
    team.sql(_updated(replace(entry, body={**entry.body, **changes})))


def rewritten(team: Team, key: str, changes: dict[str, Any]) -> None:
    """The same, and every hash from there on made anew."""
    before, statements = GENESIS, []
    for found in team.entries():
        changed = replace(found, body={**found.body, **(changes if found.key == key else {})})
        changed = replace(changed, hash=changed.chained(before))
        statements.append(_updated(changed))
        before = changed.hash
    team.sql(*statements, f"UPDATE head SET hash = '{before}'")


def exchanged(team: Team) -> None:
    """The second and the third record in each other's place."""
    team.sql(*(f"UPDATE record SET seq = {new} WHERE seq = {old}" for old, new in ((2, -1), (3, 2), (-1, 3))))


def entered(team: Team, *, is_chained: bool = False) -> None:
    """A promote that nobody measured, put behind the last record."""
    entries = team.entries()
    good = next(entry for entry in entries if entry.key == "good")
    facts = {**good.body, "run_id": "forged", "run_dir": "forged", "created_at": LATER}
    forged = replace(good, seq=entries[-1].seq + 1, key="forged", recorded_at=LATER, body=facts)
    forged = replace(forged, hash=forged.chained(entries[-1].hash if is_chained else GENESIS))
    values = (forged.seq, "run", forged.key, LATER, _quoted(forged), forged.hash)
    head = [f"UPDATE head SET count = {forged.seq}, hash = '{forged.hash}'"] if is_chained else []
    team.sql(f"INSERT INTO record VALUES {values!r}", *head)


def chained(team: Team) -> None:
    """The same by somebody who knows how hashes are made."""
    entered(team, is_chained=True)


def another_team(team: Team, *, to_fit: bool = False) -> None:
    """Another team's schema in the place of ours, with our id where it is made to fit."""
    _other(team)
    ours = joined_by(team.here)
    assert ours is not None
    team.server.execute(
        f"DROP SCHEMA {team.schema} CASCADE",
        f"ALTER SCHEMA {team.schema}_other RENAME TO {team.schema}",
        *([f"UPDATE {team.schema}.ledger SET id = '{ours.id}'"] if to_fit else []),
    )


def its_twin(team: Team) -> None:
    """Another team's schema, with the id of ours."""
    another_team(team, to_fit=True)


def marked(team: Team, *, to_fit: bool = False) -> None:
    """The directory says that it has joined another team's ledger, with the id of that one where it is made to fit."""
    _other(team)
    ours, other = joined_by(team.here), joined_by(team.place / "other")
    assert ours is not None
    assert other is not None
    write_joined(team.here, Joined(f"{team.name}-other", other.id if to_fit else ours.id))


def marked_whole(team: Team) -> None:
    """The same with the other's id."""
    marked(team, to_fit=True)


def _other(team: Team) -> None:
    """A ledger of another team, in which all promoted."""
    join_ledger(team.place / "other", f"{team.name}-other", new=True)
    promoted_run(team.place / "other", "elsewhere", AFTER)


def dumped(team: Team, *does: str) -> None:
    """A dump of this moment put back after these steps, as from last night's backup."""
    dump = team.shell("pg_dump", "--schema", team.schema)
    for step in does:
        STEPS[step](team)
    team.server.execute(f"DROP SCHEMA {team.schema} CASCADE")
    team.shell("psql", "--quiet", "--set", "ON_ERROR_STOP=1", text=dump)


def gone_on_with(team: Team) -> None:
    """A third directory joins what it finds, and enters a run that promotes."""
    join_ledger(team.place / "third", team.name)
    promoted_run(team.place / "third", "next", LATER)


def headless(team: Team) -> None:
    """The head file beside the runs here deleted."""
    (team.here / "ledger.head").unlink()


def unmarked(team: Team) -> None:
    """What says that the directory has joined a ledger deleted."""
    (team.here / SHARED_NAME).unlink()


def unset(_team: Team) -> None:
    """The variable is not set."""
    os.environ.pop("WEEKOPS_LEDGER")


def elsewhere(team: Team) -> None:
    """The variable names another database, in which a ledger of the same name is."""
    database = f"db_{team.name}"
    team.server.execute(f"CREATE DATABASE {database}", database="postgres")
    os.environ["WEEKOPS_LEDGER"] = team.server.url(database)
    join_ledger(team.place / "other", team.name, new=True)
    promoted_run(team.place / "other", "elsewhere", AFTER)


def _updated(entry: Entry) -> str:
    return f"UPDATE record SET body = '{_quoted(entry)}', hash = '{entry.hash}' WHERE seq = {entry.seq}"


def _quoted(entry: Entry) -> str:
    return json.dumps(entry.body).replace("'", "''")


STEPS: dict[str, Callable[..., None]] = {
    "failed": failed,
    "answered": answered,
    "unheard": unheard,
    "looked": looked,
    "noted": noted,
    "sql": sql,
    "cut": cut,
    "body": body,
    "rewritten": rewritten,
    "exchanged": exchanged,
    "entered": entered,
    "entered, chained": chained,
    "another team": another_team,
    "its twin": its_twin,
    "marked": marked,
    "marked whole": marked_whole,
    "dumped": dumped,
    "gone on with": gone_on_with,
    "headless": headless,
    "unmarked": unmarked,
    "unset": unset,
    "elsewhere": elsewhere,
}


def asked(entry: dict[str, Any], team: Team) -> list[str]:
    """Do what the sabotage says, and return the command that is asked."""
    for step in entry.get("does", ()):
        name, *arguments = step if isinstance(step, list) else [step]
        STEPS[name](team, *arguments)
    asks: dict[str, Sequence[str]] = {
        "require": ("status", "--require", "promoted"),
        "status": ("status", "--require", "promoted", "--verify"),
        "join": ("ledger", "join", "--as", team.name),
        "join told": ("ledger", "join", "--as", team.name, "--head", team.seen),
    }
    return [*asks[entry["ask"]], "--report-dir", str(team.place / entry.get("at", "here"))]
