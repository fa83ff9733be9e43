"""What a rule of redaction is, and a scanner that applies many of them at once."""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from streamcli.core.secrets.regexes import Match, Pattern, alternation, compile_pattern, is_linear
from streamcli.core.secrets.values import Finder, Span

Accept = Callable[[bytes, Span, Span], bool]
"""A text, the span of a match in it, and the span of the value: whether it is one after all."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of secret, and how it looks.

    The value begins where the match of `pattern` ends, if there is a `find`, which says what of it is secret; else it
    is the match, or its first group that is not empty, or `group`. `keywords` are in lower case; where none of them
    is, there is no match. A rule that is `alone` matches much around its value, and must not hide that from others.
    """

    kind: str
    """For the placeholder: [A-Z][A-Z0-9_]*"""
    noun: str
    """For people, in the singular."""
    pattern: bytes
    keywords: tuple[bytes, ...] = ()
    find: Finder | None = None
    accept: Accept | None = None
    group: int = 0
    alone: bool = False
    is_apart: bool = False
    """Next to a placeholder it is none: it may be a part of what was masked there."""

    def spans(self, text: bytes, match: Match, whole: Span, groups: int) -> list[Span]:
        """Where in `text` there is something to mask, by a match of the pattern, which has so many groups."""
        if self.find is not None:
            return self.find(text, whole[1])
        value = self._value(match, whole, groups) if groups else whole
        if value[0] == value[1] or (self.accept is not None and not self.accept(text, whole, value)):
            return []
        return [value]

    def _value(self, match: Match, whole: Span, groups: int) -> Span:
        if self.group:
            return match.span(self.group)
        for group in range(1, groups + 1):
            start, end = match.span(group)
            if start < end:
                return start, end
        return whole


class Finding(NamedTuple):
    """Something to mask. There are many: a tuple is made in half the time of a dataclass."""

    start: int
    end: int
    rule: Rule


PLACEHOLDER = re.compile(rb"<[A-Z][A-Z0-9_]{0,60}:[0-9a-f]{6,16}>")
# Where a private key begins and ends: that has to be seen again when the text is redacted once more.
KEY_MARKER = rb"-{4,5} ?%s [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)? ?-{4,5}"
_PLACEHOLDER_OR_MARKER = re.compile(PLACEHOLDER.pattern + rb"|" + KEY_MARKER % rb"(?:BEGIN|END)")

# Of what was matched lately it is known which rules to try: of so many matches, if they are short. Most are a name.
_MOST_REMEMBERED = 4096
_LONGEST_REMEMBERED = 48


class Taken:
    """The placeholders that a text has already, and the markers of keys: what touches one is left as it is."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._starts: list[int] | None = None
        self._ends: list[int] = []

    def touched(self, start: int, end: int) -> int | None:
        """The end of the first of them that `start` to `end` has something of."""
        if self._starts is None:
            pattern = _PLACEHOLDER_OR_MARKER if b"PRIVATE KEY" in self._text else PLACEHOLDER
            spans = [found.span() for found in pattern.finditer(self._text)]
            self._starts = [start for start, _ in spans]
            self._ends = [end for _, end in spans]
        first = bisect_right(self._ends, start)
        return self._ends[first] if first < len(self._starts) and self._starts[first] < end else None


class _Compiled:
    """A rule and its pattern, which is compiled when it is first needed: most never are."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule

    @cached_property
    def pattern(self) -> Pattern:
        return compile_pattern(self.rule.pattern)

    @cached_property
    def _groups(self) -> int:
        return self.pattern.groups

    def findings(self, text: bytes, match: Match, taken: Taken) -> tuple[list[Finding], int]:
        """What a match comes to, and where to go on."""
        findings: list[Finding] = []
        whole = match.span()
        after = whole[0] + 1
        margin = int(self.rule.is_apart)
        for start, end in self.rule.spans(text, match, whole, self._groups):
            placeholder_end = taken.touched(start - margin, end + margin)
            if placeholder_end is None:
                findings.append(Finding(start, end, self.rule))
            after = max(after, placeholder_end or end)
        return findings, after


