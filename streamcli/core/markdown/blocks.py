"""Lines of Markdown -> rows: CommonMark 0.31 with GFM's tables and task lists.

Each newline of a paragraph stays one, and so does the indentation behind it, as findings, poems and trees want it. Two
things are looser than the letter, as they are in the filter for generated code (core/blocks.py): within a list item a
line of too little indentation does not end a fence, as models often forget it there; and blank lines are where the
source has them.
"""

import re

from streamcli.core.markdown import inline, theme
from streamcli.core.markdown.leaves import Fence, Html, IndentedCode, Maths, Paragraph, begins_html, begins_maths
from streamcli.core.markdown.margin import Margin, is_thematic_break, item, match, quote
from streamcli.core.markdown.tables import Table, alignments
from streamcli.core.markdown.theme import DIM, heading_style, paint
from streamcli.core.markdown.wrap import painted, rows

Leaf = Paragraph | Fence | IndentedCode | Html | Table

_HEADING = re.compile(r"#{1,6}(?= |\Z)")
_FENCE = re.compile(r"(`{3,}(?=[^`]*\Z)|~{3,})")
_SETEXT = re.compile(r"(=+|-+) *\Z")
# What may yet become something else than the text that it is.
_UNDECIDED = re.compile(r"[\s*+>#=`~_|-]*+(?:[0-9]{1,9}[.)]?+)?\s*+\Z")
_TAB_STOP = 4
# So many quotes and lists stand in one another at most: a marker too much is text.
MAX_DEPTH = 32


