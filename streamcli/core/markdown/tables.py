"""Tables as GFM has them: cells of a line, and rows laid out in a given width."""

import re
from enum import Enum
from itertools import zip_longest

from streamcli.core.markdown import inline, theme
from streamcli.core.markdown.theme import DIM, STRONG, Segment, paint
from streamcli.core.markdown.widths import columns, is_simple
from streamcli.core.markdown.wrap import Row, painted, rows

# After so many rows, or characters in them, the columns keep their widths, and each row is final when it has come.
MAX_OPEN_ROWS = 50
MAX_OPEN_CHARS = 1 << 14
# A column that has to shrink keeps so many columns; where they do not fit, a table becomes a list of records.
MIN_COLUMN = 6

_DELIMITER = re.compile(r"\|?[ ]*:?-+:?[ ]*(?:\|[ ]*:?-+:?[ ]*)*\|?[ ]*")
_UNESCAPED_PIPE = re.compile(r"(?<!\\)\|")
# Between backticks, as many of them on either side: code.
_CODE = re.compile(r"(?<![`\\])(`+)(?!`).*?(?<!`)\1(?!`)")
_PIPE_IN_CODE = "\0"  # no text has this character: it is sanitized
_BREAK = re.compile(r"<br ?/?>", re.IGNORECASE)

Cell = list[Segment]


class Align(Enum):
    LEFT = "left"
    CENTRE = "centre"
    RIGHT = "right"


def split_cells(line: str) -> list[str]:
    """The texts of a row's cells."""
    line = line.strip().removeprefix("|")
    if "\\" not in line:
        return [cell.strip() for cell in line.removesuffix("|").split("|")]
    if line.endswith("|") and not line.endswith("\\|"):
        line = line[:-1]
    return [cell.strip().replace("\\|", "|") for cell in _UNESCAPED_PIPE.split(line)]


def cells_of(line: str, count: int) -> list[str]:
    """The texts of a row's cells, not more than `count` of them, and nothing lost.

    By the letter of GFM each pipe ends a cell, in code too, and a cell too much is dropped. Models write `a | b` in
    code: where a row has too many cells, such a pipe belongs to the code; and what is still too much to the last cell.
    """
    cells = split_cells(line)
    if len(cells) > count and "`" in line:
        shielded = _CODE.sub(lambda code: _UNESCAPED_PIPE.sub(_PIPE_IN_CODE, code[0]), line)
        cells = [cell.replace(_PIPE_IN_CODE, "|") for cell in split_cells(shielded)]
    while len(cells) > count and not cells[-1]:
        cells.pop()
    return [*cells[: count - 1], " | ".join(cells[count - 1 :])]


def alignments(line: str, header: str) -> list[Align] | None:
    """What a delimiter row below `header` says of each column; None if this is no table."""
    line = line.strip()
    if ("|" not in line and "|" not in header) or not _DELIMITER.fullmatch(line):
        return None
    cells = split_cells(line)
    if len(cells) != len(split_cells(header)):
        return None
    return [_alignment(cell) for cell in cells]


def _alignment(cell: str) -> Align:
    if cell.endswith(":"):
        return Align.CENTRE if cell.startswith(":") else Align.RIGHT
    return Align.LEFT


