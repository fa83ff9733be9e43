"""Journal and cache in one: a row an answer, its text in chunks.

A row is partial until its answer is complete. A run that lives holds the rows it writes (see Holds), so that equal
commands at the same time do not mix, and what a killed one left can be told from what is still being written.
The prompt is never stored, only `key`, a hash of the whole request.
"""

import contextlib
import itertools
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from streamcli.core.events import Stop, Usage
from streamcli.core.surrogates import mend_surrogates
from streamcli.store import texts
from streamcli.store.database import checked, if_any, open_database, state_dir, storing, transaction
from streamcli.store.entries import Entry, Shelf
from streamcli.store.holds import Holds
from streamcli.store.positions import Positions

if TYPE_CHECKING:
    from streamcli.store.sessions import Sessions

LOCK_FILE = "answers.lock"
SESSIONS_LOCK_FILE = "sessions.lock"

_MAX_ID = 2**63 - 1  # SQLite's largest integer
_COLUMNS = (
    "id, key, bytes, complete, stop_reason, stop_category, "
    "input_tokens, output_tokens, cache_read_tokens, cache_write_tokens"
)

State = Literal["partial", "complete", "running"]


@dataclass(frozen=True, slots=True)
class Summary:
    """A line of the list. `created` is in seconds since the epoch, `bytes` the size of the text in UTF-8."""

    id: int
    key: str
    verb: str
    model: str
    created: float
    bytes: int
    state: State
    beginning: str


