"""Lines -> records: what was logged in one go (a stack trace, indented JSON) stays together."""

import re
from typing import Protocol

# A record is cut where it has so many lines or bytes: one that never ends would never be sent.
MAX_RECORD_LINES = 500
MAX_RECORD_BYTES = 256 * 1024
# Seconds without another line after which a record is taken to be whole. What is logged in one go comes within
# milliseconds, also line by line through a pipe.
SETTLE = 0.1

# How lines begin that go on with the record before them, though they are not indented: a closing bracket, the parts of
# a Java, Python, Go or .NET stack trace.
_CONTINUES = (
    rb"[\]})]"
    rb"|\r?$"
    rb"|Traceback \(most recent call last\)"
    rb"|Caused by:|Suppressed:|\.\.\. \d+ (?:more|common frames)"
    rb"|During handling of the above exception|The above exception was the direct cause"
    rb"|(?:[a-z_$][\w$]*\.)+[A-Z][\w$]*(?:Exception|Error|Throwable)\b"
    rb"|--- End of|goroutine \d+ \["
)
_CONTINUATION = re.compile(_CONTINUES)
_ANY_CONTINUATION = re.compile(rb"^(?:[ \t]|" + _CONTINUES + rb")", re.MULTILINE)
_INDENT = re.compile(rb"[ \t]*")
_TRACEBACK = b"Traceback (most recent call last)"


class LineTest(Protocol):
    """A compiled pattern of bytes, or what acts like one."""

    def search(self, line: bytes, /) -> object | None: ...


class RecordJoiner:
    """A filter of core's shape: `feed` takes lines and returns records that are whole, their lines joined by LF.

    With `start`, a record begins at each line that it is found in, and nowhere else. No NUL leaves: it becomes \\x00.
    `feed` without lines is a look at the clock. The last record waits until SETTLE seconds bring no other line.
    """

    def __init__(self, start: LineTest | None = None) -> None:
        self._start = start
        self._open: list[bytes] = []
        self._open_bytes = 0
        self._in_traceback = False
        self._indent = 0  # of the open record's first line
        self._last_at = 0.0

    @property
    def held(self) -> int:
        """Lines that were fed and are in no record yet."""
        return len(self._open)

    def feed(self, lines: list[bytes], now: float) -> list[bytes]:
        if not lines:
            deadline = self.deadline()
            return self.flush() if deadline is not None and now >= deadline else []
        self._last_at = now
        joined = b"\n".join(lines)
        if b"\0" in joined:
            lines = joined.replace(b"\0", b"\\x00").split(b"\n")
        # Most batches have none, and this is one search for all of its lines.
        if self._start is None and not self._in_traceback and _ANY_CONTINUATION.search(joined) is None:
            records = [*self.flush(), *lines]
            self._begin(records.pop())
            return records
        return [record for line in lines for record in self._take(line)]

    def deadline(self) -> float | None:
        return self._last_at + SETTLE if self._open else None

    def flush(self) -> list[bytes]:
        """The last record, whether or not it is whole."""
        if not self._open:
            return []
        record = b"\n".join(self._open)
        self._open.clear()
        self._open_bytes = 0
        self._in_traceback = False
        return [record]

    def _take(self, line: bytes) -> list[bytes]:
        if self._open and self._goes_on(line):
            self._open.append(line)
            self._open_bytes += len(line) + 1
            return []
        done = self.flush()
        self._begin(line)
        return done

    def _begin(self, line: bytes) -> None:
        self._open.append(line)
        self._open_bytes = len(line)
        self._indent = _indent(line)
        self._in_traceback = line.startswith(_TRACEBACK)

    def _goes_on(self, line: bytes) -> bool:
        if len(self._open) >= MAX_RECORD_LINES or self._open_bytes + len(line) >= MAX_RECORD_BYTES:
            return False
        if self._start is not None:
            return self._start.search(line) is None
        if line.startswith(_TRACEBACK):
            self._in_traceback = True
            return True
        # There are logs of which every line is indented: those do not go on with each other.
        if _indent(line) > self._indent or _CONTINUATION.match(line):
            return True
        # The line that says which exception it was ends a traceback, and is not indented.
        was_in_traceback, self._in_traceback = self._in_traceback, False
        return was_in_traceback


def _indent(line: bytes) -> int:
    match = _INDENT.match(line)
    return match.end() if match else 0
