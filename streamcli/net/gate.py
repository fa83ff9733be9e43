"""The gate through which each request of a run goes: core's Pace, with tasks that wait for it."""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Mapping

from streamcli.core.limits import Pace, Ticket, quota

# Seconds; a shorter block is not worth a word.
SAY_FROM = 3.0


class TooLong(Exception):
    """Nobody is admitted for longer than the waiter would wait: `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class Gate:
    """Admits tasks in the order of their coming, as the pace allows. To be used within one event loop.

    `on_wait` is called once a block, with its seconds, where somebody has to wait out more than SAY_FROM of it.
    """

    def __init__(self, pace: Pace, on_wait: Callable[[float], None] | None = None) -> None:
        self._pace = pace
        self._on_wait = on_wait
        self._block_is_said = False
        self._waiters: deque[tuple[asyncio.Future[Ticket], float]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def accepted_count(self) -> int:
        """Requests that the server took, in all."""
        return self._pace.accepted_count

    @property
    def barren_rounds(self) -> int:
        """How often in a row the server refused all that was asked, and everybody waited."""
        return self._pace.barren_rounds

    def blocked_for(self) -> float:
        """Seconds in which nobody is admitted."""
        return self._pace.blocked_for(_now())

    async def enter(self, patience: float = math.inf) -> Ticket:
        """Waits until a request may go out. `leave` must follow, whatever becomes of it.

        Raises TooLong as soon as it is known that this takes more than `patience` seconds from then on.
        """
        waiter: asyncio.Future[Ticket] = asyncio.get_running_loop().create_future()
        self._waiters.append((waiter, patience))
        self._admit()
        try:
            return await waiter
        except asyncio.CancelledError:
            if not waiter.cancelled() and waiter.exception() is None:  # admitted and cancelled in one turn of the loop
                self.leave(waiter.result())
            raise

    def accepted(self, ticket: Ticket, headers: Mapping[str, str]) -> None:
        """The server took the request, and answered with `headers` (lower-case names, or case-insensitive)."""
        self._pace.accepted(ticket, quota(headers, time.time()), _now())
        self._admit()

    def refused(self, ticket: Ticket, wait: float) -> None:
        """The server wants no request for `wait` seconds."""
        self._pace.refused(ticket, wait, _now())  # which lets nobody in

    def leave(self, ticket: Ticket) -> None:
        """The request is over. To be called just once."""
        self._pace.ended(ticket)
        self._admit()

    def _admit(self) -> None:
        """Lets in whom the pace lets in, and looks again when time alone may change its mind."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiters:
            waiter, _ = self._waiters[0]
            if waiter.done():  # cancelled, or out of patience
                self._waiters.popleft()
                continue
            answer = self._pace.admit(_now())
            if isinstance(answer, int):
                self._block_is_said = False
                self._waiters.popleft()
                waiter.set_result(answer)
                continue
            if answer is not None:
                self._timer = asyncio.get_running_loop().call_later(answer, self._admit)
                self._send_away(self.blocked_for())
            self._say()
            return

    def _send_away(self, wait: float) -> None:
        """A block lasts as long as it says; a quota may be found larger with the next response."""
        for waiter, patience in self._waiters:
            if wait > patience and not waiter.done():
                waiter.set_exception(TooLong(wait))

    def _say(self) -> None:
        wait = self.blocked_for()
        if wait > SAY_FROM and not self._block_is_said and self._on_wait is not None:
            self._block_is_said = True
            self._on_wait(wait)


def _now() -> float:
    return asyncio.get_running_loop().time()
