"""One input of a watch: bytes -> records that may be sent. Lines are split, masked, joined to records, and named."""

from typing import Protocol

from streamcli.core.lines import MAX_LINE_BYTES, UNCERTAIN_BYTES, LineSplitter
from streamcli.core.multiline import LineTest, RecordJoiner


class LineFilter(Protocol):
    """The shape of core's filters, for lines: as many come out as go in."""

    def feed(self, lines: list[bytes], now: float) -> list[bytes]: ...


class Intake:
    """A filter of core's shape; `feed` without bytes is a look at the clock.

    With `name`, that stands before each record. `redactor` sees whole lines, before anything else keeps them.
    """

    def __init__(self, redactor: LineFilter | None = None, start: LineTest | None = None, name: bytes = b"") -> None:
        self._redactor = redactor
        self._prefix = name + b": " if name else b""
        self._splitter = LineSplitter(MAX_LINE_BYTES, UNCERTAIN_BYTES)
        self._joiner = RecordJoiner(start)

    @property
    def held(self) -> int:
        """Lines that were read, in part or whole, and are in no record yet."""
        return self._joiner.held + (self._splitter.held > 0)

    def feed(self, chunk: bytes, now: float) -> list[bytes]:
        lines = self._splitter.feed(chunk, now) if chunk else []
        return self._named(self._joiner.feed(self._masked(lines, now), now))

    def deadline(self) -> float | None:
        return self._joiner.deadline()

    def flush(self, now: float = 0.0) -> list[bytes]:
        """All that is held; what comes next is another input."""
        records = self._joiner.feed(self._masked(self._splitter.flush(), now), now) + self._joiner.flush()
        return self._named(records)

    def _masked(self, lines: list[bytes], now: float) -> list[bytes]:
        if not lines:
            return lines
        # Longer ones were cut, and what follows says by how much.
        cut = [place for place, line in enumerate(lines) if len(line) > MAX_LINE_BYTES + UNCERTAIN_BYTES]
        if self._redactor is not None:
            lines = self._redactor.feed(lines, now)
        for place in cut:
            line, _, remark = lines[place].rpartition(b" [")
            lines[place] = line[:-UNCERTAIN_BYTES] + b" [" + remark
        return lines

    def _named(self, records: list[bytes]) -> list[bytes]:
        return [self._prefix + record for record in records] if self._prefix else records
