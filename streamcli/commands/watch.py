"""What analyze reads: records as they come in, and windows as they close and a request can be sent."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import NamedTuple, Protocol

from streamcli.commands.message import remind_of_silence
from streamcli.commands.runtime import Runtime
from streamcli.core.intake import Intake
from streamcli.core.overload import lines_in
from streamcli.core.position import Piece, Progress
from streamcli.core.window import Window, WindowBuilder, WindowPolicy
from streamcli.errors import RateLimited, StreamcliError

# Seconds between reads once a window is over its budget: a flood leaves the processor to the answer.
PAUSE_WHEN_FULL = 0.005
# A producer that ends after so many seconds may have got the same ^C as we: its end must not cost a last request, so
# we wait a moment for the signal. Seconds.
LIVE_AFTER = 1.0
SIGNAL_GRACE = 0.05


class Source(Protocol):
    """Where the bytes come from."""

    async def read(self) -> Sequence[Piece]:
        """Waits for more; nothing at the end. What a cancelled call would have given, the next one gives."""


class _Records(NamedTuple):
    """Records of an input that wait for room in the window, and how many lines they have."""

    input: int
    records: Sequence[bytes]
    lines: int


class Watch:
    """The lines that are there, and the windows they make. A window's mark is how far the inputs are in it."""

    def __init__(self, runtime: Runtime, policy: WindowPolicy, source: Source, intakes: Sequence[Intake]) -> None:
        self._runtime = runtime
        self._loop = asyncio.get_running_loop()
        self._began_at = self._loop.time()
        self._source = source
        self._intakes = intakes
        self._progress = Progress()
        self._policy = policy
        self._builder = WindowBuilder(policy)
        self._changed = asyncio.Event()
        self._taken = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None
        self._is_wanted = False
        self._is_stopped = False
        self._waiting: deque[_Records] = deque()
        self._last_at = self._began_at
        self.in_hand = 0
        """Lines of windows that were taken and are not dealt with: the taker's to count down."""
        self._added = 0  # lines that became records
        self.may_cut = asyncio.Event()
        """Until it is set, a full window makes the producer wait."""
        self.failure: StreamcliError | None = None
        """Why the input ended early, if it did."""

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        """While the block runs, the input is read."""
        self._reader = asyncio.create_task(self._read())
        try:
            yield
        finally:
            self._reader.cancel()
            await asyncio.wait({self._reader})
            if not self._reader.cancelled():
                self._reader.result()

    def stop(self) -> None:
        """No more is read, no more windows are to be taken: at ^C, or where another would fare no better."""
        self._is_stopped = True
        if self._reader is not None:
            self._reader.cancel()
        self._changed.set()

    async def has_lines(self) -> bool:
        """Waits for a first record; False if there is none."""
        while not self._builder.pending and not self._builder.ended and not self._is_stopped:
            await self._change(None)
        return self.pending > 0

    async def next_window(self, may_ask_at: Callable[[float], float]) -> Window | None:
        """Waits for the next window to close; None at the end. `may_ask_at(now)` is when a request may go out."""
        while not self._is_stopped:
            now = self._loop.time()
            allowed_at = may_ask_at(now)
            self._is_wanted = allowed_at <= now
            window = self._builder.take(now) if self._is_wanted else None
            if self._is_wanted and not self._builder.pending:
                self._taken.set()
            if window is not None:
                return self._hand_out(window)
            if self._builder.ended and not self._builder.pending:
                return None
            await self._change(self._builder.deadline() if self._is_wanted else allowed_at)
        return None

    def last_window(self) -> Window | None:
        """What is left after `stop`, as one window."""
        for number in range(len(self._intakes)):
            self._wait_for_room(number, self._flushed(number))
        self._pour()
        window = self._builder.take(self._last_at, by_force=True)
        return self._hand_out(window) if window else None

    def more_may_come(self) -> bool:
        """Whether there may be another window after those that were taken."""
        return not self._is_stopped and (self._builder.pending > 0 or not self._builder.ended)

    @property
    def lines(self) -> int:
        """Lines that were read."""
        return self._added + self._held

    @property
    def pending(self) -> int:
        """Lines that wait for a window."""
        return self._builder.pending + sum(batch.lines for batch in self._waiting) + self._held

    @property
    def blank(self) -> int:
        """Lines of windows in which no line had anything in it: nothing was asked about them."""
        return self._builder.blank

    @property
    def _held(self) -> int:
        return sum(intake.held for intake in self._intakes)

    def unanalysed(self) -> int:
        """Lines that were read and are not dealt with."""
        return self.pending + self.in_hand

    def _hand_out(self, window: Window) -> Window:
        self._is_wanted = False
        self._taken.set()
        self.in_hand += window.lines
        return window

    async def _read(self) -> None:
        """Reads to the end of input; what comes during an answer is the next window."""
        remind = remind_of_silence(self._runtime)
        try:
            async with aclosing(self._pieces()) as batches:
                async for pieces in batches:
                    remind.cancel()
                    for piece in pieces:
                        await self._take_in(piece)
            if self._last_at - self._began_at > LIVE_AFTER:
                await asyncio.sleep(SIGNAL_GRACE)
            for number in range(len(self._intakes)):
                await self._add(number, self._flushed(number))
        except StreamcliError as error:
            self.failure = error
        finally:
            remind.cancel()
            self._builder.end()
            self._changed.set()

    async def _pieces(self) -> AsyncGenerator[Sequence[Piece], None]:
        """What is read; meanwhile, records that are whole by the clock go into the window."""
        reading: asyncio.Task[Sequence[Piece]] | None = None
        try:
            while True:
                reading = reading or asyncio.create_task(self._source.read())
                deadlines = [at for intake in self._intakes if (at := intake.deadline()) is not None]
                wait = max(0.0, min(deadlines) - self._loop.time()) if deadlines else None
                done, _ = await asyncio.wait({reading}, timeout=wait)
                if not done:
                    for number, intake in enumerate(self._intakes):
                        await self._settle(number, intake)
                    continue
                pieces, reading = reading.result(), None
                if not pieces:
                    return
                self._last_at = self._loop.time()
                yield pieces
        finally:
            if reading is not None:
                reading.cancel()

    async def _settle(self, number: int, intake: Intake) -> None:
        deadline, now = intake.deadline(), self._loop.time()
        if deadline is not None and now >= deadline:
            await self._add(number, intake.feed(b"", now))

    async def _take_in(self, piece: Piece) -> None:
        if piece.restarted:
            await self._add(piece.input, self._flushed(piece.input))
        records = self._intakes[piece.input].feed(piece.data, self._last_at)
        self._progress.read(piece)
        await self._add(piece.input, records)

    def _flushed(self, number: int) -> list[bytes]:
        """All that is held of an input, an unfinished line too."""
        self._progress.end_line(number)
        return self._intakes[number].flush()

    async def _add(self, number: int, records: Sequence[bytes]) -> None:
        """Puts an input's records into the window; waits where it is full and about to be taken, or takes no more."""
        self._wait_for_room(number, records)
        while self._waiting:
            self._taken.clear()
            self._pour(to_the_brim=self._is_wanted)
            self._changed.set()
            if self._waiting:
                if self._policy.overload == "fail" and not self._is_wanted:
                    raise RateLimited("lines come faster than windows go out", "--on-overload says what to do then")
                await self._taken.wait()
            elif self._builder.is_full:
                await self.may_cut.wait()
                await asyncio.sleep(PAUSE_WHEN_FULL)

    def _wait_for_room(self, number: int, records: Sequence[bytes]) -> None:
        if records:
            lines = lines_in(records)
            self._added += lines
            self._waiting.append(_Records(number, records, lines))

    def _pour(self, *, to_the_brim: bool = False) -> None:
        """Puts into the window what it takes of what waits for it, and marks how far that was."""
        while self._waiting:
            number, records, lines = self._waiting.popleft()
            left = self._builder.add(records, self._last_at, to_the_brim=to_the_brim)
            lines_left = lines_in(left)
            self._progress.give_out(number, lines - lines_left)
            if left:
                self._waiting.appendleft(_Records(number, left, lines_left))
                break
        self._builder.mark = self._progress.given_out

    async def _change(self, deadline: float | None) -> None:
        self._changed.clear()
        try:
            async with asyncio.timeout_at(deadline):
                await self._changed.wait()
        except TimeoutError:
            return
