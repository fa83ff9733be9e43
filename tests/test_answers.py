"""Answers on disk: what is kept, what is not, and who may have it, with real processes that are really killed."""

from __future__ import annotations

import itertools
import os
import random
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from agents import Agent
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from streamcli.commands import answers as commands
from streamcli.config import AnswersSettings
from streamcli.core.events import Stop, Usage
from streamcli.errors import InputError
from streamcli.store import database, texts
from streamcli.store.answers import Answers
from streamcli.store.database import FILE, StoreError
from streamcli.store.entries import Entry

END = Stop("end_turn")
USAGE = Usage(1, 2, 3, 4)
SECRET = "the text that nobody is to find"


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def answers(tmp_path, clock) -> Iterator[Answers]:
    answers = Answers(tmp_path, clock)
    yield answers
    answers.close()


@pytest.fixture
def agent() -> Iterator[Callable[[Path], Agent]]:
    made: list[Agent] = []

    def start(folder: Path) -> Agent:
        made.append(Agent(folder))
        return made[-1]

    yield start
    for each in made:
        each.kill()


def write(answers: Answers, key: str, *chunks: str) -> Entry:
    """A partial answer, which is held."""
    entry = answers.begin(key, "chat", "claude-x")
    for chunk in chunks:
        entry.append(chunk)
    return entry


def text_of(entry: Entry | None) -> str | None:
    return None if entry is None else "".join(entry.text())


def on_disk(folder: Path) -> bytes:
    """Every byte of every file. To be called when no Answers is open here: to close a file drops its locks."""
    return b"".join(path.read_bytes() for path in folder.iterdir())


# What is kept


def test_an_answer_is_partial_until_it_is_finished(answers):
    entry = write(answers, "k", "Hello", ", ", "world\n")
    assert (text_of(entry), entry.stop, entry.usage, entry.size) == ("Hello, world\n", None, Usage(), 13)
    assert answers.cached("k") is None
    entry.finish(Stop("refusal", "cyber"), USAGE, cached=True)
    assert answers.partial("k") is None
    again = answers.cached("k")
    assert (text_of(again), again.stop, again.usage) == ("Hello, world\n", Stop("refusal", "cyber"), USAGE)
    assert (entry.stop, entry.usage) == (again.stop, again.usage)
    assert answers.cached("another key") is None


def test_a_bare_stop_is_complete_too(answers):
    write(answers, "k").finish(Stop(None), Usage(), cached=True)
    assert answers.cached("k").stop == Stop(None)
    assert text_of(answers.cached("k")) == ""


def test_a_released_answer_is_gone_on_with(answers):
    write(answers, "k", "one ").release()
    entry = answers.partial("k")
    entry.append("two")
    assert (text_of(entry), entry.size) == ("one two", 7)
    entry.finish(END, USAGE, cached=True)
    assert text_of(answers.cached("k")) == "one two"


def test_the_newest_comes_first(answers):
    for text in ("old", "new"):
        write(answers, "k", text).release()
    assert [text_of(answers.partial("k")) for _ in range(3)] == ["new", "old", None]
    for text in ("older", "newer"):
        write(answers, "c", text).finish(END, USAGE, cached=True)
    assert text_of(answers.cached("c")) == "newer"


@pytest.mark.parametrize("text", ["", "\0", "a\0b", "é🎉", "\r\n", "\x1b[2J", "x" * 100_000, "\ufeff"])
def test_any_text_comes_back_as_it_was(answers, text):
    entry = write(answers, "k", text, "|", text)
    assert text_of(entry) == f"{text}|{text}"
    assert entry.size == len(f"{text}|{text}".encode())
    assert answers.list()[0].bytes == entry.size
    assert answers.list()[0].beginning == f"{text}|{text}"[:80]


def test_text_that_is_no_utf8_is_mended(answers):
    entry = write(answers, "k", "a\ud800b", "\udc80")
    assert text_of(entry) == "a\ufffdb\ufffd"
    assert answers.begin("k", "chat", "local:\udcff.gguf").id == entry.id + 1


