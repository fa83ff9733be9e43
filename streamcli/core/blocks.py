"""Markdown, as it streams -> its fenced code blocks: CommonMark 0.31, sections 4.5 (fences) and 5.2 (list items).

Known are just as many kinds of blocks as it takes to tell a fence from what only looks like one: an indentation of four
columns or more is code without a fence, unless it is that of a list item. What a stream of a model's text makes better
left out: a fence in a block quote is text; HTML hides no fence; and within a list item a line of too little indentation
does not end the code, as models often forget it there.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import chain

# A longer line, in characters, is no fence: only its beginning is kept until its end is seen.
MAX_LINE = 1000
# From so many columns on, an indentation makes code without a fence; and a tab goes to the next multiple of it.
_INDENTED_CODE = _TAB = 4

_FENCE = re.compile(r"(`{3,}(?=[^`]*\Z)|~{3,})")
# A line that may yet become a closing fence, by the fence's character.
_CLOSING = {char: re.compile(rf"([ \t]*)({char}*)([ \t\r]*)") for char in "`~"}
_MARKER = re.compile(r"(?:[-+*]|([0-9]{1,9})[.)])(?=[ \t]|\Z)")
_THEMATIC_BREAK = re.compile(r"(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})\Z")
_SETEXT_UNDERLINE = re.compile(r"(?:=+|-+)[ \t]*\Z")
_HEADING_OR_QUOTE = re.compile(r"#{1,6}(?:[ \t]|\Z)|>")


class Kind(Enum):
    """What a piece of the scanner's is; with OPENED comes the info string, with CLOSED nothing."""

    TEXT = "outside a block, the fence that opens one included"
    OPENED = "a block begins"
    CODE = "inside it"
    CLOSED = "its closing fence was seen"


@dataclass(frozen=True, slots=True)
class Opening:
    """An opening fence. Columns are counted from the line's beginning, 0 the first."""

    fence: str
    info: str
    indent: int
    """The column of the fence: so many columns of indentation do not belong to the code."""
    base: int
    """The column where the content of its list item begins; 0 without a list."""


class BlockScanner:
    """Chunks -> pieces of text and of code. Of a line, MAX_LINE characters are held at most."""

    def __init__(self) -> None:
        self._structure = _Structure()
        self._opening: Opening | None = None
        self._held: list[str] = []  # outside: the beginning of the line; inside: a line that may become a fence
        self._size = 0  # outside: how long that is
        self._is_midline = False  # inside: the line is code, its beginning is out already

    @property
    def opening(self) -> Opening | None:
        """The fence of the block that the text so far ends in, as far as whole lines tell."""
        return self._opening

    def feed(self, text: str) -> Iterator[tuple[Kind, str]]:
        """The pieces that are certain. The iterator has to be exhausted, unless nothing is fed any more."""
        start = 0
        while start < len(text):
            end = text.find("\n", start) + 1 or len(text)
            yield from self._inside(text[start:end]) if self._opening else self._outside(text[start:end])
            start = end

    def flush(self) -> Iterator[tuple[Kind, str]]:
        """The end of the text: what its last line is, if it does not end."""
        line = "".join(self._held)
        self._held.clear()
        if not line:
            return
        if self._opening is None:
            yield from self._open(line)
        elif _closes(line, self._opening):
            yield Kind.CLOSED, ""
        else:
            yield Kind.CODE, _unindented(line, self._opening.indent)

    def _outside(self, piece: str) -> Iterator[tuple[Kind, str]]:
        yield Kind.TEXT, piece
        if self._size <= MAX_LINE:
            self._held.append(piece[: MAX_LINE + 1 - self._size])
            self._size += len(self._held[-1])
        if piece.endswith("\n"):
            line = "".join(self._held)
            self._held.clear()
            self._size = 0
            yield from self._open(line)

    def _open(self, line: str) -> Iterator[tuple[Kind, str]]:
        self._opening = self._structure.read(line.removesuffix("\n"))
        if self._opening:
            yield Kind.OPENED, self._opening.info

    def _inside(self, piece: str) -> Iterator[tuple[Kind, str]]:
        assert self._opening
        is_end = piece.endswith("\n")
        if self._is_midline:
            self._is_midline = not is_end
            yield Kind.CODE, piece
            return
        self._held.append(piece)
        line = "".join(self._held)  # short: it can still become a fence
        if not is_end and _may_close(line, self._opening):
            return
        self._held.clear()
        if is_end and _closes(line[:-1], self._opening):
            self._opening = None
            yield Kind.CLOSED, ""
        else:
            self._is_midline = not is_end
            yield Kind.CODE, _unindented(line, self._opening.indent)


