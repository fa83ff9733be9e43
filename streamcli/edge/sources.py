"""fd 0 -> chunks, read only on demand.

One daemon thread polls and reads: asyncio's own ways refuse regular files, hang on /dev/null, or make a terminal
non-blocking for everybody else who has it open. Nothing is read that was not asked for, so a slow consumer stops the
producer upstream, and bytes that are left unread stay in the pipe.
"""

import fcntl
import os
import select

from streamcli.edge.demand import MAX_BATCH_BYTES, OnDemand
from streamcli.errors import InputError

DEFAULT_PIPE_BYTES = 64 * 1024


class StdinSource:
    """`read` gives the next bytes, b"" at the end. Not for concurrent readers."""

    def __init__(self, fd: int = 0) -> None:
        self._fd = fd
        self._read_bytes = _pipe_size(fd)
        self._at_end = False
        self._batches = OnDemand("stdin", self._read)

    async def read(self) -> bytes:
        """Waits for input; what a cancelled call had asked for, the next one gets. Raises InputError."""
        return await self._batches.next()

    def _read(self) -> bytes:
        try:
            return self._read_batch()
        except OSError as error:
            what = f"cannot read standard input: {error.strerror}"
            raise InputError(what, "use -n if there is none to read") from error

    def _read_batch(self) -> bytes:
        """Blocks for the first bytes, then takes what else is there already. A terminal says only once that it ends."""
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        chunks: list[bytes] = []
        size = 0
        wait: int | None = None
        while not self._at_end and size < MAX_BATCH_BYTES and poll.poll(wait):
            try:
                chunk = os.read(self._fd, self._read_bytes)
            except BlockingIOError:  # somebody else made it non-blocking, and was faster
                continue
            self._at_end = not chunk
            chunks.append(chunk)
            size += len(chunk)
            wait = 0
        return b"".join(chunks)


def _pipe_size(fd: int) -> int:
    """The read size is the pipe's: a larger one costs an allocation that is then shrunk, a smaller one more calls."""
    get_pipe_size = getattr(fcntl, "F_GETPIPE_SZ", None)  # Linux
    if get_pipe_size is None:
        return DEFAULT_PIPE_BYTES
    try:
        return min(int(fcntl.fcntl(fd, get_pipe_size)), MAX_BATCH_BYTES)
    except OSError:
        return DEFAULT_PIPE_BYTES
