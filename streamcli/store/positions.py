"""How far each log that is followed has been analysed: a row a path.

Of two processes that follow the same file, the last one to write wins.
"""

import os
import sqlite3
from collections.abc import Callable, Iterable, Mapping

from streamcli.core.position import Position
from streamcli.store.database import checked, storing, transaction


class Positions:
    """Part of Answers, whose connection it uses: a process never opens the file twice. Everything raises StoreError."""

    def __init__(self, db: sqlite3.Connection, clock: Callable[[], float]) -> None:
        self._db = db
        self._clock = clock

    @storing
    def get(self, paths: Iterable[str]) -> dict[str, Position]:
        """Of these paths, those that have a position."""
        found = {}
        for path in paths:
            row = self._db.execute(
                "SELECT device, inode, offset, head_size, head FROM positions WHERE path = ?", (os.fsencode(path),)
            ).fetchone()
            if row is not None:
                device, inode, offset, head_size, head = row
                found[path] = Position(
                    int(checked(device, str)),
                    int(checked(inode, str)),
                    _size(offset),
                    _size(head_size),
                    checked(head, str),
                )
        return found

    @storing
    def put(self, positions: Mapping[str, Position]) -> None:
        """Keeps them by their paths, all or none, instead of earlier ones."""
        now = self._clock()
        with transaction(self._db):
            self._db.executemany(
                "INSERT OR REPLACE INTO positions VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (os.fsencode(path), str(at.device), str(at.inode), at.offset, at.head_size, at.head, now)
                    for path, at in positions.items()
                ],
            )

    @storing
    def forget(self, max_age: float) -> None:
        """Removes those that were not written for `max_age` seconds."""
        with transaction(self._db):
            self._db.execute("DELETE FROM positions WHERE updated < ?", (self._clock() - max_age,))


def _size(value: object) -> int:
    """A number of bytes. Raises TypeError, ValueError: SQLite keeps in a column whatever was put there."""
    size = checked(value, int)
    if size < 0:
        raise ValueError("negative size")
    return size
