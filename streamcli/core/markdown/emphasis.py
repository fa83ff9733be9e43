"""Emphasis: which delimiters belong together. CommonMark 0.31, section 6.2, and the "~~" of GFM."""

import re
import unicodedata
from dataclasses import dataclass

from streamcli.core.markdown.theme import EMPHASIS, STRIKE, STRONG

_SPACE_OR_OPERATOR = re.compile(r"[\s*/+=<>^%-]")


@dataclass(slots=True)
class Run:
    """A run of delimiters: `count` of them are not used yet."""

    node: int
    char: str
    length: int
    count: int
    can_open: bool
    can_close: bool
    is_inner: bool
    """Whether it is a single one within a word: it closes no longer one."""
    is_power: bool
    """Whether it is a double one within a word: two of them are powers, if what is between is no word."""


class Emphasis:
    """The runs of a text that is made of `nodes`. With `hides_signs` those that emphasise are taken out of them."""

    def __init__(self, nodes: list[str], *, hides_signs: bool) -> None:
        self._nodes = nodes
        self._hides_signs = hides_signs
        self.runs: list[Run] = []
        self.ranges: list[tuple[int, int, int]] = []
        """First node, the one behind the last, and the bit of the style."""

    def add(self, char: str, length: int, before: str, after: str) -> None:
        """A run of delimiters between two characters: it is the next node."""
        can_open, can_close = _flanks(char, length, before, after)
        if can_open or can_close:
            is_within = before.isalnum() and after.isalnum()
            is_power = is_within and length == 2 and before.isascii() and after.isascii()
            is_inner = is_within and length == 1
            self.runs.append(Run(len(self._nodes), char, length, length, can_open, can_close, is_inner, is_power))

    def pair(self, first: int, *, is_open: bool = False) -> None:
        """Finds what the runs from `first` on emphasise, and forgets them. `is_open` means that more text comes."""
        runs = self.runs
        bottoms: dict[tuple[str, bool, int, bool, bool], int] = {}  # below it there is no opener for such a closer
        at = first
        while at < len(runs):
            closer = runs[at]
            if not closer.can_close:
                at += 1
                continue
            key = (closer.char, closer.can_open, closer.length % 3, closer.is_inner, closer.is_power)
            place = self._opener(at, max(first, bottoms.get(key, first)))
            if place < 0:
                bottoms[key] = at
                if closer.can_open:
                    at += 1
                else:
                    del runs[at]
                continue
            at = self._match(place, at)
        if is_open:
            self._close_strong()
        del runs[first:]

    def _close_strong(self) -> None:
        """The text still comes: what opens strong emphasis will most probably be closed."""
        for run in self.runs:
            if run.count == 2 and run.char == "*" and run.can_open and not run.can_close:
                self.ranges.append((run.node + 1, len(self._nodes), STRONG))
                self._nodes[run.node] = ""

    def _opener(self, at: int, bottom: int) -> int:
        closer = self.runs[at]
        for place in range(at - 1, bottom - 1, -1):
            opener = self.runs[place]
            if opener.char != closer.char or not opener.can_open or (closer.is_inner and opener.length > 1):
                continue
            if closer.is_power and opener.is_power and self._are_powers(opener, closer):
                continue
            if closer.char == "~" or not (
                (opener.can_close or closer.can_open)
                and (opener.length + closer.length) % 3 == 0
                and (opener.length % 3 or closer.length % 3)
            ):
                return place
        return -1

    def _are_powers(self, opener: Run, closer: Run) -> bool:
        """Whether two runs within words have more than a word between them: 2**n + 3**m."""
        return any(_SPACE_OR_OPERATOR.search(self._nodes[node]) for node in range(opener.node + 1, closer.node))

    def _match(self, place: int, at: int) -> int:
        """Pairs two runs; returns where the search for closers goes on."""
        runs = self.runs
        opener, closer = runs[place], runs[at]
        if closer.char == "~":
            used, bit = 2, STRIKE
        else:
            used = 2 if opener.count >= 2 and closer.count >= 2 else 1
            bit = STRONG if used == 2 else EMPHASIS
        self.ranges.append((opener.node + 1, closer.node, bit))
        del runs[place + 1 : at]
        at = place + 1
        for run in (opener, closer):
            run.count -= used
            if self._hides_signs:
                self._nodes[run.node] = run.char * run.count
        if not closer.count:
            del runs[at]
        if not opener.count:
            del runs[place]
            at -= 1
        return at


def apply(ranges: list[tuple[int, int, int]], styles: list[int]) -> None:
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
    elif char == "*" and length == 1 and before in "])":  # [a-z]*[0-9]*
        can_open = False
    elif char == "*" and can_open and can_close:
        if before == "/" and after in "/.":  # src/*/**/*.py
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
