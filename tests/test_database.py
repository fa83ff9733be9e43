"""The database file: private, made by whoever comes first, and never an exception of SQLite's or the system's."""

from __future__ import annotations

import hashlib
import os
import random
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from agents import Agent

from streamcli.store import database
from streamcli.store.database import (
    FILE,
    MIGRATIONS,
    StoreError,
    database_exists,
    open_database,
    state_dir,
    transaction,
)


@pytest.fixture
def agent() -> Iterator[Callable[[Path], Agent]]:
    made: list[Agent] = []

    def start(folder: Path) -> Agent:
        made.append(Agent(folder))
        return made[-1]

    yield start
    for each in made:
        each.kill()


@pytest.fixture(autouse=True)
def short_patience(monkeypatch):
    monkeypatch.setattr(database, "BUSY_TIMEOUT", 0.05)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def failure(folder: Path) -> str:
    with pytest.raises(StoreError) as raised:
        open_database(folder).close()
    return str(raised.value)


def test_everything_is_made_for_this_user_only(tmp_path):
    folder = tmp_path / "a" / "b" / "streamcli"
    umask = os.umask(0)
    try:
        with closing(open_database(folder)) as db:
            db.execute("UPDATE waste SET bytes = 1")
            assert {path.name: mode(path) for path in folder.iterdir()} == dict.fromkeys(
                (FILE, FILE + "-wal", FILE + "-shm"), 0o600
            )
    finally:
        os.umask(umask)
    assert [mode(path) for path in (folder, folder.parent, folder.parent.parent)] == [0o700] * 3


def test_what_is_ours_and_wider_is_made_private(tmp_path):
    folder = tmp_path / "streamcli"
    open_database(folder).close()
    folder.chmod(0o755)
    (folder / FILE).chmod(0o644)
    open_database(folder).close()
    assert (mode(folder), mode(folder / FILE)) == (0o700, 0o600)


def test_a_directory_that_is_the_users_choice_keeps_its_mode(tmp_path):
    tmp_path.chmod(0o755)
    open_database(tmp_path).close()
    assert (mode(tmp_path), mode(tmp_path / FILE)) == (0o755, 0o600)


def test_a_directory_that_all_share_is_left_as_it_is(tmp_path):
    tmp_path.chmod(0o1777)
    assert failure(tmp_path) == "the directory is shared with other users"
    assert mode(tmp_path) == 0o1777
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_what_belongs_to_another_user_is_not_touched(tmp_path):
    folder = tmp_path / "state"
    open_database(folder).close()
    os.chown(folder / FILE, 12345, -1)
    assert failure(folder) == "the file belongs to another user"
    os.chown(folder, 12345, -1)
    assert failure(folder) == "the directory belongs to another user"


def test_the_connection_is_set_up(tmp_path):
    with closing(open_database(tmp_path)) as db:
        settings = ("journal_mode", "synchronous", "secure_delete", "user_version", "busy_timeout")
        assert [db.execute(f"PRAGMA {name}").fetchone()[0] for name in settings] == ["wal", 1, 1, len(MIGRATIONS), 100]
        assert db.isolation_level is None


def test_what_is_there_stays_when_it_is_opened_again(tmp_path):
    with closing(open_database(tmp_path)) as db:
        db.execute("UPDATE waste SET bytes = 42")
    with closing(open_database(tmp_path)) as db:
        assert db.execute("SELECT bytes FROM waste").fetchall() == [(42,)]


def test_what_was_released_never_changes():
    """Nobody's file of that version would be migrated again."""
    assert hashlib.sha256(repr(MIGRATIONS[0]).encode()).hexdigest() == (
        "557201da3500225305187ccb6e5c9ff5d1dbdbd24ff8dd6611fce47dccfb22e4"
    )


def test_a_second_migration_is_made_on_top_of_the_first(tmp_path, monkeypatch):
    with closing(open_database(tmp_path)) as db:
        db.execute("UPDATE waste SET bytes = 42")
    monkeypatch.setattr(database, "MIGRATIONS", (*MIGRATIONS, ("CREATE TABLE later AS SELECT bytes FROM waste",)))
    with closing(open_database(tmp_path)) as db:
        assert db.execute("SELECT bytes FROM later").fetchall() == [(42,)]
        assert db.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS) + 1,)


