"""How far a file that is followed has been read, in terms that outlive its name; and how far in whole records."""

from collections.abc import Mapping
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


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes of one input of several, by its number, and the position after the last one; None if it has none.

    `restarted` says that they are the first of another file: the line that was unfinished before is finished. Else
    they follow on those before. The position of the last whole line is `end.back(n)` if a splitter still holds n bytes.
    """

    input: int
    data: bytes
    end: Position | None = None
    restarted: bool = False


class Progress:
    """How far each input, by its number, has been given out in whole records: no line after that was seen in vain."""

    def __init__(self) -> None:
        self._read: dict[int, Position] = {}  # to the end of the last whole line
        self.given_out: Mapping[int, Position] = {}
        """Never changed: there is a new one for each step."""

    def restart(self, number: int) -> None:
        """The input goes on with another file."""
        self._read.pop(number, None)

    def advance(self, number: int, lines_end: Position, *, gave: bool, all_given: bool) -> None:
        """More of it was read, up to `lines_end` in whole lines.

        `gave` says that records came of it, `all_given` that no line waits for its record to be whole.
        """
        before = self._read.get(number)
        self._read[number] = lines_end
        if all_given:
            self.settle(number)
        elif gave and before is not None:  # the record that waits began after that
            self.given_out = {**self.given_out, number: before}

    def settle(self, number: int) -> None:
        """All that was read of it has been given out."""
        if number in self._read:
            self.given_out = {**self.given_out, number: self._read[number]}
