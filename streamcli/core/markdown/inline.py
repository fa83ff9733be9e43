"""The text of a block -> segments, each in one style: CommonMark 0.31, section 6, and GFM's additions.

Left out are references to link definitions, which come when the text that refers to them has been printed. Looser than
the letter is what would harm text about code: `__init__`, `2*3*4`, `x**2 + y**2` and `src/*/*.py` stay as they are, and
so does mathematics between dollar signs; money in bold is none.
"""

import re

from streamcli.core.markdown import entities
from streamcli.core.markdown.emphasis import Emphasis, apply
from streamcli.core.markdown.theme import CODE, DIM, LINK, Segment

_ANYTHING = re.compile(r"[\\`*_~\[<&$]|https?://")

_TOKEN = re.compile(
    r"(`+)"
    r"|(\\[!-/:-@\[-`{-~\n])"
    r"|(\*+|(?<!\w)__[a-z][a-z0-9_]*__(?!\w)|(?<!\w)_+|_+(?!\w)|~+)"
    r"|(!?\[)"
    r"|(\])"
    r"|(https?://[^\s<>`|\"\[\]]+)"
    r"|(<[A-Za-z/!?][^<>\n]*>)"
    rf"|({entities.ENTITY})"
    r"|(\$\$[^$]+\$\$|\$(?=[^\s$])(?![0-9][^$\n]*\*\*)[^$\n]*(?<=\S)\$(?![A-Za-z0-9]))"
)
_CODE, _ESCAPE, _RUN, _OPEN, _CLOSE, _URL, _TAG, _ENTITY, _MATH = range(1, 10)

# What follows the text of a link: its target, with two levels of parentheses in it, and a title.
_TARGET = re.compile(
    r"\(\s*+(?:<([^<>\n]*)>|((?![<\s])(?:[^\s()\\]|\\.|\((?:[^\s()\\]|\\.|\([^\s()]*+\))*+\))*+))"
    r"(?:\s++(?:\"(?:[^\"\\]|\\.)*+\"|'(?:[^'\\]|\\.)*+'|\((?:[^()\\]|\\.)*+\)))?\s*+\)"
)
_AUTOLINK = re.compile(r"<([A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>]*|[\w.!#$%&'*+/=?^`{|}~-]+@[\w.-]+\.\w+)>")
_MATH_ENDS = {r"\(": r"\)", r"\[": r"\]"}
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_NEWLINE = re.compile(r"\n *")
_NOT_LAST_IN_URL = "?!.,:;*_~'\\]"


def parse(text: str, style: int = 0, *, colour: bool = True, is_open: bool = False) -> list[Segment]:
    """The segments of a block's text, on top of `style`.

    Without `colour` the segments are plain, and the signs of emphasis and code stay, which are all there is to see.
    Of a text that `is_open` the end has not come: strong text and code are shown as such before they are closed.
    """
    if not _ANYTHING.search(text):
        return [(text, style)]
    return _Parser(text, style, colour, is_open and colour).segments()


