"""Markdown rendered in a terminal as it streams.

What nothing to come can change is printed once and scrolls away; the rest, at most the last block, is drawn below it
and redrawn, not more often than the eye sees. No redraw costs more than a screen and MAX_LINE characters.
"""

from streamcli.core.markdown.blocks import Blocks
from streamcli.core.markdown.drawing import Drawing
from streamcli.core.markdown.wrap import fold, is_short
from streamcli.core.sanitize import sanitize

# Seconds between two redraws.
INTERVAL = 0.04
# A line with more characters does not wait for its end.
MAX_LINE = 4096
# So many characters do not wait for the clock.
MAX_WAITING = 1 << 14


class MarkdownRenderer:
    """A filter of core's shape: Markdown in, what to send to the terminal out.

    `width` and `height` are the terminal's, in columns and rows. Without a height the cursor cannot be moved, as in a
    pipe: blocks come when they are finished. Without `colour` there are no SGR sequences. No escape sequence of the
    text's own comes out.
    """

    def __init__(self, *, width: int, height: int | None, colour: bool) -> None:
        self._width = max(width, 1)
        self._height = height
        self._colour = colour
        self._begin()

    def _begin(self) -> None:
        self._blocks = Blocks(self._width, colour=self._colour, tabs=self._height is not None)
        self._drawing = Drawing()
        self._pieces: list[str] = []  # of the line that is not complete
        self._size = 0  # how long they are
        self._is_long = False  # the line began before them
        self._is_dirty = False
        self._waiting = 0  # characters that came since the last redraw
        self._due = float("-inf")

    def resize(self, width: int, height: int | None) -> None:
        """The terminal has another size. What is final keeps its rows; of what is open a torn copy may stay above."""
        width = max(width, 1)
        if width != self._width:
            self._width = width
            self._blocks.resize(width)
            self._drawing.resized()
            self._is_dirty = True
        self._height = height

    def feed(self, text: str, now: float) -> list[str]:
        """What to write now. An empty `text` is a look at the clock."""
        if text:
            self._is_dirty = True
            self._pieces.append(text)
            self._size += len(text)
            self._waiting += len(text)
            if "\n" in text or self._size > MAX_LINE:
                self._take()
        if not self._is_dirty:
            return []
        if self._height is None:
            return self._finished()
        if now < self._due and self._waiting < MAX_WAITING:
            return []
        self._due = now + INTERVAL
        self._waiting = 0
        return self._redraw()

    def deadline(self) -> float | None:
        return self._due if self._is_dirty and self._height is not None else None

    def flush(self) -> list[str]:
        """The end of the text: all that is open is finished."""
        self._end_line()
        self._blocks.end()
        out = self.let_go()
        self._begin()
        return out

    def let_go(self) -> list[str]:
        """Others are about to write: what is open is wiped away, to be drawn anew below what they write."""
        margin = self._blocks.margin
        text = self._drawing.forget(margin.final, runs_on=margin.runs_on)
        margin.final = []
        self._is_dirty = True
        return [text] if text else []

    def _finished(self) -> list[str]:
        self._is_dirty = False
        margin = self._blocks.margin
        if not margin.final:
            return []
        text = self._drawing.update(margin.final, [], runs_on=margin.runs_on)
        margin.final = []
        return [text]

    def _redraw(self) -> list[str]:
        self._is_dirty = False
        margin = self._blocks.margin
        final = margin.final
        margin.final = []
        text = self._drawing.update(final, self._open_rows(), runs_on=margin.runs_on)
        return [text] if text else []

    def _open_rows(self) -> list[str]:
        """The open block's rows, as many of the last as the terminal shows."""
        pending = "" if self._is_long else sanitize("".join(self._pieces).removesuffix("\r"))
        rows = self._blocks.preview(pending)
        shown = max((self._height or 0) - 1, 1)
        return [part for row in rows[-shown:] for part in self._folded(row)][-shown:]

    def _folded(self, row: str) -> list[str]:
        """A row, or the rows of a line of code that runs on."""
        if len(row) <= self._width // (1 if row.isascii() else 2) or is_short(row, self._width):
            return [row]
        return fold(row, self._width)

    def _take(self) -> None:
        """Takes the lines that are complete, and of a very long one what is there."""
        text = "".join(self._pieces)
        complete, newline, rest = text.rpartition("\n")
        if newline:
            if "\r" in complete:
                complete = f"{complete}\n".replace("\r\n", "\n")[:-1]
            for line in complete.split("\n"):
                self._line(line)
        while len(rest) - rest.endswith("\r") > MAX_LINE:  # a CR may belong to the line's end
            self._long(rest[:MAX_LINE], is_end=False)
            rest = rest[MAX_LINE:]
        self._pieces = [rest] if rest else []
        self._size = len(rest)

    def _line(self, line: str) -> None:
        if not self._is_long and len(line) <= MAX_LINE:
            self._blocks.line(sanitize(line))
            return
        while len(line) > MAX_LINE:
            self._long(line[:MAX_LINE], is_end=False)
            line = line[MAX_LINE:]
        self._long(line, is_end=True)

    def _long(self, piece: str, *, is_end: bool) -> None:
        """A piece of a very long line, whose kind its first piece decides."""
        piece = sanitize(piece)
        if self._is_long:
            self._blocks.long(piece, is_end=is_end)
        else:
            self._blocks.begin_long(piece)
        self._is_long = not is_end

    def _end_line(self) -> None:
        """The text ends within a line."""
        if self._pieces or self._is_long:
            self._pieces.append("\n")
            self._take()
