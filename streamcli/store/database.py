"""The one SQLite file in the state directory: private, in WAL mode, its schema up to date.

Nothing here opens a database file that exists already but SQLite itself: closing such a descriptor would drop the
POSIX locks of every connection of this process, and another process could then reset the log under their feet.
"""

import contextlib
import errno
import functools
import os
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

FILE = "streamcli.db"
# Seconds that another process's lock is waited for; each is held for milliseconds, so longer means stuck.
BUSY_TIMEOUT = 1.0
# Seconds that SQLite waits by itself. It looks ever more seldom, and starves among busy writers, so that is begun anew.
_BUSY_HANDLER = 0.1
_POLL = 0.005  # seconds between two tries where its busy handler is not asked

# One entry a version of the file, each a list of statements. Those that were released never change.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE answers (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            key TEXT NOT NULL,
            verb TEXT NOT NULL,
            model TEXT NOT NULL,
            run TEXT NOT NULL,
            created REAL NOT NULL,
            updated REAL NOT NULL,
            bytes INTEGER NOT NULL DEFAULT 0,
            complete INTEGER NOT NULL DEFAULT 0,
            cached INTEGER NOT NULL DEFAULT 0,
            stop_reason TEXT,
            stop_category TEXT,
            input_tokens INTEGER NOT NULL DEFAULT 0,
            output_tokens INTEGER NOT NULL DEFAULT 0,
            cache_read_tokens INTEGER NOT NULL DEFAULT 0,
            cache_write_tokens INTEGER NOT NULL DEFAULT 0
        )""",
        "CREATE INDEX answers_by_key ON answers (key)",
        # No foreign key: the chunks of a deleted answer stay for a while, overwritten (see store/texts.py).
        "CREATE TABLE chunks (id INTEGER PRIMARY KEY, answer INTEGER NOT NULL, text TEXT NOT NULL)",
        "CREATE INDEX chunks_by_answer ON chunks (answer)",
        "CREATE TABLE waste (bytes INTEGER NOT NULL)",
        "INSERT INTO waste VALUES (0)",
    ),
    (
        # A path is bytes to the system, and may be no text. Numbers of devices and inodes are unsigned, and may be
        # larger than SQLite's integers.
        """CREATE TABLE positions (
            path BLOB PRIMARY KEY,
            device TEXT NOT NULL,
            inode TEXT NOT NULL,
            offset INTEGER NOT NULL,
            head_size INTEGER NOT NULL,
            head TEXT NOT NULL,
            updated REAL NOT NULL
        )""",
    ),
    ("ALTER TABLE positions ADD COLUMN anchor TEXT NOT NULL DEFAULT ''",),
)


class StoreError(Exception):
    """The store cannot be used. str() is one clause for a notice: "the file is locked by another process"."""


def storing(function: Callable[P, R]) -> Callable[P, R]:
    """`function`, with what SQLite and the file system raise turned into StoreError."""

    @functools.wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except (sqlite3.Error, OSError, OverflowError, TypeError, ValueError) as error:
            raise StoreError(_clause(error)) from error

    return guarded


def state_dir() -> Path:
    """The directory of the database; it may not exist yet. STREAMCLI_STATE_DIR, or the platform's.

    Raises StoreError where the first is relative, or where the user has no home directory.
    """
    chosen = os.environ.get("STREAMCLI_STATE_DIR")
    if chosen:
        if not os.path.isabs(chosen):
            raise StoreError("STREAMCLI_STATE_DIR is not an absolute path")
        return Path(chosen)
    import platformdirs

    folder = platformdirs.user_state_dir("streamcli")
    if not os.path.isabs(folder):
        raise StoreError("there is no home directory")
    return Path(folder)


def database_exists(folder: Path) -> bool:
    """Whether there is something to open, for those who would not make it."""
    return os.path.lexists(folder / FILE)


@storing
def open_database(folder: Path) -> sqlite3.Connection:
    """A connection in autocommit mode to the database in `folder`; both are made, for this user only, if missing.

    It may be used from any thread, by one at a time. Raises StoreError; a file that cannot be used is left alone.
    """
    _make_private(folder)
    path = folder / FILE
    _create(path)
    db = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
    try:
        _set_up(db)
    except BaseException:
        db.close()
        raise
    return db


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """The block writes, alone among all processes, and all of it or nothing."""
    _patiently(lambda: db.execute("BEGIN IMMEDIATE"))
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # SQLite ends it itself after some errors
            db.execute("ROLLBACK")
        raise


def empty_log(db: sqlite3.Connection, *, wait: bool = True) -> None:
    """Takes removed text out of the log as well, unless another process is in the way: a later one will do it then."""
    _set_handler(db, BUSY_TIMEOUT if wait else 0)
    with contextlib.suppress(sqlite3.OperationalError):
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    _set_handler(db, _BUSY_HANDLER)


def check_own_file(status: os.stat_result) -> None:
    """Raises StoreError for what somebody else may have put there."""
    if not stat.S_ISREG(status.st_mode):
        raise StoreError("the file is not a regular file")
    if status.st_uid != os.geteuid():
        raise StoreError("the file belongs to another user")


def _make_private(folder: Path) -> None:
    """Makes `folder`, and those above it that are missing, for this user only; one of our name is made so.

    Another that exists is the user's own choice, and may hold what others are to see: the files in it are private.
    """
    for missing in reversed([folder, *folder.parents]):
        if not missing.exists():
            missing.mkdir(0o700, exist_ok=True)  # another process may have been faster
    status = folder.stat()
    if not stat.S_ISDIR(status.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    if status.st_uid != os.geteuid():
        raise StoreError("the directory belongs to another user")
    if status.st_mode & stat.S_ISVTX:  # /tmp itself, for root: to close it would be worse than to go without
        raise StoreError("the directory is shared with other users")
    if status.st_mode & 0o077 and folder.name == "streamcli":
        folder.chmod(0o700)


def _create(path: Path) -> None:
    """Makes the file with its permissions, which SQLite gives to the log's files too; one that exists is looked at."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        status = path.lstat()
        check_own_file(status)
        if status.st_mode & 0o077:
            path.chmod(0o600)


