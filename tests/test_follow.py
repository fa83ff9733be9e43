"""Following files: through rotation and truncation each line comes once, or its loss is told."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import tracemalloc
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from streamcli.core.position import HEAD_BYTES, Kept, Piece, Position, Progress
from streamcli.edge import follow, siblings
from streamcli.edge.demand import MAX_BATCH_BYTES
from streamcli.edge.follow import Follower
from streamcli.edge.followable import position_key
from streamcli.edge.followed import MISSING_GRACE, ROTATION_GRACE, ROTATION_LIMIT
from streamcli.edge.logfile import LogFile
from streamcli.errors import InputError

LOST = "what was not read of it before that is lost"


@dataclass
class Reader:
    """A follower that is polled, and what came of it: lines and positions by file."""

    paths: list[str]
    kept: dict[str, Kept] = field(default_factory=dict)
    from_start: bool = True
    now: float = 0.0
    kept_at: float = 4e9  # in a future in which no file was written to: by its time none is told to be newer
    notices: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.pieces: list[Piece] = []
        self.held: dict[int, bytes] = {}
        self.lines: list[str] = []
        self.progress = Progress()
        self.follower = Follower(
            self.paths,
            self.kept,
            from_start=self.from_start,
            notice=self.notices.append,
            clock=lambda: self.now,
        )

    def poll(self) -> list[str]:
        """The whole lines that are new."""
        lines = []
        while pieces := self.follower.poll():
            for piece in pieces:
                lines += self.take(piece)
        self.lines += lines
        return lines

    def settle(self) -> list[str]:
        """The lines that come once no rotated file is waited for any longer."""
        lines = self.poll()
        while True:
            self.now += 2 * ROTATION_GRACE
            if not (more := self.poll()):
                return lines
            lines += more

    def take(self, piece: Piece) -> list[str]:
        self.pieces.append(piece)
        before = self.held.pop(piece.input, b"")
        lines = []
        if piece.restarted and before:
            lines, before = [before.decode()], b""
            self.progress.end_line(piece.input)
            self.progress.give_out(piece.input, 1)
        *whole, rest = (before + piece.data).split(b"\n")
        self.held[piece.input] = rest
        self.progress.read(piece)
        self.progress.give_out(piece.input, len(whole))
        for number, at in self.progress.given_out.items():
            self.kept[position_key(self.paths[number])] = Kept(at, self.kept_at)
        return lines + [line.decode() for line in whole]

    def restart(self, **changes) -> Reader:
        """Another process goes on after the last whole line."""
        self.follower.close()
        return Reader(self.paths, self.kept, changes.pop("from_start", self.from_start), self.now, **changes)


def numbered(start, count, width=70):
    return [f"{number:08d} ".ljust(width, "x") for number in range(start, start + count)]


def append(path, lines):
    with open(path, "ab") as file:
        file.write("".join(line + "\n" for line in lines).encode())


def rotate(path, keep=9):
    """Numbers go up by one, as logrotate does it."""
    Path(f"{path}.{keep}").unlink(missing_ok=True)
    for number in range(keep - 1, 0, -1):
        if os.path.exists(f"{path}.{number}"):
            os.rename(f"{path}.{number}", f"{path}.{number + 1}")
    os.rename(path, f"{path}.1")


def copy_and_truncate(path, keep=9):
    rotate(path, keep)
    with open(f"{path}.1", "rb") as old:
        content = old.read()
    os.rename(f"{path}.1", path)
    Path(f"{path}.1").write_bytes(content)
    os.truncate(path, 0)


@pytest.fixture
def log(tmp_path):
    path = str(tmp_path / "app.log")
    Path(path).touch()
    return path


@pytest.fixture
def reader(log):
    readers = []

    def start(*paths, **options):
        readers.append(Reader(list(paths) or [log], **options))
        return readers[-1]

    yield start
    for each in readers:
        each.follower.close()


# --- where it begins ---


def test_from_the_start(log, reader):
    append(log, numbered(0, 30))
    assert reader().poll() == numbered(0, 30)


@pytest.mark.parametrize("width", [10, 1000, 30_000])
def test_or_with_the_last_lines(log, reader, width):
    append(log, numbered(0, 30, width))
    assert reader(from_start=False).poll() == numbered(20, 10, width)


@pytest.mark.parametrize(
    ("content", "read"),
    [
        (b"", b""),
        (b"\n", b"\n"),
        (b"a", b"a"),
        (b"a\n" * 10, b"a\n" * 10),
        (b"a\n" * 11, b"a\n" * 10),
        (b"a\n" * 11 + b"b", b"a\n" * 9 + b"b"),
        (b"\n" * 65_536 + b"x" * 65_536, b"\n" * 9 + b"x" * 65_536),
    ],
)
def test_the_last_lines_are_those_of_tail(log, reader, content, read):
    Path(log).write_bytes(content)
    one = reader(from_start=False)
    one.poll()
    assert b"".join(piece.data for piece in one.pieces) == read


def test_at_the_position_where_another_run_stopped(log, reader):
    append(log, numbered(0, 30))
    first = reader()
    first.poll()
    append(log, numbered(30, 5))
    assert first.restart().poll() == numbered(30, 5)


def test_half_a_line_is_read_again(log, reader):
    append(log, ["one"])
    with open(log, "a") as file:
        file.write("tw")
    first = reader()
    assert first.poll() == ["one"]
    append(log, ["o"])
    assert first.restart().poll() == ["two"]


def test_a_position_of_a_file_that_is_gone(log, reader):
    append(log, numbered(0, 30))
    first = reader()
    first.poll()
    os.unlink(log)
    append(log, numbered(50, 30))
    second = first.restart(from_start=False)
    assert second.poll() == numbered(50, 30)
    assert len(second.notices) == 1
    assert LOST in second.notices[0]


def test_a_position_of_a_file_that_was_truncated(log, reader):
    append(log, numbered(0, 30))
    first = reader()
    first.poll()
    os.truncate(log, 0)
    append(log, numbered(50, 60))
    second = first.restart()
    assert second.poll() == numbered(50, 60)
    assert LOST in second.notices[0]


def test_a_position_beyond_the_end(log, reader):
    append(log, numbered(0, 30))
    first = reader()
    first.poll()
    os.truncate(log, 2 * HEAD_BYTES)
    second = first.restart()
    second.poll()
    assert second.pieces[0].end.offset == 2 * HEAD_BYTES
    assert LOST in second.notices[0]


def test_a_file_that_was_truncated_and_then_rotated(log, reader):
    append(log, numbered(0, 30))
    first = reader()
    first.poll()
    os.truncate(log, 0)
    append(log, numbered(50, 3))
    rotate(log)
    append(log, numbered(53, 3))
    second = first.restart()
    assert second.settle() == numbered(50, 6)
    assert LOST in second.notices[0]


def test_a_position_that_makes_no_sense(log, reader):
    append(log, numbered(0, 3))
    status = os.stat(log)
    wrong = Position(status.st_dev, status.st_ino, 10, 2**60, "ab" * 32)
    second = reader(kept={position_key(log): Kept(wrong, 4e9)})
    assert second.poll() == numbered(0, 3)
    assert LOST in second.notices[0]


def test_the_key_of_a_position(tmp_path, monkeypatch):
    """However the folder is reached; a link in the last place may lead to another file one day."""
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "0.log").touch()
    (folder / "link.log").symlink_to(folder / "0.log")
    (tmp_path / "alias").symlink_to(folder)
    monkeypatch.chdir(folder)
    for name in ("0.log", "link.log"):
        keys = {position_key(path) for path in (name, str(folder / name), f"../alias/{name}", f"./{name}")}
        assert keys == {str(folder.resolve() / name)}


def test_a_restored_file_is_the_same(log, reader):
    """A backup, or `sed -i`: another inode, and what was read is in it."""
    append(log, numbered(0, 30))
    first = reader()
    first.poll()
    content = Path(log).read_bytes()
    os.unlink(log)
    Path(log).write_bytes(content)
    append(log, numbered(30, 3))
    second = first.restart()
    assert (second.poll(), second.notices) == (numbered(30, 3), [])


@pytest.mark.parametrize("times", [1, 2, 5])
def test_rotated_files_are_found_again(log, reader, times):
    append(log, numbered(0, 30))
    first = reader()
    first.poll()
    for at in range(times):
        append(log, numbered(30 + at * 10, 10))
        rotate(log)
    append(log, numbered(30 + times * 10, 10))
    second = first.restart()
    assert (second.settle(), second.notices) == (numbered(30, times * 10 + 10), [])


def test_dated_files_are_found_again(log, reader):
    append(log, numbered(0, 30))
    first = reader()
    first.poll()
    for at, day in enumerate(("20260131", "20260201", "20260202")):
        append(log, numbered(30 + at * 10, 10))
        os.rename(log, f"{log}-{day}")
        os.utime(f"{log}-{day}", (0, 0))  # names tell more than times, which a backup may set
    append(log, numbered(60, 10))
    assert first.restart().settle() == numbered(30, 40)


@pytest.mark.parametrize("times", [1, 2, 3])
def test_copies_are_found_again(log, reader, times):
    append(log, numbered(0, 30))
    first = reader()
    first.poll()
    for at in range(times):
        append(log, numbered(30 + at * 10, 10))
        copy_and_truncate(log)
    append(log, numbered(30 + times * 10, 10))
    second = first.restart()
    assert second.settle() == numbered(30, times * 10 + 10)
    assert "may be lost" in second.notices[0]


def test_a_position_of_a_file_that_was_truncated_and_begins_as_before(log, reader):
    """Its banner is longer than what is compared of the start; it was not read, so nobody saw that it was truncated."""
    banner = numbered(0, 1, 2 * HEAD_BYTES)
    append(log, banner + numbered(1, 3))
    first = reader()
    first.poll()
    os.truncate(log, 0)
    append(log, banner + numbered(50, 30))
    second = first.restart()
    assert second.poll() == banner + numbered(50, 30)
    assert LOST in second.notices[0]


def test_a_position_without_an_anchor_is_told_by_its_start(log, reader):
    append(log, numbered(0, 3))
    first = reader()
    first.poll()
    append(log, numbered(3, 3))
    first.kept = {key: replace(kept, position=replace(kept.position, anchor="")) for key, kept in first.kept.items()}
    assert first.restart().poll() == numbered(3, 3)


def test_a_copy_that_only_begins_alike_is_not_the_copy(log, reader):
    """Of two files with the same banner, the longer is an older one."""
    banner = numbered(0, 1, 2 * HEAD_BYTES)
    append(log + ".2", banner + numbered(900, 30))
    append(log, banner + numbered(1, 3))
    one = reader()
    one.poll()
    append(log, numbered(4, 3))
    shutil.copy(log, log + ".1")
    os.truncate(log, 0)
    append(log, numbered(10, 3))
    assert one.settle() == numbered(4, 3) + numbered(10, 3)


def away(log, first, *, packed=gzip.compress):
    """What was read was rotated and compressed meanwhile, after more was written; then another file was the log."""
    append(log, numbered(3, 3))
    Path(log + ".2.gz").write_bytes(packed(Path(log).read_bytes()))
    os.unlink(log)
    append(log + ".1", numbered(6, 3))
    append(log, numbered(9, 3))
    for name, age in ((".2.gz", 30), (".1", 20), ("", 10)):
        os.utime(log + name, (1e9 - age, 1e9 - age))
    for key, kept in first.kept.items():
        first.kept[key] = replace(kept, at=1e9 - 40)


def test_where_the_file_was_compressed_reading_goes_on_with_the_next_one(log, reader):
    append(log, numbered(0, 3))
    first = reader()
    first.poll()
    away(log, first)
    append(log + ".3", ["older"])
    os.utime(log + ".3", (1e9 - 50, 1e9 - 50))
    second = first.restart()
    assert second.settle() == numbered(6, 6)
    assert second.notices == [f"{log} was compressed to {log}.2.gz since it was followed last: {LOST}"]


def test_where_all_that_was_compressed_was_read_nothing_is_lost(log, reader):
    append(log, numbered(0, 3))
    first = reader()
    first.poll()
    away(log, first, packed=lambda data: gzip.compress(data[: 3 * 71]))
    second = first.restart()
    assert (second.settle(), second.notices) == (numbered(6, 6), [])


def test_where_the_file_is_gone_reading_goes_on_with_the_next_one(log, reader):
    append(log, numbered(0, 3))
    first = reader()
    first.poll()
    away(log, first)
    os.unlink(log + ".2.gz")
    second = first.restart()
    assert second.settle() == numbered(6, 6)
    assert second.notices == [f"{log} is another file, or was truncated, since it was followed last: {LOST}"]


def test_a_file_that_was_renamed_to_what_does_not_begin_with_its_name(log, reader):
    append(log, numbered(0, 3))
    first = reader()
    first.poll()
    append(log, numbered(3, 3))
    os.rename(log, log.replace(".log", "-20261124.log"))
    append(log, numbered(6, 3))
    second = first.restart()
    assert (second.settle(), second.notices) == (numbered(3, 6), [])


def test_a_file_that_is_rotated_and_not_there_yet(log, reader):
    append(log, numbered(0, 3))
    first = reader()
    first.poll()
    append(log, numbered(3, 3))
    rotate(log)
    second = first.restart()
    assert second.settle() == numbered(3, 3)
    assert second.notices == [f"{log} is not there any more: waiting for it to come back"]
    append(log, numbered(6, 3))
    assert second.settle() == numbered(6, 3)


@pytest.mark.parametrize("left", ["nothing", "compressed", "unknown"])
def test_a_file_that_is_missing_and_cannot_be_taken_up(log, reader, left):
    append(log, numbered(0, 3))
    first = reader()
    first.poll()
    rotate(log)
    if left != "unknown":
        os.unlink(log + ".1")
    if left == "compressed":
        Path(log + ".1.gz").touch()
    with pytest.raises(InputError, match="No such file"):
        reader(kept={} if left == "unknown" else first.kept)


@pytest.mark.parametrize("fd", [1, 2])
def test_what_we_write_to_is_not_followed(log, monkeypatch, fd):
    """It would be fed with its own answers."""
    real = os.fstat

    def fstat(asked):
        if asked == fd:
            return os.stat(log)
        raise OSError(9, "Bad file descriptor") if asked in (1, 2) else real(asked)

    with monkeypatch.context() as ours:
        ours.setattr(os, "fstat", lambda asked: fstat(asked) if asked in (1, 2) else real(asked))
        with pytest.raises(InputError, match="this command writes to") as raised:
            Follower([log], {}, from_start=True, notice=print)
    assert (raised.value.status, bool(raised.value.hint)) == (66, True)


@pytest.fixture
def limit():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield lambda files: resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_more_files_than_may_be_open_are_made_room_for(tmp_path, reader, limit):
    paths = [str(tmp_path / f"{number}.log") for number in range(100)]
    for path in paths:
        append(path, ["a"])
    limit(60)
    assert reader(*paths).poll() == ["a"] * 100


def test_or_are_an_error(log, monkeypatch):
    def refuse(*_):
        raise ValueError("not allowed to raise maximum limit")

    monkeypatch.setattr(resource, "getrlimit", lambda _: (10, 10))
    monkeypatch.setattr(resource, "setrlimit", refuse)
    with pytest.raises(InputError, match="1 files cannot be open at once: 10 may"):
        Follower([log], {}, from_start=True, notice=print)


@pytest.mark.parametrize("kind", ["missing", "folder", "fifo", "device", "nul"])
def test_what_cannot_be_followed(tmp_path, kind):
    path = str(tmp_path / "it")
    match kind:
        case "folder":
            os.mkdir(path)
        case "fifo":
            os.mkfifo(path)
        case "device":
            path = os.devnull
        case "nul":
            path += "\0"
    with pytest.raises(InputError) as raised:
        Follower([path], {}, from_start=True, notice=print)
    assert raised.value.status == 66
    assert (raised.value.hint is not None) == (kind in ("folder", "fifo", "device"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read(log):
    os.chmod(log, 0)
    with pytest.raises(InputError, match="Permission denied"):
        Follower([log], {}, from_start=True, notice=print)


def test_a_file_that_is_named_twice_is_followed_once(tmp_path, log, reader, monkeypatch):
    os.symlink(log, tmp_path / "link")
    monkeypatch.chdir(tmp_path)
    append(log, ["a"])
    one = reader(log, "app.log", str(tmp_path / "link"))
    assert one.poll() == ["a"]
    assert [piece.input for piece in one.pieces] == [2]  # a link may lead elsewhere one day


# --- rotation under way ---


def test_a_renamed_file_is_read_to_its_end_and_then_the_new_one(log, reader):
    append(log, numbered(0, 3))
    one = reader()
    one.poll()
    append(log, numbered(3, 3))
    rotate(log)
    append(log, numbered(6, 3))
    assert one.settle() == numbered(3, 6)
    assert [piece.restarted for piece in one.pieces] == [False, False, True]
    assert one.notices == []


def test_a_writer_may_go_on_with_the_renamed_file(log, reader):
    append(log, numbered(0, 3))
    one = reader()
    one.poll()
    rotate(log)
    Path(log).touch()
    assert one.settle() == []
    append(log + ".1", numbered(3, 3))  # nobody has turned to the new one
    assert one.poll() == numbered(3, 3)
    append(log, numbered(9, 3))
    assert one.poll() == []
    one.now += ROTATION_GRACE - 0.1
    append(log + ".1", numbered(6, 3))  # one of several processes is late
    assert one.poll() == numbered(6, 3)
    assert one.settle() == numbered(9, 3)


@pytest.mark.parametrize("keep", ["", ".1", ".t"])
def test_a_file_that_is_replaced_by_a_copy_of_itself_goes_on(log, reader, keep):
    """`sed -i`, an editor, rsync: the old one is gone; or kept under another name, and copied back."""
    append(log, numbered(0, 3))
    one = reader()
    one.poll()
    for start in (3, 6, 9):
        os.rename(log, log + (keep or ".t"))
        shutil.copy(log + (keep or ".t"), log)
        if not keep:
            os.unlink(log + ".t")
        append(log, numbered(start, 3))
        assert one.settle() == numbered(start, 3)
    assert not any(piece.restarted for piece in one.pieces)
    append(log, numbered(12, 3))
    rotate(log)
    append(log, numbered(15, 3))
    assert one.settle() == numbered(12, 6)
    assert one.notices == []


def test_half_a_line_goes_on_in_what_replaces_the_file(log, reader):
    append(log, numbered(0, 3))
    with open(log, "a") as file:
        file.write("half")
    one = reader()
    one.poll()
    shutil.copy(log, log + ".t")
    append(log + ".t", [" and half"])
    os.rename(log + ".t", log)
    assert one.settle() == ["half and half"]


def test_a_copy_that_takes_a_while_is_waited_for(log, reader):
    append(log, numbered(0, 300))
    one = reader()
    one.poll()
    content = Path(log).read_bytes()
    rotate(log)
    Path(log).write_bytes(content[:5000])
    assert one.poll() == []
    one.now += ROTATION_GRACE / 2
    Path(log).write_bytes(content)
    append(log, numbered(300, 3))
    assert one.settle() == numbered(300, 3)


def test_what_is_still_written_to_a_file_that_was_replaced_by_its_copy_is_read_too(log, reader):
    """And then the copy, where it was one."""
    append(log, numbered(0, 3))
    one = reader()
    one.poll()
    with open(log, "ab", buffering=0) as old:
        shutil.copy(log, log + ".t")
        os.rename(log + ".t", log)
        assert one.poll() == []
        old.write(b"to the old one\n")
        assert one.poll() == ["to the old one"]
    append(log, numbered(3, 3))
    assert one.settle() == numbered(3, 3)


@pytest.mark.parametrize("is_deleted", [False, True])
def test_a_writer_that_never_turns_to_the_new_file_does_not_hide_it(log, reader, is_deleted):
    append(log, numbered(0, 3))
    one = reader()
    one.poll()
    with open(log, "ab", buffering=0) as old:
        os.unlink(log) if is_deleted else rotate(log)
        append(log, ["new"])
        begun = one.now
        while "new" not in one.lines:
            old.write(b"old\n")
            one.poll()
            one.now += ROTATION_GRACE / 2
    assert ROTATION_LIMIT <= one.now - begun <= ROTATION_LIMIT + 2 * ROTATION_GRACE
    assert one.lines.count("old") == ROTATION_LIMIT / ROTATION_GRACE * 2 + 1
    assert one.notices == [f"{log} was rotated, but the old file is still written to: it is left now"]


def test_half_a_line_of_the_old_file_is_not_joined_to_the_new_one(log, reader):
    Path(log).write_text("half")
    one = reader()
    one.poll()
    rotate(log)
    append(log, ["new"])
    assert one.settle() == ["half", "new"]


@pytest.mark.parametrize("times", [2, 5])
def test_several_rotations_between_two_looks(log, reader, times):
    append(log, numbered(0, 3))
    one = reader()
    one.poll()
    for at in range(times):
        append(log, numbered(3 + at * 5, 5))
        rotate(log)
    append(log, numbered(3 + times * 5, 5))
    assert one.settle() == numbered(3, times * 5 + 5)
    assert one.notices == []


def test_what_was_written_between_the_last_look_and_two_rotations(log, reader, monkeypatch):
    """The old file's end is seen, then it grows and is rotated twice, before it is asked what came after it."""
    append(log, numbered(0, 3))
    one = reader()
    one.take(one.follower.poll()[0])
    real = siblings.sibling

    def after_two_rotations(path, suffix=""):
        monkeypatch.undo()
        for start in (3, 6):
            append(log, numbered(start, 3))
            rotate(log)
        append(log, numbered(9, 3))
        return real(path, suffix)

    monkeypatch.setattr(siblings, "sibling", after_two_rotations)
    assert one.settle() == numbered(3, 9)


