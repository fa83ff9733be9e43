"""One file that grows, open, and whether it is still the one that was read."""

import hashlib
import os
import stat

from streamcli.core.position import HEAD_BYTES, Position

# Bytes before the offset that are compared as well: they tell a file that was truncated and has grown past the offset
# since, even where all its generations begin with the same banner.
ANCHOR_BYTES = 64
_BLOCK_BYTES = 64 * 1024
# Nobody waits for the writer of a FIFO that took the file's place.
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC

Identity = tuple[int, int]
"""Device and inode."""


class LogFile:
    """Bytes from `offset` on. Everything but `close` raises OSError.

    `is_copy` says that another file was read up to the offset, and this is what somebody copied it to.
    """

    def __init__(self, path: str, offset: int = 0, *, is_copy: bool = False) -> None:
        """Raises OSError as well where `path` is no regular file."""
        self._fd = os.open(path, _FLAGS)
        self._offset = 0
        self._head = self._anchor = b""
        self._digest = ""  # of the head; "" while it is not known
        self.is_copy = is_copy
        try:
            status = os.fstat(self._fd)
            if not stat.S_ISREG(status.st_mode):
                raise OSError(0, "not a regular file")
            self.identity: Identity = (status.st_dev, status.st_ino)
            self._go_to(offset)
        except BaseException:
            self.close()
            raise

    def read(self, limit: int) -> bytes | None:
        """At most `limit` bytes, b"" if there are none yet; None if what was read before is not there any more."""
        if not self.is_intact():
            return None
        data = os.pread(self._fd, limit, self._offset)
        if self._offset < HEAD_BYTES:
            self._head += data[: HEAD_BYTES - self._offset]
            self._digest = ""
        self._anchor = (self._anchor + data[-ANCHOR_BYTES:])[-ANCHOR_BYTES:]
        self._offset += len(data)
        return data

    def is_intact(self) -> bool:
        """Whether the file still has what was read of it. Its size is not asked: that of /proc's files is 0."""
        return self.is_copied_to(self)

    def is_copied_to(self, other: "LogFile") -> bool:
        """Whether `other` has what was read of this file, as far as the head and the last bytes tell."""
        start = self._offset - len(self._anchor)
        return (
            os.pread(other._fd, len(self._anchor), start) == self._anchor
            and os.pread(other._fd, len(self._head), 0) == self._head
        )

    def has_more(self) -> bool:
        """Whether there is something to read."""
        return os.pread(self._fd, 1, self._offset) != b""

    def position(self) -> Position:
        """After the last byte that was read."""
        self._digest = self._digest or _hash(self._head)
        return Position(*self.identity, self._offset, len(self._head), self._digest)

    def holds(self, position: Position) -> bool:
        """Whether what was read up to `position` can have been this file's, whatever its inode."""
        if position.head_size > HEAD_BYTES:  # not by us
            return False
        head = os.pread(self._fd, position.head_size, 0)
        is_long_enough = not position.offset or os.pread(self._fd, 1, position.offset - 1)
        return bool(is_long_enough) and len(head) == position.head_size and _hash(head) == position.head

    def rewind(self) -> None:
        """To the start, as it was truncated. A writer that does not append leaves a hole there, which is not read."""
        start = 0
        if os.pread(self._fd, 1, 0) == b"\0":
            try:
                start = os.lseek(self._fd, 0, os.SEEK_DATA)
            except OSError:  # nothing but a hole, or a file system that cannot tell
                start = 0
        self._go_to(start)

    def go_to_last_lines(self, count: int) -> None:
        """To where the last `count` lines begin, one without an end being a line too."""
        end = os.fstat(self._fd).st_size
        # The newline at the end of the file ends the last line, and begins none.
        wanted = count + (end > 0 and os.pread(self._fd, 1, end - 1) == b"\n")
        while end:
            start = max(0, end - _BLOCK_BYTES)
            block = os.pread(self._fd, end - start, start)
            for _ in range(min(wanted, block.count(b"\n"))):
                block = block[: block.rindex(b"\n")]
                wanted -= 1
            if not wanted:
                return self._go_to(start + len(block) + 1)
            end = start
        return self._go_to(0)

    def modified(self) -> int:
        """When it was last written to, in nanoseconds since the epoch."""
        return os.fstat(self._fd).st_mtime_ns

    def has_name(self) -> bool:
        """Whether it is in any folder still."""
        return os.fstat(self._fd).st_nlink > 0

    def close(self) -> None:
        """May be called again."""
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1

    def _go_to(self, offset: int) -> None:
        self._offset = offset
        self._head = os.pread(self._fd, min(offset, HEAD_BYTES), 0)
        self._digest = ""
        start = max(0, offset - ANCHOR_BYTES)
        self._anchor = os.pread(self._fd, offset - start, start)


def _hash(head: bytes) -> str:
    return hashlib.sha256(head).hexdigest()
