"""An event loop whose clock stands still while the process is stopped.

After ^Z and `fg` a plain loop finds its timers long due, and gives up an answer whose bytes are waiting in the socket.
Python sees neither SIGSTOP nor a suspended machine; but a wait that took far longer than was asked for gives it away.
"""

import asyncio
import selectors
import time
from collections.abc import Iterator
from contextlib import contextmanager

# No wait is asked for longer than this, in seconds, so that any stop shows in the wait that it falls into.
HEARTBEAT = 1.0
# Seconds by which a wait may overrun on a busy machine without being taken for a stop.
TOLERANCE = 1.0


class StopAwareSelector(selectors.DefaultSelector):
    """The system's selector, with an eye on the clock."""

    stopped_for = 0.0
    """Seconds, in all, of waits during which the process was stopped."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None:  # None: no timer is set that a stop could make late
            timeout = min(timeout, HEARTBEAT)
        before = time.monotonic()
        ready = super().select(timeout)
        waited = time.monotonic() - before
        if timeout is not None and waited > max(timeout, 0.0) + TOLERANCE:
            # How long of this wait we ran is not known: none of it counts.
            self.stopped_for += waited
        return ready


@contextmanager
def stopping(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """The process stops in the block, which a callback runs: the loop's clock stands still meanwhile."""
    before = time.monotonic()
    yield
    if isinstance(loop, StopAwareLoop):
        loop.was_stopped(time.monotonic() - before)


class StopAwareLoop(asyncio.SelectorEventLoop):
    """asyncio's loop on that selector."""

    def __init__(self) -> None:
        self._stop_aware = StopAwareSelector()
        super().__init__(self._stop_aware)

    def was_stopped(self, seconds: float) -> None:
        """So long, in a callback: there nothing else can know."""
        self._stop_aware.stopped_for += seconds

    def time(self) -> float:
        return super().time() - self._stop_aware.stopped_for
