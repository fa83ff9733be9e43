"""What is secret as the line above says so: `- name: DB_PASSWORD`, and below it `value: ...`. With state over feeds.

YAML and indented JSON, forms (multipart), a line that goes on in the next one, SMTP's question for a password, and the
data of a Kubernetes Secret. What an announcement may look at is a few lines: then it is forgotten.
"""

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass

from streamcli.core.secrets import values
from streamcli.core.secrets.regexes import Pattern, alternation, compile_pattern, is_linear
from streamcli.core.secrets.remarks import says_nothing
from streamcli.core.secrets.rules import PLACEHOLDER, Finding, Rule
from streamcli.core.secrets.values import Span

_PASSWORD = Rule("PASSWORD", "password", b"")
_SECRET = Rule("SECRET", "secret", b"")

_LAST = (
    rb"(?:pass[_-]?word|passwd|pass[_-]?phrase|passcode|pwd|secret|token|api[_-]?key|access[_-]?key"
    rb"|private[_-]?key|secret[_-]?key|encryption[_-]?key|signing[_-]?key|[_-]pass|[._-]key|credentials?)[\w-]{0,12}"
)
_NAME = rb"[\w.-]*" + _LAST
_QUOTE = rb"\\{0,2}[\"']"
_LINE_END = rb"[ \t\r]*$"
_DIRECTION = rb"(?:^|[<>:-][ \t]?b?[\"']?)"
_WRITTEN_END = rb"(?:\\r\\n)?[\"']?" + _LINE_END

# No longer line is looked at: those that are meant are short.
_LONGEST_LINE = 4096


@dataclass(frozen=True, slots=True)
class _Announcement:
    announces: bytes
    """A pattern that ends at the end of a line."""
    find: Callable[[bytes], Span | None]
    """In a line below: where its value is."""
    lines: int = 1
    """So many lines below it are looked at."""
    after_blank: Callable[[bytes], Span | None] | None = None
    """The same for the line below a blank one."""
    passes: "re.Pattern[bytes] | None" = None
    """Only over lines that are like this; without it, over blank ones."""
    rule: Rule = _PASSWORD
    is_repeated: bool = False
    """Whether more values may follow the first."""


_VALUE = re.compile(rb"^.{0,200}?\b(?:default)?value[\"']?[ \t]*[:=][ \t]*|^.{0,200}?<value>", re.IGNORECASE)
_ENTRY = re.compile(rb"^[ \t]+[\"']?[\w.-]{1,100}[\"']?:[ \t]*[\"']?([A-Za-z0-9+/]{8,}={0,2})[\"']?,?[ \t\r]*\Z")
_ENTRIES = re.compile(rb"[ \t]+[\"']?[\w.-]{1,100}[\"']?:[ \t]*")
_INDENTED = re.compile(rb"[ \t]+")
_ONE_WORD = re.compile(rb"[ \t]+(?=[^\s:]*[0-9])([^\s:\"'{}\[\],]{4,})[ \t\r]*\Z")
_ANSWER = re.compile(_DIRECTION + rb"([A-Za-z0-9+/]{4,}={0,2})" + _WRITTEN_END)
_PART_HEADER = re.compile(rb"[ \t\r]*\Z|Content-", re.IGNORECASE)


def _of_value(line: bytes) -> Span | None:
    found = _VALUE.match(line)
    return _first(values.element if found[0].endswith(b">") else values.password, line, found.end()) if found else None


def _in_quotes(line: bytes) -> Span | None:
    found = _INDENTED.match(line)
    return _first(values.in_quotes, line, found.end() if found else 0)


def _indented(line: bytes) -> Span | None:
    found = _INDENTED.match(line)
    return _whole(line, found.end()) if found else None


def _whole_line(line: bytes) -> Span | None:
    return None if line.startswith((b"--", b"Content-")) else _whole(line, 0)


def _one_word(line: bytes) -> Span | None:
    found = _ONE_WORD.match(line)
    return _first(values.password, line, found.start(1)) if found else None


def _continued(line: bytes) -> Span | None:
    return _first(values.argument, line, len(line) - len(line.lstrip()))


def _answer(line: bytes) -> Span | None:
    """Base64, and no word or number."""
    found = _ANSWER.search(line)
    if found is None or len(found[1]) % 4 or not _is_encoded(found[1]):
        return None
    return found.span(1)


def _entry(line: bytes) -> Span | None:
    found = _ENTRY.match(line)
    return found.span(1) if found and len(found[1]) % 4 == 0 and _is_encoded(found[1]) else None


def _plain_entry(line: bytes) -> Span | None:
    """Only a Secret has those."""
    found = _ENTRIES.match(line)
    return _first(values.password, line, found.end()) if found else None


def _is_encoded(word: bytes) -> bool:
    if word.endswith(b"="):
        return True
    inner = word[1:]
    return not word.isdigit() and inner.lower() != inner and inner.upper() != inner and len(word) >= 8