class Blocks:
    """The structure of the text so far. Rows that are final are in `margin.final`.

    `tabs` expands those of code; those that indent are always expanded.
    """

    def __init__(self, width: int, *, colour: bool, tabs: bool) -> None:
        self.margin = Margin(width)
        self._colour = colour
        self._tabs = tabs
        self._leaf: Leaf | None = None

    def resize(self, width: int) -> None:
        self.margin.resize(width)

    def line(self, line: str) -> None:
        """The next line, without its end."""
        if "\t" in line:
            line = self._detabbed(line)
        matched, rest = match(self.margin.containers, line) if self.margin.containers else (0, line)
        leaf = self._leaf
        if isinstance(leaf, Fence) and self._fenced(leaf, matched, rest):
            return
        if isinstance(leaf, Html) and matched == len(self.margin.containers) and self._html(leaf, rest):
            return
        self._structured(matched, rest)

    def begin_long(self, piece: str) -> None:
        """The beginning of a line that is too long to wait for its end."""
        before = self._leaf
        self.line(piece)
        if not isinstance(self._leaf, Fence):
            self.long(piece[len(piece.rstrip(" ")) :], is_end=False)  # of a whole line these say nothing
        elif self._leaf is before:
            self.margin.runs_on = True

    def long(self, piece: str, *, is_end: bool) -> None:
        """More of such a line."""
        if isinstance(self._leaf, Fence):
            if self.margin.runs_on:  # else it is an info string
                self.margin.run_on(self._leaf.piece(piece), ends=is_end)
            return
        if not isinstance(self._leaf, Paragraph):
            self._finish()
            self._leaf = Paragraph(colour=self._colour)
            self._leaf.lines.append("")
        final = self._leaf.extend(piece.expandtabs(_TAB_STOP), self.margin.room)
        if final:
            self.margin.put(final)

    def end(self) -> None:
        """The end of the text."""
        self._finish()
        self.margin.close(0)

    def preview(self, pending: str) -> list[str]:
        """The rows of what is open if the text ended here, with `pending` as the beginning of its last line."""
        if self.margin.runs_on or self._may_become_table(pending):
            return []
        margin, leaf = self.margin, self._leaf
        self.margin = margin.preview()
        self._leaf = leaf.copy() if leaf else None
        if pending and self._is_decided(pending):
            self.line(pending)
        if isinstance(self._leaf, Paragraph):
            self._leaf.is_open = True
        self.end()
        drawn = self.margin.final
        self.margin, self._leaf = margin, leaf
        return drawn

    def _may_become_table(self, pending: str) -> bool:
        """Whether only a line that looks like a table's first one is open: it would be drawn as text, and then not."""
        if isinstance(self._leaf, Paragraph):
            is_first = len(self._leaf.lines) == 1 and self._leaf.lines[0].startswith("|")
            return is_first and (not pending or pending.lstrip().startswith("|"))
        return self._leaf is None and pending.startswith("|")

    def _is_decided(self, pending: str) -> bool:
        if isinstance(self._leaf, Table):
            return False  # cells are shown when their row is complete
        if isinstance(self._leaf, Fence):
            return not self._leaf.may_be_closed_by(pending)
        return not _UNDECIDED.match(pending)

    def _detabbed(self, line: str) -> str:
        if not isinstance(self._leaf, Fence):
            return line.expandtabs(_TAB_STOP)
        if not self.margin.containers:
            return line
        text = line.lstrip(" \t")
        return line[: len(line) - len(text)].expandtabs(_TAB_STOP) + text

    def _fenced(self, fence: Fence, matched: int, rest: str) -> bool:
        """Takes a line of fenced code, unless the quote that it is in has ended."""
        containers = self.margin.containers
        if matched < len(containers) and any(container.is_quote for container in containers[matched:]):
            return False
        if fence.is_closed_by(rest):
            self._leaf = None
        else:
            self.margin.put([fence.code(rest)])
        return True

    def _html(self, html: Html, rest: str) -> bool:
        if not rest.strip() and html.end is None:
            return False
        self.margin.put([painted(row) for row in rows([(rest, 0)], self.margin.room)])
        if html.is_ended_by(rest):
            self._leaf = None
        return True

    def _structured(self, depth: int, rest: str) -> None:
        """Opens the containers that begin in a line, and takes the text in them."""
        margin = self.margin
        while True:
            text = rest.lstrip(" ")
            if not text:
                self._blank(depth)
                return
            indent = len(rest) - len(text)
            if text[0].isalpha() or indent >= 4 or depth >= MAX_DEPTH:
                break
            if text[0] == ">":
                self._close(depth)
                margin.open(quote(colour=self._colour))
                rest = text[2:] if text.startswith("> ") else text[1:]
            else:
                begun = self._item(text, indent, depth)
                if not begun:
                    break
                rest = begun
                if not rest.strip():
                    return
            depth += 1
        self._text(text, indent, depth)

    def _item(self, text: str, indent: int, depth: int) -> str | None:
        """Opens a list item if one begins here; returns its text (a space if it has none)."""
        containers = self.margin.containers
        interrupts = isinstance(self._leaf, Paragraph) and depth == len(containers)
        lists = 0 if depth == 0 else sum([not container.is_quote for container in containers[:depth]])
        before = containers[depth] if depth < len(containers) else None
        found = item(text, indent, lists, before, colour=self._colour, interrupts=interrupts)
        if not found:
            return None
        container, content = found
        self._close(depth)
        self.margin.open(container)
        return content or " "

    def _blank(self, depth: int) -> None:
        containers = self.margin.containers
        leaf = self._leaf
        if isinstance(leaf, IndentedCode) and depth == len(containers):
            leaf.blank += 1
            return
        self._finish()
        if depth < len(containers):
            # Items stay open over a blank line; a quote does not.
            self.margin.close(depth)
        elif self.margin.is_item_empty:
            self.margin.close(len(containers) - 1)
        self.margin.want_gap()

    def _text(self, text: str, indent: int, depth: int) -> None:
        """A line's text, in all the containers it is in: what kind of block it continues or begins."""
        leaf = self._leaf
        is_own = depth == len(self.margin.containers)
        if indent >= 4 and not isinstance(leaf, Paragraph):
            self._indented(text, indent, depth)
            return
        if text[0].isalpha() or indent >= 4 or not self._begin(text, indent, depth, is_own):
            if isinstance(leaf, Table) and is_own:
                self._put(leaf.add(text, self.margin.room))
                return
            if not isinstance(leaf, Paragraph):
                self._close(depth)
                self._leaf = leaf = Paragraph(colour=self._colour)
                is_own = True
            # A line that is not in all of the containers is indented by chance.
            self._put(leaf.add(text.rstrip(" "), indent if is_own else 0, self.margin.room))

    def _indented(self, text: str, indent: int, depth: int) -> None:
        if not (isinstance(self._leaf, IndentedCode) and depth == len(self.margin.containers)):
            self._close(depth)
            self._leaf = IndentedCode()
        self.margin.put(self._leaf.rows(" " * (indent - 4) + text))

    def _begin(self, text: str, indent: int, depth: int, is_own: bool) -> bool:
        """Begins the block that a line begins, if that is another than a paragraph."""
        mark = text[0]
        if mark == "#" and (heading := _HEADING.match(text)):
            self._close(depth)
            self._heading(_unclosed(text[heading.end() :].strip(" ")), heading.end())
            return True
        if mark in "`~" and (fence := _FENCE.match(text)):
            self._close(depth)
            info = text[fence.end() :].strip()
            self._leaf = Fence(fence[0], indent, info, colour=self._colour, tabs=self._tabs)
            return True
        if is_own and isinstance(self._leaf, Paragraph) and mark in "=-:|" and self._underline(self._leaf, text):
            return True
        if mark in "*-_" and is_thematic_break(text):
            self._close(depth)
            self.margin.put([paint(theme.RULE * self.margin.room, DIM if self._colour else 0)])
            return True
        if mark == "<" and begins_html(text):
            self._close(depth)
            self._leaf = Html(text)
            self._html(self._leaf, " " * indent + text)
            return True
        if mark in "$\\" and begins_maths(text):
            self._close(depth)
            self._leaf = Maths(text.rstrip(" "))
            self.margin.put([painted(row) for row in rows([(" " * indent + text, 0)], self.margin.room)])
            return True
        return False

    def _underline(self, paragraph: Paragraph, text: str) -> bool:
        """Whether a line makes the open paragraph a heading, or its last line the header of a table."""
        found = _SETEXT.match(text)
        if found and not paragraph.is_begun:
            self._leaf = None
            self._heading("\n".join(paragraph.lines), 1 if text[0] == "=" else 2)
            return True
        header = paragraph.lines[-1]
        aligns = alignments(text, header)
        if not aligns:
            return False
        paragraph.lines.pop()
        if paragraph.lines or paragraph.is_begun:
            self._finish()
        self._leaf = Table(header, aligns, colour=self._colour)
        return True

    def _heading(self, text: str, level: int) -> None:
        self.margin.want_gap()
        if self._colour:
            segments = inline.parse(text, heading_style(level))
        else:
            segments = [(f"{'#' * level} ", 0), *inline.parse(text, colour=False)]
        self.margin.put([painted(row) for row in rows(segments, self.margin.room)])

    def _put(self, final: list[str]) -> None:
        if final:
            self.margin.put(final)

    def _finish(self) -> None:
        """Ends the open leaf: what is left of it is final."""
        leaf, self._leaf = self._leaf, None
        if isinstance(leaf, Paragraph | Table):
            self._put(leaf.drawn(self.margin.room))
        elif isinstance(leaf, IndentedCode) and leaf.blank:
            self.margin.want_gap()

    def _close(self, depth: int) -> None:
        """Another block begins: the leaf has ended, and so have the containers that the line is not in."""
        self._finish()
        self.margin.close(depth)


def _unclosed(heading: str) -> str:
    """A heading's text without the signs that may end it."""
    text = heading.rstrip("#")
    return text.rstrip(" ") if not text or text.endswith(" ") else heading
