"""What was typed in conversations on a terminal, for the arrow keys of later ones. Several may write at once."""

import sqlite3
from pathlib import Path

from streamcli.store.database import checked, open_database, state_dir, storing, transaction

# The last so many stay, and only what a person types: a text of more characters is rather a file that was pasted.
MAX_ENTRIES = 1_000
MAX_LENGTH = 16_384


class Typed:
    """Everything but `close` raises StoreError. For one thread at a time."""

    @storing
    def __init__(self, folder: Path | None = None) -> None:
        """Opens, and makes what is missing of, the database in `folder`; None is the user's state directory."""
        self._db: sqlite3.Connection = open_database(state_dir() if folder is None else folder)

    @storing
    def entries(self) -> list[str]:
        """The oldest first."""
        rows = self._db.execute("SELECT text FROM typed ORDER BY id DESC LIMIT ?", (MAX_ENTRIES,)).fetchall()
        return [checked(text, str) for (text,) in reversed(rows)]

    @storing
    def add(self, text: str) -> None:
        """Keeps it, unless it is the same as the last one or too long, and drops the oldest of too many."""
        if len(text) > MAX_LENGTH:
            return
        text = text.encode("utf-8", "replace").decode()  # SQLite takes no lone surrogates
        with transaction(self._db):
            self._db.execute(
                "INSERT INTO typed (text) SELECT ?1 WHERE ?1 IS NOT (SELECT text FROM typed ORDER BY id DESC LIMIT 1)",
                (text,),
            )
            self._db.execute(
                "DELETE FROM typed WHERE id <= (SELECT id FROM typed ORDER BY id DESC LIMIT 1 OFFSET ?)",
                (MAX_ENTRIES,),
            )

    def close(self) -> None:
        self._db.close()
