"""One window's answer on its way out: in the order of the windows, its findings told apart from its text."""

import asyncio
from collections.abc import Callable, Sequence

from streamcli.commands.delivery import Delivery
from streamcli.core.events import AnswerEvent, Delta, Found, FoundAgain, OutputEvent, Restarted, Stop, WindowSent
from streamcli.core.finding_filter import FindingFilter
from streamcli.core.findings import Again, Finding
from streamcli.core.pipeline import TextFilter
from streamcli.errors import StreamcliError

Turn = asyncio.Future[None]
"""Done when all windows before are shown."""


class WindowOutlet:
    """An outlet of commands/answer.py. Until its turn has come, what comes is only held: what is new in a window is
    known when all windows before it are shown.

    `make_filter` makes what tells findings from text, `restorer` what puts back what was masked only for the model.
    `found` is told of each finding when it is shown, and makes the event of it. `mask` goes over an error's message:
    a server may quote what it likes.
    """

    def __init__(
        self,
        inner: Delivery,
        sent: WindowSent,
        turn: Turn,
        make_filter: Callable[[], FindingFilter],
        restorer: Callable[[], TextFilter] | None,
        found: Callable[[Finding | Again], Found | FoundAgain],
        mask: Callable[[str], str],
    ) -> None:
        self._inner = inner
        self._turn = turn
        self._make_filter = make_filter
        self._make_restorer = restorer
        self._found = found
        self._mask = mask
        self._loop = asyncio.get_running_loop()
        self._sent: list[OutputEvent] = [sent]
        self._held: list[AnswerEvent] = []
        self._is_shown = False
        self._begin()
        turn.add_done_callback(lambda _: self._catch_up())

    def _begin(self) -> None:
        self._filter = self._make_filter()
        self._restorer = self._make_restorer() if self._make_restorer else None

    def is_shown(self) -> bool:
        return self._is_shown

    @property
    def is_understood(self) -> bool:
        """Whether the answer had findings, or was only an OK."""
        return self._filter.is_understood

    def before_request(self) -> None:
        """Nothing is in the way."""

    async def events(self, events: Sequence[AnswerEvent]) -> None:
        self._take(events)
        if self._turn.done():
            await self._inner.events(self._due())

    def push(self, events: Sequence[AnswerEvent]) -> None:
        self._take(events)
        self._catch_up()

    async def end(self, error: StreamcliError | None, *, more: bool) -> None:
        await asyncio.shield(self._turn)
        self._inner.push([*self._due(), *self._rest()])  # all of it is awaited by `end`, which says what failed
        if error is not None:
            error.message = self._mask(error.message)
        await self._inner.end(error, more=more)

    def abort(self) -> None:
        if self._turn.done():
            self._inner.push([*self._due(), *self._rest()])
        self._inner.abort()

    def _catch_up(self) -> None:
        if self._turn.done():
            self._inner.push(self._due())

    def _take(self, events: Sequence[AnswerEvent]) -> None:
        for event in events:
            if isinstance(event, Restarted) and not self._turn.done():
                self._held = [one for one in self._held if not isinstance(one, Delta)]
            else:
                self._held.append(event)

    def _due(self) -> list[OutputEvent]:
        """What is to be shown now of what is held."""
        now = self._loop.time()
        due, self._sent = self._sent, []
        held, self._held = self._held, []
        for event in held:
            if isinstance(event, Delta):
                due += self._text(self._filter.feed(event.text, now), now)
                continue
            if isinstance(event, Restarted):
                self._begin()
            elif isinstance(event, Stop):
                due += self._rest()
            due.append(event)
        self._is_shown = self._is_shown or any(isinstance(event, Delta | Found | FoundAgain) for event in due)
        return due

    def _text(self, texts: Sequence[str], now: float) -> list[OutputEvent]:
        """The text that passes, and then the findings that end in it."""
        if self._restorer is not None:
            texts = [piece for text in texts for piece in self._restorer.feed(text, now)]
        return [*map(Delta, texts), *map(self._found, self._filter.take())]

    def _rest(self) -> list[OutputEvent]:
        """What is held at the end. After a Stop there is nothing left."""
        texts = self._filter.flush()
        if self._restorer is not None:
            texts = [piece for text in texts for piece in self._restorer.feed(text, 0.0)] + self._restorer.flush()
        return [*map(Delta, texts), *map(self._found, self._filter.take())]