class Scanner:
    """Rules that are searched together, from left to right; at one place in their order."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = [_Compiled(rule) for rule in rules]
        self._announced = [(keyword, number) for number, rule in enumerate(rules) for keyword in rule.keywords]
        self._unannounced = [number for number, rule in enumerate(rules) if not rule.keywords]
        # RE2 searches for all of them as fast as for one.
        self._locator = alternation([rule.pattern for rule in rules]) if is_linear() else None
        self._candidates: dict[bytes, list[int]] = {}

    def scan(self, text: bytes) -> Iterator[Finding]:
        """What is to be masked of `text`, in order."""
        return self._scan_at_once(text, self._locator) if self._locator else self._scan_by_rule(text)

    def _scan_at_once(self, text: bytes, locator: Pattern) -> Iterator[Finding]:
        taken = Taken(text)
        position = 0
        while position <= len(text) and (place := locator.search(text, position)):
            start, end = place.span()
            findings, position = self._at(text, start, self._candidates_for(text[start:end]), taken)
            yield from findings

    def _scan_by_rule(self, text: bytes) -> Iterator[Finding]:
        taken = Taken(text)
        lowered = text.lower()
        present = [(keyword, number) for keyword, number in self._announced if keyword in lowered]
        for start, end in _lines(text):
            line = lowered[start:end]
            numbers = {number for keyword, number in present if keyword in line}
            yield from self._scan_line(text, start, end, sorted(numbers.union(self._unannounced)), taken)

    def _scan_line(self, text: bytes, position: int, end: int, numbers: list[int], taken: Taken) -> Iterator[Finding]:
        starts = dict.fromkeys(numbers, -1)
        while starts:
            for number, start in list(starts.items()):
                if start < position:
                    match = self._rules[number].pattern.search(text, position, end)
                    if match is None:
                        del starts[number]
                    else:
                        starts[number] = match.span()[0]
            if starts:
                place = min(starts.values())
                here = [number for number, start in starts.items() if start == place]
                findings, position = self._at(text, place, here, taken)
                yield from findings

    def _candidates_for(self, matched: bytes) -> list[int]:
        """The rules that may have matched so: by their keywords, which is much faster than to try them all."""
        numbers = self._candidates.get(matched)
        if numbers is None:
            lowered = matched.lower()
            announced = {number for keyword, number in self._announced if keyword in lowered}
            numbers = sorted(announced.union(self._unannounced))
            if len(matched) <= _LONGEST_REMEMBERED:
                if len(self._candidates) >= _MOST_REMEMBERED:
                    self._candidates.clear()
                self._candidates[matched] = numbers
        return numbers

    def _at(self, text: bytes, start: int, numbers: Iterable[int], taken: Taken) -> tuple[list[Finding], int]:
        """What the first rule that applies there comes to, and where to go on."""
        for number in numbers:
            compiled = self._rules[number]
            match = compiled.pattern.match(text, start)
            if match is None:
                continue
            findings, after = compiled.findings(text, match, taken)
            if findings or after > start + 1:
                return findings, after
        return [], start + 1


class LoneScanner:
    """Rules that are searched one by one, each only where one of its keywords is."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = [_Compiled(rule) for rule in rules]
        keywords = sorted({keyword for rule in rules for keyword in rule.keywords})
        self._gate = compile_pattern(b"(?i:" + b"|".join(map(re.escape, keywords)) + b")") if keywords else None

    def scan(self, text: bytes) -> Iterator[Finding]:
        """What is to be masked of `text`, rule by rule."""
        gated = _Extract(text, self._lines_with_keyword(text))
        lowered = gated.text.lower()
        for compiled in self._rules:
            if not compiled.rule.keywords:
                yield from _search(compiled, text)
            elif any(keyword in lowered for keyword in compiled.rule.keywords):
                for found in _search(compiled, gated.text):
                    start = gated.origin(found.start)
                    yield Finding(start, start + found.end - found.start, found.rule)

    def _lines_with_keyword(self, text: bytes) -> Iterator[Span]:
        position = 0
        while self._gate and position < len(text) and (found := self._gate.search(text, position)):
            start, _ = found.span()
            end = text.find(b"\n", start)
            end = len(text) if end < 0 else end
            yield text.rfind(b"\n", 0, start) + 1, end
            position = end + 1


class _Extract:
    """Some lines of a text, as a text of its own."""

    def __init__(self, text: bytes, lines: Iterable[Span]) -> None:
        self._starts: list[int] = []
        self._origins: list[int] = []
        pieces: list[bytes] = []
        size = 0
        for start, end in lines:
            self._starts.append(size)
            self._origins.append(start)
            pieces.append(text[start:end])
            size += end - start + 1
        self.text = b"\n".join(pieces)

    def origin(self, position: int) -> int:
        """Where in the whole text that is."""
        line = bisect_right(self._starts, position) - 1
        return self._origins[line] + position - self._starts[line]


def _search(compiled: _Compiled, text: bytes) -> Iterator[Finding]:
    taken = Taken(text)
    # `re` would let a match go beyond a line.
    for position, end in [(0, len(text))] if is_linear() else _lines(text):
        while position <= end and (match := compiled.pattern.search(text, position, end)):
            findings, after = compiled.findings(text, match, taken)
            yield from findings
            position = max(after, match.span()[1])


def _lines(text: bytes) -> Iterator[Span]:
    start = 0
    while start < len(text):
        end = text.find(b"\n", start)
        if end < 0:
            end = len(text)
        yield start, end
        start = end + 1