class Answers:
    """The answers on disk. At most one of these a process and folder (see Holds). Everything but `close` raises
    StoreError, and may then do so for ever: it is a help that a run can do without.
    """

    @storing
    def __init__(
        self, folder: Path | None = None, clock: Callable[[], float] = time.time, patience: float | None = None
    ) -> None:
        """Opens, and makes what is missing of, the database in `folder`; None is the user's state directory.

        Locks of others are waited for as long as `patience`; None is the usual time.
        """
        folder = state_dir() if folder is None else folder
        self.run = os.urandom(8).hex()
        self._folder = folder
        self._clock = clock
        self._sessions: Sessions | None = None
        self._db = open_database(folder, patience)
        try:
            self._holds = Holds(folder / LOCK_FILE)
        except BaseException:
            self._db.close()
            raise
        self._shelf = Shelf(self._db, self._holds, clock, self.run)

    @storing
    def begin(self, key: str, verb: str, model: str) -> Entry:
        """A new partial row, which we hold."""
        now = self._clock()
        with transaction(self._db):
            (last,) = self._db.execute("SELECT max(seq) FROM sqlite_sequence WHERE name = 'answers'").fetchone()
            # Nobody else sees the row before it is held. A byte may be held by a run whose database was deleted.
            row = next(number for number in itertools.count((last or 0) + 1) if self._holds.take(number))
            self._db.execute(
                "INSERT INTO answers (id, key, verb, model, run, created, updated) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (row, key, verb, mend_surrogates(model), self.run, now, now),
            )
        return Entry(self._shelf, row, key, None, Usage(), 0)

    @storing
    def partial(self, key: str) -> Entry | None:
        """The newest unfinished row of `key` that no living run holds; now we hold it."""
        with transaction(self._db):
            rows = self._db.execute(
                f"SELECT {_COLUMNS} FROM answers WHERE key = ? AND NOT complete AND bytes ORDER BY id DESC", (key,)
            ).fetchall()
            row = next((row for row in rows if self._holds.take(row[0])), None)
            if row is not None:
                self._db.execute("UPDATE answers SET run = ? WHERE id = ?", (self.run, row[0]))
            return self._entry(row)

    @storing
    def finished(self, key: str) -> Entry | None:
        """The newest complete row of `key` that an earlier run left, which was interrupted: not a cached one.

        It is not held: many may read it, and another may remove it. What this run adopts, it does not find again.
        """
        return self._newest("NOT cached AND run != ?", key, self.run)

    @storing
    def cached(self, key: str) -> Entry | None:
        """The newest cached row of `key`; not held either."""
        return self._newest("cached", key)

    def _newest(self, condition: str, key: str, *values: str) -> Entry | None:
        return self._entry(
            self._db.execute(
                f"SELECT {_COLUMNS} FROM answers WHERE key = ? AND complete AND {condition} ORDER BY id DESC LIMIT 1",
                (key, *values),
            ).fetchone()
        )

    @storing
    def get(self, id: int) -> Entry | None:
        """The row of that number, in whatever state; it is not held."""
        if not 0 < id <= _MAX_ID:
            return None
        return self._entry(self._db.execute(f"SELECT {_COLUMNS} FROM answers WHERE id = ?", (id,)).fetchone())

    @storing
    def forget_run(self) -> None:
        """Removes the complete rows that are this run's and not cached: it is done, so nobody will ask for them."""
        with transaction(self._db):
            rows = self._db.execute(
                "SELECT id FROM answers WHERE run = ? AND complete AND NOT cached", (self.run,)
            ).fetchall()
            texts.delete(self._db, [row for (row,) in rows])
        for (row,) in rows:
            self._holds.let_go(row)

    @storing
    def evict(self, max_bytes: int, max_age: float) -> None:
        """Removes what was not written to for `max_age` seconds, then the oldest until `max_bytes` of text are left.

        What a living run holds stays, and counts.
        """
        oldest = self._clock() - max_age
        with transaction(self._db):
            (total,) = self._db.execute("SELECT coalesce(sum(bytes), 0) FROM answers").fetchone()
            doomed = []
            for row, size, updated in self._db.execute("SELECT id, bytes, updated FROM answers ORDER BY updated, id"):
                if updated >= oldest and total <= max_bytes:
                    break
                if not self._holds.is_held(row):
                    doomed.append(row)
                    total -= size
            texts.delete(self._db, doomed)

    @storing
    def tidy(self) -> None:
        """Gives the space back of what was removed, where that is much."""
        texts.tidy(self._db)

    @storing
    def list(self) -> Sequence[Summary]:
        """All rows, the newest first."""
        with transaction(self._db):
            rows = self._db.execute(
                "SELECT id, key, verb, model, created, bytes, complete FROM answers ORDER BY id DESC"
            ).fetchall()
            return [
                Summary(
                    checked(row, int),
                    checked(key, str),
                    checked(verb, str),
                    checked(model, str),
                    checked(made, float),
                    checked(size, int),
                    self._state(row, complete),
                    texts.beginning(self._db, row),
                )
                for row, key, verb, model, made, size, complete in rows
            ]

    @storing
    def remove(self, ids: Iterable[int]) -> Sequence[int]:
        """Removes these rows but for running ones; returns which it really did."""
        removed = []
        with transaction(self._db):
            for row in ids:
                found = self.get(row)
                if found is not None and (found.stop is not None or not self._holds.is_held(row)):
                    texts.delete(self._db, [row])
                    removed.append(row)
        return removed

    @storing
    def clear(self) -> int:
        """Removes all rows but running ones; returns how many."""
        with transaction(self._db):
            rows = self._db.execute("SELECT id, complete FROM answers").fetchall()
            doomed = [row for row, complete in rows if complete or not self._holds.is_held(row)]
            texts.delete(self._db, doomed)
            return len(doomed)

    def positions(self) -> Positions:
        """What the same file keeps of logs that are followed; of use until this is closed."""
        return Positions(self._db, self._clock)

    @storing
    def sessions(self) -> "Sessions":
        """The conversations in the same file; of use until this is closed."""
        from streamcli.store.sessions import Sessions  # most runs have none

        if self._sessions is None:
            holds = Holds(self._folder / SESSIONS_LOCK_FILE)
            self._sessions = Sessions(self._db, holds, self.run, self._clock)
        return self._sessions

    def close(self) -> None:
        """Lets go of everything; what was removed leaves the disk. Never raises, and may be called again."""
        with contextlib.suppress(sqlite3.Error):
            if self._db.total_changes:
                texts.tidy(self._db)
        with contextlib.suppress(sqlite3.Error):
            self._db.close()
        with contextlib.suppress(OSError):
            self._holds.close()
        if self._sessions is not None:
            self._sessions.let_go_of_all()

    def _state(self, row: int, complete: int) -> State:
        if complete:
            return "complete"
        return "running" if self._holds.is_held(row) else "partial"

    def _entry(self, columns: tuple[int | str | None, ...] | None) -> Entry | None:
        if columns is None:
            return None
        row, key, size, complete, reason, category, *tokens = columns
        # SQLite keeps whatever is put into a column: what is of another kind is not ours.
        numbers = [checked(number, int) for number in tokens]
        stop = Stop(if_any(reason), if_any(category)) if complete else None
        return Entry(self._shelf, checked(row, int), checked(key, str), stop, Usage(*numbers), size=checked(size, int))