def test_delete_and_recreate(log, reader):
    append(log, numbered(0, 3))
    one = reader()
    one.poll()
    append(log, numbered(3, 3))
    os.unlink(log)
    append(log, numbered(6, 3))
    assert one.settle() == numbered(3, 6)
    assert one.notices == []


def test_an_empty_file_takes_the_place_of_a_deleted_one(log, reader):
    """The deleted one is let go, so that its space is free."""
    append(log, numbered(0, 3))
    one = reader()
    one.poll()
    os.unlink(log)
    Path(log).touch()
    one.settle()
    (open_now,) = one.follower._files.values()
    assert open_now._log.identity[1] == os.stat(log).st_ino


def test_a_file_that_is_missing_for_a_while(log, reader):
    append(log, numbered(0, 3))
    one = reader()
    one.poll()
    os.unlink(log)
    one.poll()
    one.now += MISSING_GRACE - 0.1
    one.poll()
    assert one.notices == []
    one.now += 0.1
    one.poll()
    one.now += 100
    one.poll()
    assert one.notices == [f"{log} is not there any more: waiting for it to come back"]
    append(log, numbered(3, 3))
    assert one.settle() == numbered(3, 3)
    os.unlink(log)
    one.poll()
    one.now += MISSING_GRACE
    one.poll()
    assert len(one.notices) == 2


