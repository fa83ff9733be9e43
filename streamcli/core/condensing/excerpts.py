"""Records of a log as they are shown: verbatim, or cut and marked so where they are too long."""

import re
from dataclasses import dataclass

from streamcli.core.lines import show_line

LINE_CUT = " [rest of this line cut]"
RECORD_CUT = " [rest of this record cut]"
# In fewer characters there is no place for the beginning and the end of a record.
SMALL = 150
# What our own entries begin with: a line within a record must not pass for one, so it is set off by a blank.
_MARK = re.compile(r"L\d|\[x?\d")


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A record that may be shown: stream lines `number` to `number + lines - 1`.

    `text` has `shown` of its lines, of which some may be cut.
    """

    number: int
    lines: int
    text: str
    shown: int

    @property
    def last(self) -> int:
        return self.number + self.lines - 1

    @property
    def size(self) -> int:
        """Bytes that it keeps in memory, or a bit more."""
        return 200 + (len(self.text) if self.text.isascii() else 4 * len(self.text))

    def prefixed(self) -> str:
        return f"{self.prefix} {self.text}"

    @property
    def prefix(self) -> str:
        return f"L{self.number}" if self.lines == 1 else f"L{self.number}-L{self.last}"

    def within(self, limit: int) -> "Excerpt":
        """The same in at most `limit` characters, at least 50."""
        if len(self.text) <= limit:
            return self
        parts = self.text.split("\n")
        if len(parts) > self.shown:
            del parts[-2]  # what was said about lines that were cut
        text, shown = _cut(parts, limit, self.lines)
        return Excerpt(self.number, self.lines, text, shown)


def excerpt(record: bytes, number: int, limit: int) -> Excerpt:
    """`record`, which begins at line `number`, in at most `limit` characters, at least 50."""
    lines = record.count(b"\n") + 1
    if lines == 1:
        return Excerpt(number, 1, _fitted(show_line(_beginning(record, 4 * limit + 4)), limit, LINE_CUT), 1)
    # A character has at most four bytes: of a record that is longer what is between these two is not shown anyway.
    head, _, last = record.rpartition(b"\n")
    parts = (*_beginning(head, 4 * limit + 4).split(b"\n"), _beginning(last, 4 * limit + 4))
    first, *others = map(show_line, parts)
    texts = [first, *(f" {text}" if _MARK.match(text) else text for text in others)]
    return Excerpt(number, lines, "\n".join(texts), len(texts)).within(limit)


def _cut(parts: list[str], limit: int, lines: int) -> tuple[str, int]:
    """A record of `lines` lines in `limit` characters: its first ones, and its last, which tells what an error was.

    Returns them and how many there are. `parts` are those that were not left out before; the last is the record's last.
    """
    if lines == 1:
        return _fitted(parts[0], limit, LINE_CUT), 1
    if limit < SMALL or len(parts) == 1:
        return parts[0].removesuffix(LINE_CUT)[: limit - len(RECORD_CUT)] + RECORD_CUT, 1
    last = _fitted(parts[-1], limit // 3, LINE_CUT)
    room = limit - len(last) - len(_lines_cut(lines)) - 2
    head = [_fitted(parts[0], room, LINE_CUT)]
    room -= len(head[0])
    for part in parts[1:-1]:
        room -= len(part) + 1
        if room < 0:
            break
        head.append(part)
    left_out = lines - len(head) - 1
    marks = [_lines_cut(left_out)] if left_out else []
    return "\n".join([*head, *marks, last]), len(head) + 1


def _lines_cut(count: int) -> str:
    return f"[{count} lines of this record cut]"


def _fitted(text: str, limit: int, mark: str) -> str:
    return text if len(text) <= limit else text[: limit - len(mark)] + mark


def _beginning(record: bytes, size: int) -> bytes:
    """At most `size` bytes of it, not cut within a character of UTF-8."""
    if len(record) <= size:
        return record
    while size and record[size] & 0xC0 == 0x80:
        size -= 1
    return record[:size]
