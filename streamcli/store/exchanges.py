"""The rows of exchanges: a question, and what came of its answer. To be called in a transaction, where they write.

One that is open has its answer in the journal, under the key of its request and the run that made it.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from streamcli.core.content import Content, from_storage, to_storage
from streamcli.core.history import Exchange, tokens_of
from streamcli.core.surrogates import mend_surrogates
from streamcli.store import texts
from streamcli.store.database import checked

State = Literal["open", "complete", "cut", "refused"]

COLUMNS = "id, state, created, model, question, answer"


@dataclass(frozen=True)
class Kept:
    """An exchange on disk. `created` is in seconds since the epoch."""

    id: int
    state: State
    created: float
    model: str
    exchange: Exchange


@dataclass(frozen=True)
class Source:
    """Where an answer comes from: the model, the key of the request, the run; and when it was asked for."""

    model: str
    key: str
    run: str
    created: float


def insert(db: sqlite3.Connection, session: int, exchange: Exchange, source: Source, *, is_open: bool) -> int:
    """A new row: its number."""
    row = db.execute(
        "INSERT INTO exchanges (session, state, created, model, question, answer, tokens, key, run) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            session,
            "open" if is_open else _state(exchange),
            source.created,
            mend_surrogates(source.model),
            mend_surrogates(to_storage(exchange.question)),
            mend_surrogates(exchange.answer),
            tokens_of(exchange),
            source.key,
            source.run,
        ),
    ).lastrowid
    assert row is not None
    return row


def reopen(db: sqlite3.Connection, row: int, source: Source) -> None:
    """Its answer goes on; what there was of it stays until it is written again."""
    db.execute(
        "UPDATE exchanges SET state = 'open', model = ?, key = ?, run = ? WHERE id = ?",
        (mend_surrogates(source.model), source.key, source.run, row),
    )


def write(db: sqlite3.Connection, row: int, exchange: Exchange) -> None:
    """This came of it."""
    db.execute(
        "UPDATE exchanges SET state = ?, answer = ?, tokens = ? WHERE id = ?",
        (_state(exchange), mend_surrogates(exchange.answer), tokens_of(exchange), row),
    )


def delete(db: sqlite3.Connection, condition: str, value: int) -> None:
    """What was there counts as waste, of which the file is cleaned when it is much."""
    db.execute(
        "UPDATE waste SET bytes = bytes + (SELECT coalesce(sum(length(CAST(question AS BLOB)) + "
        f"length(CAST(answer AS BLOB))), 0) FROM exchanges WHERE {condition})",
        (value,),
    )
    db.execute(f"DELETE FROM exchanges WHERE {condition}", (value,))


def has_open(db: sqlite3.Connection, session: int) -> bool:
    """Whether there is one that is open."""
    query = "SELECT 1 FROM exchanges WHERE session = ? AND state = 'open' LIMIT 1"
    return db.execute(query, (session,)).fetchone() is not None


def recover(db: sqlite3.Connection, session: int) -> None:
    """Closes the open ones, of which nobody is at work any more: with what the journal has of their answers."""
    left = db.execute(
        "SELECT id, key, run, question, answer FROM exchanges WHERE session = ? AND state = 'open'", (session,)
    ).fetchall()
    for row, key, run, question, before in left:
        text, is_complete = _journalled(db, key, run)
        write(db, row, Exchange(content(question), text or checked(before, str), not is_complete))


def content(stored: object) -> Content:
    """A question. Raises TypeError, ValueError for what was not stored as one."""
    return from_storage(checked(stored, str))


def kept(columns: Sequence[object]) -> Kept:
    """A row of COLUMNS. Raises TypeError, ValueError: SQLite keeps in a column whatever was put there."""
    row, state, created, model, question, answer = columns
    if state not in ("open", "complete", "cut", "refused"):
        raise ValueError(f"an exchange that is {state}")
    exchange = Exchange(content(question), checked(answer, str), state in ("cut", "open"), state == "refused")
    return Kept(checked(row, int), state, checked(created, float), checked(model, str), exchange)


def _journalled(db: sqlite3.Connection, key: object, run: object) -> tuple[str, bool]:
    """The text of an answer in the journal, and whether it is complete."""
    found = db.execute(
        "SELECT id, complete FROM answers WHERE key = ? AND run = ? ORDER BY id DESC LIMIT 1", (key, run)
    ).fetchone()
    if found is None:
        return "", False
    pieces = []
    last = 0
    while batch := texts.batch(db, found[0], last):
        last = batch[-1][0]
        pieces += [text for _, text in batch]
    return "".join(pieces), bool(found[1])


def _state(exchange: Exchange) -> State:
    return "refused" if exchange.is_refused else "cut" if exchange.is_cut else "complete"
