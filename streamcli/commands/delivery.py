"""Events onto stdout: fences -> stages (see stages.py) -> format -> sink."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from streamcli.commands.runtime import Runtime
from streamcli.commands.stages import Staging
from streamcli.config import Settings
from streamcli.core.events import (
    AnswerEnded,
    Delta,
    Failed,
    Found,
    FoundAgain,
    OutputEvent,
    Remark,
    Restarted,
    Resumed,
    Retry,
    Stop,
)
from streamcli.core.formats import Format, JsonFormat, TextFormat
from streamcli.core.pipeline import TextFilter
from streamcli.edge.secrets import mask
from streamcli.edge.sink import Sink
from streamcli.errors import StreamcliError


class Output:
    """stdout for a whole run: what one answer leaves there matters to the next."""

    def __init__(self, runtime: Runtime, settings: Settings) -> None:
        self.sink: Sink = runtime.sink
        self.staging = Staging(runtime, settings)
        self._notes = runtime.notes
        self._format: Format
        if self.staging.form == "json":
            self._format = JsonFormat(ascii_only=runtime.stdout_is_terminal)
        else:
            self._format = TextFormat(terminal=runtime.stdout_is_terminal)

    def render(self, events: Sequence[OutputEvent], now: float) -> bytes:
        """The bytes for `events`."""
        return b"".join(piece for event in events for piece in self._format.feed(event, now))

    def say(self, remarks: Sequence[Remark]) -> None:
        """What has no place in a text goes to stderr; in JSON it is there already."""
        if self.staging.form != "json":
            for remark in remarks:
                self._notes.notice(remark.text)


class CodeFilter(TextFilter, Protocol):
    """A filter that lets a part of an answer through."""

    def abort(self) -> None:
        """The answer is not wanted any more."""

    def rest(self) -> Iterator[str]:
        """What `flush` gives, piece by piece."""


class Delivery:
    """One answer onto the output. With `make_filter` it is what that filter lets through: one for each beginning.

    `before_write` is called before any of its text goes to stdout.
    """

    def __init__(
        self,
        output: Output,
        before_write: Callable[[], None],
        make_filter: Callable[[], CodeFilter] | None = None,
    ) -> None:
        self._output = output
        self._before_write = before_write
        self._make_filter = make_filter
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._begin()

    def _begin(self) -> None:
        self._fence = self._make_filter() if self._make_filter else None
        self._has_code = False
        self._stages = self._output.staging.begin(self._before_write)
        self._pipeline = self._stages.pipeline
        self._is_over = False
        self._remarks: list[Remark] = []

    def before_request(self) -> None:
        """Nothing is in the way."""

    def is_shown(self) -> bool:
        """Whether text is out, or will be in a moment: not what only waits for a fence."""
        return self._has_code or self._fence is None

    async def events(self, events: Sequence[OutputEvent]) -> None:
        """Writes what is due, and waits while the reader is slow. Raises TransformFailed, after what came before."""
        for position, event in enumerate(events):
            if isinstance(event, Stop) and self._fence:
                await self._output.sink.write(self._due(events[:position]))
                await self._release(self._fence)
                events = events[position:]
        await self._output.sink.write(self._due(events))
        self._set_timer()
        if self._remarks:
            self._say()
        if self._stages.guards and (failure := self._stages.failure) is not None:
            raise failure

    def push(self, events: Sequence[OutputEvent]) -> None:
        """The same without waiting. What fails is raised by the next who waits."""
        self._output.sink.push(self._due(events))
        self._set_timer()
        self._say()

    async def _release(self, fence: CodeFilter) -> None:
        """What waited for the end, piece by piece: it may be large."""
        for piece in fence.rest():
            now = self._loop.time()
            await self._output.sink.write(self._output.render(self._through([piece], now), now))

    def _due(self, events: Sequence[OutputEvent]) -> bytes:
        """The bytes that are to be written now."""
        now = self._loop.time()
        due: list[OutputEvent] = []
        for event in events:
            if isinstance(event, Delta):
                due += self._through(self._fence.feed(event.text, now) if self._fence else [event.text], now)
            elif isinstance(event, Restarted):
                self._begin()
            else:
                if isinstance(event, Stop):
                    due += self._rest(now)
                elif isinstance(
                    event, Retry | Resumed | Found | FoundAgain
                ):  # they say where: what came before them goes out before
                    due += self._as_events(self._pipeline.hurry(now))
                due.append(replace(event, why=mask(event.why)) if isinstance(event, Retry) else event)
        return self._output.render(due, now) if due else b""

    def _through(self, texts: Sequence[str], now: float) -> list[OutputEvent]:
        self._has_code = self._has_code or bool(texts)
        return self._as_events([piece for text in texts for piece in self._pipeline.feed(text, now)])

    def _rest(self, now: float) -> list[OutputEvent]:
        """What is held at the end, by the fence and behind it; once."""
        if self._is_over:
            return []
        self._is_over = True
        rest = self._through(self._fence.flush() if self._fence else [], now)
        return rest + self._as_events(self._pipeline.flush(now))

    def _as_events(self, pieces: Sequence[str | Remark]) -> list[OutputEvent]:
        events: list[OutputEvent] = []
        for piece in pieces:
            if isinstance(piece, str):
                events.append(Delta(piece))
            else:
                events.append(piece)
                self._remarks.append(piece)
        return events

    def _say(self) -> None:
        """The remarks that have come; the last of them after the text, whose last line may lack an end."""
        if not self._is_over:
            self._output.say(self._remarks)
            self._remarks.clear()

    async def end(self, error: StreamcliError | None, *, more: bool) -> None:
        """The answer is over, well or not; `more` says that another may follow. Waits until all of it is written.

        Raises TransformFailed where the answer was well until then.
        """
        self._finish()
        failure = self._stages.failure if error is None else None
        error = error or failure
        last: list[OutputEvent] = [AnswerEnded(more)]
        if error is not None:
            last.insert(0, Failed(error.status, mask(error.message), error.hint, error.request_id))
        await self._output.sink.write(self._output.render(last, self._loop.time()))
        await self._output.sink.drain()  # what is said on stderr from now on comes after the text
        self._output.say(self._remarks)
        self._remarks.clear()
        if failure is not None:
            raise failure

    def abort(self) -> None:
        """Nobody waits for more: what is known to belong on stdout goes there, without waiting."""
        if self._fence:
            self._fence.abort()
        self._finish()

    def _finish(self) -> None:
        """What is held goes out. After a Stop there is nothing left."""
        if self._timer is not None:
            self._timer.cancel()
        self._push(self._rest(self._loop.time()))

    def _push(self, due: Sequence[OutputEvent]) -> None:
        if due:
            self._output.sink.push(self._output.render(due, self._loop.time()))

    def _set_timer(self) -> None:
        """One timer at a time: where it comes too early, for text that has gone out since, it is set anew."""
        deadline = self._pipeline.deadline()
        if deadline is None:
            return
        if self._timer is not None:
            if self._timer.when() <= deadline:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(deadline, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._push(self._as_events(self._pipeline.tick(self._loop.time())))
        self._set_timer()
        self._say()