class Table:
    """A table whose rows still come."""

    def __init__(self, header: str, aligns: list[Align], *, colour: bool) -> None:
        self._aligns = aligns
        self._colour = colour
        self._natural = [0] * len(aligns)  # the columns that the widest cell takes
        self._titles = self._cells(header, STRONG)
        self._rows: list[list[Cell]] = []
        self._widths: list[int] | None = None  # once they are fixed; empty for records
        self._fixed_at = 0  # the width of the terminal for which they are
        self._is_ruled = False
        self._size = 0  # characters of the rows that are not final
        self._drawn: list[str] = []
        self._drawn_of = (-1, 0)  # how many rows, and how wide, they were drawn

    def copy(self) -> "Table":
        """One to be drawn while this one is open: it takes nothing before."""
        return self

    def add(self, line: str, width: int) -> list[str]:
        """The next row; returns what is final now: nothing at first, as a later row may make a column wider."""
        cells = self._cells(line, 0)
        if self._widths is not None:
            if self._fixed_at != width:
                self._fix(width)
            return self._laid_out([cells], self._widths, width)
        self._rows.append(cells)
        self._size += len(line)
        if len(self._rows) < MAX_OPEN_ROWS and self._size < MAX_OPEN_CHARS:
            return []
        final = self.drawn(width)
        self._fix(width)
        self._rows.clear()
        return final

    def drawn(self, width: int) -> list[str]:
        """All of the rows that are not final."""
        if self._widths is not None:
            return []
        if self._drawn_of != (len(self._rows), width):
            self._drawn_of = len(self._rows), width
            self._drawn = self._all(width)
        return self._drawn

    def _all(self, width: int) -> list[str]:
        widths = self._fitting(width)
        if not widths:
            return self._records(self._rows, width)
        rule = self._style(theme.CROSSING.join(theme.RULE * column for column in widths), DIM)
        head = self._line(self._titles, widths)
        body = self._laid_out(self._rows, widths, width)
        return [*head, rule, *body]

    def _fix(self, width: int) -> None:
        self._widths = self._fitting(width)
        self._fixed_at = width

    def _style(self, text: str, style: int) -> str:
        return paint(text, style) if self._colour else text

    def _cells(self, line: str, style: int) -> list[Cell]:
        texts = cells_of(line, len(self._aligns))
        texts += [""] * (len(self._aligns) - len(texts))
        natural = self._natural
        cells = []
        for place, text in enumerate(texts):
            if "<" in text:
                text = _BREAK.sub("\n", text)
            cell = inline.parse(text, style if self._colour else 0, colour=self._colour)
            size = _columns_of(cell)
            if size > natural[place]:
                natural[place] = size
            cells.append(cell)
        return cells

    def _fitting(self, width: int) -> list[int]:
        """The columns' widths; none where they cannot fit."""
        natural = [max(size, 1) for size in self._natural]
        room = width - len(theme.COLUMN_RULE) * (len(natural) - 1)
        self._is_ruled = sum(natural) > room
        if not self._is_ruled:
            return natural
        if sum(min(size, MIN_COLUMN) for size in natural) > room:
            return []
        return _shrunk(natural, room)

    def _laid_out(self, table_rows: list[list[Cell]], widths: list[int], width: int) -> list[str]:
        if not widths:
            return self._records(table_rows, width)
        lines: list[str] = []
        rule = self._style(theme.CROSSING.join(theme.RULE * column for column in widths), DIM)
        is_continued = self._widths is not None
        for cells in table_rows:
            if self._is_ruled and (lines or is_continued):
                lines.append(rule)
            lines += self._line(cells, widths)
        return lines

    def _line(self, cells: list[Cell], widths: list[int]) -> list[str]:
        """One row of the table: as many rows of the terminal as its highest cell."""
        rule = self._style(theme.COLUMN_RULE, DIM)
        wrapped = [rows(cell, size) for cell, size in zip(cells, widths, strict=True)]
        lines = []
        for parts in zip_longest(*wrapped, fillvalue=[]):
            padded = [self._padded(part, widths, place) for place, part in enumerate(parts)]
            lines.append(rule.join(padded).rstrip(" "))
        return lines

    def _padded(self, part: Row, widths: list[int], place: int) -> str:
        room = max(widths[place] - _columns_of(part), 0)
        align = self._aligns[place]
        before = room if align is Align.RIGHT else room // 2 if align is Align.CENTRE else 0
        return f"{' ' * before}{painted(part)}{' ' * (room - before)}"

    def _records(self, table_rows: list[list[Cell]], width: int) -> list[str]:
        """Each cell on its own behind its title, for terminals that are too narrow for columns."""
        lines: list[str] = []
        for cells in table_rows or [[[] for _ in self._titles]]:
            for title, cell in zip(self._titles, cells, strict=True):
                mark = [(": ", title[-1][1] if title else 0)]
                lines += [painted(row) for row in rows([*title, *mark, *cell], width)]
            lines.append(self._style(theme.RULE * min(width, MIN_COLUMN), DIM))
        return lines


def _columns_of(cell: Cell) -> int:
    """The columns of the widest line of a cell."""
    text = cell[0][0] if len(cell) == 1 else "".join([text for text, _ in cell])
    if "\n" in text:
        return max(columns(line) for line in text.split("\n"))
    return len(text) if is_simple(text) else columns(text)


def _shrunk(natural: list[int], room: int) -> list[int]:
    """Widths that fill the room: narrow columns keep theirs, the others share what is left by what they would take."""
    widths = [min(size, MIN_COLUMN) for size in natural]
    wide = [place for place, size in enumerate(natural) if size > MIN_COLUMN]
    left = room - sum(widths)
    while wide and left > 0:
        share = max(left // len(wide), 1)
        for place in list(wide):
            more = min(share, natural[place] - widths[place], left)
            widths[place] += more
            left -= more
            if widths[place] == natural[place]:
                wide.remove(place)
    return widths
