"""Bytes of a response body -> server-sent events (WHATWG HTML, section 9.2.6).

httpx2 has an EventSource of its own; it decodes with errors="replace", so a damaged byte would reach stdout as
U+FFFD with status 0. Here data stays bytes, and whoever decodes them finds out.
"""

from typing import NamedTuple

# The largest event kept, in bytes. Deltas are tens of bytes; httpx2's EventSource stops at the same size.
MAX_EVENT_BYTES = 1 << 20


class ServerEvent(NamedTuple):
    """`name` is "message" where the server gave none; `data` has its lines joined by a newline."""

    name: str
    data: bytes


class EventTooLarge(Exception):
    """One event passed MAX_EVENT_BYTES."""


class SseDecoder:
    """An incremental decoder: `feed` takes any chunks and returns the events that are whole by then.

    An event that the body's end leaves without its blank line is dropped, as the standard asks.
    """

    def __init__(self) -> None:
        self._partial: list[bytes] = []  # pieces of the line not ended yet: joined once, so a long one is linear
        self._held = 0  # bytes in _partial, _name and _data
        self._name = b""
        self._data: list[bytes] = []
        self._skip_newline = False
        self._at_start = True

    def feed(self, chunk: bytes) -> list[ServerEvent]:
        """Raises EventTooLarge one chunk late, so that the events before it are not lost with it."""
        if self._held > MAX_EVENT_BYTES:
            raise EventTooLarge
        if self._skip_newline and chunk:
            self._skip_newline = False
            if chunk[:1] == b"\n":  # the other half of a CRLF
                chunk = chunk[1:]
        if not chunk:
            return []
        lines = chunk.splitlines()  # for bytes: \n, \r\n and \r, just the standard's three
        rest = b"" if chunk[-1:] in b"\r\n" else lines.pop()
        self._skip_newline = chunk[-1:] == b"\r"
        if self._partial and lines:
            lines[0] = b"".join((*self._partial, lines[0]))
            self._held -= sum(map(len, self._partial))
            self._partial.clear()
        if self._at_start and lines:
            self._at_start = False
            lines[0] = lines[0].removeprefix(b"\xef\xbb\xbf")  # the standard allows for one byte order mark
        events = [event for line in lines if (event := self._line(line)) is not None]
        if rest:
            self._partial.append(rest)
            self._held += len(rest)
        return events

    def _line(self, line: bytes) -> ServerEvent | None:
        if not line:
            return self._dispatch()
        field, _, value = line.partition(b":")
        value = value[1:] if value[:1] == b" " else value
        if field == b"data":
            self._data.append(value)
            self._held += len(value) + 1
        elif field == b"event":
            self._held += len(value) - len(self._name)
            self._name = value
        return None  # a comment, an id, a retry time, or something newer than we are

    def _dispatch(self) -> ServerEvent | None:
        name, data = self._name, self._data
        self._name, self._data = b"", []
        self._held = 0
        if not data:
            return None
        return ServerEvent(name.decode("utf-8", "replace") or "message", b"\n".join(data))
