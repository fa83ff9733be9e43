"""How far each log that is followed has been analysed: a row a path and command.

Of two processes that follow the same file with the same command, the last one to write wins.
"""

import os
import sqlite3
from collections.abc import Callable, Iterable, Mapping

from streamcli.core.position import Kept, Position
from streamcli.store.database import checked, storing, transaction


class Positions:
    """Part of Answers, whose connection it uses: a process never opens the file twice. Everything raises StoreError.

    A key is a path, and may have a NUL and more after it, to tell commands apart.
    """

    def __init__(self, db: sqlite3.Connection, clock: Callable[[], float]) -> None:
        self._db = db
        self._clock = clock

    @storing
    def get(self, keys: Iterable[str]) -> dict[str, Kept]:
        """Of these keys, those that have a position."""
        found = {}
        for key in keys:
            row = self._db.execute(
                "SELECT device, inode, offset, head_size, head, anchor, updated FROM positions WHERE path = ?",
                (os.fsencode(key),),
            ).fetchone()
            if row is not None:
                device, inode, offset, head_size, head, anchor, updated = row
                position = Position(
                    int(checked(device, str)),
                    int(checked(inode, str)),
                    _size(offset),
                    _size(head_size),
                    checked(head, str),
                    checked(anchor, str),
                )
                found[key] = Kept(position, checked(updated, float))
        return found

    @storing
    def put(self, positions: Mapping[str, Position]) -> None:
        """Keeps them by their keys, all or none, instead of earlier ones."""
        now = self._clock()
        with transaction(self._db):
            self._db.executemany(
                "INSERT OR REPLACE INTO positions (path, device, inode, offset, head_size, head, anchor, updated)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (os.fsencode(key), str(at.device), str(at.inode), at.offset, at.head_size, at.head, at.anchor, now)
                    for key, at in positions.items()
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
