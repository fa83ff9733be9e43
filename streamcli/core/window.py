"""Group commit for a live stream: when a window of records goes out, and what of it.

A window closes at the first of: so many lines, so many seconds since its first line, a gap without a line, a full
budget, the end of input. It is taken only when a request can be sent; until then it grows, so what comes while an
answer is written is the next window, whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from streamcli.core.condense import Condensed
from streamcli.core.condensing.masks import Masks
from streamcli.core.multiline import SETTLE
from streamcli.core.overload import NUMBER_ROOM, Kept, Overload, kept_by, lines_in
from streamcli.core.position import Mark

# Characters of log text a token. No tokenizer is at hand; counted by two embedded models, logs of six kinds had 1.6 to
# 2.5 (digits and punctuation make more tokens than prose, which has about 4).
CHARS_PER_TOKEN = 2
# Seconds that a window which has its lines waits at most for a stream that does not pause: a file is to be one window,
# not one for each few lines that were read by then.
RUSH = 0.5
# Seconds without another record after which a stream has paused. Longer than a last record waits to be whole: it is to
# be in the same window.
PAUSE = 1.5 * SETTLE
# Records that are added at once where it matters when a window is full.
_STEP = 16


@dataclass(frozen=True)
class WindowPolicy:
    """When a window closes. Seconds; `idle` 0 is off. `budget` is in characters of text, at least 200."""

    lines: int
    every: float
    idle: float
    budget: int
    overload: Overload = "condense"


@dataclass(frozen=True)
class Window:
    """Stream lines `first` to `last` (counted from 1), as they are sent. `mark` is what `WindowBuilder.mark` was."""

    number: int
    first: int
    last: int
    content: Condensed
    mark: Mark = field(default_factory=dict)

    @property
    def lines(self) -> int:
        return self.last - self.first + 1


class WindowBuilder:
    """The window that is being filled. Memory is bounded by the budget, whatever is added."""

    def __init__(self, policy: WindowPolicy) -> None:
        self._policy = policy
        self._masks = Masks()
        self._windows = 0
        self._seen = 0  # lines in the stream so far
        self._ended = False
        self.blank = 0
        """Lines of windows that were passed over."""
        self.mark: Mark = {}
        """How far the inputs have been added: the caller's to set, and handed on with each window."""
        self._clear()

    def _clear(self) -> None:
        self._kept: Kept = kept_by(self._policy.overload, self._policy.budget, self._masks)
        self._blank = True
        self._first_at = self._last_at = 0.0
        self._enough_at: float | None = None

    @property
    def pending(self) -> int:
        """Lines that were added and not yet taken."""
        return self._kept.lines

    @property
    def is_full(self) -> bool:
        """Whether the budget is reached: what is added now is condensed further, dropped, or not taken."""
        return self._kept.is_full

    @property
    def ended(self) -> bool:
        return self._ended

    def add(self, records: Sequence[bytes], now: float, *, to_the_brim: bool = False) -> Sequence[bytes]:
        """Records as they come; returns those that it does not take.

        With `to_the_brim` it takes none once the window is full: for when a request can be sent at once.
        """
        if records and not self._kept.lines:
            self._first_at = now
        taken = 0
        while taken < len(records) and not (to_the_brim and self.is_full):
            step = records[taken:] if not to_the_brim else records[taken : taken + self._step(records[taken])]
            count = self._kept.add(step, self._seen + 1)
            if not count:
                break
            self._count(step[:count], now)
            taken += count
        return records[taken:]

    def end(self) -> None:
        """No more will come."""
        self._ended = True

    def deadline(self) -> float | None:
        """When `take` may give a window if nothing more is added; None if time will not bring one."""
        if not self._kept.lines:
            return None
        times = [self._first_at + self._policy.every]
        if self._policy.idle:
            times.append(self._last_at + self._policy.idle)
        if self._enough_at is not None:
            times.append(min(self._last_at + PAUSE, self._enough_at + RUSH))
        return min(times)

    def take(self, now: float, *, by_force: bool = False) -> Window | None:
        """The window, if it is closed, or with `by_force` if there is any: call it when a request can be sent.

        One of which no line has anything in it is passed over.
        """
        deadline = self.deadline()
        closed = self._ended or self.is_full or by_force or (deadline is not None and now >= deadline)
        if not self._kept.lines or not closed:
            return None
        blank, lines = self._blank, self._kept.lines
        if blank:
            self.blank += lines
            self._clear()
            return None
        self._windows += 1
        window = Window(self._windows, self._seen - lines + 1, self._seen, self._kept.render(), self.mark)
        self._clear()
        return window

    def _step(self, record: bytes) -> int:
        """How many records like this one can be added without going far beyond the budget."""
        return max(_STEP, self._policy.budget // (16 * (len(record) + NUMBER_ROOM)))

    def _count(self, records: Sequence[bytes], now: float) -> None:
        self._last_at = now
        self._seen += lines_in(records)
        self._blank = self._blank and not any(record.strip() for record in records)
        if self._enough_at is None and self._kept.lines >= self._policy.lines:
            self._enough_at = now
