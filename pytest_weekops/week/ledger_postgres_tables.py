"""The tables of a ledger in PostgreSQL: those of the file, in a schema of their own, and what refuses changes there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import sqlalchemy as sql
from sqlalchemy.engine import Connection
from sqlalchemy.schema import CreateSchema

from pytest_weekops.core.week.entry import GENESIS

SCHEMA_VERSION = 1
# An honest mistake is stopped by it; who owns the tables can drop it, and is found by chain and head files.
_REFUSE = """
CREATE FUNCTION {schema}.refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$
"""
_TRIGGERS = {
    "record_is_never_changed BEFORE UPDATE": "ROW",
    "record_is_never_removed BEFORE DELETE": "ROW",
    "record_is_never_emptied BEFORE TRUNCATE": "STATEMENT",
}


@dataclass(frozen=True)
class Tables:
    """``record`` and ``head`` as in the file, and ``ledger``: one row with the id of this ledger and its version."""

    schema: str
    metadata: sql.MetaData
    ledger: sql.Table
    record: sql.Table
    head: sql.Table

    @cached_property
    def tail(self) -> sql.CompoundSelect[Any]:
        """What a record ``of_kind`` and ``of_key`` is held against, in one statement; its first column says which.

        ``found`` is the record that has that name, ``last`` the last two, and ``head`` the head table's row.
        """
        record, head = self.record, self.head
        nothing: sql.ColumnClause[str] = sql.literal_column("''")
        name = (record.c.kind == sql.bindparam("of_kind"), record.c.key == sql.bindparam("of_key"))
        last = sql.select(record).order_by(record.c.seq.desc()).limit(sql.literal_column("2")).subquery()
        return sql.union_all(
            sql.select(sql.literal_column("'found'"), record).where(*name),
            sql.select(sql.literal_column("'last'"), last),
            sql.select(sql.literal_column("'head'"), head.c.count, nothing, nothing, nothing, nothing, head.c.hash),
        )

    @cached_property
    def add(self) -> sql.Update:
        """Insert a record of these values, and let the head table count it, in one statement."""
        values: dict[str, sql.BindParameter[Any]] = {
            column.name: sql.bindparam(f"new_{column.name}") for column in self.record.c
        }
        added = self.record.insert().values(values).cte("added")
        return self.head.update().values(count=values["seq"], hash=values["hash"]).add_cte(added)

    @cached_property
    def counted(self) -> sql.Select[Any]:
        """The head table's row."""
        return sql.select(self.head.c.count, self.head.c.hash)

    @cached_property
    def about(self) -> sql.Select[Any]:
        """Id and version of this ledger."""
        return sql.select(self.ledger.c.id, self.ledger.c.version)


@lru_cache(maxsize=64)
def tables_of(schema: str) -> Tables:
    """The tables of the ledger in this schema, whose name is small letters, digits and underscores."""
    metadata = sql.MetaData(schema=schema)
    ledger = sql.Table(
        "ledger",
        metadata,
        sql.Column("one", sql.Integer, sql.CheckConstraint("one = 1"), primary_key=True, autoincrement=False),
        sql.Column("id", sql.Text, nullable=False),
        sql.Column("version", sql.Integer, nullable=False),
    )
    record = sql.Table(
        "record",
        metadata,
        sql.Column("seq", sql.BigInteger, primary_key=True, autoincrement=False),
        sql.Column("kind", sql.Text, nullable=False),
        sql.Column("key", sql.Text, nullable=False),
        sql.Column("recorded_at", sql.Text, nullable=False),
        sql.Column("body", sql.Text, nullable=False),  # as it was hashed; jsonb would spell numbers its own way
        sql.Column("hash", sql.Text, nullable=False),
        sql.UniqueConstraint("kind", "key"),
    )
    head = sql.Table(
        "head",
        metadata,
        sql.Column("one", sql.Integer, sql.CheckConstraint("one = 1"), primary_key=True, autoincrement=False),
        sql.Column("count", sql.BigInteger, nullable=False),
        sql.Column("hash", sql.Text, nullable=False),
    )
    return Tables(schema, metadata, ledger, record, head)


_NAMES = ("ledger", "record", "head")
_ARE_THERE = sql.text(f"SELECT {' AND '.join(f'to_regclass(:{name}) IS NOT NULL' for name in _NAMES)}")


def is_made(connection: Connection, tables: Tables) -> bool | None:
    """Whether the tables are there; None where others are in their schema, some of these missing."""
    if connection.execute(_ARE_THERE, {name: f"{tables.schema}.{name}" for name in _NAMES}).scalar():
        return True
    return None if sql.inspect(connection).get_table_names(schema=tables.schema) else False


def make(connection: Connection, tables: Tables, *, identity: str) -> None:
    """Make the tables inside the caller's transaction, under its lock."""
    if not sql.inspect(connection).has_schema(tables.schema):  # whoever may not make one can be given one
        connection.execute(CreateSchema(tables.schema))
    tables.metadata.create_all(connection, checkfirst=False)
    connection.execute(sql.text(_REFUSE.format(schema=tables.schema)))
    for words, each in _TRIGGERS.items():
        on = f"ON {tables.schema}.record FOR EACH {each} EXECUTE FUNCTION {tables.schema}.refuse()"
        connection.execute(sql.text(f"CREATE TRIGGER {words} {on}"))
    connection.execute(tables.ledger.insert(), {"one": 1, "id": identity, "version": SCHEMA_VERSION})
    connection.execute(tables.head.insert(), {"one": 1, "count": 0, "hash": GENESIS})