def test_a_migration_that_fails_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(database, "MIGRATIONS", (("CREATE TABLE half (x)", "this is no SQL"),))
    assert "syntax error" in failure(tmp_path)
    with closing(sqlite3.connect(tmp_path / FILE)) as db:
        assert db.execute("SELECT name FROM sqlite_schema").fetchall() == []


def test_many_fresh_processes_may_make_it_at_once(tmp_path, agent):
    folder = tmp_path / "state" / "streamcli"
    agents = [agent(folder) for _ in range(8)]
    for each in agents:
        each.do("database.BUSY_TIMEOUT = 20.0")  # what is tested is that they try again; the machine may be slow
    for each in agents:
        each.tell("db = open_database(folder)")
    assert [each.hear() for each in agents] == [None] * 8
    for each in agents:
        each.do("db.execute('UPDATE waste SET bytes = bytes + 1')")
    assert agents[0].ask("db.execute('SELECT bytes FROM waste').fetchall()") == [(8,)]


def test_a_file_in_the_way_of_the_directory(tmp_path):
    (tmp_path / "file").write_text("x")
    assert failure(tmp_path / "file") == "Not a directory"
    assert failure(tmp_path / "file" / "below") == "Not a directory"
    assert failure(Path("/dev/null/streamcli")) == "Not a directory"


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no /proc")
def test_a_place_where_nothing_can_be_made():
    assert failure(Path("/proc/streamcli")) == "No such file or directory"


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("/dev/null")])
def test_what_is_no_regular_file_is_refused(tmp_path, make):
    make(tmp_path / FILE)
    assert failure(tmp_path) == "the file is not a regular file"


def test_a_link_that_leads_nowhere_is_not_followed(tmp_path):
    (tmp_path / FILE).symlink_to(tmp_path / "elsewhere")
    assert failure(tmp_path) == "the file is not a regular file"
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("size", [5, 100, 5000, 100_000])
def test_what_is_no_database_is_left_alone(tmp_path, size):
    noise = random.Random(size).randbytes(size)
    (tmp_path / FILE).write_bytes(noise)
    assert failure(tmp_path) == "the file is damaged (file is not a database)"
    assert (tmp_path / FILE).read_bytes() == noise


@pytest.mark.parametrize("size", [100, 4096, 6000, 20_000])
def test_a_database_that_was_cut_off_is_left_alone(tmp_path, size):
    with closing(open_database(tmp_path)) as db:
        db.execute("INSERT INTO chunks (answer, text) VALUES (1, ?)", ("x" * 30_000,))
    os.truncate(tmp_path / FILE, size)
    before = (tmp_path / FILE).read_bytes()
    assert failure(tmp_path).startswith("the file is damaged (")
    assert (tmp_path / FILE).read_bytes() == before


def test_an_empty_file_becomes_a_database(tmp_path):
    (tmp_path / FILE).touch(0o600)
    with closing(open_database(tmp_path)) as db:
        assert db.execute("SELECT count(*) FROM answers").fetchone() == (0,)


def test_a_newer_file_is_left_alone(tmp_path):
    with closing(open_database(tmp_path)) as db:
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    before = (tmp_path / FILE).read_bytes()
    assert failure(tmp_path) == "the file was made by a newer streamcli"
    assert (tmp_path / FILE).read_bytes() == before


def test_a_file_that_another_process_keeps_locked(tmp_path, agent):
    other = agent(tmp_path)
    other.do("db = sqlite3.connect(folder / 'streamcli.db', isolation_level=None)")
    other.do("db.execute('BEGIN EXCLUSIVE')")
    assert failure(tmp_path) == "the file is locked by another process"
    other.do("db.execute('COMMIT')")
    open_database(tmp_path).close()