def _set_up(db: sqlite3.Connection) -> None:
    """Configures and migrates."""

    def attempt() -> None:
        _check_version(db)  # before anything is written to it
        _configure(db)
        _migrate(db)

    _patiently(attempt)
    _set_handler(db, _BUSY_HANDLER)


def _patiently(action: Callable[[], object]) -> None:
    """Tries again while another process holds a lock: not at all steps does SQLite ask its busy handler."""
    give_up = None
    while True:
        try:
            action()
            return
        except sqlite3.OperationalError as error:
            now = time.monotonic()
            give_up = give_up or now + BUSY_TIMEOUT
            if not _is_busy(error) or now >= give_up:
                raise
            time.sleep(_POLL)


def _set_handler(db: sqlite3.Connection, seconds: float) -> None:
    db.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")


def _configure(db: sqlite3.Connection) -> None:
    db.execute("PRAGMA synchronous = NORMAL")
    db.execute("PRAGMA secure_delete = ON")
    (mode,) = db.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise StoreError("the file system there cannot share a log between processes")


def _migrate(db: sqlite3.Connection) -> None:
    if _version(db) < len(MIGRATIONS):
        with transaction(db):
            for statements in MIGRATIONS[_version(db) :]:  # read again: another process may have been faster
                for statement in statements:
                    db.execute(statement)
            db.execute(f"PRAGMA user_version = {max(_version(db), len(MIGRATIONS))}")
    _check_version(db)


def _check_version(db: sqlite3.Connection) -> None:
    if _version(db) > len(MIGRATIONS):
        raise StoreError("the file was made by a newer streamcli")


def _version(db: sqlite3.Connection) -> int:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    return int(version)


def _is_busy(error: sqlite3.Error) -> bool:
    return _code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL)


def _code(error: sqlite3.Error) -> int:
    """SQLite's primary result code; 0 where the error is the Python module's own."""
    return (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF


def _clause(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    if isinstance(error, OverflowError):
        return "a number is too large for it"
    if not isinstance(error, sqlite3.Error):
        return f"the file is damaged ({error})"  # it has what no streamcli wrote
    if _is_busy(error):
        return "the file is locked by another process"
    match _code(error):
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return f"the file is damaged ({error})"
        case sqlite3.SQLITE_FULL:
            return os.strerror(errno.ENOSPC)
        case sqlite3.SQLITE_READONLY:
            return "the file, or its file system, is read-only"
    return str(error)


def checked(value: object, kind: type[T]) -> T:
    """`value`, which is of that kind. Raises TypeError: SQLite keeps in a column whatever was put there."""
    if not isinstance(value, kind):
        raise TypeError(f"{type(value).__name__} where there should be {kind.__name__}")
    return value


def if_any(value: object) -> str | None:
    """A text that may be missing. Raises TypeError."""
    return None if value is None else checked(value, str)
