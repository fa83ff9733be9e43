"""The rotated files beside a log, and in which order they were it: app.log.2, app.log.1, app.log."""

import os
import re
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from streamcli.core.position import Position
from streamcli.edge.logfile import READ_FLAGS, Identity, LogFile

# Bytes of a head that tell a copy by themselves, where the inode says nothing: about one line with its time.
MIN_TELLING_HEAD = 64
# Looks at a folder in which files are being renamed, before it is left for later.
_TRIES = 8
_COMPRESSED = re.compile(r"\.(gz|bz2|xz|zst|lz4|lzma|zip|Z)$")
# logrotate's and the usual libraries' names: a number, or a date or time that sorts by its numbers.
_NUMBERED = re.compile(r"\.(\d{1,3})")
_TIMED = re.compile(r"[.\-_]\d{4}[\d.\-_:T]*")

Rank = tuple[str, tuple[int, ...]]
"""A scheme of names, and a place in it: the greater, the newer."""


@dataclass(frozen=True, slots=True)
class Sibling:
    """A regular file: the log itself, or one whose name begins with its name. `modified` is in nanoseconds.

    `rank` is None where the name does not say when it was the log.
    """

    path: str
    identity: Identity
    size: int
    modified: int
    rank: Rank | None
    is_compressed: bool


def sibling(path: str, suffix: str = "") -> Sibling | None:
    """The file at `path`, whose name ends with `suffix` after the log's; None if there is no regular one."""
    try:
        status = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    bare = _COMPRESSED.sub("", suffix)
    identity = (status.st_dev, status.st_ino)
    return Sibling(path, identity, status.st_size, status.st_mtime_ns, _rank(bare), bare != suffix)


def look(log: str) -> Sequence[Sibling] | None:
    """The file `log` and its siblings; None while files are renamed so fast that what was seen may never have been.

    Raises OSError.
    """
    before = _look_once(log)
    for _ in range(_TRIES):
        after = _look_once(log)
        if [(each.path, each.identity) for each in before] == [(each.path, each.identity) for each in after]:
            return after
        before = after
    return None


def newer(found: Sequence[Sibling], log: str, old: Identity, modified: int) -> Sequence[Sibling]:
    """Those that were the log after `old`, which was last written to at `modified`; the oldest first.

    By their names, where `old` still has one of them; else by when they were written to.
    """
    plain = {each.rank for each in found if not each.is_compressed}
    rotated = [each for each in found if each.path != log and each.rank is not None and each.identity != old]
    # While a file is compressed it is there twice.
    rotated = [each for each in rotated if not each.is_compressed or each.rank not in plain]
    here = next((each.rank for each in found if each.path != log and each.identity == old), None)
    if here is not None:
        rotated = [each for each in rotated if each.rank and each.rank[0] == here[0] and each.rank > here]
        rotated.sort(key=lambda each: each.rank or here)
    else:
        rotated = [each for each in rotated if each.modified > modified]
        rotated.sort(key=lambda each: (each.modified, each.rank))
    return [*rotated, *(each for each in found if each.path == log and each.identity != old)]


def open_at(found: Sequence[Sibling], log: str, position: Position) -> LogFile | None:
    """The file that was read up to `position`, or a copy of it, open there; None if it is gone, truncated, compressed.

    Raises OSError.
    """
    identity = (position.device, position.inode)
    for each in found:
        if each.identity == identity and (file := open_there(each, position)):
            return file
    return open_copy(found, log, position)


def open_copy(found: Sequence[Sibling], log: str, position: Position) -> LogFile | None:
    """Another file with the same beginning, open at `position`: the longest, as somebody may have copied it twice.

    One that has the name `log` itself is no copy but restored, and will go on growing.
    """
    if position.head_size < MIN_TELLING_HEAD:
        return None
    identity = (position.device, position.inode)
    for each in sorted(found, key=lambda each: each.size, reverse=True):
        if each.identity == identity or each.is_compressed:
            continue
        if file := open_there(each, position, is_copy=each.path != log):
            return file
    return None


def open_renamed(log: str, position: Position) -> LogFile | None:
    """The file that was read up to `position`, under any name in the folder of `log`; None if it is not there.

    Raises OSError.
    """
    for path in _paths(os.path.dirname(log), lambda entry: entry.inode() == position.inode):
        found = sibling(path)
        if found and found.identity == (position.device, position.inode):
            return open_there(found, position)
    return None


def open_same(wanted: Sibling) -> LogFile | None:
    """That file from its start; None if its name is another's by now. Raises OSError."""
    try:
        log = LogFile(wanted.path)
    except FileNotFoundError:
        return None
    if log.identity == wanted.identity:
        return log
    log.close()
    return None


def open_there(wanted: Sibling, position: Position, *, is_copy: bool = False) -> LogFile | None:
    """That file at `position`; None if its name is another's by now, or it has not what was read up to there."""
    try:
        log = LogFile(wanted.path, position.offset, is_copy=is_copy)
    except OSError:  # renamed since, or not for us to read: then it is not the one that we read either
        return None
    try:
        if log.identity == wanted.identity and log.holds(position):
            return log
    except OSError:
        pass
    log.close()
    return None


def is_copy(other: Sibling, position: Position) -> bool:
    """Whether `other` begins with a copy of what was read up to `position` of another file."""
    if other.is_compressed or position.head_size < MIN_TELLING_HEAD or not (copy := open_there(other, position)):
        return False
    copy.close()
    return True


def is_packed(other: Sibling, size: int) -> bool:
    """Whether `other` is a gzip file of so many bytes, as far as its last four tell."""
    if not other.path.endswith(".gz"):
        return False
    try:
        with open(other.path, "rb", buffering=0, opener=lambda path, _: os.open(path, READ_FLAGS)) as file:
            file.seek(-4, os.SEEK_END)
            return int.from_bytes(file.read(4), "little") == size % 2**32
    except OSError:
        return False


def _look_once(log: str) -> list[Sibling]:
    folder, name = os.path.split(log)
    paths = _paths(folder, lambda entry: entry.name.startswith(name))
    found = [sibling(path, path.removeprefix(log)) for path in paths]
    return [each for each in found if each is not None]


def _paths(folder: str, is_wanted: Callable[[os.DirEntry[str]], bool]) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(os.path.join(folder, entry.name) for entry in entries if is_wanted(entry))
    except (FileNotFoundError, NotADirectoryError):
        return []


def _rank(suffix: str) -> Rank | None:
    if numbered := _NUMBERED.fullmatch(suffix):
        return "number", (-int(numbered[1]),)
    if _TIMED.fullmatch(suffix):
        return "time", tuple(map(int, re.findall(r"\d+", suffix)))
    return None
