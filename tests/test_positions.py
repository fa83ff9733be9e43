"""How far logs have been analysed: kept in the same file as the answers, for the next run."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from agents import Agent
from hypothesis import given, settings
from hypothesis import strategies as st

from streamcli.core.position import HEAD_BYTES, Kept, Position
from streamcli.store import database
from streamcli.store.answers import Answers
from streamcli.store.database import FILE, MIGRATIONS, StoreError, open_database

BASE = Position(device=64769, inode=1234, offset=5000, head_size=HEAD_BYTES, head="ab" * 32, anchor="cd" * 32)
sizes = st.integers(0, 2**63 - 1)
numbers = st.integers(0, 2**64 - 1)  # what the system may give
digests = st.text("0123456789abcdef", max_size=64)
positions = st.builds(Position, numbers, numbers, sizes, sizes, digests, digests)
keys = st.binary(min_size=1, max_size=40).map(os.fsdecode)  # with a NUL before what is not of the path


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Callable[[], Agent]]:
    made: list[Agent] = []

    def start() -> Agent:
        made.append(Agent(tmp_path))
        made[-1].do("from streamcli.core.position import Position; answers = Answers(folder)")
        made[-1].do("kept = answers.positions()")
        return made[-1]

    yield start
    for each in made:
        each.kill()


@pytest.fixture
def answers(tmp_path: Path) -> Iterator[Answers]:
    with closing(Answers(tmp_path)) as answers:
        yield answers


def at(offset):
    return replace(BASE, offset=offset)


def got(kept, *keys):
    return {key: found.position for key, found in kept.get(keys).items()}


# --- kept ---


def test_only_what_was_put_can_be_got(answers):
    kept = answers.positions()
    assert got(kept, "/log/a", "/log/b") == {}
    kept.put({"/log/a": BASE})
    assert got(kept, "/log/a", "/log/b") == {"/log/a": BASE}
    assert got(kept) == {}


def test_the_last_one_counts(answers):
    kept = answers.positions()
    kept.put({"/log/a": at(1), "/log/b": at(2)})
    kept.put({"/log/a": at(3)})
    assert got(kept, "/log/a", "/log/b") == {"/log/a": at(3), "/log/b": at(2)}


def test_another_run_finds_it(tmp_path):
    with closing(Answers(tmp_path)) as answers:
        answers.positions().put({"/log/a": BASE})
    with closing(Answers(tmp_path)) as answers:
        assert got(answers.positions(), "/log/a") == {"/log/a": BASE}


@pytest.fixture(scope="module")
def any_answers(tmp_path_factory) -> Iterator[Answers]:
    with closing(Answers(tmp_path_factory.mktemp("state"))) as answers:
        yield answers


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(keys, positions, max_size=5))
def test_whatever_the_system_calls_a_file(any_answers, some):
    any_answers.positions().put(some)
    assert got(any_answers.positions(), *some) == some


def test_all_or_none(answers):
    kept = answers.positions()
    with pytest.raises(StoreError, match="a number is too large for it"):
        kept.put({"/log/a": at(1), "/log/b": at(2**63)})
    assert got(kept, "/log/a", "/log/b") == {}


def test_old_ones_are_forgotten(tmp_path):
    now = [1000.0]
    with closing(Answers(tmp_path, clock=lambda: now[0])) as answers:
        kept = answers.positions()
        kept.put({"/log/old": at(1), "/log/still": at(1)})
        now[0] += 50
        kept.put({"/log/still": at(2)})
        now[0] += 50
        kept.forget(100)
        assert set(kept.get(["/log/old", "/log/still"])) == {"/log/old", "/log/still"}
        kept.forget(99)
        assert got(kept, "/log/old", "/log/still") == {"/log/still": at(2)}


def test_answers_and_positions_leave_each_other_alone(answers):
    entry = answers.begin("key", "analyze", "model")
    entry.append("text")
    answers.positions().put({"/log/a": BASE})
    answers.clear()
    answers.evict(0, -1)
    answers.tidy()
    answers.positions().forget(-1)
    assert answers.get(entry.id) is not None
    answers.positions().put({"/log/a": BASE})
    answers.clear()
    answers.evict(0, -1)
    assert got(answers.positions(), "/log/a") == {"/log/a": BASE}


def test_paths_are_for_this_user_only(tmp_path, answers):
    answers.positions().put({"/log/secret-customer": BASE})
    assert all(path.stat().st_mode & 0o077 == 0 for path in tmp_path.iterdir())


# --- what may be wrong ---


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("device", "x"),
        ("inode", b"1"),
        ("offset", "far"),
        ("offset", -1),
        ("head_size", -1),
        ("head", b"ab"),
        ("anchor", b"ab"),
        ("updated", "now"),
    ],
)
def test_what_no_streamcli_wrote(tmp_path, answers, column, value):
    answers.positions().put({"/log/a": BASE})
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as db:
        db.execute(f"UPDATE positions SET {column} = ?", (value,))
    with pytest.raises(StoreError, match="the file is damaged"):
        answers.positions().get(["/log/a"])


def test_after_the_store_is_closed(tmp_path):
    answers = Answers(tmp_path)
    kept = answers.positions()
    answers.close()
    for action in (lambda: kept.get(["/log/a"]), lambda: kept.put({"/log/a": BASE}), lambda: kept.forget(1)):
        with pytest.raises(StoreError):
            action()


def test_a_store_that_another_process_locks(tmp_path, answers, agent, monkeypatch):
    monkeypatch.setattr(database, "BUSY_TIMEOUT", 0.05)
    other = agent()
    other.do("db = answers._db; db.execute('BEGIN IMMEDIATE')")
    with pytest.raises(StoreError, match="the file is locked by another process"):
        answers.positions().put({"/log/a": BASE})
    other.do("db.execute('COMMIT')")
    answers.positions().put({"/log/a": BASE})


def test_of_two_processes_the_last_one_wins(answers, agent):
    one, two = agent(), agent()
    for each in (one, two):
        each.do("database.BUSY_TIMEOUT = 20.0")  # the machine may be slow
    for number, each in enumerate((one, two)):
        each.tell(f"[kept.put({{'/log/a': Position(1, {number}, at, at, 'x')}}) for at in range(100)]; kept.put({{}})")
    assert [one.hear(), two.hear()] == [None, None]
    (last,) = got(answers.positions(), "/log/a").values()
    assert last.offset == last.head_size == 99
    two.do("kept.put({'/log/a': Position(1, 7, 5, 5, 'y')})")
    assert got(answers.positions(), "/log/a") == {"/log/a": Position(1, 7, 5, 5, "y")}


# --- from one version of the file to the next ---


def test_a_file_of_the_first_version_is_upgraded_without_loss(tmp_path, monkeypatch):
    with monkeypatch.context() as earlier:
        earlier.setattr(database, "MIGRATIONS", MIGRATIONS[:1])
        with closing(Answers(tmp_path)) as answers:
            entry = answers.begin("key", "chat", "model")
            entry.append("what was paid for")
    with closing(Answers(tmp_path)) as answers:
        assert "".join(answers.get(entry.id).text()) == "what was paid for"
        answers.positions().put({"/log/a": BASE})
        assert got(answers.positions(), "/log/a") == {"/log/a": BASE}


def test_positions_of_the_second_version_have_no_anchor(tmp_path, monkeypatch):
    with monkeypatch.context() as earlier:
        earlier.setattr(database, "MIGRATIONS", MIGRATIONS[:2])
        with closing(open_database(tmp_path)) as db:
            db.execute("INSERT INTO positions VALUES (?, '1', '2', 3, 4, 'ab', 5.0)", (b"/log/a",))
    with closing(Answers(tmp_path)) as answers:
        assert answers.positions().get(["/log/a"]) == {"/log/a": Kept(Position(1, 2, 3, 4, "ab"), 5.0)}


def test_when_it_was_kept(tmp_path):
    with closing(Answers(tmp_path, clock=lambda: 1000.5)) as answers:
        answers.positions().put({"/log/a": BASE})
        assert answers.positions().get(["/log/a"]) == {"/log/a": Kept(BASE, 1000.5)}


def test_an_earlier_program_leaves_an_upgraded_file_alone(tmp_path, monkeypatch):
    open_database(tmp_path).close()
    before = (tmp_path / FILE).read_bytes()
    monkeypatch.setattr(database, "MIGRATIONS", MIGRATIONS[:1])
    with pytest.raises(StoreError, match="made by a newer streamcli"):
        open_database(tmp_path)
    assert (tmp_path / FILE).read_bytes() == before