@pytest.mark.parametrize("what", ["folder", "fifo", "nowhere"])
def test_something_else_in_the_place_of_the_file(log, reader, what):
    append(log, numbered(0, 3))
    one = reader()
    one.poll()
    rotate(log)
    {"folder": os.mkdir, "fifo": os.mkfifo, "nowhere": lambda path: os.symlink("/nowhere/at/all", path)}[what](log)
    one.settle()
    append(log + ".1", numbered(3, 1))
    assert one.settle() == numbered(3, 1)
    (os.rmdir if what == "folder" else os.unlink)(log)
    append(log, numbered(4, 3))
    assert one.settle() == numbered(4, 3)


def test_a_link_that_leads_elsewhere(tmp_path, reader):
    link = str(tmp_path / "container.log")
    pod = tmp_path / "pod"
    pod.mkdir()
    append(pod / "0.log", numbered(0, 3))
    os.symlink(pod / "0.log", link)
    one = reader(link)
    one.poll()
    append(pod / "0.log", numbered(3, 3))
    os.rename(pod / "0.log", pod / "0.log.20260101-000000")
    append(pod / "0.log", numbered(6, 3))
    append(pod / "1.log", numbered(9, 3))
    os.symlink(pod / "1.log", link + ".new")
    os.rename(link + ".new", link)
    assert one.settle() == numbered(3, 9)
    append(pod / "1.log", numbered(12, 3))
    assert one.settle() == numbered(12, 3)
    assert one.notices == []


