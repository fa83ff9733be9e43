"""Conversations: a row a session, and one an exchange, which is a question and what came of its answer.

Whoever adds to a session holds it (see Holds) from before he reads it until his turn is stored, so turns are in an
order in which each has seen the one before it. An exchange is written down before its request is made, as open; where
nobody holds the session, an open one was left by a process that died, and its text is in the journal.
"""

import contextlib
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from streamcli.core.content import Content, as_text
from streamcli.core.history import Exchange
from streamcli.core.surrogates import mend_surrogates
from streamcli.store import exchanges, texts
from streamcli.store.database import PATIENCE, checked, if_any, storing, transaction
from streamcli.store.exchanges import Kept
from streamcli.store.holds import Holds

# Characters of a first question that a summary has.
BEGINNING = 400


@dataclass(frozen=True)
class Session:
    """A conversation: its name, and the model and the system prompt (None: the verb's own) of its last turn."""

    id: int
    name: str
    model: str
    system: str | None


@dataclass(frozen=True)
class SessionSummary:
    """A line of the list. `used` is in seconds since the epoch, `beginning` that of the first question, as it reads."""

    name: str
    model: str
    used: float
    exchanges: int
    beginning: str


class Sessions:
    """Part of Answers, whose connection it uses: a process never opens the file twice. Everything raises StoreError.

    A session without an exchange is not there yet: it is in no list, and its name is free.
    """

    def __init__(self, db: sqlite3.Connection, holds: Holds, run: str, clock: Callable[[], float]) -> None:
        self._db = db
        self._holds = holds
        self._run = run
        self._clock = clock

    @storing
    def find(self, name: str) -> Session | None:
        """The session of that name."""
        return self._one(
            "name = ? AND EXISTS (SELECT 1 FROM exchanges WHERE session = sessions.id)", mend_surrogates(name)
        )

    @storing
    def latest(self) -> Session | None:
        """The one that was used last."""
        return self._one("EXISTS (SELECT 1 FROM exchanges WHERE session = sessions.id) ORDER BY used DESC, id DESC")

    @storing
    def get(self, id: int) -> Session | None:
        """The session of that number, with or without an exchange."""
        return self._one("id = ?", id)

    @storing
    def make(self, name: str, model: str) -> Session:
        """The session of that name; a new one if there is none."""
        with transaction(self._db, PATIENCE):
            self._db.execute(
                "INSERT OR IGNORE INTO sessions (name, model, used) VALUES (?, ?, ?)",
                (name, mend_surrogates(model), self._clock()),
            )
            session = self._one("name = ?", name)
        assert session is not None
        return session

    def _one(self, condition: str, *values: str | int) -> Session | None:
        row = self._db.execute(
            f"SELECT id, name, model, system FROM sessions WHERE {condition} LIMIT 1", values
        ).fetchone()
        if row is None:
            return None
        id, name, model, system = row
        return Session(checked(id, int), checked(name, str), checked(model, str), if_any(system))

    @storing
    def take(self, id: int) -> bool:
        """Holds the session from now on; False if another process, or we, hold it already."""
        return self._holds.take(id)

    @storing
    def wait(self, id: int) -> None:
        """Blocks until nobody else holds it, for a thread of its own; to be followed by `take` or `unwanted`."""
        self._holds.wait(id)

    @storing
    def unwanted(self, id: int) -> None:
        """What was waited for is not to be held after all."""
        self._holds.unwanted(id)

    @storing
    def let_go(self, id: int) -> None:
        """Others may have it."""
        self._holds.let_go(id)

    def let_go_of_all(self) -> None:
        """Never raises."""
        with contextlib.suppress(OSError):
            self._holds.close()

    @storing
    def recover(self, id: int) -> None:
        """Of a session that we hold: what a process that died had received of an answer is that of its exchange."""
        if exchanges.has_open(self._db, id):
            with transaction(self._db, PATIENCE):
                exchanges.recover(self._db, id)

    @storing
    def sizes(self, id: int) -> Sequence[tuple[int, int, int]]:
        """Of each exchange, in their order: its number, and its size in tokens and in bytes, about."""
        rows = self._db.execute(
            "SELECT id, tokens, length(question) + length(answer) FROM exchanges WHERE session = ? ORDER BY id", (id,)
        ).fetchall()
        return [(checked(row, int), checked(tokens, int), checked(size, int)) for row, tokens, size in rows]

    @storing
    def read(self, id: int, first: int) -> Sequence[Kept]:
        """In their order, from the exchange of that number on."""
        rows = self._db.execute(
            f"SELECT {exchanges.COLUMNS} FROM exchanges WHERE session = ? AND id >= ? ORDER BY id", (id, first)
        ).fetchall()
        return [exchanges.kept(row) for row in rows]

    @storing
    def exchange(self, number: int) -> Kept | None:
        """The exchange of that number, if it is still there."""
        row = self._db.execute(f"SELECT {exchanges.COLUMNS} FROM exchanges WHERE id = ?", (number,)).fetchone()
        return None if row is None else exchanges.kept(row)

    @storing
    def begin(self, session: Session, question: Content, key: str) -> int:
        """A new exchange, which is open: its number. The session's model and system prompt are those of `session`.

        `key` is that of the request, under which this run has its answer in the journal.
        """
        with transaction(self._db, PATIENCE):
            self._use(session)
            source = self._source(session.model, key)
            return exchanges.insert(self._db, session.id, Exchange(question, ""), source, is_open=True)

    @storing
    def reopen(self, session: Session, row: int, key: str) -> None:
        """An exchange that was cut is open again: its answer goes on."""
        with transaction(self._db, PATIENCE):
            self._use(session)
            exchanges.reopen(self._db, row, self._source(session.model, key))

    @storing
    def close(self, row: int, exchange: Exchange, instead: int | None = None) -> None:
        """The exchange is not open any more: this came of it. That of the number `instead` is gone."""
        with transaction(self._db, PATIENCE):
            exchanges.write(self._db, row, exchange)
            if instead is not None:
                exchanges.delete(self._db, "id = ?", instead)

    @storing
    def drop(self, row: int) -> None:
        """The exchange is gone."""
        with transaction(self._db, PATIENCE):
            exchanges.delete(self._db, "id = ?", row)

    @storing
    def clear(self, id: int) -> None:
        """All exchanges of the session are gone."""
        with transaction(self._db, PATIENCE):
            exchanges.delete(self._db, "session = ?", id)

    @storing
    def list(self) -> Sequence[SessionSummary]:
        """All sessions, the one that was used last first."""
        rows = self._db.execute(
            "SELECT name, sessions.model, used, count(*), min(exchanges.id) FROM sessions "
            "JOIN exchanges ON session = sessions.id GROUP BY sessions.id ORDER BY used DESC, sessions.id DESC"
        ).fetchall()
        return [
            SessionSummary(checked(name, str), checked(model, str), checked(used, float), count, self._beginning(first))
            for name, model, used, count, first in rows
        ]

    @storing
    def put(self, name: str, model: str, system: str | None, said: Sequence[Exchange]) -> Session | None:
        """A new session with these exchanges; None if the name is taken."""
        with transaction(self._db, PATIENCE):
            if not self._free(name):
                return None
            row = self._db.execute(
                "INSERT INTO sessions (name, model, system, used) VALUES (?, ?, ?, ?)",
                (name, mend_surrogates(model), system, self._clock()),
            ).lastrowid
            assert row is not None
            for exchange in said:
                exchanges.insert(self._db, row, exchange, self._source(model, ""), is_open=False)
        return Session(row, name, model, system)

    @storing
    def rename(self, id: int, name: str) -> bool:
        """Gives it another name; False if that is taken."""
        with transaction(self._db, PATIENCE):
            if not self._free(name):
                return False
            self._db.execute("UPDATE sessions SET name = ? WHERE id = ?", (name, id))
        return True

    @storing
    def remove(self, id: int) -> bool:
        """Removes it, unless a turn of it is under way: whether it did."""
        if not self._holds.take(id):
            return False
        try:
            with transaction(self._db, PATIENCE):
                exchanges.delete(self._db, "session = ?", id)
                self._db.execute("DELETE FROM sessions WHERE id = ?", (id,))
        finally:
            self._holds.let_go(id)
        return True

    @storing
    def wipe(self) -> None:
        """Nothing that was removed stays on the disk: for when a person removes it. It takes a while."""
        texts.write_anew(self._db)

    def _free(self, name: str) -> bool:
        """Makes a name free that nobody really has."""
        self._db.execute(
            "DELETE FROM sessions WHERE name = ? AND NOT EXISTS (SELECT 1 FROM exchanges WHERE session = sessions.id)",
            (name,),
        )
        return self._one("name = ?", name) is None

    def _use(self, session: Session) -> None:
        self._db.execute(
            "UPDATE sessions SET model = ?, system = ?, used = ? WHERE id = ?",
            (mend_surrogates(session.model), session.system, self._clock(), session.id),
        )

    def _source(self, model: str, key: str) -> exchanges.Source:
        return exchanges.Source(model, key, self._run, self._clock())

    def _beginning(self, row: int) -> str:
        """One question at a time is read, and let go of: with its files it may be large."""
        (question,) = self._db.execute("SELECT question FROM exchanges WHERE id = ?", (row,)).fetchone()
        return as_text(exchanges.content(question))[:BEGINNING]
