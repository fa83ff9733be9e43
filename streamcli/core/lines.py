"""Bytes -> records: here a record is a line, without its line end."""

# The control characters but the tab: a log can smuggle escape sequences through a model.
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(9), *range(10, 32), *range(127, 160))}

# The longest line kept, in bytes; the rest of a longer one is counted. A stream may be one line without an end.
MAX_LINE_BYTES = 64 * 1024
# Bytes before the cut that go too where secrets are masked: one may begin there whose form is not seen yet.
UNCERTAIN_BYTES = 1024


def decode(data: bytes | bytearray) -> str:
    """Input as text. Bytes that are no UTF-8 become \\xNN: a lone surrogate would be refused by the API."""
    return data.decode("utf-8", "backslashreplace")


def show_line(record: bytes) -> str:
    """One line of a log as the model is to see it: control characters as \\xNN."""
    text = decode(record)
    if text.isprintable():
        return text
    return text.translate(_CONTROLS)


class OpenLine:
    """A line that has not ended, of which at most `cap` bytes are kept."""

    def __init__(self, cap: int) -> None:
        self._cap = cap
        self._pieces: list[bytes] = []
        self.length = 0
        """In bytes, with those that were not kept."""

    def keep(self, piece: bytes) -> None:
        """It goes on."""
        room = self._cap - self.length
        if room > 0 and piece:
            self._pieces.append(piece[:room])
        self.length += len(piece)

    def take(self) -> tuple[bytes, int]:
        """What was kept of it, and its length; what comes next is another line."""
        taken = b"".join(self._pieces), self.length
        self._pieces.clear()
        self.length = 0
        return taken


class LineSplitter:
    """Splits chunks at LF or CRLF; what the last one leaves unfinished is a line too, at the end.

    A line longer than `max_line` and `uncertain` bytes is cut to that, and then says by how much it is longer than
    `max_line`: whoever wanted to see the uncertain ones takes them away before that.
    """

    def __init__(self, max_line: int = MAX_LINE_BYTES, uncertain: int = 0) -> None:
        self._max_line = max_line
        self._looked_at = max_line + uncertain
        self._open = OpenLine(self._looked_at)

    def feed(self, chunk: bytes, now: float) -> list[bytes]:
        head, newline, rest = chunk.partition(b"\n")
        if not newline:
            self._open.keep(chunk)
            return []
        self._open.keep(head)
        *lines, last = rest.split(b"\n")
        if len(chunk) > self._looked_at:
            lines = [self._capped(line, len(line)) for line in lines]
        if b"\r" in chunk:
            lines = [line.removesuffix(b"\r") for line in lines]
        lines.insert(0, self._take())
        self._open.keep(last)
        return lines

    @property
    def held(self) -> int:
        """Bytes of a line that has not ended, with those that were not kept."""
        return self._open.length

    def deadline(self) -> float | None:
        return None

    def flush(self) -> list[bytes]:
        return [self._take()] if self._open.length else []

    def _take(self) -> bytes:
        return self._capped(*self._open.take()).removesuffix(b"\r")

    def _capped(self, line: bytes, length: int) -> bytes:
        if length <= self._looked_at:
            return line
        return line[: self._looked_at] + b" [%d more bytes of this line cut]" % (length - self._max_line)
