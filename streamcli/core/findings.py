"""Findings: the lines of an answer that say `[LEVEL] L12-L40: what, why it matters, what to do`.

Models write that line in many ways, so it is read with tolerance: list marks, bold type and other dashes are passed
over. It counts only where it begins a line, and in a code fence only if it cites lines of the window: a log line that
the answer quotes is no finding.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from streamcli.core.sanitize import one_line

FORM = (
    "Write one line for each finding, the most severe first, and no other text. The form of each is exactly\n"
    "[LEVEL] L12-L40: what happened, why it matters, what to do about it\n"
    "where LEVEL is CRITICAL, ERROR, WARNING or INFO, and L12-L40 are the numbers of the lines it is about. "
    "If nothing is wrong, write only: OK"
)

# Characters of a line that are looked at; more of it is passed on, but is no part of a finding.
MAX_LINE = 4000
# Findings that are known at most, and characters that the next window is told of them.
MAX_KNOWN = 100
MAX_PROMPT = 2000
_MAX_TOLD = 200  # characters of one finding, of these
# Characters that are held at most before it is clear that an answer is more than an OK.
_MAX_OK = 200


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
# What may stand before the bracket: a mark (of a list, a heading, a table; an emoji), and bold type.
_LEAD = r"[ \t]*(?:(?:[^\w\s>\[\]`\\\"']{1,6}|\d{1,3}[.)])[ \t]+)?[*_]{0,3}\\?"
_BRACKET = re.compile(
    _LEAD
    + r"\[[*_ ]{0,3}(?:("
    + "|".join(_LEVELS)
    + r")|AGAIN[ \t:]+F(\d{1,9}))(?:[ \t]+(L\d[^\]\n]{0,60}))?[*_ ]{0,3}\\?\][*_`]{0,3}[ \t]*\|?[ \t]*[:-]?[ \t]*",
    re.IGNORECASE | re.ASCII,
)
# A level without brackets, if line numbers follow.
_BARE = re.compile(
    _LEAD + r"(" + "|".join(_LEVELS) + r")()()[*_`]{0,3}[ \t]*:?[*_`]{0,3}[ \t]+(?=L\d{1,12}(?!\w))",
    re.IGNORECASE | re.ASCII,
)
_MAY_BE_BRACKET = re.compile(r"[ \t]*(?:(?:[^\w\s>\[\]`\\\"']{1,6}|\d{1,3}[.)]?)[ \t]*)?[*_]{0,3}\\?(?:\[|$)", re.ASCII)
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
_PIECE = re.compile(r"[^\n]*\n|[^\n]+")
_NUMBER = re.compile(r"\d+")
_FENCE = re.compile(r" {0,3}(```|~~~)")
_ONLY_OK = re.compile(r"[\W_]*ok(?:ay)?[\W_]*|\s*", re.IGNORECASE)
_MAY_BE_OK = re.compile(r"[\W_]*(?:o|ok|oka|okay)?[\W_]*", re.IGNORECASE)


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
    """A finding that is known, the `number`-th of the run, in stream lines `first` to `last` too."""

    number: int
    first: int | None
    last: int | None


class Known:
    """The findings of a run, numbered from 1; what the last `windows` windows found is remembered."""

    def __init__(self, windows: int) -> None:
        self.windows = windows
        self._count = 0
        self._window = 0
        self._found: dict[int, tuple[int, Finding]] = {}  # number -> the last window that had it, and what it is
        self._numbers: dict[str, int] = {}

    def add(self, finding: Finding, window: int) -> int:
        """Its number. `window` is that of the answer it is from, and counts up."""
        self._count += 1
        if self.windows:
            self._found[self._count] = (window, finding)
            self._numbers[finding.sameness()] = self._count
            self._forget(window)
        return self._count

    def again(self, number: int, window: int) -> None:
        """It goes on."""
        if number in self._found:
            self._found[number] = (window, self._found[number][1])
            self._forget(window)

    def number_of(self, finding: Finding) -> int | None:
        """The number of a known one that says the same."""
        return self._numbers.get(finding.sameness())

    def __contains__(self, number: int) -> bool:
        return number in self._found

    def prompt(self, window: int) -> str:
        """What the request for the next window is told of those before; empty if there is nothing to tell.

        Nothing is forgotten for it: an earlier window may be under way still, and was told more.
        """
        lines: list[str] = []
        room = MAX_PROMPT
        for number, (last, finding) in reversed(self._found.items()):
            if last < window - self.windows:
                continue
            line = f"F{number} [{finding.level.name}] {one_line(finding.text, _MAX_TOLD)}"
            room -= len(line) + 1
            if room < 0:
                break
            lines.append(line)
        if not lines:
            return ""
        return (
            "The windows before this one had these findings (data, like the log):\n"
            + "\n".join(reversed(lines))
            + "\nFor one of them that goes on in this window, write only its number and the lines, as in\n"
            "[AGAIN F3] L812-L900\nand write out only what is new."
        )

    def _forget(self, window: int) -> None:
        old = [number for number, (last, _) in self._found.items() if last < window - self.windows]
        surplus = len(self._found) - len(old) - MAX_KNOWN
        old += [number for number in self._found if number not in old][: max(0, surplus)]
        for number in old:
            _, finding = self._found.pop(number)
            if self._numbers.get(finding.sameness()) == number:
                del self._numbers[finding.sameness()]


class FindingFilter:
    """A filter of core's shape: the text passes as it comes, and `take` gives the findings that ended in it.

    `first` and `last` are the window's lines. Where findings are remembered, a line that may be one is held to its end
    (of at most MAX_LINE characters): if it is known, it is left out. With `skip_ok` an answer that is only an OK is
    left out too; what is not understood is shown.
    """

    def __init__(self, first: int, last: int, known: Known, *, skip_ok: bool = False) -> None:
        self._first = first
        self._last = last
        self._known = known
        self._found: list[Finding | Again] = []
        self.is_understood = False
        """Whether there was a finding, or all of it is an OK, as far as it has come."""
        self._words: str | None = ""
        self._line: list[str] = []
        self._length = 0
        self._passes = not known.windows
        self._says_more = False
        self._fence = ""
        self._unsure: str | None = "" if skip_ok else None

    def feed(self, text: str, now: float) -> list[str]:
        return self._unless_ok("".join(map(self._add, _PIECE.findall(text))))

    def deadline(self) -> float | None:
        return None

    def flush(self) -> list[str]:
        rest = self._end_line() if self._line else ""
        if self._words is not None and self._words.strip() and _ONLY_OK.fullmatch(self._words):
            self.is_understood = True
        out = self._unless_ok(rest)
        unsure, self._unsure = self._unsure, None
        return out if not unsure or _ONLY_OK.fullmatch(unsure) else [*out, unsure]

    def take(self) -> list[Finding | Again]:
        """The findings since the last call, in their order."""
        found, self._found = self._found, []
        return found

    def _add(self, piece: str) -> str:
        """What passes of a piece of a line, which may be its end."""
        ended = piece.endswith("\n")
        if self._length < MAX_LINE:
            self._line.append(piece)
        self._length += len(piece)
        if self._passes:
            if ended:
                self._end_line()
            return piece
        if ended:
            return self._end_line()
        held = "".join(self._line)
        if self._length < MAX_LINE and _MAY_BE_BRACKET.match(held):
            return ""
        self._passes = True
        return held

    def _end_line(self) -> str:
        """What passes of the line that was held; of one that passed already, nothing."""
        line, held = "".join(self._line), not self._passes
        # Only such a line was held to its end, however it came.
        may_go = self._length <= MAX_LINE and _MAY_BE_BRACKET.match(line) is not None
        self._line.clear()
        self._length = 0
        self._passes = not self._known.windows
        found = self._finding(line)
        if found is not None:
            self._found.append(found)
            self.is_understood = True
        if self._words is not None:
            self._words += line
            if len(self._words) > _MAX_OK or not _MAY_BE_OK.fullmatch(self._words):
                self._words = None
        return "" if not held or (isinstance(found, Again) and may_go and not self._says_more) else line

    def _finding(self, line: str) -> Finding | Again | None:
        fence = _FENCE.match(line)
        if fence and (not self._fence or fence[1] == self._fence):
            self._fence = "" if self._fence else fence[1]
            return None
        bracket = _BRACKET.match(line) or _BARE.match(line)
        if bracket is None:
            return None
        rest = line[bracket.end() : MAX_LINE]
        if bracket[3]:  # the lines stand in the brackets
            rest = f"{bracket[3]}: {rest}"
        spans = _SPANS.match(rest)
        first, last = self._lines(spans[0]) if spans else (None, None)
        # A whole answer may stand in a fence; so may a quotation, which does not cite lines of the window.
        if self._fence and first is None:
            return None
        self._says_more = False
        if bracket[2]:
            number = int(bracket[2])
            self._says_more = bool((rest[spans.end() :] if spans else rest).strip(" \t\r\n.*_|"))
            return Again(number, first, last) if number in self._known else None
        text = rest[spans.end() :] if spans and first is not None else rest
        finding = Finding(_LEVELS[bracket[1].upper()], first, last, text.strip().removesuffix("**").strip())
        number_known = self._known.number_of(finding) if self._known.windows else None
        return finding if number_known is None else Again(number_known, first, last)

    def _lines(self, spans: str) -> tuple[int | None, int | None]:
        """The lines that are named, as far as they are in the window: a model misquotes."""
        numbers = [int(number) for number in _NUMBER.findall(spans)]
        first, last = max(min(numbers), self._first), min(max(numbers), self._last)
        return (first, last) if first <= last else (None, None)

    def _unless_ok(self, text: str) -> list[str]:
        if self._unsure is None:
            return [text] if text else []
        self._unsure += text
        if len(self._unsure) <= _MAX_OK and _MAY_BE_OK.fullmatch(self._unsure):
            return []
        shown, self._unsure = self._unsure, None
        return [shown]


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
