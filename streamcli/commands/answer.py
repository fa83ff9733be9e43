"""The common path: one request -> one answer on stdout."""

from collections.abc import Callable, Sequence

from streamcli.commands.delivery import Delivery, Output
from streamcli.config import Settings
from streamcli.core.events import Delta, Event, Retry, Started, Stop, Usage
from streamcli.core.prompt import SYSTEM_PROMPTS, Request, sendable
from streamcli.core.turn import is_known_stop, stop_error
from streamcli.edge.notes import Notes
from streamcli.errors import StreamcliError
from streamcli.net import attempts
from streamcli.net.client import Client
from streamcli.net.stream import stream


def build_request(settings: Settings, system: str | None, message: str) -> Request:
    """The request for one message from the user; `system` None is the verb's own."""
    system = SYSTEM_PROMPTS[settings.verb] if system is None else system
    return Request(sendable(settings.model), system, (("user", message),), settings.answer_limit)


def say_retry(notes: Notes, retry: Retry) -> None:
    """One line a retry: what went wrong, the request, which attempt comes when."""
    of = f" (request {retry.request_id})" if retry.request_id else ""
    notes.notice(f"{retry.why}{of}: attempt {retry.attempt} in {retry.delay:.1f} s")


class Answer:
    """One answer: made for one request, used once."""

    def __init__(self, client: Client, output: Output, notes: Notes, settings: Settings, *, code_only: bool) -> None:
        self._client = client
        self._notes = notes
        self._settings = settings
        self._delivery = Delivery(output, settings, code_only=code_only)
        self._stop = Stop(None)
        self._usage = Usage()
        self._request_id: str | None = None

    async def deliver(self, request: Request, more: Callable[[], bool]) -> None:
        """The answer onto stdout. Raises StreamcliError unless it is complete and acceptable.

        `more` is asked at its end whether another answer may follow.
        """
        error: StreamcliError | None
        try:
            await attempts.answer(
                lambda: stream(self._client, request.params()),
                self._emit,
                retries=self._settings.retries,
                time_limit=self._settings.timeout,
            )
            error = stop_error(self._stop)
        except StreamcliError as failure:
            error = failure
        except BaseException:
            self._delivery.abort()
            raise
        if error is not None and error.request_id is None:
            error.request_id = self._request_id
        await self._delivery.end(error, more=more())
        self._report()
        if error is not None:
            raise error

    async def _emit(self, events: Sequence[Event | Retry]) -> None:
        for event in events:
            match event:
                case Delta():
                    continue
                case Started(_, _, request_id):
                    self._request_id = request_id
                case Usage():
                    self._usage = event
                case Stop():
                    self._stop = event
                case Retry():
                    self._request_id = None
                    say_retry(self._notes, event)
        await self._delivery.events(events)

    def _report(self) -> None:
        if stop_error(self._stop) is None and not is_known_stop(self._stop):
            self._notes.notice(f"the model stopped for a reason unknown to this version: {self._stop.reason}")
        if self._usage != Usage():
            of = f" (request {self._request_id})" if self._request_id else ""
            self._notes.detail(f"{self._usage.input_tokens} tokens in, {self._usage.output_tokens} out{of}")