def test_of_a_file_and_a_link_to_it_the_link_is_followed(tmp_path, reader):
    file, link = str(tmp_path / "app-24.log"), str(tmp_path / "current.log")
    append(file, numbered(0, 3))
    os.symlink(file, link)
    one = reader(file, link)
    assert one.poll() == numbered(0, 3)
    append(tmp_path / "app-25.log", numbered(3, 3))
    os.unlink(link)
    os.symlink(tmp_path / "app-25.log", link)
    assert one.settle() == numbered(3, 3)


def test_a_truncated_file_is_read_from_its_start(log, reader):
    append(log, numbered(0, 3))
    one = reader()
    one.poll()
    os.truncate(log, 0)
    append(log, numbered(5, 1))
    assert one.poll() == numbered(5, 1)
    assert one.pieces[-1].restarted
    assert one.notices == [f"{log} was truncated: {LOST}"]


def test_a_truncated_file_that_has_grown_past_where_we_were(log, reader):
    append(log, numbered(0, 3))
    one = reader()
    one.poll()
    os.truncate(log, 0)
    append(log, numbered(5, 30))
    assert one.poll() == numbered(5, 30)


def test_even_if_it_begins_as_before(log, reader):
    banner = numbered(0, 1, 2 * HEAD_BYTES)
    append(log, banner + numbered(1, 3))
    one = reader()
    one.poll()
    os.truncate(log, 0)
    append(log, banner + numbered(5, 30))
    assert one.poll() == banner + numbered(5, 30)
    assert LOST in one.notices[0]


