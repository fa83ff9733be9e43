"""The text of a block -> segments, each in one style: CommonMark 0.31, section 6, and GFM's additions.

Left out are references to link definitions, which come when the text that refers to them has been printed. Looser than
the letter is what would harm text about code: `__init__`, `2*3*4`, `x**2 + y**2` and `src/*/*.py` stay as they are, and
so does mathematics between dollar signs.
"""

import re
import unicodedata
from dataclasses import dataclass

from streamcli.core.markdown.theme import CODE, DIM, EMPHASIS, LINK, STRIKE, STRONG, Segment
from streamcli.core.sanitize import sanitize

_ANYTHING = re.compile(r"[\\`*_~\[<&$]|https?://")

_TOKEN = re.compile(
    r"(`+)"
    r"|(\\[!-/:-@\[-`{-~\n])"
    r"|(\*+|(?<!\w)__[a-z][a-z0-9_]*__(?!\w)|(?<!\w)_+|_+(?!\w)|~+)"
    r"|(!?\[)"
    r"|(\])"
    r"|(https?://[^\s<>`|\"\[\]]+)"
    r"|(<[A-Za-z/!?][^<>\n]*>)"
    r"|(&(?:[A-Za-z][A-Za-z0-9]{1,31}|#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6});)"
    r"|(\$\$[^$]+\$\$|\$(?=[^\s$])[^$\n]*(?<=\S)\$(?![0-9]))"
)
_CODE, _ESCAPE, _RUN, _OPEN, _CLOSE, _URL, _TAG, _ENTITY, _MATH = range(1, 10)

# What follows the text of a link: its target, with two levels of parentheses in it, and a title.
_TARGET = re.compile(
    r"\(\s*+(?:<([^<>\n]*)>|((?![<\s])(?:[^\s()\\]|\\.|\((?:[^\s()\\]|\\.|\([^\s()]*+\))*+\))*+))"
    r"(?:\s++(?:\"(?:[^\"\\]|\\.)*+\"|'(?:[^'\\]|\\.)*+'|\((?:[^()\\]|\\.)*+\)))?\s*+\)"
)
_AUTOLINK = re.compile(r"<([A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>]*|[\w.!#$%&'*+/=?^`{|}~-]+@[\w.-]+\.\w+)>")
_MATH_ENDS = {r"\(": r"\)", r"\[": r"\]"}
_MATH_SIGN = re.compile(r"[\\^_=]")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_NOT_LAST_IN_URL = "?!.,:;*_~'\\]"


@dataclass(slots=True)
class _Run:
    """A run of delimiters: `count` of them are not used yet."""

    node: int
    char: str
    length: int
    count: int
    can_open: bool
    can_close: bool
    is_inner: bool
    """Whether it is a single one within a word: it closes no longer one."""


def parse(text: str, style: int = 0, *, colour: bool = True) -> list[Segment]:
    """The segments of a block's text, on top of `style`.

    Without `colour` the segments are plain, and the signs of emphasis and code stay, which are all there is to see.
    """
    if not _ANYTHING.search(text):
        return [(text, style)]
    return _Parser(text, style, colour).segments()