def _whole(line: bytes, start: int) -> Span | None:
    end = len(line.rstrip())
    return (start, end) if end - start >= 4 and not says_nothing(line[start:end]) else None


def _first(find: Callable[[bytes, int], list[Span]], line: bytes, at: int) -> Span | None:
    return next(iter(find(line, at)), None)


_ANNOUNCEMENTS = (
    _Announcement(
        rb"\bname=" + _QUOTE + _NAME + _QUOTE + _LINE_END, _of_value, 4, after_blank=_whole_line, passes=_PART_HEADER
    ),
    _Announcement(
        rb"\b(?:name|key|field|id)"
        + rb"(?:"
        + _QUOTE
        + rb")?[ \t]*[:=][ \t]*[\"']?"
        + _NAME
        + rb"[\"']?,?"
        + _LINE_END,
        _of_value,
    ),
    _Announcement(
        rb"<name>" + _NAME + rb"</name>" + _LINE_END + rb"|<[\w:-]{1,40} name=[\"']" + _NAME + rb"[\"']>" + _LINE_END,
        _of_value,
    ),
    _Announcement(_LAST + _QUOTE + rb"[ \t]*[:=]" + _LINE_END, _in_quotes),
    _Announcement(_LAST + rb"[\"']?:[ \t]+[|>][+-]?[0-9]?" + _LINE_END, _indented),
    _Announcement(_LAST + rb"[\"']?[ \t]*[:=][ \t]*\\" + _LINE_END, _continued),
    _Announcement(_LAST + rb":" + _LINE_END, _one_word),
    _Announcement(_DIRECTION + rb"334(?:[ -][A-Za-z0-9+/=]{0,60})?" + _WRITTEN_END, _answer, 2),
    _Announcement(
        rb"^[ \t]*\"?data\"?:[ \t]*\{?" + _LINE_END, _entry, 16, passes=_ENTRIES, rule=_SECRET, is_repeated=True
    ),
    _Announcement(
        rb"^[ \t]*\"?stringData\"?:[ \t]*\{?" + _LINE_END,
        _plain_entry,
        16,
        passes=_ENTRIES,
        rule=_SECRET,
        is_repeated=True,
    ),
)


ANNOUNCING = tuple(b"(?i:" + one.announces + b")" for one in _ANNOUNCEMENTS)


@functools.cache
def _patterns(is_linear: bool) -> tuple[Pattern, list[Pattern]]:
    """Of any announcement, and of each; by which engine is said to keep those of the other apart."""
    return alternation(list(ANNOUNCING)), [compile_pattern(pattern) for pattern in ANNOUNCING]


class Announced:
    """Lines -> what in them is announced by lines before them. One for each input."""

    def __init__(self) -> None:
        self._any, self._each = _patterns(is_linear())
        self._pending: _Announcement | None = None
        self._left = 0
        self._is_after_blank = False

    @property
    def is_waiting(self) -> bool:
        """Whether something was announced that may be in the next line."""
        return self._pending is not None

    def findings(self, block: bytes) -> list[Finding]:
        """`block` is whole lines, with a line end between each two; the next one follows it in the same input."""
        findings: list[Finding] = []
        position = 0
        while position <= len(block):
            if self._pending is not None:
                position = self._look(block, position, findings)
                continue
            found = self._any.search(block, position)
            if found is None:
                break
            start, end = _line_at(block, found.span()[0])
            self._announce(block[start:end])
            position = end + 1
        return findings

    def _announce(self, line: bytes) -> None:
        for pattern, announcement in zip(self._each, _ANNOUNCEMENTS, strict=True):
            if pattern.search(line):
                self._pending = announcement
                self._left = announcement.lines
                self._is_after_blank = False
                return

    def _look(self, block: bytes, start: int, findings: list[Finding]) -> int:
        """At one line below an announcement. Gives where to go on: behind it, or at it if it is of no concern."""
        announcement = self._pending
        assert announcement is not None
        _, end = _line_at(block, start)
        line = block[start:end]
        is_of_concern = len(line) <= _LONGEST_LINE and b"-----" not in line  # not the frame of a key or a certificate
        find = announcement.after_blank if announcement.after_blank and self._is_after_blank else announcement.find
        span = find(line) if is_of_concern else None
        if self._any.search(line) or (span is None and not self._passes(announcement, line)):
            self._pending = None
            return start
        self._is_after_blank = not line.strip()
        self._left -= 1
        if self._left <= 0 or (span is not None and not announcement.is_repeated):
            self._pending = None
        if span is not None and not PLACEHOLDER.search(line, *span):
            findings.append(Finding(start + span[0], start + span[1], announcement.rule))
        return end + 1

    def _passes(self, announcement: _Announcement, line: bytes) -> bool:
        return bool(announcement.passes.match(line)) if announcement.passes else not line.strip()


def _line_at(block: bytes, position: int) -> Span:
    end = block.find(b"\n", position)
    return block.rfind(b"\n", 0, position) + 1, len(block) if end < 0 else end
