"""The code of an answer, as it streams: what stands in its first code fence.

A simple rule, after CommonMark's fenced code blocks: a fence is three or more backticks or tildes, indented by at most
three spaces; one of the same character, at least as long, closes it. An answer without a fence is all code.
"""

import re
from enum import Enum

# How much text, in characters, is held while no fence has come; an answer that goes on longer is taken for bare code.
MAX_HELD = 1 << 20
# A longer line closes no fence: it need not be held until its end is seen.
MAX_CLOSING_LINE = 1000

_OPENING = re.compile(r"( {0,3})(`{3,}(?=[^`]*$)|~{3,})")
# A line that may yet become a closing fence, by the fence's character: it waits until that is decided.
_UNDECIDED = {"`": re.compile(r" {0,3}(`*)[ \t\r]*"), "~": re.compile(r" {0,3}(~*)[ \t\r]*")}


class _State(Enum):
    BEFORE = "before the fence"
    INSIDE = "inside it"
    AFTER = "after it"
    BARE = "there is none"


class FenceFilter:
    """Any chunks in, the same code out. Code flows on at once, but for a line that may still close the fence."""

    def __init__(self) -> None:
        self._state = _State.BEFORE
        self._held: list[str] = []  # BEFORE: all of it; INSIDE: the line not decided yet
        self._held_size = 0
        self._line_start = 0  # BEFORE: where in _held the line in progress begins
        self._midline = False  # INSIDE: the line in progress is code, its beginning is out already
        self._indent = 0
        self._fence = ""

    def feed(self, text: str, now: float) -> list[str]:
        if self._state is _State.BARE:
            return [text] if text else []
        out: list[str] = []
        start = 0
        while start < len(text) and self._state is not _State.AFTER:
            end = text.find("\n", start) + 1 or len(text)
            piece = text[start:end]
            start = end
            if self._state is _State.BEFORE:
                self._before(piece, out)
            else:
                self._inside(piece, out)
        return ["".join(out)] if out else []

    def deadline(self) -> float | None:
        return None

    def abort(self) -> None:
        """The answer is not wanted any more: what is held in the hope of a fence may be prose, and is dropped."""
        if self._state is _State.BEFORE:
            self._held.clear()
            self._line_start = 0

    def flush(self) -> list[str]:
        line = "".join(self._held[self._line_start :])
        rest = "".join(self._held)
        self._held.clear()
        if self._state is _State.BEFORE and rest and not _OPENING.match(line):
            return [rest]
        if self._state is _State.INSIDE and line and not self._closes(line):
            return [self._unindented(line)]
        return []

    def _before(self, piece: str, out: list[str]) -> None:
        self._held.append(piece)
        self._held_size += len(piece)
        if self._held_size > MAX_HELD:
            self._state = _State.BARE
            out.append("".join(self._held))
            self._held.clear()
        elif piece.endswith("\n"):
            line = "".join(self._held[self._line_start :]).rstrip("\r\n").removeprefix("\ufeff")
            self._line_start = len(self._held)
            if opening := _OPENING.match(line):
                self._state = _State.INSIDE
                self._indent, self._fence = len(opening[1]), opening[2]
                self._held.clear()
                self._line_start = 0

    def _inside(self, piece: str, out: list[str]) -> None:
        if self._midline or self._state is _State.BARE:
            out.append(piece)
            self._midline = not piece.endswith("\n")
            return
        self._held.append(piece)
        line = "".join(self._held)
        ended = line.endswith("\n")
        if not ended and len(line) <= MAX_CLOSING_LINE and _UNDECIDED[self._fence[0]].fullmatch(line):
            return
        self._held.clear()
        if ended and self._closes(line[:-1]):
            self._state = _State.AFTER
            return
        out.append(self._unindented(line))
        self._midline = not ended

    def _closes(self, line: str) -> bool:
        if len(line) > MAX_CLOSING_LINE:
            return False
        match = _UNDECIDED[self._fence[0]].fullmatch(line)
        return match is not None and len(match[1]) >= len(self._fence)

    def _unindented(self, line: str) -> str:
        """A fence that is indented takes as much indentation from its lines, where they have it."""
        spaces = len(line) - len(line.lstrip(" "))
        return line[min(spaces, self._indent) :]