class _Parser:
    """One text. A node is a piece of it; what is emphasised is known when its end is found."""

    def __init__(self, text: str, style: int, colour: bool) -> None:
        self._text = text
        self._style = style
        self._colour = colour
        self._nodes: list[str] = []
        self._styles: list[int] = []
        self._runs: list[_Run] = []
        self._brackets: list[tuple[int, int]] = []  # node and number of runs before it
        self._ranges: list[tuple[int, int, int]] = []  # first node, the one behind the last, bit
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
        if self._runs:
            self._pair(0)
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
            self._brackets.append((len(self._nodes), len(self._runs)))
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
            self._add(_entity(token))
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
        length = len(token)
        can_open, can_close = _flanks(char, length, before, after)
        if can_open or can_close:
            is_inner = length == 1 and before.isalnum() and after.isalnum()
            self._runs.append(_Run(len(self._nodes), char, length, length, can_open, can_close, is_inner))
        self._add(token)
        return end

    def _code(self, start: int, ticks: str) -> int:
        length = len(ticks)
        inside = start + length
        if length not in self._lone_ticks:
            end = self._ticks_end(inside, length)
            if end >= 0:
                code = self._text[inside:end].replace("\n", " ")
                if code[0] == code[-1] == " " and code.strip(" "):
                    code = code[1:-1]
                self._add(code if self._colour else f"{ticks}{self._text[inside:end]}{ticks}", CODE)
                return end + length
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
            elif _MATH_SIGN.search(self._text, start + 2, end):
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
        self._pair(runs)
        is_image = self._nodes[node] == "!["
        self._nodes[node] = ""
        shown = "".join(self._nodes[node:])
        if not is_image:
            self._ranges.append((node, len(self._nodes), LINK))
            self._brackets = [bracket for bracket in self._brackets if self._nodes[bracket[0]] == "!["]
        url = _plain(target[1] or target[2] or "")
        if url and url not in (shown, f"mailto:{shown}"):
            self._add(f" ({url})" if shown else url, DIM)
        return target.end()

    def _pair(self, first: int) -> None:
        """Finds what the runs from `first` on emphasise, and forgets them."""
        runs = self._runs
        bottoms: dict[tuple[str, bool, int], int] = {}  # below it there is no opener for such a closer
        at = first
        while at < len(runs):
            closer = runs[at]
            if not closer.can_close:
                at += 1
                continue
            key = (closer.char, closer.can_open, closer.length % 3)
            place = self._opener(at, max(first, bottoms.get(key, first)))
            if place < 0:
                bottoms[key] = at
                if closer.can_open:
                    at += 1
                else:
                    del runs[at]
                continue
            at = self._match(place, at)
        del runs[first:]

    def _opener(self, at: int, bottom: int) -> int:
        closer = self._runs[at]
        for place in range(at - 1, bottom - 1, -1):
            opener = self._runs[place]
            if opener.char != closer.char or not opener.can_open or (closer.is_inner and opener.length > 1):
                continue
            if closer.char == "~" or not (
                (opener.can_close or closer.can_open)
                and (opener.length + closer.length) % 3 == 0
                and (opener.length % 3 or closer.length % 3)
            ):
                return place
        return -1

    def _match(self, place: int, at: int) -> int:
        """Pairs two runs; returns where the search for closers goes on."""
        runs = self._runs
        opener, closer = runs[place], runs[at]
        if closer.char == "~":
            used, bit = 2, STRIKE
        else:
            used = 2 if opener.count >= 2 and closer.count >= 2 else 1
            bit = STRONG if used == 2 else EMPHASIS
        self._ranges.append((opener.node + 1, closer.node, bit))
        del runs[place + 1 : at]
        at = place + 1
        for run in (opener, closer):
            run.count -= used
            if self._colour:
                self._nodes[run.node] = run.char * run.count
        if not closer.count:
            del runs[at]
        if not opener.count:
            del runs[place]
            at -= 1
        return at

    def _joined(self) -> list[Segment]:
        """The nodes as segments: neighbours of one style are one."""
        if not self._colour:
            return [("".join(self._nodes), 0)]
        if self._ranges:
            _apply(self._ranges, self._styles)
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


def _apply(ranges: list[tuple[int, int, int]], styles: list[int]) -> None:
    """Adds each range's bit to the styles of its nodes, in one pass however deep they are nested."""
    changes: dict[int, list[tuple[int, int]]] = {}
    for start, end, bit in ranges:
        changes.setdefault(start, []).append((bit, 1))
        changes.setdefault(end, []).append((bit, -1))
    depth: dict[int, int] = {}
    bits = 0
    for node in range(len(styles)):
        if node in changes:
            for bit, step in changes[node]:
                depth[bit] = depth.get(bit, 0) + step
            bits = sum(bit for bit, count in depth.items() if count)
        styles[node] |= bits


def _flanks(char: str, length: int, before: str, after: str) -> tuple[bool, bool]:
    """Whether a run of delimiters between these two characters can open and can close emphasis."""
    space_before, space_after = before.isspace(), after.isspace()
    mark_before, mark_after = _is_punctuation(before), _is_punctuation(after)
    # Beside ideographs, which need no spaces between words, punctuation says nothing.
    can_open = not space_after and (not mark_after or space_before or mark_before or before >= "\u2e80")
    can_close = not space_before and (not mark_before or space_after or mark_after or after >= "\u2e80")
    if char == "_":
        can_open, can_close = can_open and (not can_close or mark_before), can_close and (not can_open or mark_after)
    elif char == "*" and can_open and can_close:
        if length == 1 and before == "/" and after in "/.":  # src/*/*.py
            return False, False
        if before.isascii() and before.isalnum():
            if after.isdigit():  # x**2
                return False, False
            can_open = length > 1 or not after.isalnum()  # a*b*c
    return can_open, can_close


def _is_punctuation(char: str) -> bool:
    if char.isalnum() or char.isspace():
        return False
    return char.isascii() or unicodedata.category(char)[0] in "PS"


def _entity(entity: str) -> str:
    """What an HTML entity stands for, made harmless; unknown ones stay."""
    from html import unescape  # a large table: most answers need none

    char = unescape(entity)
    return " " if char in "\n\t" else sanitize(char)


def _plain(target: str) -> str:
    """A link's target without its escapes."""
    if "\\" in target:
        target = _ESCAPED.sub(r"\1", target)
    if "&" in target:
        from html import unescape

        target = sanitize(unescape(target)).replace("\n", "").replace("\t", "")
    return target