def test_a_lock_that_goes_away_in_time_does_not_matter(tmp_path, agent, monkeypatch):
    """The wait is ours, not SQLite's: while the log is set up, its busy handler is never asked."""
    other = agent(tmp_path)
    other.do("db = sqlite3.connect(folder / 'streamcli.db', isolation_level=None)")
    other.do("db.execute('BEGIN EXCLUSIVE')")
    tries: list[float] = []

    def wait(seconds: float) -> None:
        tries.append(seconds)
        if len(tries) == 3:
            other.do("db.execute('COMMIT')")

    monkeypatch.setattr(database, "BUSY_TIMEOUT", 60.0)
    monkeypatch.setattr(database.time, "sleep", wait)
    open_database(tmp_path).close()
    assert len(tries) == 3


def test_who_writes_is_alone_from_the_start(tmp_path, agent):
    """What is read in a transaction is still so when it is written."""
    other = agent(tmp_path)
    other.do("database.BUSY_TIMEOUT = 0.0; answers = Answers(folder)")
    with closing(open_database(tmp_path)) as db:
        with transaction(db):
            assert other.fail("answers.begin('k', 'chat', 'm')") == "StoreError: the file is locked by another process"
        other.do("answers.begin('k', 'chat', 'm')")


def test_a_transaction_is_all_or_nothing(tmp_path):
    def half(db: sqlite3.Connection) -> None:
        with transaction(db):
            db.execute("UPDATE waste SET bytes = 42")
            raise ValueError

    with closing(open_database(tmp_path)) as db:
        with pytest.raises(ValueError, match=r"^$"):
            half(db)
        with transaction(db):
            assert db.execute("SELECT bytes FROM waste").fetchone() == (0,)


@pytest.mark.parametrize(
    ("code", "clause"),
    [
        (sqlite3.SQLITE_BUSY_RECOVERY, "the file is locked by another process"),
        (sqlite3.SQLITE_LOCKED, "the file is locked by another process"),
        (sqlite3.SQLITE_CORRUPT_INDEX, "the file is damaged (some words)"),
        (sqlite3.SQLITE_READONLY_CANTINIT, "the file, or its file system, is read-only"),
        (sqlite3.SQLITE_FULL, "No space left on device"),
        (sqlite3.SQLITE_IOERR_WRITE, "some words"),
    ],
)
def test_what_sqlite_says_becomes_a_clause(code, clause):
    error = sqlite3.OperationalError("some words")
    error.sqlite_errorcode = code

    @database.storing
    def fail() -> None:
        raise error

    with pytest.raises(StoreError) as raised:
        fail()
    assert str(raised.value) == clause


def test_a_full_disk(tmp_path, agent):
    other = agent(tmp_path)
    other.do("signal.signal(signal.SIGXFSZ, signal.SIG_IGN)")
    other.do("resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))")
    assert other.fail("open_database(folder)").startswith("StoreError: ")


def test_the_state_directory(monkeypatch, tmp_path):
    monkeypatch.setenv("STREAMCLI_STATE_DIR", str(tmp_path))
    assert state_dir() == tmp_path
    monkeypatch.setenv("STREAMCLI_STATE_DIR", "some/where")
    with pytest.raises(StoreError, match="STREAMCLI_STATE_DIR is not an absolute path"):
        state_dir()
    monkeypatch.setenv("STREAMCLI_STATE_DIR", "")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert state_dir().is_relative_to(tmp_path)
    assert "streamcli" in state_dir().name


def test_a_user_without_a_home(monkeypatch):
    monkeypatch.delenv("STREAMCLI_STATE_DIR", raising=False)
    monkeypatch.setattr("platformdirs.user_state_dir", lambda name: f"~/.local/state/{name}")
    with pytest.raises(StoreError, match="there is no home directory"):
        state_dir()


def test_looking_for_it_makes_nothing(tmp_path):
    assert not database_exists(tmp_path / "state")
    assert not database_exists(tmp_path / "file" / "below")
    assert list(tmp_path.iterdir()) == []
    open_database(tmp_path).close()
    assert database_exists(tmp_path)
