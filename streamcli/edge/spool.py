"""Text that waits for its turn: in memory while it is small, beyond that in a file that has no name."""

import codecs
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from streamcli.errors import OutputError

# UTF-8 bytes that are kept in memory.
MEMORY_BYTES = 1_000_000
_PIECE = 64 * 1024  # bytes of UTF-8 that are read at once


class DiskSpool:
    """`write` appends, `read` gives all of it, as often as asked. Not for several threads.

    The file is this user's only (0600) and is gone with the process, whatever ends it. Half surrogate pairs come back
    as they were written. Raises OutputError where the disk does not take it.
    """

    def __init__(self, memory_bytes: int = MEMORY_BYTES) -> None:
        self._memory_bytes = memory_bytes
        self._memory = bytearray()
        self._file: IO[bytes] | None = None

    def write(self, text: str) -> None:
        data = text.encode("utf-8", "surrogatepass")
        if self._file is None and len(self._memory) + len(data) <= self._memory_bytes:
            self._memory += data
            return
        with _reporting():
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="streamcli-", buffering=0)  # noqa: SIM115 - it stays open
                _append(self._file, self._memory)
                self._memory = bytearray()
            _append(self._file, data)

    def read(self) -> Iterator[str]:
        """The text so far, in pieces of at most 64 Ki characters. Nothing must be written while it is read."""
        decoder = codecs.getincrementaldecoder("utf-8")("surrogatepass")
        position = 0
        while data := self._bytes_at(position):
            position += len(data)
            if text := decoder.decode(data):
                yield text

    def clear(self) -> None:
        """Forgets everything; what is written next is the beginning."""
        self._memory = bytearray()
        if self._file is not None:
            self._file.close()
        self._file = None

    def close(self) -> None:
        """Gives the disk space back. May be called again."""
        self.clear()

    def _bytes_at(self, position: int) -> bytes:
        if self._file is None:
            return bytes(self._memory[position : position + _PIECE])
        with _reporting():
            return os.pread(self._file.fileno(), _PIECE, position)


def _append(file: IO[bytes], data: bytes | bytearray) -> None:
    rest = memoryview(data)
    while rest:  # a raw write may be partial
        rest = rest[file.write(rest) :]


@contextmanager
def _reporting() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        what = f"cannot keep the answer in a temporary file: {error.strerror or error}"
        raise OutputError(what, "free some space there, or set TMPDIR to another directory") from error
