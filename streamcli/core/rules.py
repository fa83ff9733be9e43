"""What a rule of redaction is, and a scanner that applies many of them at once."""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from streamcli.core.regexes import Match, Pattern, alternation, compile_pattern, is_linear
from streamcli.core.secret_values import Finder, Span

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

    def spans(self, text: bytes, match: Match, groups: int) -> list[Span]:
        """Where in `text` there is something to mask, by a match of the pattern, which has so many groups."""
        if self.find is not None:
            return self.find(text, match.span()[1])
        span = self._value(match, groups) if groups else match.span()
        if span[0] == span[1] or (self.accept is not None and not self.accept(text, match.span(), span)):
            return []
        return [span]

    def _value(self, match: Match, groups: int) -> Span:
        if self.group:
            return match.span(self.group)
        for group in range(1, groups + 1):
            start, end = match.span(group)
            if start < end:
                return start, end
        return match.span()


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to mask."""

    start: int
    end: int
    rule: Rule


PLACEHOLDER = re.compile(rb"<[A-Z][A-Z0-9_]{0,60}:[0-9a-f]{6,16}>")


class Taken:
    """The placeholders that a text has already: what touches one is left as it is."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._starts: list[int] | None = None
        self._ends: list[int] = []

    def touched(self, start: int, end: int) -> int | None:
        """The end of the first placeholder that `start` to `end` has something of."""
        if self._starts is None:
            spans = [found.span() for found in PLACEHOLDER.finditer(self._text)]
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
        after = match.span()[0] + 1
        for start, end in self.rule.spans(text, match, self._groups):
            placeholder_end = taken.touched(start, end)
            if placeholder_end is None:
                findings.append(Finding(start, end, self.rule))
            after = max(after, placeholder_end or end)
        return findings, after


class Scanner:
    """Rules that are searched together: by one alternation, which finds where one of them begins."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = [_Compiled(rule) for rule in rules]
        self._locator = alternation([rule.pattern for rule in rules])
        self._announced = [(keyword, number) for number, rule in enumerate(rules) for keyword in rule.keywords]
        self._unannounced = [number for number, rule in enumerate(rules) if not rule.keywords]
        # RE2 finds out faster than any look for keywords that there is nothing.
        is_gated = not is_linear() and not self._unannounced
        self._keywords = sorted({keyword for keyword, _ in self._announced}) if is_gated else None

    def scan(self, text: bytes) -> Iterator[Finding]:
        """What is to be masked of `text`, in order."""
        taken = Taken(text)
        if self._keywords is None:
            yield from self._between(text, 0, len(text), taken)
            return
        lowered = text.lower()
        present = [keyword for keyword in self._keywords if keyword in lowered]
        for start, end in _lines(text) if present else ():
            if any(lowered.find(keyword, start, end) >= 0 for keyword in present):
                yield from self._between(text, start, end, taken)

    def _between(self, text: bytes, position: int, end: int, taken: Taken) -> Iterator[Finding]:
        while position <= end and (place := self._locator.search(text, position, end)):
            findings, position = self._at(text, place.span(), taken)
            yield from findings

    def _at(self, text: bytes, place: Span, taken: Taken) -> tuple[list[Finding], int]:
        """What the first rule that applies there comes to, and where to go on."""
        start, end = place
        lowered = text[start:end].lower()
        numbers = {number for keyword, number in self._announced if keyword in lowered}
        for number in sorted(numbers.union(self._unannounced)):
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
