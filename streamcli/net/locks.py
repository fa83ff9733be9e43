"""Taking turns with other processes of the same user."""

import asyncio
import contextlib
import fcntl
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

Note = Callable[[str], None]

_POLL = 0.1  # seconds between two looks at a lock


@asynccontextmanager
async def hold(path: Path | None, busy: str, note: Note) -> AsyncIterator[bool]:
    """Hold the lock file `path` while the block runs; the block is told whether it truly holds it.

    Another process's lock is waited for, with one note: `busy` and the other's pid. The kernel frees the lock
    when its holder dies, and no child inherits it. Where there can be no lock (a read-only directory, a file
    system without flock, no path) the block runs without.
    """
    lock = _open_lock(path) if path else None
    try:
        yield lock is not None and await _acquire(lock, busy, note)
    finally:
        if lock is not None:
            os.close(lock)


def _open_lock(path: Path) -> int | None:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return None


async def _acquire(lock: int, busy: str, note: Note) -> bool:
    told = False
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not told:
                holder = os.pread(lock, 20, 0).decode("ascii", "replace").strip()
                note(f"{busy}{f' (process {holder})' if holder else ''}: waiting for it")
                told = True
            await asyncio.sleep(_POLL)
        except OSError:
            return False
        else:
            with contextlib.suppress(OSError):  # the pid is a courtesy: a full disk must not matter
                os.ftruncate(lock, 0)
                os.pwrite(lock, b"%d" % os.getpid(), 0)
            return True
