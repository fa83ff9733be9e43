"""One file that grows, open, and whether it is still the one that was read."""

import errno
import os
import stat

from streamcli.core.position import ANCHOR_BYTES, HEAD_BYTES, Position, digest

_BLOCK_BYTES = 64 * 1024
# Nobody waits for the writer of a FIFO that took the file's place.
READ_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC

Identity = tuple[int, int]
"""Device and inode."""


class LogFile:
    """Bytes from `offset` on. Everything but `close` raises OSError.

    `is_copy` says that another file was read up to the offset, and this is what somebody copied it to.
    """

    def __init__(self, path: str, offset: int = 0, *, is_copy: bool = False) -> None:
        """Raises OSError as well where `path` is no regular file."""
        self._fd = os.open(path, READ_FLAGS)
        self._offset = 0
        self._head = self._anchor = b""
        self._digest = ""  # of the head; "" while it is not known
        self.is_copy = is_copy
        self.before = b""
        """The bytes before those that were read last, at most ANCHOR_BYTES."""
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
        """At most `limit` bytes, b"" if there are none yet; None if what was read before is not there any more.

        NULs at the very start are not read: a writer that does not append leaves a hole there after a truncation.
        """
        if not self.is_intact():
            return None
        if not self._offset:
            self._go_to(self._end_of_hole())
        self.before = self._anchor
        data = os.pread(self._fd, limit, self._offset)
        if self._offset < HEAD_BYTES:
            self._head += data[: HEAD_BYTES - self._offset]
            self._digest = ""
        self._anchor = (self._anchor + data[-ANCHOR_BYTES:])[-ANCHOR_BYTES:]
        self._offset += len(data)
        return data

    def is_intact(self) -> bool:
        """Whether the file still has what was read of it, as far as the head and the last bytes tell.

        Its size is not asked: that of /proc's files is 0.
        """
        start = self._offset - len(self._anchor)
        return (
            os.pread(self._fd, len(self._anchor), start) == self._anchor
            and os.pread(self._fd, len(self._head), 0) == self._head
        )

    def has_more(self) -> bool:
        """Whether there is something to read."""
        return os.pread(self._fd, 1, self._offset) != b""

    def position(self) -> Position:
        """After the last byte that was read."""
        self._digest = self._digest or digest(self._head)
        return Position(*self.identity, self._offset, len(self._head), self._digest, digest(self._anchor))

    def holds(self, position: Position) -> bool:
        """Whether what was read up to `position` can have been this file's, whatever its inode."""
        if position.head_size > HEAD_BYTES:  # not by us
            return False
        head = os.pread(self._fd, position.head_size, 0)
        size = min(position.offset, ANCHOR_BYTES)
        anchor = os.pread(self._fd, size, position.offset - size)
        is_long_enough = len(head) == position.head_size and len(anchor) == size
        return is_long_enough and digest(head) == position.head and position.anchor in ("", digest(anchor))

    def rewind(self) -> None:
        """To the start, as it was truncated."""
        self._go_to(0)

    def go_to_last_lines(self, count: int) -> None:
        """To where the last `count` lines begin, one without an end being a line too."""
        floor = self._end_of_hole()
        end = max(floor, os.fstat(self._fd).st_size)
        # The newline at the end of the file ends the last line, and begins none.
        wanted = count + (end > floor and os.pread(self._fd, 1, end - 1) == b"\n")
        while end > floor:
            start = max(floor, end - _BLOCK_BYTES)
            block = os.pread(self._fd, end - start, start)
            for _ in range(min(wanted, block.count(b"\n"))):
                block = block[: block.rindex(b"\n")]
                wanted -= 1
            if not wanted:
                return self._go_to(start + len(block) + 1)
            end = start
        return self._go_to(floor)

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

    def _end_of_hole(self) -> int:
        """Where the NULs end that the file begins with."""
        if os.pread(self._fd, 1, 0) != b"\0":
            return 0
        try:
            at = os.lseek(self._fd, 0, os.SEEK_DATA)
        except OSError as error:
            # Nothing but a hole; or a file system that cannot tell.
            at = os.fstat(self._fd).st_size if error.errno == errno.ENXIO else 0
        # What was written may begin within a block of which the rest is NULs.
        while (block := os.pread(self._fd, _BLOCK_BYTES, at)).startswith(b"\0"):
            at += len(block) - len(block.lstrip(b"\0"))
        return at