def test_what_a_truncated_file_had_is_read_from_its_copy(log, reader):
    append(log, numbered(0, 3))
    one = reader()
    one.poll()
    append(log, numbered(3, 30))
    copy_and_truncate(log)
    append(log, numbered(40, 5))
    copy_and_truncate(log)
    append(log, numbered(50, 5))
    assert one.settle() == numbered(3, 30) + numbered(40, 5) + numbered(50, 5)
    assert one.notices == [f"{log} was copied and then truncated: what was written in between may be lost"]


def test_it_stays_with_a_copy_while_the_truncated_file_is_empty(log, reader):
    """So that it is known what came after it, whatever happens until the next look."""
    append(log, numbered(0, 3))
    one = reader()
    one.poll()
    copy_and_truncate(log)
    one.settle()
    append(log, numbered(3, 3))
    copy_and_truncate(log)
    append(log, numbered(6, 3))
    assert one.settle() == numbered(3, 6)


def test_too_little_tells_no_copy(log, reader):
    """Another file that begins with the same few bytes is not read for it."""
    append(log + ".1", ["start", "of something else"])
    append(log, ["start"])
    one = reader()
    one.poll()
    os.truncate(log, 0)
    append(log, ["x"])
    assert one.settle() == ["x"]
    assert LOST in one.notices[0]


def test_half_a_line_goes_on_in_the_copy(log, reader):
    append(log, numbered(0, 3))
    with open(log, "a") as file:
        file.write("half")
    one = reader()
    one.poll()
    append(log, [" and half"])
    copy_and_truncate(log)
    append(log, ["new"])
    assert one.settle() == ["half and half", "new"]


