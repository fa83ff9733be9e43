"""Bytes -> the same bytes with secrets masked: line ends, odd bytes and a last line without an end stay as they are.

A line goes out as soon as its end is in. It is masked as a whole, as what makes a secret of a value may stand anywhere
before it; so one that is longer than MAX_LINE_BYTES cannot be masked, and its end is cut, which is said in its place.
"""

from streamcli.core.lines import UNCERTAIN_BYTES, OpenLine
from streamcli.core.redact import Redactor

# The longest line that is held and masked.
MAX_LINE_BYTES = 1 << 20


class RedactStream:
    """Chunks in, bytes out; at most MAX_LINE_BYTES are held."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._open = OpenLine(MAX_LINE_BYTES)
        self.cut_lines = 0

    def feed(self, chunk: bytes, now: float) -> list[bytes]:
        head, newline, rest = chunk.partition(b"\n")
        self._open.keep(head)
        if not newline:
            return []
        *lines, last = rest.split(b"\n")
        out = b"".join((self._take(now), b"\n"))
        if lines:
            out += b"\n".join(self._redactor.feed(lines, now)) + b"\n"
        self._open.keep(last)
        return [out]

    def deadline(self) -> float | None:
        return None

    def flush(self) -> list[bytes]:
        return [self._take(0.0)] if self._open.length else []

    def _take(self, now: float) -> bytes:
        """The line in progress, masked."""
        line, length = self._open.take()
        (masked,) = self._redactor.feed([line], now)
        if length <= MAX_LINE_BYTES:
            return masked
        self.cut_lines += 1
        lost = length - MAX_LINE_BYTES + UNCERTAIN_BYTES
        return masked[:-UNCERTAIN_BYTES] + b" [%d bytes of this line cut: it is too long to be masked]" % lost