def test_text_is_read_in_batches(answers, monkeypatch):
    monkeypatch.setattr(texts, "BATCH", 3)
    other = write(answers, "other")
    entry = write(answers, "k")
    for number in range(10):
        entry.append(f"{number} ")
        other.append("x")
    assert list(entry.text()) == [f"{number} " for number in range(10)]
    statements: list[str] = []
    answers._db.set_trace_callback(statements.append)
    next(entry.text())
    assert len(statements) == 1


def test_an_answer_that_goes_while_it_is_read_does_not_end_as_if_complete(answers, monkeypatch):
    monkeypatch.setattr(texts, "BATCH", 2)
    write(answers, "k", *"abcdef").finish(END, USAGE, cached=True)
    reading = answers.cached("k").text()
    assert next(reading) == "a"
    assert answers.clear() == 1
    assert next(reading) == "b"
    with pytest.raises(StoreError, match="removed while it was read"):
        next(reading)


def test_appends_do_not_grow_with_the_answer(answers, tmp_path):
    """Counted is what is written to the log, which without checkpoints holds every page that was."""
    answers._db.execute("PRAGMA wal_autocheckpoint = 0")
    log = tmp_path / (FILE + "-wal")
    entry = write(answers, "k", "x" * 30)
    sizes = [log.stat().st_size]
    for _ in range(8):
        for _ in range(500):
            entry.append("x" * 30)
        sizes.append(log.stat().st_size)
    written = [after - before for before, after in itertools.pairwise(sizes)]
    assert max(written) < 1.1 * min(written)
    assert max(written) < 500 * 4 * 4096


def test_committed_text_is_there_for_others_at_once(answers, tmp_path, agent):
    write(answers, "k", "one ", "two")
    other = agent(tmp_path)
    other.do("answers = Answers(folder)")
    assert other.ask("[(s.state, s.bytes, s.beginning) for s in answers.list()]") == [("running", 7, "one two")]


# Who may have it


def test_what_is_held_is_nobody_elses(answers, tmp_path, agent):
    entry = write(answers, "k", "mine")
    other = agent(tmp_path)
    other.do("answers = Answers(folder)")
    assert other.ask("answers.partial('k')") is None
    assert answers.partial("k") is None
    assert (other.ask("answers.clear()"), other.ask(f"answers.remove([{entry.id}])")) == (0, [])
    assert (answers.clear(), answers.remove([entry.id])) == (0, [])
    other.do("answers.evict(0, -1.0)")
    answers.evict(0, -1.0)
    assert [summary.state for summary in answers.list()] == ["running"]
    assert other.ask("answers.partial('k')") is None, "to look must not let go"
    entry.release()
    assert other.ask("''.join(answers.partial('k').text())") == "mine"
    assert answers.partial("k") is None


def test_a_look_does_not_hold(answers, tmp_path, agent):
    write(answers, "k", "kept").release()
    assert [summary.state for summary in answers.list()] == ["partial"]
    other = agent(tmp_path)
    other.do("answers = Answers(folder)")
    assert other.ask("[s.state for s in answers.list()]") == ["partial"]
    assert other.ask("''.join(answers.partial('k').text())") == "kept"


def test_kill_9_frees_the_row_and_keeps_the_text(answers, tmp_path, agent):
    other = agent(tmp_path)
    other.do("answers = Answers(folder)")
    other.do("entry = answers.begin('k', 'chat', 'm')")
    for number in range(500):
        other.do(f"entry.append('{number} ')")
    assert answers.partial("k") is None
    other.kill()
    assert text_of(answers.partial("k")) == "".join(f"{number} " for number in range(500))


