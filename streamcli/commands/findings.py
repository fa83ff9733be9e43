"""One window's answer on its way out: in the order of the windows, its findings told apart from its text."""

import asyncio
from collections.abc import Callable, Sequence

from streamcli.commands.delivery import Delivery
from streamcli.core.events import AnswerEvent, Delta, Found, FoundAgain, OutputEvent, Restarted, Stop, WindowSent
from streamcli.core.findings import Again, Finding, FindingFilter
from streamcli.core.pipeline import TextFilter
from streamcli.errors import StreamcliError

Turn = asyncio.Future[None]
"""Done when all windows before are shown."""


class WindowOutlet:
    """An outlet of commands/answer.py. Until its turn has come nothing of it is shown, and it is held.

    `make_filter` makes what tells findings from text, `restorer` what puts back what was masked only for the model.
    `found` is told of each finding when it is shown, and makes the event of it.
    """

    def __init__(
        self,
        inner: Delivery,
        sent: WindowSent,
        turn: Turn,
        make_filter: Callable[[], FindingFilter],
        restorer: Callable[[], TextFilter] | None,
        found: Callable[[Finding | Again], Found | FoundAgain],
    ) -> None:
        self._inner = inner
        self._turn = turn
        self._make_filter = make_filter
        self._make_restorer = restorer
        self._found = found
        self._loop = asyncio.get_running_loop()
        self._held: list[OutputEvent | Finding | Again] = [sent]
        self._is_shown = False
        self._begin()
        turn.add_done_callback(lambda _: self._catch_up())

    def _begin(self) -> None:
        self._filter = self._make_filter()
        self._restorer = self._make_restorer() if self._make_restorer else None

    def is_shown(self) -> bool:
        return self._is_shown

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
        self._held += self._rest()
        await asyncio.shield(self._turn)
        await self._inner.events(self._due())
        await self._inner.end(error, more=more)

    def abort(self) -> None:
        if self._turn.done():
            self._held += self._rest()
            self._catch_up()
        self._inner.abort()

    def _catch_up(self) -> None:
        if self._turn.done() and self._held:
            self._inner.push(self._due())

    def _take(self, events: Sequence[AnswerEvent]) -> None:
        now = self._loop.time()
        for event in events:
            if isinstance(event, Delta):
                self._held += self._text(self._filter.feed(event.text, now), now)
            elif isinstance(event, Restarted):
                self._begin()
                self._held = [one for one in self._held if not isinstance(one, Delta | Finding | Again)]
                self._held.append(event)
            else:
                if isinstance(event, Stop):
                    self._held += self._rest()
                self._held.append(event)

    def _text(self, texts: Sequence[str], now: float) -> list[OutputEvent | Finding | Again]:
        """The text that passes, and then the findings that end in it."""
        if self._restorer is not None:
            texts = [piece for text in texts for piece in self._restorer.feed(text, now)]
        return [*map(Delta, texts), *self._filter.take()]

    def _rest(self) -> list[OutputEvent | Finding | Again]:
        """What is held at the end. After a Stop there is nothing left."""
        out = self._text(self._filter.flush(), self._loop.time())
        if self._restorer is not None:
            out += map(Delta, self._restorer.flush())
        return out

    def _due(self) -> list[OutputEvent]:
        due = [self._found(event) if isinstance(event, Finding | Again) else event for event in self._held]
        self._held.clear()
        self._is_shown = self._is_shown or any(isinstance(event, Delta) for event in due)
        return due
