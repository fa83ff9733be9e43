"""One answer on disk: a row, and its text in chunks."""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass

from streamcli.core.events import Stop, Usage
from streamcli.core.surrogates import mend_surrogates
from streamcli.store import texts
from streamcli.store.database import StoreError, storing, transaction
from streamcli.store.holds import Holds


@dataclass(frozen=True, slots=True)
class Shelf:
    """What the answers of one run share. `clock` gives seconds since the epoch, `run` is the run's name."""

    db: sqlite3.Connection
    holds: Holds
    clock: Callable[[], float]
    run: str


class Entry:
    """One answer. `stop` is None while it is partial; `size` is that of its text, in bytes of UTF-8.

    Only one that is held, from `begin` or `partial`, may be written to.
    """

    def __init__(self, shelf: Shelf, id: int, key: str, stop: Stop | None, usage: Usage, size: int) -> None:
        self.id = id
        self.stop = stop
        self.usage = usage
        self.size = size
        self._shelf = shelf
        self._db = shelf.db
        self._key = key

    def text(self) -> Iterator[str]:
        """The text in its order, piece by piece. Raises StoreError, also when it turns out to be gone meanwhile."""
        missing = self.size
        last = 0
        while batch := storing(texts.batch)(self._db, self.id, last):
            last = batch[-1][0]
            for _, text in batch:
                missing -= texts.size(text)
                yield text
        if missing > 0:  # a shorter answer must not pass for a complete one
            raise StoreError("the answer was removed while it was read")

    @storing
    def append(self, text: str) -> None:
        """More of it: on disk, as far as the death of this process goes, when this returns."""
        if not text:
            return
        text = mend_surrogates(text)
        size = self.size + texts.size(text)
        with transaction(self._db):
            texts.add(self._db, self.id, text)
            self._db.execute(
                "UPDATE answers SET bytes = ?, updated = ? WHERE id = ?", (size, self._shelf.clock(), self.id)
            )
        self.size = size

    @storing
    def finish(self, stop: Stop, usage: Usage, *, cached: bool) -> None:
        """It is complete from now on. One that is cached is let go; another is held until the run is over.

        Other rows of its request that are of no use any more are removed.
        """
        with transaction(self._db):
            self._db.execute(
                "UPDATE answers SET complete = 1, cached = ?, stop_reason = ?, stop_category = ?, input_tokens = ?, "
                "output_tokens = ?, cache_read_tokens = ?, cache_write_tokens = ?, updated = ? WHERE id = ?",
                (cached, stop.reason, stop.category, *astuple(usage), self._shelf.clock(), self.id),
            )
            self._delete_superseded()
        self.stop, self.usage = stop, usage
        if cached:
            self._shelf.holds.let_go(self.id)

    @storing
    def adopt(self, *, cached: bool) -> None:
        """This run has found it complete: it goes with this run (see Answers.forget_run), or is cached from now on.

        What another run holds stays that one's.
        """
        with transaction(self._db):
            if self._shelf.holds.take(self.id):
                self._db.execute(
                    "UPDATE answers SET run = ?, cached = cached OR ? WHERE id = ?",
                    (self._shelf.run, cached, self.id),
                )

    @storing
    def remove(self) -> None:
        """It is gone, and so are other rows of its request that are of no use any more."""
        with transaction(self._db):
            texts.delete(self._db, [self.id])
            self._delete_superseded()
        self._shelf.holds.let_go(self.id)
        texts.tidy_in_passing(self._db)

    @storing
    def release(self) -> None:
        """Lets go: what is there stays, to be resumed."""
        self._shelf.holds.let_go(self.id)

    def _delete_superseded(self) -> None:
        """The other rows of its key that are not cached and that no living run holds: partial, or of failed runs."""
        rows = self._db.execute(
            "SELECT id FROM answers WHERE key = ? AND id != ? AND NOT cached", (self._key, self.id)
        ).fetchall()
        texts.delete(self._db, [row for (row,) in rows if not self._shelf.holds.is_held(row)])
