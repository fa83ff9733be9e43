"""The blocks that hold text: each takes lines while it is open and says what its rows are."""

import re
from copy import copy

from streamcli.core.markdown import inline, wrap
from streamcli.core.markdown.grammar import Highlighter
from streamcli.core.markdown.grammars import grammar_of
from streamcli.core.markdown.theme import CODE_INDENT, Segment
from streamcli.core.markdown.wrap import painted

# A paragraph that has more lines, or more characters, is final but for its last line: emphasis does not reach over.
MAX_OPEN_LINES = 8
MAX_OPEN_CHARS = 4096

_HTML_BLOCK = re.compile(
    r"</?(?:address|article|aside|base|blockquote|body|caption|center|col|colgroup|dd|details|dialog|dir|div|dl|dt|"
    r"fieldset|figcaption|figure|footer|form|frame|frameset|h[1-6]|head|header|hr|html|iframe|legend|li|link|main|menu|"
    r"menuitem|nav|noframes|ol|optgroup|option|p|param|search|section|summary|table|tbody|td|tfoot|th|thead|title|tr|"
    r"track|ul)(?:\s|/?>|\Z)|<(?:script|pre|style|textarea)(?:\s|>|\Z)|<!--|<\?|<![A-Za-z]|<!\[CDATA\[",
    re.IGNORECASE,
)
_HTML_ENDS = (
    (re.compile(r"<(?:script|pre|style|textarea)\b", re.I), re.compile(r"</(?:script|pre|style|textarea)>", re.I)),
    (re.compile(r"<!--"), re.compile("-->")),
    (re.compile(r"<\?"), re.compile(r"\?>")),
)
_MATHS = {r"\[": re.compile(r"\\\]"), "$$": re.compile(r"\$\$")}
MAX_MATHS_LINES = 100


class Paragraph:
    """Lines of text. Each keeps the indentation that it has beyond the first one's, as trees and poems want it."""

    def __init__(self, *, colour: bool) -> None:
        self._colour = colour
        self.lines: list[str] = []
        self._size = 0
        self._indent = 0  # of the first line
        self._carried: list[Segment] = []  # the last row of what is printed of a long line: it is not full yet
        self.is_open = False
        """Whether it is drawn before its text has ended."""
        self.is_begun = False
        """Whether some of it is final already."""

    def copy(self) -> "Paragraph":
        """One to be drawn while this one is open."""
        other = Paragraph(colour=self._colour)
        other.lines = self.lines.copy()
        other._size = self._size
        other._indent = self._indent
        other._carried = self._carried
        other.is_begun = self.is_begun
        return other

    def add(self, line: str, indent: int, room: int) -> list[str]:
        """Takes a line that is indented so far; returns the rows that are final now."""
        if not self.lines:
            self._indent = indent
        elif indent > self._indent:
            word = line.find(" ") if " " in line else len(line)  # it is not broken for the indentation's sake
            line = " " * min(indent - self._indent, max(room - word, 0)) + line
        self.lines.append(line)
        self._size += len(line)
        if (len(self.lines) <= MAX_OPEN_LINES and self._size <= MAX_OPEN_CHARS) or len(self.lines) == 1:
            return []
        last = self.lines.pop()
        final = self.drawn(room)
        self.lines = [last]
        self._size = len(last)
        self._carried = []
        self.is_begun = True
        return final

    def extend(self, piece: str, room: int) -> list[str]:
        """Takes more of its last line, which is very long; returns the rows that are final now."""
        text = "\n".join(self.lines) + piece
        cut = text.rfind(" ")
        if cut <= len(text) // 2:
            cut = len(text)
        segments = self._carried + inline.parse(text[:cut], colour=self._colour)
        *full, last = wrap.rows(segments, room)
        self._carried = last
        self.lines = [text[cut:]]
        self._size = len(text) - cut
        self.is_begun = True
        return [painted(row) for row in full]

    def drawn(self, room: int) -> list[str]:
        """The rows of what is not final."""
        text = self.lines[0] if len(self.lines) == 1 else "\n".join(self.lines)
        segments = inline.parse(text, colour=self._colour, is_open=self.is_open)
        if self._carried:
            segments = self._carried + segments
        elif len(segments) == 1 and "\n" not in text and len(text) <= room and text.isascii():
            return [painted(segments)]
        return [painted(row) for row in wrap.rows(segments, room)]


class Fence:
    """Code between fences; `indent` columns of it are the fence's own."""

    def __init__(self, fence: str, indent: int, info: str, *, colour: bool, tabs: bool) -> None:
        self._fence = fence
        self._indent = indent
        self._tabs = tabs
        grammar = grammar_of(info) if colour and info else None
        self.highlighter = Highlighter(grammar) if grammar else None

    def copy(self) -> "Fence":
        other = Fence(self._fence, self._indent, "", colour=False, tabs=self._tabs)
        if self.highlighter:
            other.highlighter = self.highlighter.copy()
        return other

    def is_closed_by(self, line: str) -> bool:
        text = line.strip(" \t")
        if not text.startswith(self._fence) or text.strip(self._fence[0]):
            return False
        return len(line) - len(line.lstrip(" ")) < 4

    def may_be_closed_by(self, beginning: str) -> bool:
        """Whether a line that begins so may become the closing fence."""
        return not beginning.strip(" \t").strip(self._fence[0])

    def code(self, line: str) -> str:
        """The row of a line, which runs on where it is longer than the terminal is wide."""
        if self._indent and line.startswith(" "):
            spaces = len(line) - len(line.lstrip(" "))
            line = line[min(spaces, self._indent) :]
        return CODE_INDENT + self.piece(line) if line else ""

    def piece(self, text: str) -> str:
        """A piece of a long line."""
        if self._tabs and "\t" in text:
            text = text.expandtabs(8)
        return self.highlighter.line(text) if self.highlighter else text


class IndentedCode:
    """Code that is only indented. Blank lines belong to it if more code follows."""

    def __init__(self) -> None:
        self.blank = 0

    def copy(self) -> "IndentedCode":
        other = IndentedCode()
        other.blank = self.blank
        return other

    def rows(self, line: str) -> list[str]:
        blank, self.blank = self.blank, 0
        return [""] * blank + [CODE_INDENT + line]


class Html:
    """HTML is shown as it is: to a blank line, or to the end of what is closed by a mark of its own."""

    def __init__(self, line: str) -> None:
        self.end: re.Pattern[str] | None = next((end for begin, end in _HTML_ENDS if begin.match(line)), None)

    def copy(self) -> "Html":
        return self

    def is_ended_by(self, line: str) -> bool:
        return self.end is not None and self.end.search(line) is not None


class Maths(Html):
    """Mathematics between two lines of signs is shown as it is; what is not closed for so long is text again."""

    def __init__(self, sign: str) -> None:
        self.end = _MATHS[sign]
        self._left = MAX_MATHS_LINES

    def copy(self) -> "Maths":
        return copy(self)

    def is_ended_by(self, line: str) -> bool:
        self._left -= 1
        return self._left == 0 or super().is_ended_by(line)


def begins_maths(text: str) -> bool:
    return text.rstrip(" ") in _MATHS


def begins_html(text: str) -> bool:
    return _HTML_BLOCK.match(text) is not None