def test_a_hole_that_a_truncation_leaves_is_not_read(log, reader):
    with open(log, "wb") as writer:  # does not append, but goes on where it was
        writer.write(b"x" * 10_000_000 + b"\n")
        writer.flush()
        one = reader()
        one.poll()
        os.truncate(log, 0)
        writer.write(b"new\n")
        writer.flush()
        assert one.poll() == ["new"]


def test_a_hole_that_was_looked_at_before_there_was_anything_in_it_is_not_read(log, reader):
    with open(log, "wb") as writer:
        writer.write(b"x" * 10_000_000 + b"\n")
        writer.flush()
        one = reader()
        one.poll()
        os.truncate(log, 0)
        assert one.poll() == []
        writer.write(b"new\n")
        writer.flush()
        assert one.poll() == ["new"]
        append(log, ["more"])
        assert one.poll() == ["more"]
    assert one.restart().poll() == []


@pytest.mark.parametrize("from_start", [True, False])
def test_a_hole_at_the_start_of_a_large_file_takes_no_time(log, reader, from_start):
    with open(log, "wb") as writer:
        writer.truncate(10**12)
        one = reader(from_start=from_start)
        assert one.poll() == []
        writer.seek(0, os.SEEK_END)
        writer.write(b"new\n")
        writer.flush()
        assert one.poll() == ["new"]


def test_nuls_before_the_first_line_are_not_read(log, reader):
    Path(log).write_bytes(b"\0" * 200_000 + b"one\ntwo\n")
    assert reader().poll() == ["one", "two"]
    assert reader(from_start=False).poll() == ["one", "two"]


@pytest.mark.parametrize("modified", [None, 4e9])
def test_a_file_that_was_compressed_after_all_of_it_was_read(log, reader, modified):
    append(log, numbered(0, 3))
    one = reader()
    one.poll()
    append(log, numbered(3, 3))
    content = Path(log).read_bytes()
    os.unlink(log)
    Path(log + ".1.gz").write_bytes(gzip.compress(content))
    if modified:
        os.utime(log + ".1.gz", (modified, modified))
    append(log, numbered(6, 3))
    assert (one.settle(), one.notices) == (numbered(3, 6), [])


def test_a_compressed_file_is_told_and_not_read(log, reader):
    append(log, numbered(0, 3))
    one = reader()
    one.poll()
    for at in (3, 6):
        append(log, numbered(at, 3))
        rotate(log)
    append(log, numbered(9, 3))
    shutil.move(log + ".1", log + ".1.gz")
    assert one.settle() == numbered(3, 3) + numbered(9, 3)
    assert one.notices == [f"{log}.1.gz was compressed before it was read: what is in it is not read"]


def test_a_file_that_is_being_compressed_is_read(log, reader):
    append(log, numbered(0, 3))
    one = reader()
    one.poll()
    for at in (3, 6):
        append(log, numbered(at, 3))
        rotate(log)
    append(log, numbered(9, 3))
    Path(log + ".1.gz").touch()
    assert (one.settle(), one.notices) == (numbered(3, 9), [])


def test_a_file_that_only_sounds_alike_is_not_read(log, reader):
    append(log, numbered(0, 3))
    one = reader()
    one.poll()
    for suffix in ("ger", ".lock", ".tmp", "2", "-2", ".swp", ".gz"):
        append(log + suffix, ["not of this log"])
    os.unlink(log)
    append(log, numbered(3, 3))
    assert one.settle() == numbered(3, 3)


def test_a_copy_of_what_was_read_is_not_read_again(log, reader):
    append(log, numbered(0, 3))
    one = reader()
    one.poll()
    shutil.copy(log, log + ".1")
    os.utime(log + ".1", (2e9, 2e9))
    os.unlink(log)
    append(log, numbered(3, 3))
    assert one.settle() == numbered(3, 3)


def test_a_rotated_file_that_is_deleted_while_others_came_between(log, reader):
    append(log, numbered(0, 3))
    os.utime(log, (1e9, 1e9))
    one = reader()
    one.poll()
    rotate(log)
    os.unlink(log + ".1")
    append(log, numbered(3, 3))
    rotate(log)
    append(log, numbered(6, 3))
    assert one.settle() == numbered(3, 6)
    assert "may have been missed" in one.notices[0]


def test_a_folder_that_goes_and_comes_back(tmp_path, reader):
    folder = tmp_path / "logs"
    folder.mkdir()
    log = str(folder / "app.log")
    append(log, numbered(0, 3))
    one = reader(log)
    one.poll()
    shutil.rmtree(folder)
    one.settle()
    folder.mkdir()
    append(log, numbered(3, 3))
    assert one.settle() == numbered(3, 3)


def test_a_read_that_fails_is_told_once_and_tried_again(log, reader, monkeypatch):
    append(log, numbered(0, 3))
    one = reader()
    one.poll()
    append(log, numbered(3, 3))
    with monkeypatch.context() as broken:

        def fail(*_):
            raise OSError(5, "Input/output error")

        broken.setattr(LogFile, "read", fail)
        one.settle()
        one.settle()
    assert one.notices == [f"cannot read {log}: Input/output error"]
    assert one.settle() == numbered(3, 3)


# --- what happens while it looks ---


def rotate_at_each_look(monkeypatch, log, times):
    real = os.scandir
    left = [times]

    @contextlib.contextmanager
    def scandir(folder):
        with real(folder) as entries:
            found = list(entries)
        if left[0]:
            left[0] -= 1
            rotate(log)
            append(log, ["x"])
        yield found

    monkeypatch.setattr(siblings.os, "scandir", scandir)