class _Parser:
    """One text. A node is a piece of it; what is emphasised is known when its end is found."""

    def __init__(self, text: str, style: int, colour: bool, is_open: bool) -> None:
        self._text = text
        self._style = style
        self._colour = colour
        self._is_open = is_open
        self._nodes: list[str] = []
        self._styles: list[int] = []
        self._emphasis = Emphasis(self._nodes, hides_signs=colour)
        self._brackets: list[tuple[int, int]] = []  # node and number of runs before it
        self._lone_math: set[str] = set()  # opening signs of mathematics behind which there is no closing one
        self._lone_ticks: set[int] = set()  # lengths of backtick runs of which no other follows

    def segments(self) -> list[Segment]:
        text = self._text
        position = 0
        search = _TOKEN.search
        while found := search(text, position):
            start = found.start()
            if start > position:
                self._add(text[position:start])
            position = self._token(found)
        if position < len(text):
            self._add(text[position:])
        if self._emphasis.runs:
            self._emphasis.pair(0, is_open=self._is_open)
        return self._joined()

    def _add(self, text: str, bits: int = 0) -> None:
        self._nodes.append(text)
        self._styles.append(bits)

    def _token(self, found: re.Match[str]) -> int:
        """Takes one token; returns where the text behind it begins."""
        kind = found.lastindex
        token = found[0]
        if kind == _RUN:
            return self._run(found.start(), token)
        if kind == _CODE:
            return self._code(found.start(), token)
        if kind == _OPEN:
            self._brackets.append((len(self._nodes), len(self._emphasis.runs)))
            self._add(token)
        elif kind == _CLOSE:
            return self._close(found.end())
        elif kind == _ESCAPE:
            return self._escape(found.start(), token)
        elif kind == _URL:
            return self._url(found.start(), token)
        elif kind == _TAG and (link := _AUTOLINK.fullmatch(token)):
            self._add(link[1], LINK)
        elif kind == _ENTITY:
            self._add(entities.replaced(token))
        else:  # HTML and mathematics are shown as they are
            self._add(token)
        return found.end()

    def _run(self, start: int, token: str) -> int:
        end = start + len(token)
        char = token[0]
        if token[-1] != char or (char == "_" and token.strip("_")) or (char == "~" and len(token) != 2):
            self._add(token)
            return end
        before = self._text[start - 1] if start else " "
        after = self._text[end] if end < len(self._text) else " "
        self._emphasis.add(char, len(token), before, after)
        self._add(token)
        return end

    def _code(self, start: int, ticks: str) -> int:
        length = len(ticks)
        inside = start + length
        if length not in self._lone_ticks:
            end = self._ticks_end(inside, length)
            if end >= 0:
                code = _NEWLINE.sub(" ", self._text[inside:end])
                if code[0] == code[-1] == " " and code.strip(" "):
                    code = code[1:-1]
                self._add(code if self._colour else f"{ticks}{self._text[inside:end]}{ticks}", CODE)
                return end + length
            if self._is_open and self._text[inside:]:
                self._add(self._text[inside:], CODE)
                return len(self._text)
            self._lone_ticks.add(length)
        self._add(ticks)
        return inside

    def _ticks_end(self, start: int, length: int) -> int:
        """Where the next run of exactly so many backticks begins; -1 if there is none."""
        ticks = "`" * length
        text = self._text
        while (end := text.find(ticks, start)) >= 0:
            start = end + length
            if text[start : start + 1] != "`":
                return end
            while text[start : start + 1] == "`":
                start += 1
        return -1

    def _escape(self, start: int, token: str) -> int:
        if token in _MATH_ENDS and token not in self._lone_math:
            end = self._text.find(_MATH_ENDS[token], start)
            if end < 0:
                self._lone_math.add(token)
            else:
                self._add(self._text[start : end + 2])
                return end + 2
        self._add(token[1])
        return start + 2

    def _url(self, start: int, url: str) -> int:
        url = url.rstrip(_NOT_LAST_IN_URL)
        if url.endswith(")"):
            surplus = url.count(")") - url.count("(")
            while surplus > 0 and url.endswith(")"):
                url = url[:-1].rstrip(_NOT_LAST_IN_URL)
                surplus -= 1
        self._add(url, LINK if not self._brackets else 0)
        return start + len(url)

    def _close(self, end: int) -> int:
        """A "]": the end of a link's or an image's text if a target follows."""
        if not self._brackets:
            self._add("]")
            return end
        node, runs = self._brackets.pop()
        target = _TARGET.match(self._text, end)
        if not target:
            self._add("]")
            return end
        self._emphasis.pair(runs)
        is_image = self._nodes[node] == "!["
        self._nodes[node] = ""
        shown = "".join(self._nodes[node:])
        if not is_image:
            self._emphasis.ranges.append((node, len(self._nodes), LINK))
            self._brackets = [bracket for bracket in self._brackets if self._nodes[bracket[0]] == "!["]
        url = _plain(target[1] or target[2] or "")
        if url and url not in (shown, f"mailto:{shown}"):
            self._add(f" ({url})" if shown else url, DIM)
        return target.end()

    def _joined(self) -> list[Segment]:
        """The nodes as segments: neighbours of one style are one."""
        if not self._colour:
            return [("".join(self._nodes), 0)]
        if self._emphasis.ranges:
            apply(self._emphasis.ranges, self._styles)
        segments: list[Segment] = []
        pieces: list[str] = []
        current = -1
        for node, style in zip(self._nodes, self._styles, strict=True):
            if not node:
                continue
            if style != current:
                if pieces:
                    segments.append(("".join(pieces), current | self._style))
                    pieces = []
                current = style
            pieces.append(node)
        if pieces:
            segments.append(("".join(pieces), current | self._style))
        return segments


def _plain(target: str) -> str:
    """A link's target without its escapes."""
    if "\\" in target:
        target = _ESCAPED.sub(r"\1", target)
    return entities.replaced(target) if "&" in target else target
