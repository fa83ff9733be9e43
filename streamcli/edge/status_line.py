"""One live line on stderr while analyze watches a log: what has come, what is asked, what was lost."""

import os
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from streamcli.core.limits import in_words
from streamcli.edge.notes import PATIENCE_MS, Notes

if TYPE_CHECKING:
    import asyncio

# Seconds between two drawings.
REDRAW = 0.25
# Seconds over which the rate of lines is taken.
RATE_SPAN = 5.0
_ERASE_LINE, _ERASE_BELOW = "\x1b[K", "\x1b[J"


@dataclass(frozen=True)
class Watching:
    """How a run stands: `lines` were read in all; `windows` were taken so far, and `pending` lines are in the next one,
    which still grows. `tokens` are of all requests, in and out; `cost` is in dollars, None if unknown; `wait` is the
    seconds in which no request may go out, None if one may.
    """

    lines: int
    pending: int
    in_flight: int
    windows: int
    tokens: int
    cost: float | None
    dropped: int
    wait: float | None


class Rate:
    """Lines a second, over the last RATE_SPAN seconds. Bounded by how often it is fed in those."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque()

    def feed(self, lines: int, now: float) -> None:
        """So many have come in all."""
        self._samples.append((now, lines))
        while len(self._samples) > 2 and self._samples[1][0] <= now - RATE_SPAN:
            self._samples.popleft()

    def per_second(self) -> float:
        if not self._samples:
            return 0.0
        (since, before), (now, lines) = self._samples[0], self._samples[-1]
        return (lines - before) / (now - since) if now > since else 0.0


def status_text(seen: Watching, rate: float, columns: int) -> str:
    """What the line says in so many columns. Where they are too few, whole parts of it are left out: a number that is
    cut is another number. It is ASCII, so that a character is a column.
    """
    # How long each is kept, and what it says.
    parts = [
        (0, f"{_counted(seen.lines)} ({_rate(rate)}/s)"),
        (3, f"window {seen.windows + 1:,}: {_counted(seen.pending)}"),
    ]
    parts += [(4, f"{seen.in_flight:,} in flight"), (6, f"{seen.tokens:,} tokens")]
    if seen.cost is not None:
        parts.append((5, f"${seen.cost:,.2f}"))
    parts.append((2, f"{seen.dropped:,} dropped"))
    if seen.wait:
        parts.append((1, f"next request in {in_words(seen.wait)}"))
    while parts and len(_joined(parts)) > columns:
        parts.remove(max(parts))
    return _joined(parts)


class StatusLine:
    """A bar (see Notes.bar) that draws itself: the loop it is entered in calls `look` a few times a second.

    Shown only where somebody may be looking, which is asked anew at each drawing, so a job that was sent to the
    background does not write. No drawing waits for a terminal that takes nothing, be it for ^S.

    `hidden`: not at all. It is for an answer that streams onto the same terminal, whose unfinished line would be
    drawn over. What else goes out there meanwhile can be put between `hide` and `show`; pairs of those may nest.

    As a context it takes itself off the terminal at its end, however that comes.
    """

    def __init__(self, notes: Notes, look: Callable[[], Watching], *, hidden: bool) -> None:
        self._notes = notes
        self._look = look
        self._wanted = not hidden and not notes.quiet and os.environ.get("TERM") != "dumb"
        self._rate = Rate()
        self._hidden = 0  # times more than shown
        self._drawn = 0  # columns of it that are on the terminal
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None

    def hide(self) -> None:
        self._hidden += 1
        self._erase()

    def show(self) -> None:
        self._hidden -= 1
        self._draw()

    def __enter__(self) -> Self:
        if self._wanted and self._notes.columns() is not None:
            import asyncio

            self._loop = asyncio.get_running_loop()
            self._notes.bar = self
            self._plan(self._loop)
        return self

    def __exit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._notes.bar = None
            self._loop = self._timer = None
            self._erase()

    def _plan(self, loop: "asyncio.AbstractEventLoop") -> None:
        self._timer = loop.call_later(REDRAW, self._tick, loop)

    def _tick(self, loop: "asyncio.AbstractEventLoop") -> None:
        self._plan(loop)
        # The loop's clock stands still while the process is stopped: the rate is that of the time it ran.
        self._rate.feed(self._look().lines, loop.time())
        self._draw()

    def _draw(self) -> None:
        if self._loop is None or self._hidden or not self._is_ours():
            return
        columns = self._notes.columns() or 0
        # One column stays free: a terminal may wrap at the last.
        text = status_text(self._look(), self._rate.per_second(), columns - 1)
        if self._notes.draw(f"\r{self._erasure(columns)}{text}{_ERASE_LINE}\r"):
            self._drawn = len(text)

    def _erase(self) -> None:
        if self._drawn and self._is_ours():
            self._notes.draw(f"\r{self._erasure(self._notes.columns() or 0)}{_ERASE_LINE}", PATIENCE_MS)
        self._drawn = 0

    def _is_ours(self) -> bool:
        """Whether we may write; if not, what we drew is in a shell's history by now, and not to be erased."""
        if self._notes.on_terminal():
            return True
        self._drawn = 0
        return False

    def _erasure(self, columns: int) -> str:
        """For what a terminal that became narrower has wrapped: the cursor is left at the beginning, above the rest."""
        return _ERASE_BELOW if self._drawn > columns else ""


def _joined(parts: list[tuple[int, str]]) -> str:
    return "  ".join(text for _, text in parts)


def _counted(lines: int) -> str:
    return f"{lines:,} line" if lines == 1 else f"{lines:,} lines"


def _rate(rate: float) -> str:
    return f"{rate:.1f}" if 0 < rate < 10 else f"{rate:,.0f}"