def test_a_look_during_rotations_is_repeated(log, monkeypatch):
    rotate_at_each_look(monkeypatch, log, 3)
    found = siblings.look(log)
    assert {each.path: each.identity[1] for each in found} == {
        path: os.stat(path).st_ino for path in (log, log + ".1", log + ".2", log + ".3")
    }


def test_without_an_end_of_rotations_nothing_can_be_told(log, reader, monkeypatch):
    append(log, numbered(0, 3))
    one = reader()
    one.poll()
    rotate(log)
    append(log, numbered(3, 3))
    with monkeypatch.context() as restless:
        rotate_at_each_look(restless, log, 1_000_000)
        assert siblings.look(log) is None
        assert one.settle() == []
        second = one.restart()
        assert (second.settle(), second.notices) == ([], [])


def test_a_name_that_is_another_files_by_now(log):
    append(log, ["a"])
    seen = siblings.sibling(log)
    rotate(log)
    assert siblings.open_same(seen) is None
    append(log, ["b"])
    assert siblings.open_same(seen) is None


def test_a_fifo_in_the_last_moment(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(OSError, match="not a regular file"):
        LogFile(str(tmp_path / "fifo"))


# --- how much at once ---


def test_a_batch_is_bounded_and_every_file_has_its_turn(tmp_path, reader):
    paths = [str(tmp_path / f"{number}.log") for number in range(6)]
    for path in paths[:5]:
        Path(path).write_bytes(b"x" * 3_000_000)
    Path(paths[5]).write_bytes(b"x")
    one = reader(*paths)
    batches = [one.follower.poll() for _ in range(2)]
    assert [sum(len(piece.data) for piece in batch) for batch in batches] == [MAX_BATCH_BYTES] * 2
    assert {piece.input for batch in batches for piece in batch} == set(range(6))


def test_memory_does_not_grow_with_the_file(log, reader):
    with open(log, "wb") as file:
        for _ in range(64):
            file.write(b"x" * 1_000_000)
    one = reader()
    tracemalloc.start()
    size = 0
    while pieces := one.follower.poll():
        size += sum(len(piece.data) for piece in pieces)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size == 64_000_000
    assert peak < 4 * MAX_BATCH_BYTES


def test_one_descriptor_a_file_however_often_it_is_rotated(log, reader):
    append(log, numbered(0, 3))
    one = reader()
    one.poll()
    before = len(os.listdir("/dev/fd"))
    for at in range(20):
        append(log, numbered(3 + at, 1))
        rotate(log)
        append(log, [])
        one.settle()
    assert len(os.listdir("/dev/fd")) == before
    one.follower.close()
    one.follower.close()
    assert len(os.listdir("/dev/fd")) == before - 1


# --- read, in its thread ---


@pytest.fixture
def follower(log):
    made = []

    def start(*paths, notice=print):
        made.append(Follower(list(paths) or [log], {}, from_start=True, notice=notice))
        return made[-1]

    yield start
    for each in made:
        each.close()


async def read(follower):
    return b"".join(piece.data for piece in await asyncio.wait_for(follower.read(), 60))


async def test_read_waits_for_new_bytes(log, follower):
    append(log, ["a"])
    one = follower()
    assert await read(one) == b"a\n"
    waiting = asyncio.create_task(read(one))
    append(log, ["b"])
    assert await waiting == b"b\n"


@pytest.mark.parametrize("failure", [ImportError, RuntimeError, FileNotFoundError, OSError])
async def test_without_wakeups_it_polls(log, follower, monkeypatch, failure):
    tried = threading.Event()

    def fail(*_, **__):
        tried.set()
        raise failure

    monkeypatch.setattr("watchfiles.watch", fail)
    one = follower()
    waiting = asyncio.create_task(read(one))
    await asyncio.to_thread(tried.wait, 60)
    append(log, ["a"])
    assert await waiting == b"a\n"


async def test_with_wakeups_it_does_not_wait_for_the_poll(log, follower, monkeypatch):
    monkeypatch.setattr(follow, "POLL_SECONDS", None)  # for ever
    one = follower()
    found_nothing = threading.Event()
    poll = one.poll

    def poll_and_tell():
        pieces = poll()
        if not pieces:
            found_nothing.set()
        return pieces

    monkeypatch.setattr(one, "poll", poll_and_tell)
    waiting = asyncio.create_task(read(one))
    await asyncio.to_thread(found_nothing.wait, 60)
    while not waiting.done():  # the first may come before the folder is watched
        append(log, ["a"])
        await asyncio.wait({waiting}, timeout=0.05)
    assert waiting.result().startswith(b"a\n")


async def test_a_read_that_is_cancelled_loses_nothing(log, follower):
    one = follower()
    got = b""
    for number in range(20):
        waiting = asyncio.create_task(read(one))
        await asyncio.sleep(0)
        append(log, [str(number)])
        waiting.cancel()
        await asyncio.wait({waiting})
        got += b"" if waiting.cancelled() else waiting.result()
    expected = "".join(f"{number}\n" for number in range(20)).encode()
    while len(got) < len(expected):
        got += await read(one)
    assert got == expected


async def test_nothing_is_read_that_was_not_asked_for(log, follower, monkeypatch):
    sizes = []
    real = LogFile.read

    def counted(self, limit):
        data = real(self, limit)
        sizes.append(len(data))
        return data

    monkeypatch.setattr(LogFile, "read", counted)
    append(log, ["x" * 10_000_000])
    one = follower()
    assert sizes == []
    for times in (1, 2, 3):
        await one.read()
        assert sum(sizes) == times * MAX_BATCH_BYTES


async def test_closing_ends_a_read(log, follower):
    one = follower()
    waiting = asyncio.create_task(one.read())
    await asyncio.sleep(0)
    one.close()
    assert await asyncio.wait_for(waiting, 60) == []
    assert await one.read() == []


async def test_notices_come_in_the_thread_of_the_loop(log, follower):
    threads = []
    append(log, numbered(0, 3))
    one = follower(notice=lambda _: threads.append(threading.current_thread()))
    await read(one)
    os.truncate(log, 0)
    append(log, ["b"])
    assert await read(one) == b"b\n"
    assert threads == [threading.main_thread()]


async def test_a_bug_is_heard_of(log, follower, monkeypatch):
    one = follower()
    monkeypatch.setattr(one, "poll", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        await asyncio.wait_for(one.read(), 60)


WRITER = """
import os, sys
path, lines, each = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
file = open(path, "ab", buffering=0)
for number in range(lines):
    file.write(b"%08d some text so that it is as long as a line of a log mostly is\\n" % number)
    if number % each == each - 1:
        for old in range(99, 0, -1):
            if os.path.exists(f"{path}.{old}"):
                os.rename(f"{path}.{old}", f"{path}.{old + 1}")
        os.rename(path, f"{path}.1")
        file.close()
        file = open(path, "ab", buffering=0)
"""


@pytest.fixture
def writer(log):
    """A process that writes as fast as it can, and rotates."""
    started = []

    def start(lines, each):
        started.append(subprocess.Popen([sys.executable, "-c", WRITER, log, str(lines), str(each)]))

    yield start
    for each in started:
        each.kill()
        each.wait()


@pytest.mark.parametrize("each", [1000, 7000])
async def test_a_writer_at_full_speed_and_rotations(follower, writer, each):
    lines = 50_000
    notices = []
    one = follower(notice=notices.append)
    writer(lines, each)
    got = bytearray()
    while not got.endswith(b"\n") or not got[:-1].rpartition(b"\n")[2].startswith(b"%08d" % (lines - 1)):
        got += await read(one)
    assert [int(line[:8]) for line in got.splitlines()] == list(range(lines))
    assert notices == []


# --- any course of things ---


class Course(RuleBasedStateMachine):
    """What a writer and rotations do, and a reader that is stopped and started, against a model of who reads what."""

    def __init__(self):
        super().__init__()
        self.folder = tempfile.mkdtemp()
        self.log = os.path.join(self.folder, "app.log")
        self.written = 0
        self.lines = []
        self.unread = set()
        self.may_be_lost = set()
        self.must_be_told = set()
        self.exists = True
        self.is_torn = False  # truncated, and the reader has not seen that yet: it cannot know a copy by its beginning
        self.begin()
        append(self.log, self.new_lines(3))
        self.reader = Reader([self.log])
        self.poll(0.0)

    def new_lines(self, count, width=70):
        lines = numbered(self.written, count, width)
        self.written += count
        self.unread.update(lines)
        return lines

    def knows_the_file(self):
        """Whether the reader has read a whole line of what the file is now."""
        return int(self.lines[-1][:8]) >= self.first

    def begin(self):
        """The file is a new one from now on."""
        if self.is_torn:
            self.may_be_lost |= self.unread
        self.first = self.written
        self.is_begun = False

    @rule(count=st.integers(1, 40), width=st.sampled_from([70, 700]))
    def append(self, count, width):
        append(self.log, self.new_lines(count, width))
        self.exists = True

    @rule(cut=st.integers(1, 69))
    def append_in_two(self, cut):
        (line,) = self.new_lines(1)
        with open(self.log, "ab", buffering=0) as file:
            file.write(line[:cut].encode())
            self.poll(0.0)
            self.is_begun = True
            file.write(line[cut:].encode() + b"\n")
        self.exists = True

    @precondition(lambda self: self.exists)
    @rule(create=st.booleans())
    def rotate(self, create):
        rotate(self.log, 60)
        self.exists = create
        self.begin()
        if create:
            Path(self.log).touch()

    @precondition(lambda self: self.exists)
    @rule()
    def truncate(self):
        self.may_be_lost |= self.unread
        if self.knows_the_file():  # or else nobody knows that there was anything
            self.must_be_told |= self.unread
        os.truncate(self.log, 0)
        self.begin()
        self.is_torn = True

    @precondition(lambda self: self.exists)
    @rule()
    def copy_and_truncate(self):
        if self.is_begun and not self.knows_the_file():  # too little was read to know the copy by
            self.is_torn = True
        copy_and_truncate(self.log, 60)
        self.begin()

    @rule(seconds=st.sampled_from([0.0, 0.6, 5.0]))
    def poll(self, seconds):
        self.reader.now += seconds
        self.take(self.reader.poll())
        self.is_begun |= self.is_torn
        self.is_torn = False

    @rule()
    def restart(self):
        if not self.exists:
            Path(self.log).touch()
            self.exists = True
        self.reader = self.reader.restart(notices=self.reader.notices)

    def take(self, lines):
        lines = [line for line in lines if len(line) >= 70]  # a shorter one was cut by a truncation: it stays unread
        assert self.lines[-1:] + lines == sorted({*self.lines[-1:], *lines})
        self.lines += lines
        self.unread -= set(lines)

    def teardown(self):
        self.append(1, 70)
        self.take(self.reader.settle())
        self.reader.follower.close()
        shutil.rmtree(self.folder)
        assert self.unread <= self.may_be_lost
        if self.unread & self.must_be_told:
            assert any(LOST in notice for notice in self.reader.notices)


TestCourse = Course.TestCase
TestCourse.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
