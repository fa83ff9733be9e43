"""How far a file that is followed has been read, in terms that outlive its name."""

from dataclasses import dataclass, replace

# Bytes at the start of a file that tell it from others: a log's first lines have times in them.
HEAD_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Position:
    """`offset` bytes into the file that was `inode` on `device`.

    `head` is the SHA-256, in hexadecimal, of its first `head_size` bytes, which are min(offset, HEAD_BYTES) when the
    position is made: a number of an inode is given to another file once the first is deleted.
    """

    device: int
    inode: int
    offset: int
    head_size: int
    head: str

    def back(self, size: int) -> "Position":
        """`size` bytes earlier in the same file: where its last whole line ends, if a splitter still holds so many."""
        if not 0 <= size <= self.offset:
            raise ValueError(f"{size} bytes back from {self.offset}")
        return replace(self, offset=self.offset - size)
