"""How far a file that is followed has been read, in terms that outlive its name; and how far in whole lines."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

# Bytes at the start of a file that tell it from others: a log's first lines have times in them.
HEAD_BYTES = 1024
# Bytes before the offset that are compared as well: they tell a file that was truncated and has grown past the offset
# since, even where all its generations begin with the same banner. Several lines, as the ends of lines are often alike.
ANCHOR_BYTES = 512
# Bytes of a line that are held at most while it has no end.
_MAX_OPEN = 64 * 1024


@dataclass(frozen=True, slots=True)
class Position:
    """`offset` bytes into the file that was `inode` on `device`.

    `head` is the SHA-256, in hexadecimal, of its first `head_size` bytes, at most HEAD_BYTES: a number of an inode is
    given to another file once the first is deleted. `anchor` is that of the last min(offset, ANCHOR_BYTES) bytes before
    the offset; "" where they are not known.
    """

    device: int
    inode: int
    offset: int
    head_size: int
    head: str
    anchor: str = ""


Mark = Mapping[int, Position]
"""How far each input has got, by its number. Never changed: there is a new one for each step."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A position that an earlier run has left, `at` so many seconds after the epoch."""

    position: Position
    at: float


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes of one input of several, by its number, and the position after the last one; None if it has none.

    `restarted` says that they are the first of another file: the line that was unfinished before is finished. Else
    they follow on those before. `before` are the bytes that the file has before them, at most ANCHOR_BYTES.
    """

    input: int
    data: bytes
    end: Position | None = None
    restarted: bool = False
    before: bytes = b""

    def start(self) -> Position | None:
        """The position before the first byte."""
        if self.end is None:
            return None
        return replace(self.end, offset=self.end.offset - len(self.data), anchor=digest(self.before))


def digest(data: bytes) -> str:
    """What a position knows bytes by."""
    return hashlib.sha256(data).hexdigest()


class Progress:
    """How far each input, by its number, has been given out in whole lines: no line after that was seen in vain.

    Memory is bounded by what is read and not given out, whatever the length of a line.
    """

    def __init__(self) -> None:
        self._courses: dict[int, _Course] = {}
        self.given_out: Mark = {}
        """An input of which nothing has been given out is where it began."""

    def read(self, piece: Piece) -> None:
        """More was read. Where it is another file, all lines of the one before have been given out."""
        start = piece.start()
        if start is None or piece.end is None:
            return
        course = self._courses.get(piece.input)
        if course is None or piece.restarted:
            course = self._courses[piece.input] = _Course(start.offset, piece.before)
            self._note(piece.input, start)
        course.read(piece.data, piece.end)

    def end_line(self, number: int) -> None:
        """What was read of an unfinished last line is a line, too."""
        if number in self._courses:
            self._courses[number].end_line()

    def give_out(self, number: int, lines: int) -> None:
        """So many more of the lines that were read have been given out."""
        if lines and number in self._courses:
            self._note(number, self._courses[number].give_out(lines))

    def _note(self, number: int, position: Position) -> None:
        self.given_out = {**self.given_out, number: position}


class _Course:
    """One file of an input: what was read of it and is not given out."""

    def __init__(self, offset: int, before: bytes) -> None:
        """The first line begins at `offset`, after the bytes `before`."""
        self._offset = offset
        self._before = before
        self._end: Position | None = None  # of what was read
        self._text = b""  # from the offset on, without what is left out of long lines
        self._lines = 0  # in the text, without an unfinished one
        self._given = 0
        self._left_out: dict[int, int] = {}  # bytes, by the number of the line in the file
        self._last_has_no_end = False

    def read(self, data: bytes, end: Position) -> None:
        self._end = end
        self._text += data
        self._lines += data.count(b"\n")
        self._cut_open_line()

    def end_line(self) -> None:
        if self._text and not self._text.endswith(b"\n"):
            self._lines += 1
            self._last_has_no_end = True

    def give_out(self, count: int) -> Position:
        """The position after so many more lines; they are all there, and something was read."""
        assert self._end is not None
        assert 0 < count <= self._lines
        size = self._size(count)
        self._before = (self._before + self._text[max(0, size - ANCHOR_BYTES) : size])[-ANCHOR_BYTES:]
        self._text = self._text[size:]
        self._lines -= count
        self._last_has_no_end = self._last_has_no_end and self._lines > 0
        self._given += count
        left_out = sum(self._left_out.pop(line) for line in [*self._left_out] if line < self._given)
        self._offset += size + left_out
        return replace(self._end, offset=self._offset, anchor=digest(self._before))

    def _cut_open_line(self) -> None:
        """Leaves out the middle of an unfinished line that is too long to be held."""
        begin = self._text.rfind(b"\n") + 1
        size = len(self._text) - begin
        if size > _MAX_OPEN:
            number = self._given + self._lines
            self._left_out[number] = self._left_out.get(number, 0) + size - ANCHOR_BYTES
            self._text = self._text[:begin] + self._text[-ANCHOR_BYTES:]

    def _size(self, count: int) -> int:
        """Of the first `count` lines, as far as they are in the text. Most often that is all of them but one."""
        left = self._lines - count
        if not left and self._last_has_no_end:
            return len(self._text)
        if left < count:
            return len(self._text.rsplit(b"\n", left + 1 - self._last_has_no_end)[0]) + 1
        return len(self._text) - len(self._text.split(b"\n", count)[-1])
