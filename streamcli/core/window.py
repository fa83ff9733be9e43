"""Group commit for a live stream: when a window of lines goes out, and what of it.

A window closes at the first of: so many lines, so many seconds since its first line, a gap without a line, a full
budget, the end of input. It is taken only when a request can be sent; until then it grows, so lines that come while
an answer is written are the next window, whole. Over its budget a window keeps its oldest and its newest lines, and
counts those between.
"""

from collections import deque
from dataclasses import dataclass

from streamcli.core.lines import show_line

# Characters of log text a token. No tokenizer is at hand; counted by two embedded models, logs of six kinds had 1.6 to
# 2.5 (digits and punctuation make more tokens than prose, which has about 4).
CHARS_PER_TOKEN = 2
_LINE_CUT = " [rest of this line cut]"


@dataclass(frozen=True)
class WindowPolicy:
    """When a window closes. Seconds; `idle` 0 is off. `budget` is in characters of text, at least 200."""

    lines: int
    every: float
    idle: float
    budget: int


@dataclass(frozen=True)
class Window:
    """Stream lines `first` to `last` (counted from 1): `head`, then `cut` lines that are not here, then `tail`."""

    number: int
    first: int
    last: int
    head: tuple[str, ...]
    tail: tuple[str, ...]
    cut: int

    @property
    def lines(self) -> int:
        return self.last - self.first + 1

    def is_blank(self) -> bool:
        """Whether there is nothing in it to look at."""
        return not self.cut and not any(line.strip() for line in (*self.head, *self.tail))


class WindowBuilder:
    """The window that is being filled. Memory is bounded by the budget, whatever is added."""

    def __init__(self, policy: WindowPolicy) -> None:
        self._policy = policy
        self._head_room = policy.budget // 2
        self._room = policy.budget // 4
        self._windows = 0
        self._seen = 0  # lines in the stream so far
        self._ended = False
        self._clear()

    def _clear(self) -> None:
        self._head: list[str] = []
        self._tail: deque[str] = deque()
        self._head_size = self._tail_size = 0
        self._size = 0  # of everything that was added, kept or not, in bytes
        self._head_full = False
        self._count = 0
        self._first_at = self._last_at = 0.0

    @property
    def pending(self) -> int:
        """Lines that were added and not yet taken."""
        return self._count

    @property
    def is_full(self) -> bool:
        """Whether the budget is reached: of what is added now, lines will be cut."""
        return self._size >= self._policy.budget

    @property
    def ended(self) -> bool:
        return self._ended

    def add(self, records: list[bytes], now: float) -> None:
        """Lines as they come, without their line ends."""
        if not records:
            return
        if not self._count:
            self._first_at = now
        self._last_at = now
        self._count += len(records)
        self._size += sum(map(len, records)) + len(records)
        self._seen += len(records)
        self._fill_tail(records[self._fill_head(records) :])

    def end(self) -> None:
        """No more lines will come."""
        self._ended = True

    def deadline(self) -> float | None:
        """When `take` may give a window if nothing more is added; None if time will not bring one."""
        if not self._count:
            return None
        by_age = self._first_at + self._policy.every
        return min(by_age, self._last_at + self._policy.idle) if self._policy.idle else by_age

    def take(self, now: float) -> Window | None:
        """The window, if it is closed: call it when a request can be sent."""
        if not self._count or not self._is_closed(now):
            return None
        self._windows += 1
        cut = self._count - len(self._head) - len(self._tail)
        window = Window(
            self._windows, self._seen - self._count + 1, self._seen, tuple(self._head), tuple(self._tail), cut
        )
        self._clear()
        return window

    def _is_closed(self, now: float) -> bool:
        deadline = self.deadline()
        return (
            self._ended
            or self._count >= self._policy.lines
            or self.is_full
            or (deadline is not None and now >= deadline)
        )

    def _fill_head(self, records: list[bytes]) -> int:
        """Puts the oldest lines into the head while they fit; returns how many did."""
        if self._head_full:
            return 0
        for position, record in enumerate(records):
            line = self._shown(record)
            if self._head_size + len(line) + 1 > self._head_room:
                self._head_full = True
                return position
            self._head.append(line)
            self._head_size += len(line) + 1
        return len(records)

    def _fill_tail(self, records: list[bytes]) -> None:
        """Of `records` only the newest can stay: the others are not even decoded."""
        room = self._policy.budget - self._head_size
        newest: list[str] = []
        size = 0
        for record in reversed(records):
            line = self._shown(record)
            size += len(line) + 1
            if size > room:
                # A gap is a gap: nothing older than it may stay behind it.
                self._tail.clear()
                self._tail_size = 0
                size -= len(line) + 1
                break
            newest.append(line)
        self._tail.extend(reversed(newest))
        self._tail_size += size
        while self._tail_size > room:
            self._tail_size -= len(self._tail.popleft()) + 1

    def _shown(self, record: bytes) -> str:
        """A line as it will be sent: no longer than a quarter of the budget, so that one cannot fill a window."""
        line = show_line(_beginning(record, self._room * 4 + 1))
        if len(line) <= self._room:
            return line
        return line[: self._room - len(_LINE_CUT)] + _LINE_CUT


def _beginning(record: bytes, size: int) -> bytes:
    """At most `size` bytes of it, not cut within a character of UTF-8."""
    if len(record) <= size:
        return record
    while size and record[size] & 0xC0 == 0x80:
        size -= 1
    return record[:size]
