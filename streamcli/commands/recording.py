"""An answer's text, gathered on its way to its outlet, for the conversation that it belongs to."""

from collections.abc import Callable, Sequence

from streamcli.commands.answer import OpenOutlet, Outlet
from streamcli.commands.journal import Page
from streamcli.core.content import Content
from streamcli.core.events import AnswerEvent, Delta, Restarted, Stop
from streamcli.core.history import Exchange
from streamcli.core.models import MAX_MESSAGE_BYTES
from streamcli.core.turn import stop_error
from streamcli.errors import ModelRefused, StreamcliError


class Minutes:
    """What is written down of one turn: that it has begun, before its request; and what came of it, once.

    `begin` gets the key of the request, `close` the exchange, or None where nothing was said. Of an answer larger
    than any message only the beginning is kept.
    """

    def __init__(
        self, question: Content, begin: Callable[[str], None], close: Callable[[Exchange | None], None]
    ) -> None:
        self._question = question
        self._begin = begin
        self._close = close
        self._texts: list[str] = []
        self._size = 0
        self._is_open = False

    def opening(self, open_outlet: OpenOutlet) -> OpenOutlet:
        """The same outlet, and on its way there all is gathered."""

        def open_recording(page: Page) -> Outlet:
            self._begin(page.key)
            self._is_open = True
            return _Recording(open_outlet(page), self)

        return open_recording

    def take(self, events: Sequence[AnswerEvent]) -> None:
        """More of the answer. At its end it is written down: before anybody has to wait for a slow reader."""
        for event in events:
            match event:
                case Delta(text):
                    self._add(text)
                case Restarted():
                    self._texts.clear()
                    self._size = 0
                case Stop():
                    error = stop_error(event)
                    refused = isinstance(error, ModelRefused)
                    self._end(self._exchange(is_cut=error is not None and not refused, is_refused=refused))

    def end(self, error: BaseException | None) -> None:
        """The turn is over. What was cut off is kept; a request that failed before any answer was never made.

        One that was interrupted was: the question counts.
        """
        if isinstance(error, StreamcliError) and not self._texts:
            self._end(None)
        else:
            self._end(self._exchange(is_cut=error is not None))

    def _add(self, text: str) -> None:
        self._size += len(text)
        if self._size <= MAX_MESSAGE_BYTES:
            self._texts.append(text)

    def _exchange(self, *, is_cut: bool, is_refused: bool = False) -> Exchange:
        is_cut = is_cut or self._size > MAX_MESSAGE_BYTES
        return Exchange(self._question, "".join(self._texts), is_cut and not is_refused, is_refused)

    def _end(self, exchange: Exchange | None) -> None:
        if self._is_open:
            self._is_open = False
            self._close(exchange)


class _Recording:
    """An outlet that writes down what passes through it to another one."""

    def __init__(self, outlet: Outlet, minutes: Minutes) -> None:
        self._outlet = outlet
        self._minutes = minutes

    def is_shown(self) -> bool:
        return self._outlet.is_shown()

    def before_request(self) -> None:
        self._outlet.before_request()

    async def events(self, events: Sequence[AnswerEvent]) -> None:
        self._minutes.take(events)
        await self._outlet.events(events)

    def push(self, events: Sequence[AnswerEvent]) -> None:
        self._minutes.take(events)
        self._outlet.push(events)

    async def end(self, error: StreamcliError | None, *, more: bool) -> None:
        await self._outlet.end(error, more=more)

    def abort(self) -> None:
        self._outlet.abort()
