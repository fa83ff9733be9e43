"""One log under one name, through all its rotations."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from streamcli.core.position import Kept, Position
from streamcli.edge import siblings
from streamcli.edge.logfile import Identity, LogFile
from streamcli.edge.siblings import Sibling
from streamcli.edge.succession import succession
from streamcli.edge.takeup import take_up

# Lines that are read of a file that is new to us, as tail does.
LAST_LINES = 10
# Seconds without a byte before a rotated file is left for one that has lines already: not all of a program's processes
# begin to write to the new one at the same time.
ROTATION_GRACE = 1.0
# Seconds after which it is left in any case: one that goes on with it must not hide the new file for ever.
ROTATION_LIMIT = 10.0
# Seconds in which a name may be nobody's, as in the middle of a rotation, before that is worth a word.
MISSING_GRACE = 2.0


@dataclass(frozen=True, slots=True)
class Read:
    """Bytes, and the position after them. They follow on `before`, and on what was read last unless `restarted`."""

    data: bytes
    before: bytes
    end: Position
    restarted: bool


@dataclass(slots=True)
class _Rotation:
    """That another file has the name. `copied` is how far it is a copy of the one that is open, if it is."""

    successor: Identity
    since: float
    quiet_since: float | None = None
    copied: Position | None = None

    def is_quiet(self, now: float) -> bool:
        return self.quiet_since is not None and now - self.quiet_since >= ROTATION_GRACE

    def is_overdue(self, now: float) -> bool:
        return not self.is_quiet(now) and now - self.since >= ROTATION_LIMIT


class FollowedLog:
    """`path` is absolute, `name` what the user calls it. Blocks for the file system; `step` raises nothing.

    There is never more than one file open, and the state does not grow with the number of rotations. Nothing can tell
    what was written to a file of which no byte was read, if that is copied and truncated before the next step.
    """

    def __init__(
        self, path: str, name: str, kept: Kept | None, *, from_start: bool, say: Callable[[str], None]
    ) -> None:
        self._path = path
        self._name = name
        self._say = say
        self._from_start = from_start
        self._kept = kept  # where to go on; of no meaning while a file is open
        self._log: LogFile | None = None
        self._opened_as = path  # the name, without links, that the open file has or had
        self._restarted = False
        self._rotation: _Rotation | None = None
        self._missing_since: float | None = None
        self._said: set[str] = set()  # about what lasts, until it is over

    def folders(self) -> set[str]:
        """Where something may happen that matters."""
        return {os.path.dirname(self._path), os.path.dirname(self._opened_as)}

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
            self._kept = Kept(self._log.position(), time.time())
            self._log.close()
            self._log = None

    def _begin(self, now: float) -> bool:
        """Opens the file to read on in; False if there is none yet."""
        self._opened_as = os.path.realpath(self._path)
        if self._kept is not None:
            return self._take_up(self._kept, now)
        current = siblings.sibling(self._opened_as)
        self._note_missing(current is None, now)
        self._log = siblings.open_same(current) if current else None
        if self._log is not None and not self._from_start:
            self._log.go_to_last_lines(LAST_LINES)
        return self._log is not None

    def _take_up(self, kept: Kept, now: float) -> bool:
        found = siblings.look(self._opened_as)
        if found is None:
            return False
        beginning = take_up(found, self._opened_as, kept)
        self._note_missing(beginning is None, now)
        if beginning is None:
            return False
        self._log, self._restarted = beginning.log, beginning.is_another
        if beginning.log.is_copy:
            self._say_that_it_was_copied()
        if beginning.lost:
            self._say(f"{self._name} {beginning.lost}: what was not read of it before that is lost")
        return True

    def _read(self, limit: int) -> Read | None:
        assert self._log is not None
        data = self._log.read(limit)
        if data is None and self._go_on_after_truncation():
            data = self._log.read(limit)
        if not data:
            return None
        read = Read(data, self._log.before, self._log.position(), self._restarted)
        self._restarted = False
        if self._rotation is not None:
            self._rotation.quiet_since = None
        self._said.clear()
        return read

    def _go_on_after_truncation(self) -> bool:
        """Reads on in the copy that was made of it before (logrotate's copytruncate), or else begins anew."""
        assert self._log is not None
        found = siblings.look(self._opened_as)
        if found is None:
            return False
        copy = siblings.open_copy(found, self._opened_as, self._log.position())
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
        named_now = os.path.realpath(self._path)
        current = siblings.sibling(named_now)
        self._note_missing(current is None, now)
        if current is not None and current.identity == self._log.identity:
            self._opened_as, self._rotation = named_now, None
            return False
        later = self._later_files(current if named_now != self._opened_as else None)
        if not later:
            return False
        is_newest = len(later) == 1 and later[0].path == named_now
        if is_newest and self._may_still_grow(later[0], now):
            return False
        # Only now is it known that nobody writes to it: its end was seen before that.
        return self._log.has_more() or self._turn_to(later[0], named_now, now)

    def _later_files(self, elsewhere: Sibling | None) -> list[Sibling]:
        """The files that were the log after the one that is open, the oldest first; none while that cannot be told."""
        assert self._log is not None
        found = siblings.look(self._opened_as)
        if found is None:
            return []
        after = succession(found, self._opened_as, self._log, elsewhere)
        if after.has_gaps:
            self._say_once(f"{self._name} was rotated and then removed: files in between may have been missed")
        for each in after.compressed:
            self._say_once(f"{each.path} was compressed before it was read: what is in it is not read")
        return list(after.files)

    def _may_still_grow(self, successor: Sibling, now: float) -> bool:
        """Whether somebody may still write to the rotated file that is open."""
        assert self._log is not None
        if not successor.size and self._log.has_name():
            # Nobody has turned to the new one yet. And where we are can be told later, but the start of nothing cannot.
            self._rotation = None
            return True
        if self._log.is_copy:
            return False
        rotation = self._rotation
        if rotation is None or rotation.successor != successor.identity:
            rotation = self._rotation = _Rotation(successor.identity, now)
        if rotation.copied is None and siblings.is_copy(successor, self._log.position()):
            rotation.copied = self._log.position()
        if rotation.quiet_since is None:
            rotation.quiet_since = now
        return not (rotation.is_quiet(now) or rotation.is_overdue(now))

    def _turn_to(self, later: Sibling, named_now: str, now: float) -> bool:
        """Opens it from its start; or, if it began as a copy of the one that is open, where that ended."""
        assert self._log is not None
        rotation = self._rotation if self._rotation and self._rotation.successor == later.identity else None
        copied = rotation.copied if rotation else None
        copy = siblings.open_there(later, copied) if copied else None
        log = copy or siblings.open_same(later)
        if log is None:
            return False
        if rotation and rotation.is_overdue(now):
            self._say(f"{self._name} was rotated, but the old file is still written to: it is left now")
        # A copy goes on with a line that is unfinished, unless more was read since.
        self._restarted = copy is None or copied is None or copied.offset != self._log.position().offset
        self._replace(log)
        if later.path == named_now:
            self._opened_as = named_now
        return True

    def _replace(self, log: LogFile) -> None:
        assert self._log is not None
        self._log.close()
        self._log = log
        self._rotation = None

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