def missing_fence(text: str) -> str:
    """The fence that closes a code block which is open at the end of a document; empty if none is.

    One in a list item is not missing: whatever follows without an indentation ends the item, and the block with it.
    """
    scanner = BlockScanner()
    kind = Kind.TEXT
    for piece in chain(scanner.feed(text), scanner.flush()):
        kind = piece[0]
    opening = scanner.opening
    return opening.fence if opening and not opening.base and kind is not Kind.CLOSED else ""


class _Structure:
    """The lines outside of code: which list items are open, and whether a paragraph is."""

    def __init__(self) -> None:
        self._items: list[int] = []  # the columns where the content of the open list items begins
        self._is_item_empty = False  # nothing stands behind the marker of the last
        self._in_paragraph = False
        self._is_first = True

    def read(self, line: str) -> Opening | None:
        """A line without its end, or the beginning of one longer than MAX_LINE: what it opens, if that is a fence."""
        is_long = len(line) > MAX_LINE
        line = line.rstrip("\r")
        if self._is_first:
            line = line.removeprefix("\ufeff")
            self._is_first = False
        position, column = _indentation(line)
        if position == len(line):
            self._blank()
            return None
        self._is_item_empty = False
        depth = sum(offset <= column for offset in self._items)  # the items that the line belongs to
        while True:
            base = self._items[depth - 1] if depth else 0
            if column - base >= _INDENTED_CODE:
                if not self._in_paragraph:
                    self._close(depth)
                return None
            fence = None if is_long or column > MAX_LINE else _FENCE.match(line, position)
            if fence:
                self._close(depth)
                return Opening(fence[0], line[fence.end() :].strip(" \t"), column, base)
            after_marker = self._item(line, position, column, depth)
            if after_marker is None:
                self._other(line, position, depth)
                return None
            position, column = after_marker
            depth = len(self._items)
            if position == len(line):
                self._is_item_empty = True
                return None

    def _blank(self) -> None:
        self._in_paragraph = False
        if self._is_item_empty:  # an item begins with one blank line at most
            self._items.pop()
            self._is_item_empty = False

    def _close(self, depth: int) -> None:
        """A block other than a paragraph begins: what it does not belong to has ended."""
        del self._items[depth:]
        self._in_paragraph = False

    def _item(self, line: str, position: int, column: int, depth: int) -> tuple[int, int] | None:
        """Opens a list item if one begins here; returns the position and the column of its content."""
        marker = _MARKER.match(line, position)
        if not marker or _THEMATIC_BREAK.match(line, position):
            return None
        marker_end = column + marker.end() - position
        after, content = _indentation(line, marker.end(), marker_end)
        is_empty = after == len(line)
        is_interruption = self._in_paragraph and depth == len(self._items)
        if is_interruption and (is_empty or (marker[1] and int(marker[1]) != 1)):
            return None
        self._close(depth)
        is_code = content - marker_end > _INDENTED_CODE
        self._items.append(marker_end + 1 if is_empty or is_code else content)
        return after, content

    def _other(self, line: str, position: int, depth: int) -> None:
        """A line that is neither fence nor item nor indented code."""
        is_own = depth == len(self._items)
        if (self._in_paragraph and is_own and _SETEXT_UNDERLINE.match(line, position)) or (
            _THEMATIC_BREAK.match(line, position) or _HEADING_OR_QUOTE.match(line, position)
        ):
            self._close(depth)
        elif is_own or not self._in_paragraph:  # else a lazy continuation, which needs no indentation
            self._close(depth)
            self._in_paragraph = True


def _indentation(line: str, position: int = 0, column: int = 0, limit: int | None = None) -> tuple[int, int]:
    """The position and the column behind the spaces and tabs from `position` on, up to `limit` columns."""
    while position < len(line) and line[position] in " \t":
        width = 1 if line[position] == " " else _TAB - column % _TAB
        if limit is not None and column + width > limit:
            break
        position += 1
        column += width
    return position, column


def _unindented(line: str, columns: int) -> str:
    """A fence that is indented takes as much indentation from its lines, where they have it; no tab is broken up."""
    return line[_indentation(line, limit=columns)[0] :] if columns else line


def _may_close(line: str, opening: Opening) -> bool:
    """Whether a line that begins so can become the closing fence."""
    match = None if len(line) > MAX_LINE else _CLOSING[opening.fence[0]].fullmatch(line)
    if not match or _indentation(match[1])[1] >= opening.base + _INDENTED_CODE:
        return False
    return len(match[2]) >= len(opening.fence) or not match[3]


def _closes(line: str, opening: Opening) -> bool:
    if opening.fence[0] not in line or not _may_close(line, opening):
        return False
    return line.count(opening.fence[0]) >= len(opening.fence)