def test_kill_9_in_the_middle_of_an_append_keeps_a_prefix(answers, tmp_path, agent):
    other = agent(tmp_path)
    other.do("answers = Answers(folder)")
    other.do("entry = answers.begin('k', 'chat', 'm')")
    other.tell("while True: entry.append('0123456789')")
    watched = answers.get(1)
    while sum(map(len, watched.text())) < 5000:  # until it is well on its way
        pass
    other.kill()
    entry = answers.partial("k")
    assert text_of(entry) == "0123456789" * (entry.size // 10)


def test_three_equal_commands_at_once_do_not_mix(tmp_path, agent):
    agents = [agent(tmp_path) for _ in range(3)]
    for name, each in zip("abc", agents, strict=True):
        each.do("answers = Answers(folder)")
        each.do("database.BUSY_TIMEOUT = 20.0")
        each.do("entry = answers.partial('k') or answers.begin('k', 'chat', 'm')")
        each.do(f"name = '{name}'")
    for each in agents:
        each.tell("for _ in range(300): entry.append(name)")
    assert [each.hear() for each in agents] == [None] * 3
    assert [each.ask("''.join(entry.text())") for each in agents] == [name * 300 for name in "abc"]
    agents[0].kill()
    agents[1].do("entry.finish(Stop('end_turn'), Usage(), cached=True)")  # this supersedes what was killed
    assert agents[1].ask("[(s.state, s.beginning) for s in answers.list()]") == [
        ("running", "c" * 80),
        ("complete", "b" * 80),
    ]
    agents[2].do("entry.append('!')")
    assert agents[2].ask("''.join(entry.text())") == "c" * 300 + "!"


def test_of_many_that_resume_one_gets_it(answers, tmp_path, agent):
    write(answers, "k", "kept").release()
    agents = [agent(tmp_path) for _ in range(4)]
    for each in agents:
        each.do("answers = Answers(folder)")
    for each in agents:
        each.tell("= (entry := answers.partial('k')) and ''.join(entry.text())")
    assert sorted(each.hear() or "" for each in agents) == ["", "", "", "kept"]


def test_a_database_that_is_deleted_under_a_run_does_not_harm_the_next(answers, tmp_path, agent):
    write(answers, "k", "old")
    for path in tmp_path.glob(FILE + "*"):
        path.unlink()
    other = agent(tmp_path)
    other.do("answers = Answers(folder)")
    assert other.ask("answers.begin('k', 'chat', 'm').id") == 2, "byte 1 is held by the run that goes on"


# What is not kept


def finish_uncached(answers: Answers, entry: Entry) -> None:
    entry.finish(END, USAGE, cached=False)
    answers.forget_run()


@pytest.mark.parametrize(
    "remove",
    [
        lambda answers, entry: entry.remove(),
        lambda answers, entry: (entry.release(), answers.remove([entry.id])),
        lambda answers, entry: (entry.release(), answers.clear()),
        lambda answers, entry: (entry.release(), answers.evict(0, 1e9)),
        lambda answers, entry: (entry.release(), write(answers, "k").finish(END, USAGE, cached=True)),
        finish_uncached,
    ],
    ids=["remove", "rm", "clear", "evict", "superseded", "forget_run"],
)
def test_what_is_removed_leaves_the_disk(tmp_path, remove):
    answers = Answers(tmp_path)
    entry = write(answers, "k", *([f"{SECRET} {number}\n" for number in range(2000)]), SECRET * 1000)
    remove(answers, entry)
    answers.close()
    assert {path.name for path in tmp_path.iterdir()} == {FILE, "answers.lock"}
    assert SECRET.encode() not in on_disk(tmp_path)


def test_a_long_run_does_not_collect_what_it_removed(answers, tmp_path, agent):
    write(answers, "k", *[SECRET] * 1000).remove()
    reader = agent(tmp_path)  # a file that was opened here and closed would take our locks with it
    found = f"any({SECRET.encode()!r} in path.read_bytes() for path in folder.iterdir())"
    assert reader.ask(found) is False
    write(answers, "k", SECRET)
    assert reader.ask(found) is True


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("max_waste", [0, 1 << 40], ids=["anew", "in place"])
def test_nothing_of_the_removed_stays_between_what_is_kept(tmp_path, monkeypatch, seed, max_waste):
    """Pages are shared: where SQLite moves rows, it leaves copies behind (a plain DELETE fails this)."""
    monkeypatch.setattr(texts, "MAX_WASTE", max_waste)
    dice = random.Random(seed)
    answers = Answers(tmp_path)
    entries = [answers.begin(f"k{number}", "chat", "m") for number in range(12)]
    kept = dict.fromkeys(entries, "")
    for number in range(2000):
        entry = dice.choice(entries)
        piece = f"<{entry.id:03}>" * dice.choice([1, 2, 5, 20, 20, 300 if number % 10 else 1500])
        entry.append(piece)
        kept[entry] += piece
    dice.shuffle(entries)
    for entry in entries[:8]:
        entry.remove()
        del kept[entry]
    assert [text_of(entry) for entry in kept] == list(kept.values())
    answers.close()
    found = on_disk(tmp_path)
    assert [entry.id for entry in entries if f"{entry.id:03}>".encode() in found] == [entry.id for entry in entries[8:]]
    answers = Answers(tmp_path)
    assert [text_of(answers.get(entry.id)) for entry in kept] == list(kept.values())
    monkeypatch.setattr(texts, "MAX_WASTE", 1 << 40)
    assert len(answers.remove([entry.id for entry in kept])) == 4
    answers.close()
    found = on_disk(tmp_path)
    assert [entry.id for entry in entries if f"{entry.id:03}>".encode() in found] == []


def test_what_is_removed_leaves_the_log_though_another_process_has_it_open(tmp_path, agent):
    other = agent(tmp_path)
    other.do("answers = Answers(folder)")
    answers = Answers(tmp_path)
    write(answers, "k", SECRET).release()
    assert answers.clear() == 1
    answers.close()
    assert SECRET.encode() not in on_disk(tmp_path)
    assert (tmp_path / (FILE + "-wal")).exists()


def test_the_file_does_not_grow_for_ever(tmp_path):
    sizes = []
    for _ in range(12):
        answers = Answers(tmp_path)
        write(answers, "k", *["x" * 1000] * 300).remove()
        answers.close()
        sizes.append((tmp_path / FILE).stat().st_size)
    assert max(sizes) < 1_000_000


def test_only_this_runs_finished_answers_are_forgotten(tmp_path):
    first = Answers(tmp_path)
    for key in ("a", "b"):
        write(first, key, "of the first run").finish(END, USAGE, cached=False)
    first.close()
    second = Answers(tmp_path)
    assert second.run != first.run
    second.finished("a").adopt(cached=False)
    write(second, "c").finish(END, USAGE, cached=False)
    write(second, "d").finish(END, USAGE, cached=True)
    held = write(second, "e")
    second.forget_run()
    assert [summary.key for summary in second.list()] == ["e", "d", "b"]
    held.append("still ours")
    second.close()


def test_a_run_that_does_not_end_does_not_collect_what_it_removes(answers, tmp_path):
    for number in range(2000):
        write(answers, f"k{number}", "x" * 1000).remove()
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 2_000_000


def test_age_and_size_are_bounded(answers, clock):
    for number in range(6):
        write(answers, f"k{number}", "x" * 10).finish(END, USAGE, cached=True)
        clock.now += 10
    answers.evict(10**6, 40.0)  # written 60, 50, 40, 30, 20 and 10 seconds ago
    assert [summary.key for summary in answers.list()] == ["k5", "k4", "k3", "k2"]
    answers.evict(39, 1e9)
    assert [summary.key for summary in answers.list()] == ["k5", "k4", "k3"]
    answers.evict(30, 1e9)
    assert [summary.key for summary in answers.list()] == ["k5", "k4", "k3"]
    held = write(answers, "held", "y" * 25)
    answers.evict(30, 1e9)  # what is held counts
    assert [summary.key for summary in answers.list()] == ["held"]
    held.release()


def test_what_was_written_to_last_is_the_youngest(answers, clock):
    old, new = write(answers, "old", "x"), write(answers, "new", "x")
    clock.now += 10
    old.append("x")
    old.release()
    new.release()
    answers.evict(2, 1e9)
    assert [(summary.key, summary.created) for summary in answers.list()] == [("old", Clock.now)]
    answers.partial("old").finish(END, USAGE, cached=True)
    answers.evict(2, 0.0)
    assert len(answers.list()) == 1


def test_what_is_over_is_let_go(answers):
    finished, removed = write(answers, "a", "x"), write(answers, "b", "x")
    finished.finish(END, USAGE, cached=True)
    removed.remove()
    assert [answers._holds.is_held(entry.id) for entry in (finished, removed)] == [False, False]


def test_no_text_is_no_chunk(answers):
    write(answers, "k", *[""] * 100, "seen")
    assert answers.list()[0].beginning == "seen"


def test_the_prompt_is_not_asked_for_and_the_files_are_private(answers, tmp_path):
    write(answers, "k", "x")
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


# What goes wrong


def test_a_lock_file_that_is_none(tmp_path):
    (tmp_path / "answers.lock").symlink_to("/etc/passwd")
    with pytest.raises(StoreError, match=r"symbolic links|regular file"):
        Answers(tmp_path)
    (tmp_path / "answers.lock").unlink()
    os.mkfifo(tmp_path / "answers.lock")
    with pytest.raises(StoreError, match="regular file"):
        Answers(tmp_path)
    (tmp_path / "answers.lock").unlink()
    (tmp_path / "answers.lock").mkdir()
    with pytest.raises(StoreError, match="directory"):
        Answers(tmp_path)


def test_a_locked_database_is_an_error_and_then_works_again(answers, tmp_path, agent, monkeypatch):
    entry = write(answers, "k", "one ")
    monkeypatch.setattr(database, "BUSY_TIMEOUT", 0.01)
    other = agent(tmp_path)
    other.do("db = sqlite3.connect(folder / 'streamcli.db', isolation_level=None)")
    other.do("db.execute('BEGIN EXCLUSIVE')")
    with pytest.raises(StoreError, match=r"^the file is locked by another process$"):
        entry.append("lost")
    with pytest.raises(StoreError, match=r"^the file is locked by another process$"):
        answers.begin("k", "chat", "m")
    other.do("db.execute('COMMIT')")
    entry.append("two")
    assert (text_of(entry), entry.size) == ("one two", 7)


def test_a_full_disk_is_an_error_and_what_was_there_stays(answers):
    entry = write(answers, "k", "kept")
    (pages,) = answers._db.execute("PRAGMA page_count").fetchone()
    answers._db.execute(f"PRAGMA max_page_count = {pages + 3}")

    def fill() -> None:
        for _ in range(1000):
            entry.append("x" * 1000)

    with pytest.raises(StoreError, match=r"^No space left on device$"):
        fill()
    assert text_of(entry) == "kept" + "x" * (entry.size - 4)


def test_a_limit_on_files_is_an_error_in_the_middle_of_an_answer(tmp_path, agent):
    other = agent(tmp_path)
    other.do("answers = Answers(folder)")
    other.do("entry = answers.begin('k', 'chat', 'm'); entry.append('kept')")
    other.do("signal.signal(signal.SIGXFSZ, signal.SIG_IGN)")
    other.do("resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))")
    assert other.fail("while True: entry.append('x' * 1000)").startswith("StoreError: ")
    size = other.ask("entry.size")
    other.do("answers.close()")
    other.kill()
    answers = Answers(tmp_path)
    assert text_of(answers.partial("k")) == "kept" + "x" * (size - 4)
    answers.close()


def test_damage_is_an_error_when_it_is_met(tmp_path):
    answers = Answers(tmp_path)
    write(answers, "k", *["x" * 3000] * 50).finish(END, USAGE, cached=True)
    answers.close()
    with (tmp_path / FILE).open("r+b") as file:
        file.seek(8 * 4096)
        file.write(random.Random(1).randbytes(20 * 4096))
    answers = Answers(tmp_path)
    with pytest.raises(StoreError, match=r"damaged|removed"):
        text_of(answers.cached("k"))
    answers.close()


def test_numbers_that_no_row_has(answers):
    entry = write(answers, "k")
    ids = [0, -1, 99, 10**30, entry.id]
    assert [answers.get(number) is not None for number in ids] == [False, False, False, False, True]
    entry.release()
    assert answers.remove([*ids, entry.id]) == [entry.id]
    with pytest.raises(StoreError, match="too large"):
        write(answers, "k").finish(END, Usage(10**30), cached=True)
    write(answers, "k", "goes on")


def test_an_answer_may_be_removed_twice(answers):
    entry = write(answers, "k", "x")
    entry.remove()
    entry.remove()
    assert answers.list() == []


def test_closing_never_fails(tmp_path):
    answers = Answers(tmp_path)
    entry = write(answers, "k", "x")
    answers.close()
    answers.close()
    entry.release()
    for action in (
        lambda: entry.append("y"),
        entry.remove,
        answers.list,
        answers.forget_run,
        lambda: entry.adopt(cached=True),
    ):
        with pytest.raises(StoreError):
            action()


# Any order of events, against a model


class Order(RuleBasedStateMachine):
    """One process. `rows` is what should be there: its id -> [key, text, complete, cached, updated, run]."""

    held = Bundle("held")
    keys = st.sampled_from("ab")

    @initialize()
    def open(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.clock = Clock()
        self.rows: dict[int, SimpleNamespace] = {}
        self.ours: set[int] = set()
        self._open()

    def _open(self) -> None:
        self.answers = Answers(Path(self.folder.name), self.clock)

    def teardown(self) -> None:
        self.answers.close()
        self.folder.cleanup()

    def _drop(self, ids: list[int]) -> None:
        for each in ids:
            del self.rows[each]

    def _superseded(self, key: str, by: int) -> list[int]:
        """Of no use any more: whether it was not completed, or for a run that is over."""
        return [
            i for i, row in self.rows.items() if row.key == key and not row.cached and i not in self.ours and i != by
        ]

    def _is_ours(self, entry: Entry) -> bool:
        return entry.id in self.ours and entry._shelf is self.answers._shelf

    @rule(target=held, key=keys)
    def begin(self, key):
        entry = self.answers.begin(key, "chat", "m")
        self.rows[entry.id] = SimpleNamespace(
            key=key, text="", complete=False, cached=False, updated=self.clock.now, run=self.answers.run
        )
        self.ours.add(entry.id)
        return entry

    @rule(entry=held, text=st.text(min_size=1, max_size=5))
    def append(self, entry, text):
        if self._is_ours(entry) and not self.rows[entry.id].complete:
            entry.append(text)
            self.rows[entry.id].text += text
            self.rows[entry.id].updated = self.clock.now

    @rule(entry=consumes(held), cached=st.booleans())
    def finish(self, entry, cached):
        if self._is_ours(entry):
            entry.finish(END, USAGE, cached=cached)
            row = self.rows[entry.id]
            row.complete, row.cached, row.updated = True, cached, self.clock.now
            if cached:
                self.ours.discard(entry.id)
            self._drop(self._superseded(row.key, entry.id))

    @rule(entry=consumes(held))
    def remove(self, entry):
        if self._is_ours(entry):
            entry.remove()
            self.ours.discard(entry.id)
            self._drop([entry.id, *self._superseded(self.rows[entry.id].key, entry.id)])

    @rule(entry=consumes(held))
    def release(self, entry):
        if self._is_ours(entry) and entry.id in self.rows:
            entry.release()
            self.ours.discard(entry.id)

    @rule(target=held, key=keys)
    def partial(self, key):
        entry = self.answers.partial(key)
        free = [i for i, row in self.rows.items() if row.key == key and not row.complete and i not in self.ours]
        expected = max((i for i in free if self.rows[i].text), default=None)
        assert (entry and entry.id) == expected
        if entry is None:
            return multiple()
        self.ours.add(entry.id)
        return entry

    def _newest(self, key, is_wanted):
        return max(
            (i for i, row in self.rows.items() if row.key == key and row.complete and is_wanted(row)), default=None
        )

    @rule(key=keys)
    def cached(self, key):
        entry = self.answers.cached(key)
        assert (entry and entry.id) == self._newest(key, lambda row: row.cached)
        if entry is not None:
            assert (text_of(entry), entry.stop, entry.usage) == (self.rows[entry.id].text, END, USAGE)

    @rule(key=keys, adopt=st.booleans(), cached=st.booleans())
    def finished(self, key, adopt, cached):
        entry = self.answers.finished(key)
        assert (entry and entry.id) == self._newest(key, lambda row: not row.cached and row.run != self.answers.run)
        if entry is not None:
            assert (text_of(entry), entry.stop, entry.usage) == (self.rows[entry.id].text, END, USAGE)
            if adopt:
                entry.adopt(cached=cached)
                row = self.rows[entry.id]
                row.run, row.cached = self.answers.run, cached
                self.ours.add(entry.id)

    @rule(seconds=st.integers(1, 9))
    def wait(self, seconds):
        self.clock.now += seconds

    @rule(max_bytes=st.integers(0, 20), max_age=st.integers(0, 20))
    def evict(self, max_bytes, max_age):
        self.answers.evict(max_bytes, max_age)
        total = sum(len(row.text.encode()) for row in self.rows.values())
        for each, row in sorted(self.rows.items(), key=lambda item: (item[1].updated, item[0])):
            is_due = row.updated < self.clock.now - max_age or total > max_bytes
            if is_due and each not in self.ours:
                total -= len(row.text.encode())
                self._drop([each])

    @rule()
    def forget_run(self):
        self.answers.forget_run()
        done = [i for i, row in self.rows.items() if row.run == self.answers.run and row.complete and not row.cached]
        self._drop(done)
        self.ours.difference_update(done)

    @rule()
    def clear(self):
        doomed = [each for each, row in self.rows.items() if row.complete or each not in self.ours]
        assert self.answers.clear() == len(doomed)
        self._drop(doomed)

    @rule()
    def reopen(self):
        self.answers.close()
        self.ours.clear()
        self._open()

    @invariant()
    def all_is_as_it_should_be(self):
        listed = [(each.id, each.key, each.bytes, each.state, each.beginning) for each in self.answers.list()]
        assert listed == [
            (
                each,
                row.key,
                len(row.text.encode()),
                "complete" if row.complete else "running" if each in self.ours else "partial",
                row.text[:80],
            )
            for each, row in sorted(self.rows.items(), reverse=True)
        ]
        for each, row in self.rows.items():
            assert text_of(self.answers.get(each)) == row.text


TestOrder = Order.TestCase
TestOrder.settings = settings(
    max_examples=100, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


# The commands


@pytest.fixture
def runtime(tmp_path, monkeypatch) -> Iterator[SimpleNamespace]:
    """What a command sees of its runtime; `out` and `notices` are what came of it."""
    monkeypatch.setenv("STREAMCLI_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    out = bytearray()
    notices: list[str] = []

    async def write_out(data: bytes) -> None:
        out.extend(data)

    yield SimpleNamespace(
        sink=SimpleNamespace(write=write_out),
        notes=SimpleNamespace(notice=notices.append),
        stdout_is_terminal=False,
        out=out,
        notices=notices,
    )
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def kept(tmp_path, runtime) -> None:
    """Answer 1 is partial, 2 complete."""
    answers = Answers(tmp_path / "state", Clock())
    write(answers, "a", "one\x1b[2J\r\n", "two").release()
    write(answers, "b", "日本語" * 30 + "\n").finish(END, USAGE, cached=True)
    answers.close()


def of(*ids: int) -> AnswersSettings:
    return AnswersSettings(ids=ids)


async def test_without_answers_nothing_is_shown_or_made(runtime, tmp_path):
    assert await commands.list_(runtime, of()) == 0
    with pytest.raises(InputError, match="there is no answer 7") as raised:
        await commands.show(runtime, of(7))
    assert (raised.value.status, raised.value.hint) == (66, "streamcli answers list shows them")
    with pytest.raises(InputError, match="there are no answers 7, 8"):
        await commands.rm(runtime, of(7, 8))
    assert await commands.clear(runtime, of()) == 0
    assert runtime.out == b""
    assert runtime.notices == ["removed 0 answers"]
    assert list(tmp_path.iterdir()) == []


async def test_the_list_is_aligned_and_harmless(runtime, kept):
    assert await commands.list_(runtime, of()) == 0
    assert runtime.out.decode().splitlines() == [
        "2  1970-01-12 13:46  complete  chat  claude-x  271 B  " + "日本語" * 13,
        "1  1970-01-12 13:46  partial   chat  claude-x   12 B  one␛[2J two",
    ]


async def test_the_list_fits_a_terminal(runtime, kept):
    runtime.stdout_is_terminal = True
    await commands.list_(runtime, of())
    assert [line[51:] for line in runtime.out.decode().splitlines()] == ["B  日本語日本", "B  one␛[2J tw"]


async def test_show_is_byte_for_byte(runtime, kept):
    assert await commands.show(runtime, of(1)) == 0
    assert runtime.out == b"one\x1b[2J\r\ntwo"


async def test_show_separates_answers_by_a_newline(runtime, kept):
    await commands.show(runtime, of(1, 2, 1))
    assert runtime.out == b"one\x1b[2J\r\ntwo\n" + ("日本語" * 30 + "\n").encode() + b"one\x1b[2J\r\ntwo"


async def test_show_on_a_terminal_is_harmless_and_ends_the_line(runtime, kept):
    runtime.stdout_is_terminal = True
    await commands.show(runtime, of(1))
    assert runtime.out.decode() == "one␛[2J\ntwo\n"
    runtime.out.clear()
    await commands.show(runtime, of(2))
    assert runtime.out.decode() == "日本語" * 30 + "\n"


async def test_show_tells_of_a_missing_one_after_the_others(runtime, kept):
    with pytest.raises(InputError, match="there is no answer 9"):
        await commands.show(runtime, of(9, 2))
    assert runtime.out.decode() == "日本語" * 30 + "\n"


async def test_rm_removes_what_it_can(runtime, kept, tmp_path):
    with pytest.raises(InputError, match="there is no answer 9") as raised:
        await commands.rm(runtime, of(9, 1))
    assert raised.value.status == 66
    await commands.list_(runtime, of())
    assert runtime.out.decode().startswith("2 ")
    runtime.out.clear()
    assert await commands.rm(runtime, of(2)) == 0
    await commands.list_(runtime, of())
    assert runtime.out == b""
    assert b"[2J" not in on_disk(tmp_path / "state")


async def test_a_running_answer_stays(runtime, kept, tmp_path, agent):
    other = agent(tmp_path / "state")
    other.do("answers = Answers(folder)")
    other.do("entry = answers.begin('k', 'gen', 'm'); entry.append('on its way')")
    with pytest.raises(InputError, match="answer 3 is still being written"):
        await commands.rm(runtime, of(3))
    assert await commands.clear(runtime, of()) == 0
    assert runtime.notices == ["removed 2 answers"]
    await commands.list_(runtime, of())
    assert " running  gen  m  10 B  on its way\n" in runtime.out.decode()
    await commands.show(runtime, of(3))
    assert runtime.out.endswith(b"on its way")


async def test_a_store_that_cannot_be_used_is_told(runtime, tmp_path):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / FILE).write_bytes(b"no database at all" * 99)
    for command in (commands.list_, commands.show, commands.rm, commands.clear):
        with pytest.raises(InputError, match=r"the file is damaged \(file is not a database\)") as raised:
            await command(runtime, of(1))
        assert raised.value.status == 66


async def test_a_relative_state_directory_is_told(runtime, monkeypatch):
    monkeypatch.setenv("STREAMCLI_STATE_DIR", "here")
    with pytest.raises(InputError, match="STREAMCLI_STATE_DIR"):
        await commands.list_(runtime, of())


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (999_949, "999.9 kB"), (999_950, "1.0 MB"), (2_500_000, "2.5 MB")],
)
def test_sizes_in_words(size, words):
    assert commands._in_words(size) == words


def test_the_patience_is_about_a_second():
    assert database.BUSY_TIMEOUT == 1.0
