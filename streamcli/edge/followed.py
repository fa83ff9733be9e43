"""One log under one name, through all its rotations."""

import os
from collections.abc import Callable
from dataclasses import dataclass

from streamcli.core.position import Position
from streamcli.edge import siblings
from streamcli.edge.logfile import LogFile
from streamcli.edge.siblings import Sibling

# Lines that are read of a file that is new to us, as tail does.
LAST_LINES = 10
# Seconds without a byte before a rotated file is left for one that has lines already: not all of a program's processes
# begin to write to the new one at the same time.
ROTATION_GRACE = 1.0
# Seconds in which a name may be nobody's, as in the middle of a rotation, before that is worth a word.
MISSING_GRACE = 2.0


@dataclass(frozen=True, slots=True)
class Read:
    """Bytes that follow on those before, unless they are the start of another file; and the position after them."""

    data: bytes
    end: Position
    restarted: bool


class FollowedLog:
    """`path` is absolute, `name` what the user calls it. Blocks for the file system; `step` raises nothing.

    There is never more than one file open, and the state does not grow with the number of rotations. Nothing can tell
    what was written to a file of which no byte was read, if that is copied and truncated before the next step.
    """

    def __init__(
        self, path: str, name: str, position: Position | None, *, from_start: bool, say: Callable[[str], None]
    ) -> None:
        self._path = path
        self._name = name
        self._say = say
        self._from_start = from_start
        self._position = position  # where to go on; of no meaning while a file is open
        self._log: LogFile | None = None
        self._base = path  # the name, without links, that the open file has or had
        self._restarted = False
        self._quiet_since: float | None = None  # of a rotated file that will be left
        self._missing_since: float | None = None
        self._said: set[str] = set()  # about what lasts, until it is over

    def folders(self) -> set[str]:
        """Where something may happen that matters."""
        return {os.path.dirname(self._path), os.path.dirname(self._base)}

    def step(self, limit: int, now: float) -> Read | None:
        """The next bytes, at most `limit`; None if there are none for now."""
        try:
            while self._log is not None or self._begin(now):
                if read := self._read(limit):
                    return read
                if not self._move_on(now):
                    return None
        except OSError as error:
            self._lose(error)
        return None

    def close(self) -> None:
        """May be called again."""
        if self._log is not None:
            self._position = self._log.position()
            self._log.close()
            self._log = None

    def _begin(self, now: float) -> bool:
        """Opens the file to read on in; False if there is none yet."""
        self._base = os.path.realpath(self._path)
        if self._position is not None:
            return self._resume(self._position, now)
        self._log = self._open_current(now)
        if self._log is not None and not self._from_start:
            self._log.go_to_last_lines(LAST_LINES)
        return self._log is not None

    def _resume(self, position: Position, now: float) -> bool:
        found = siblings.look(self._base)
        if found is None:
            return False
        self._log = siblings.open_at(found, self._base, position)
        if self._log is not None:
            if self._log.is_copy:
                self._say_that_it_was_copied()
            return True
        # A truncated file, or one that was given the number of ours, came after ours in any case.
        same = next((each for each in found if each.identity == (position.device, position.inode)), None)
        self._log = siblings.open_same(same) if same and not same.is_compressed else self._open_current(now)
        if self._log is None:
            return False
        self._say(
            f"{self._name} is another file, or was truncated, since it was followed last: "
            "what was not read of it before that is lost"
        )
        self._restarted = True
        return True

    def _open_current(self, now: float) -> LogFile | None:
        current = siblings.sibling(self._base)
        self._note_missing(current is None, now)
        return siblings.open_same(current) if current else None

    def _read(self, limit: int) -> Read | None:
        assert self._log is not None
        data = self._log.read(limit)
        if data is None and self._go_on_after_truncation():
            data = self._log.read(limit)
        if not data:
            return None
        read = Read(data, self._log.position(), self._restarted)
        self._restarted = False
        self._quiet_since = None
        self._said.clear()
        return read

    def _go_on_after_truncation(self) -> bool:
        """Reads on in the copy that was made of it before (logrotate's copytruncate), or else begins anew."""
        assert self._log is not None
        found = siblings.look(self._base)
        if found is None:
            return False
        copy = siblings.open_copy(found, self._base, self._log.position())
        if copy is None:
            self._say(f"{self._name} was truncated: what was not read of it before that is lost")
            self._log.rewind()
            self._restarted = True
        else:
            self._say_that_it_was_copied()
            self._replace(copy)
        return True

    def _move_on(self, now: float) -> bool:
        """Opens the next file, if there is one and the last was read to its end; True if there may be more to read."""
        assert self._log is not None
        base = os.path.realpath(self._path)
        current = siblings.sibling(base)
        self._note_missing(current is None, now)
        if current is not None and current.identity == self._log.identity:
            self._base = base
            self._quiet_since = None
            return False
        later = self._later_files(base, current)
        if not later:
            return False
        is_newest = len(later) == 1 and later[0].path == base
        if is_newest and self._may_still_grow(later[0], now):
            return False
        # Only now is it known that nobody writes to it: its end was seen before that.
        return self._log.has_more() or self._turn_to(later[0], base)

    def _later_files(self, base: str, current: Sibling | None) -> list[Sibling]:
        """The files that were the log after the one that is open, the oldest first; none while that cannot be told."""
        assert self._log is not None
        found = siblings.look(self._base)
        if found is None:
            return []
        later = list(siblings.newer(found, self._base, self._log.identity, self._log.modified()))
        if base != self._base and current is not None:  # a link that leads elsewhere now
            later.append(current)
        if all(each.identity != self._log.identity for each in found):
            later = [each for each in later if not siblings.is_copy(each, self._log)]
            if len(later) > 1:
                self._say_once(f"{self._name} was rotated and then removed: files in between may have been missed")
        for each in later:
            if each.is_compressed:
                self._say_once(f"{each.path} was compressed before it was read: what is in it is not read")
        return [each for each in later if not each.is_compressed]

    def _turn_to(self, later: Sibling, base: str) -> bool:
        log = siblings.open_same(later)
        if log is None:
            return False
        self._replace(log)
        self._restarted = True
        if later.path == base:
            self._base = base
        return True

    def _may_still_grow(self, successor: Sibling, now: float) -> bool:
        """Whether somebody may still write to the rotated file that is open."""
        assert self._log is not None
        if not successor.size and self._log.has_name():
            # Nobody has turned to the new one yet. And where we are can be told later, but the start of nothing cannot.
            self._quiet_since = None
            return True
        if self._log.is_copy:
            return False
        if self._quiet_since is None:
            self._quiet_since = now
        return now - self._quiet_since < ROTATION_GRACE

    def _replace(self, log: LogFile) -> None:
        assert self._log is not None
        self._log.close()
        self._log = log
        self._quiet_since = None

    def _lose(self, error: OSError) -> None:
        """The next step looks for the file again."""
        self.close()
        self._say_once(f"cannot read {self._name}: {error.strerror}")

    def _note_missing(self, is_missing: bool, now: float) -> None:
        if not is_missing:
            self._missing_since = None
            return
        if self._missing_since is None:
            self._missing_since = now
        if now - self._missing_since >= MISSING_GRACE:
            self._say_once(f"{self._name} is not there any more: waiting for it to come back")

    def _say_that_it_was_copied(self) -> None:
        self._say(f"{self._name} was copied and then truncated: what was written in between may be lost")

    def _say_once(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            self._say(text)
