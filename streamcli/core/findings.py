"""Findings: the lines of an answer that say `[LEVEL] L12-L40: what, why it matters, what to do`.

Models write that line in many ways, so it is read with tolerance: list marks, bold type and other dashes are passed
over. It counts only where it begins a line, and in a code fence only if it cites lines of the window: a log line that
the answer quotes is no finding.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

FORM = (
    "Write one line for each finding, the most severe first, and no other text. The form of each is exactly\n"
    "[LEVEL] L12-L40: what happened, why it matters, what to do about it\n"
    "where LEVEL is CRITICAL, ERROR, WARNING or INFO, and L12-L40 are the numbers of the lines it is about. "
    "If nothing is wrong, write only: OK"
)

# Characters of a line that are looked at; more of it is passed on, but is no part of a finding.
MAX_LINE = 4000


class Level(IntEnum):
    """How severe a finding is."""

    INFO = 1
    WARNING = 2
    ERROR = 3
    CRITICAL = 4


_LEVELS = {
    "INFO": Level.INFO,
    "NOTICE": Level.INFO,
    "WARN": Level.WARNING,
    "WARNING": Level.WARNING,
    "ERR": Level.ERROR,
    "ERROR": Level.ERROR,
    "CRIT": Level.CRITICAL,
    "CRITICAL": Level.CRITICAL,
    "FATAL": Level.CRITICAL,
    "ALERT": Level.CRITICAL,
    "EMERGENCY": Level.CRITICAL,
    "SEVERE": Level.CRITICAL,
    "HIGH": Level.ERROR,
}
_A_LEVEL = r"(?P<level>" + "|".join(_LEVELS) + r")"
# What may stand before the bracket: a mark (of a list, a heading, a table; an emoji), and bold type.
_LEAD = r"[ \t]*(?:(?:[^\w\s>\[\]`\\\"']{1,6}|\d{1,3}[.)])[ \t]+)?[*_]{0,3}\\?"
_BRACKET = re.compile(
    _LEAD
    + r"\[[*_ ]{0,3}(?:"
    + _A_LEVEL
    + r"|AGAIN[ \t:]+F(?P<number>\d{1,9}))(?:[ \t]+(?P<spans>L\d[^\]\n]{0,60}))?"
    + r"[*_ ]{0,3}\\?\][*_`]{0,3}[ \t]*\|?[ \t]*[:-]?[ \t]*",
    re.IGNORECASE | re.ASCII,
)
_BEGINNING = re.compile(r"[ \t]*(?:(?:[^\w\s>\[\]`\\\"']{1,6}|\d{1,3}[.)]?)[ \t]*)?[*_]{0,3}\\?(?:\[|$)", re.ASCII)
# A level without brackets, if line numbers follow.
_BARE = re.compile(
    _LEAD + _A_LEVEL + r"[*_`]{0,3}[ \t]*:?[*_`]{0,3}[ \t]+(?=L\d{1,12}(?!\w))", re.IGNORECASE | re.ASCII
)
_ONE_SPAN = r"\d{1,12}(?!\w)(?:[ \t]*[-\u2010-\u2015][ \t]*L?\d{1,12}(?!\w))?"
_SPANS = re.compile(
    r"[*_`(]{0,3}(?:lines?[ \t]+L?|L)"
    + _ONE_SPAN
    + r"(?:[ \t]*(?:,|and|&)[ \t]*(?:lines?[ \t]+)?L?"
    + _ONE_SPAN
    + r")*"
    r"[*_`)]{0,3}[ \t]*[:\u2013\u2014-]?[*_`]{0,3}[ \t]*",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True)
class Finding:
    """`text` says what was found; `first` to `last` are lines of its window, None where it names none."""

    level: Level
    first: int | None
    last: int | None
    text: str

    def sameness(self) -> str:
        """Equal for findings that say the same, be it in other lines. With other numbers it is another finding."""
        return f"{self.level}{' '.join(self.text.lower().split())}"


@dataclass(frozen=True)
class Again:
    """A finding that is known, the `number`-th of the run, in stream lines `first` to `last` too.

    `text` is what is said beside that.
    """

    number: int
    first: int | None
    last: int | None
    text: str = field(default="", compare=False)


def may_be_marked(beginning: str) -> bool:
    """Whether a line that begins so, or is so, may have the form: a level or AGAIN in brackets."""
    return _BEGINNING.match(beginning) is not None


def read_finding(line: str, window: tuple[int, int], *, in_code: bool = False) -> Finding | Again | None:
    """What a line of an answer finds, in a window of stream lines from the first to the last of `window`.

    `in_code` says that it stands in a code fence. Of an Again, only the caller knows whether there is such a number.
    """
    bracket = _BRACKET.match(line)
    mark = bracket or _BARE.match(line)
    if mark is None:
        return None
    rest = line[mark.end() : MAX_LINE]
    if bracket and bracket["spans"]:
        rest = f"{bracket['spans']}: {rest}"
    spans = _SPANS.match(rest)
    first, last = _within(spans[0], window) if spans else (None, None)
    # A whole answer may stand in a fence; so may a quotation, which does not cite lines of the window.
    if in_code and first is None:
        return None
    if bracket and bracket["number"]:
        return Again(int(bracket["number"]), first, last, (rest[spans.end() :] if spans else rest).strip(" \t\r\n.*_|"))
    text = rest[spans.end() :] if spans and first is not None else rest
    return Finding(_LEVELS[mark["level"].upper()], first, last, text.strip().removesuffix("**").strip())


def _within(spans: str, window: tuple[int, int]) -> tuple[int | None, int | None]:
    """The lines that are named, as far as they are in the window: a model misquotes."""
    numbers = [int(number) for number in _NUMBER.findall(spans)]
    first, last = max(min(numbers), window[0]), min(max(numbers), window[1])
    return (first, last) if first <= last else (None, None)


class Tally:
    """How many findings a run had."""

    def __init__(self) -> None:
        self._levels: Counter[Level] = Counter()
        self.again = 0

    def add(self, found: Finding | Again) -> None:
        if isinstance(found, Again):
            self.again += 1
        else:
            self._levels[found.level] += 1

    def by_level(self) -> Mapping[str, int]:
        """Level -> count, the most severe first."""
        return {level.name: self._levels[level] for level in reversed(Level)}

    def clause(self) -> str:
        """For a person: "1 critical, 2 errors; 3 again"; empty without findings."""
        names = {Level.CRITICAL: "critical", Level.ERROR: "error", Level.WARNING: "warning", Level.INFO: "info"}
        parts = [
            f"{count} {names[level]}{'s' if count > 1 and level in (Level.ERROR, Level.WARNING) else ''}"
            for level in reversed(Level)
            if (count := self._levels[level])
        ]
        again = f"{self.again} again" if self.again else ""
        return "; ".join(part for part in (", ".join(parts), again) if part)
