"""Which rows living runs hold: a POSIX record lock on byte `id` of a file beside the database.

The kernel drops such a lock with its process, also after kill -9, and no child inherits it. It is dropped as well when
*any* descriptor of the file is closed, and it does not exclude within one process: so one Holds a process and file,
which keeps its one descriptor, and its own list.
"""

import fcntl
import os
from pathlib import Path

from streamcli.store.database import check_own_file


class Holds:
    """The rows that this process holds. Raises OSError; StoreError from the start if the file is not ours.

    Taking and asking are done inside a write transaction of the database: asking takes the lock for a moment, and
    would otherwise be in the way of another process's taking.
    """

    def __init__(self, path: Path) -> None:
        self._held: set[int] = set()
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
        try:
            check_own_file(os.fstat(self._fd))
        except BaseException:
            self.close()
            raise

    def take(self, row: int) -> bool:
        """Holds `row` from now on; False if it is held already, by another process or by us."""
        if row in self._held or not self._lock(row):
            return False
        self._held.add(row)
        return True

    def wait(self, row: int) -> None:
        """Blocks until `row` is this process's: for a thread of its own. It is held only when `take` has said so too.

        What is not taken then has to be let go by `unwanted`.
        """
        fcntl.lockf(self._fd, fcntl.LOCK_EX, 1, row)

    def unwanted(self, row: int) -> None:
        """`wait` was for nothing: `row` is free again, unless we hold it."""
        if row not in self._held and self._fd >= 0:
            self._unlock(row)

    def let_go(self, row: int) -> None:
        """Holds `row` no more; nothing happens if it was not held."""
        if row in self._held:
            self._unlock(row)
            self._held.discard(row)

    def is_held(self, row: int) -> bool:
        """Whether a living process, maybe this one, holds `row`."""
        if row in self._held:  # to try would succeed, and to let go again would lose it
            return True
        if not self._lock(row):
            return True
        self._unlock(row)
        return False

    def close(self) -> None:
        """Lets go of everything."""
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1
        self._held.clear()

    def _lock(self, row: int) -> bool:
        try:
            fcntl.lockf(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, row)
        except (BlockingIOError, PermissionError):  # EAGAIN or EACCES, by platform
            return False
        return True

    def _unlock(self, row: int) -> None:
        fcntl.lockf(self._fd, fcntl.LOCK_UN, 1, row)
