"""The text of answers, in chunks, and how it leaves the disk.

SQLite's secure_delete overwrites what is deleted, but not the copies that stay in the gaps of pages where it moves rows
to other ones: when a page is split in the middle, or deletion empties pages beside. So no row is moved here: chunks
are only added at the end, what is removed is overwritten in its place, and now and then everything is written anew.
"""

import contextlib
import sqlite3
from collections.abc import Iterable

from streamcli.store.database import empty_log, transaction

# Chunks that are read at once: an answer is never in memory as a whole.
BATCH = 256
# Characters of an answer that a summary shows.
BEGINNING = 80
# Bytes of overwritten text that are left lying, at least; and as many as there are of text.
MAX_WASTE = 1 << 18
# Bytes of text that are moved while a run goes on: some 20 ms.
MAX_TO_REWRITE = 4_000_000
_OVERHEAD = 20  # bytes that a chunk takes besides its text


def size(text: str) -> int:
    """Bytes of UTF-8."""
    return len(text) if text.isascii() else len(text.encode())


def add(db: sqlite3.Connection, answer: int, text: str) -> None:
    """One chunk more."""
    db.execute("INSERT INTO chunks (answer, text) VALUES (?, ?)", (answer, text))


def batch(db: sqlite3.Connection, answer: int, after: int) -> list[tuple[int, str]]:
    """Some chunks of `answer`, each with its number, from the first one with a number larger than `after` on.

    There is none any more where another process has removed the answer: zeros do not count.
    """
    return db.execute(
        "SELECT id, text FROM chunks WHERE answer = ? AND id > ? AND typeof(text) = 'text' ORDER BY id LIMIT ?",
        (answer, after, BATCH),
    ).fetchall()


def beginning(db: sqlite3.Connection, answer: int) -> str:
    """At most BEGINNING characters; no chunk is empty, so as many chunks are enough."""
    chunks = db.execute("SELECT text FROM chunks WHERE answer = ? ORDER BY id LIMIT ?", (answer, BEGINNING))
    return "".join(text for (text,) in chunks)[:BEGINNING]


def delete(db: sqlite3.Connection, answers: Iterable[int]) -> None:
    """Deletes rows of answers; of their chunks, zeros stay. To be called in a transaction."""
    for answer in answers:
        # A value of the same size is written in its place.
        chunks = db.execute(
            "UPDATE chunks SET text = zeroblob(length(CAST(text AS BLOB))) WHERE answer = ?", (answer,)
        ).rowcount
        db.execute(
            "UPDATE waste SET bytes = bytes + ? + coalesce((SELECT bytes FROM answers WHERE id = ?), 0)",
            (chunks * _OVERHEAD, answer),
        )
        db.execute("DELETE FROM answers WHERE id = ?", (answer,))


def tidy(db: sqlite3.Connection) -> None:
    """Takes what was removed out of the log too, and the zeros out of the file where they are many.

    Where another process is in the way, or the disk is full, a later run will do it.
    """
    if _has_much_waste(db):
        write_anew(db)
    empty_log(db)


def tidy_in_passing(db: sqlite3.Connection) -> None:
    """The same for a run that goes on and cannot wait: a long one must not collect here what it has removed."""
    if _has_much_waste(db, at_most=MAX_TO_REWRITE):
        write_anew(db)
    empty_log(db, wait=False)


def write_anew(db: sqlite3.Connection) -> None:
    """All that is there, without what was removed; where that cannot be done now, a later run will do it."""
    with contextlib.suppress(sqlite3.Error):
        with transaction(db):
            db.execute("DELETE FROM chunks WHERE answer NOT IN (SELECT id FROM answers)")
        db.execute("VACUUM")  # other rows have been moved: no page stays as it was
        db.execute("UPDATE waste SET bytes = 0")  # not sooner: what fails is to be tried again


def _has_much_waste(db: sqlite3.Connection, at_most: int | None = None) -> bool:
    """Whether it is worth the while; not if there are more than `at_most` bytes of text to be moved."""
    (waste, live) = db.execute("SELECT bytes, (SELECT coalesce(sum(bytes), 0) FROM answers) FROM waste").fetchone()
    return bool(waste > max(live, MAX_WASTE)) and (at_most is None or live <= at_most)
