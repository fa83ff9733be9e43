"""Bytes -> records: here a record is a line, without its line end."""

# The control characters but the tab: a log can smuggle escape sequences through a model.
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(9), *range(10, 32), *range(127, 160))}

# The longest line kept, in bytes; the rest of a longer one is counted. A stream may be one line without an end.
MAX_LINE_BYTES = 64 * 1024


def decode(data: bytes | bytearray) -> str:
    """Input as text. Bytes that are no UTF-8 become \\xNN: a lone surrogate would be refused by the API."""
    return data.decode("utf-8", "backslashreplace")


def show_line(record: bytes) -> str:
    """One line of a log as the model is to see it: control characters as \\xNN."""
    text = decode(record)
    if text.isprintable():
        return text
    return text.translate(_CONTROLS)


class LineSplitter:
    """Splits chunks at LF or CRLF; what the last one leaves unfinished is a line too, at the end."""

    def __init__(self, max_line: int = MAX_LINE_BYTES) -> None:
        self._max_line = max_line
        self._partial: list[bytes] = []
        self._length = 0  # of the line in progress, with what was not kept

    def feed(self, chunk: bytes, now: float) -> list[bytes]:
        head, newline, rest = chunk.partition(b"\n")
        if not newline:
            self._keep(chunk)
            return []
        self._keep(head)
        *lines, last = rest.split(b"\n")
        if len(chunk) > self._max_line:
            lines = [self._capped(line, len(line)) for line in lines]
        if b"\r" in chunk:
            lines = [line.removesuffix(b"\r") for line in lines]
        lines.insert(0, self._take())
        self._keep(last)
        return lines

    @property
    def held(self) -> int:
        """Bytes of a line that has not ended, with those that were not kept."""
        return self._length

    def deadline(self) -> float | None:
        return None

    def flush(self) -> list[bytes]:
        return [self._take()] if self._length else []

    def _keep(self, piece: bytes) -> None:
        room = self._max_line - self._length
        if room > 0 and piece:
            self._partial.append(piece[:room])
        self._length += len(piece)

    def _take(self) -> bytes:
        line, length = b"".join(self._partial), self._length
        self._partial.clear()
        self._length = 0
        return self._capped(line, length).removesuffix(b"\r")

    def _capped(self, line: bytes, length: int) -> bytes:
        if length <= self._max_line:
            return line
        return line[: self._max_line] + b" [%d more bytes of this line cut]" % (length - self._max_line)
