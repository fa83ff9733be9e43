"""The sole owner of stdout.

A writer thread does the blocking, so that signals and the network are served while a reader dawdles; it also notices,
while there is nothing to write, that the reader has gone.
"""

import asyncio
import contextlib
import errno
import os
import select
import stat
import threading
from collections.abc import Callable

from streamcli.edge.descriptors import write_all

# Bytes that may wait for the writer before `write` makes its caller wait: a pipe's worth.
HIGH_WATER = 64 * 1024


class Sink:
    """Bytes to a file descriptor, in order, each once. Made inside a running loop; `on_failure` is called in it."""

    def __init__(self, on_failure: Callable[[OSError], None], fd: int = 1) -> None:
        self._fd = fd
        self._loop = asyncio.get_running_loop()
        self._on_failure = on_failure
        self._lock = threading.Lock()
        self._settled = threading.Condition(self._lock)
        self._queue: list[bytes] = []
        self._pending = 0
        self._failed = False
        self._below = asyncio.Event()
        self._empty = asyncio.Event()
        self._below.set()
        self._empty.set()
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)
        threading.Thread(target=self._run, name="stdout", daemon=True).start()

    def push(self, data: bytes) -> None:
        """Queues without waiting, for callers that cannot wait and have little to say."""
        if not data or self._failed:
            return
        with self._lock:
            self._queue.append(data)
            self._pending += len(data)
            self._empty.clear()
            if self._pending > HIGH_WATER:
                self._below.clear()
        with contextlib.suppress(BlockingIOError):  # the pipe is full of wake-ups already
            os.write(self._wake_write, b"\0")

    async def write(self, data: bytes) -> None:
        """Queues, and waits while too much is queued: the way backpressure takes to the server and to stdin."""
        self.push(data)
        await self._below.wait()

    async def drain(self) -> None:
        """Waits until everything is written."""
        await self._empty.wait()

    def settle(self, patience: float) -> None:
        """Blocks until everything is written, or for so many seconds: for who writes to the same terminal next."""
        with self._settled:
            self._settled.wait_for(lambda: not self._pending or self._failed, patience)

    def _run(self) -> None:
        poll = select.poll()
        poll.register(self._wake_read, select.POLLIN)
        poll.register(self._fd, 0)  # POLLERR and POLLHUP come unasked: the reader is gone
        try:
            while True:
                ready = dict(poll.poll())
                if self._wake_read in ready:
                    os.read(self._wake_read, 4096)
                    self._write_queued()
                elif ready[self._fd] & (select.POLLERR | select.POLLHUP):
                    raise OSError(errno.EPIPE if _has_reader(self._fd) else errno.EIO, "the reader is gone")
                else:  # macOS cannot poll every device
                    poll.unregister(self._fd)
        except OSError as error:
            with self._settled:
                self._failed = True
                self._settled.notify_all()
            self._in_loop(self._fail, error)

    def _write_queued(self) -> None:
        with self._lock:
            data = b"".join(self._queue)
            self._queue.clear()
        write_all(self._fd, data)
        with self._lock:
            self._pending -= len(data)
            self._settled.notify_all()
        self._in_loop(self._written)

    def _written(self) -> None:
        with self._lock:
            if self._pending <= HIGH_WATER:
                self._below.set()
            if not self._pending:
                self._empty.set()

    def _fail(self, error: OSError) -> None:
        self._below.set()
        self._empty.set()
        self._on_failure(error)

    def _in_loop(self, callback: Callable[..., None], *arguments: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: the run is over
            self._loop.call_soon_threadsafe(callback, *arguments)


def _has_reader(fd: int) -> bool:
    """Whether fd is of a kind that has a reader who can leave: a pipe or a socket."""
    mode = os.fstat(fd).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)
