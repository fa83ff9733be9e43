"""The common path: one request -> one answer, on stdout or held for its record."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

from streamcli.commands.journal import Journal, Page
from streamcli.config import Settings
from streamcli.core.budget import Budget
from streamcli.core.content import Content
from streamcli.core.events import (
    AnswerEvent,
    Delta,
    Replayed,
    Restarted,
    Resumed,
    Retry,
    Started,
    Stop,
    Usage,
)
from streamcli.core.prompt import SYSTEM_PROMPTS, Request, sendable
from streamcli.core.resume import MAX_RESUMABLE_BYTES, Resumption
from streamcli.core.turn import is_known_stop, stop_error
from streamcli.errors import DeadlineExceeded, StreamBroken, StreamcliError, TransformFailed
from streamcli.net import attempts
from streamcli.net.client import Client
from streamcli.net.gate import Gate
from streamcli.net.stream import stream

# Characters that are received and not on disk yet, at most.
MAX_UNWRITTEN = 1 << 16


class Notices(Protocol):
    """Where an answer says what the user should know: edge/notes.py, or that with a record's number before it."""

    def notice(self, text: str) -> None: ...

    def detail(self, text: str) -> None: ...


class Outlet(Protocol):
    """Where one answer goes."""

    def is_shown(self) -> bool:
        """Whether any of its text is out for good: what is not can begin anew (Restarted)."""

    def before_request(self) -> None:
        """Raises StreamcliError if no request is to be made: what is kept would have been welcome."""

    async def events(self, events: Sequence[AnswerEvent]) -> None:
        """Waits while its reader is slow."""

    def push(self, events: Sequence[AnswerEvent]) -> None:
        """The same without waiting."""

    async def end(self, error: StreamcliError | None, *, more: bool) -> None:
        """The answer is over, well or not; `more` says that another may follow."""

    def abort(self) -> None:
        """Nobody waits for more."""


OpenOutlet = Callable[[Page], Outlet]
"""Makes the outlet of an answer; it has the page committed before it shows any text."""


@dataclass(frozen=True)
class Desk:
    """What all answers of a run share."""

    client: Callable[[str], Awaitable[Client]]
    """For requests to the model of that name."""
    settings: Settings
    journal: Journal | None
    """None where only tokens are counted."""
    gate: Gate
    budget: Budget


def build_request(settings: Settings, system: str | None, message: Content) -> Request:
    """The request for one message from the user; `system` None is the verb's own."""
    system = SYSTEM_PROMPTS[settings.verb] if system is None else system
    return Request(sendable(settings.model), system, (("user", message),), settings.answer_limit)


def say_retry(notes: Notices, retry: Retry) -> None:
    """One line a retry: what went wrong, the request, which attempt comes when."""
    of = f" (request {retry.request_id})" if retry.request_id else ""
    notes.notice(f"{retry.why}{of}: attempt {retry.attempt} in {retry.delay:.1f} s")


class Answer:
    """One answer: made for one request, used once."""

    def __init__(self, desk: Desk, request: Request, open_outlet: OpenOutlet, notes: Notices) -> None:
        self._desk = desk
        self._settings = desk.settings
        self._request = request
        self._notes = notes
        assert desk.journal is not None
        self._journal = desk.journal
        self._page: Page = desk.journal.page(request.key(), desk.settings.verb, request.model)
        self._outlet = open_outlet(self._page)
        self._stop: Stop | None = None
        self._usage = Usage()
        self._request_id: str | None = None
        self._is_replay = False

    async def deliver(self, more: Callable[[], bool]) -> None:
        """The answer into its outlet. Raises StreamcliError unless it is complete and acceptable.

        `more` is asked at its end whether another answer may follow.
        """
        error: StreamcliError | None
        try:
            await self._answer()
            error = stop_error(self._stop or Stop(None))
        except StreamcliError as failure:
            error = failure
        except BaseException:
            self._outlet.abort()
            self._page.leave(shown=self._outlet.is_shown())
            raise
        if isinstance(error, DeadlineExceeded) and self._stop is not None:  # it passed while the end was shown
            error = stop_error(self._stop)
        if error is not None and error.request_id is None:
            error.request_id = self._request_id
        self._write_down(error)
        await self._outlet.end(error, more=more())
        if error is None and not self._is_replay:
            self._page.settle()
        self._report()
        if error is not None:
            raise error

    async def _answer(self) -> None:
        settings = self._settings
        await self._journal.ready()
        prefix = await self._kept_prefix()
        if not prefix and await self._replay():
            return
        self._outlet.before_request()
        resumption = Resumption(self._request, prefix)
        client = await self._desk.client(self._request.model)
        await attempts.answer(
            lambda request, accepted: stream(client, request.params(), accepted),
            self,
            resumption,
            attempts.Terms(settings.retries, settings.timeout, settings.on_break),
            self._desk.gate,
            self._desk.budget,
        )

    async def _replay(self) -> bool:
        """Gives a complete answer that is on disk; False if there is none, or none that can be read."""
        page = self._page
        entry = page.finished() if self._settings.resume else None
        if entry is not None:
            page.adopt(entry)
        elif self._settings.cache:  # nothing is written: a disk that is full must not be in the way of reading
            entry = page.cached()
        if entry is None or entry.stop is None:
            return False
        texts = page.texts(entry)
        first = next(texts, None)
        if first is None and entry.size:
            return False
        self._is_replay = True
        page.show(entry)
        await self._emit([Replayed(entry.size, complete=True)])
        for text in chain([first or ""], texts):
            await self._emit([Delta(text)] if text else [])
        await self._emit([entry.usage, entry.stop])
        return True

    async def _kept_prefix(self) -> bytes:
        """What an earlier run of the same command received: it is shown at once. Raises StreamBroken."""
        entry = self._page.partial() if self._settings.resume else None
        if entry is None:
            return b""
        if entry.size > MAX_RESUMABLE_BYTES:
            self._page.leave(shown=True)
            raise StreamBroken(
                f"the answer that is kept has {entry.size} bytes: too many to be continued",
                f"streamcli answers show {entry.id} prints it",
            )
        await self._emit([Replayed(entry.size, complete=False)])
        prefix = bytearray()
        for text in self._page.texts(entry):
            prefix += text.encode()
            await self._emit([Delta(text)])
        if self._outlet.is_shown():
            return bytes(prefix)
        self._page.restart()
        await self._emit([Restarted()])
        return b""

    def is_shown(self) -> bool:
        return self._outlet.is_shown()

    async def take(self, events: Sequence[AnswerEvent]) -> None:
        """What comes from the server: written down, then passed on."""
        self._write(events)
        await self._emit(events)

    def keep(self, events: Sequence[AnswerEvent]) -> None:
        """The last that came: the same without waiting."""
        self._write(events)
        self._notice(events)
        self._outlet.push(events)

    def _write(self, events: Sequence[AnswerEvent]) -> None:
        for event in events:
            if isinstance(event, Delta):
                self._page.add(event.text)
            elif isinstance(event, Restarted):
                self._page.restart()
        if self._page.held > MAX_UNWRITTEN:
            self._page.commit()  # what is not shown, or not yet, may be much: gen, before the code and after it

    async def _emit(self, events: Sequence[AnswerEvent]) -> None:
        self._notice(events)
        await self._outlet.events(events)

    def _notice(self, events: Sequence[AnswerEvent]) -> None:
        """Takes note of what happens, and says what the user should know."""
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
                case Resumed(byte, how, repeated):
                    again = f", less {repeated} characters that it repeated" if how == "turn" and repeated else ""
                    self._notes.notice(f"the answer is continued by a new request, from byte {byte} on{again}")
                case Replayed(size, complete):
                    self._say_replay(size, complete=complete)

    def _say_replay(self, size: int, *, complete: bool) -> None:
        if complete:
            self._notes.detail(f"this answer is from the journal: {size} bytes")
        else:
            self._notes.notice(f"{size} bytes of the answer are there from an earlier run")

    def _write_down(self, error: StreamcliError | None) -> None:
        """The journal keeps what can be of use, and nothing else: before the end is shown, which may take its time."""
        if self._is_replay:
            return
        if (error is None or isinstance(error, TransformFailed)) and self._stop is not None:
            self._page.finish(self._stop, self._usage)
        elif self._stop is not None:  # the model came to an end: there is no more to be had
            self._page.discard()
        elif self._page.leave(shown=self._outlet.is_shown()) and error is not None and self._can_be_repeated(error):
            kept = "what came is kept: run the same with --resume to go on from there"
            error.hint = f"{error.hint}; {kept}" if error.hint else kept

    def _can_be_repeated(self, error: StreamcliError) -> bool:
        """Not an answer that is too long to be continued, which says so itself."""
        return self._settings.is_repeatable and "streamcli answers" not in (error.hint or "")

    def _report(self) -> None:
        stop = self._stop
        if stop is not None and stop_error(stop) is None and not is_known_stop(stop):
            self._notes.notice(f"the model stopped for a reason unknown to this version: {stop.reason}")
        if self._usage != Usage() and not self._is_replay:
            of = f" (request {self._request_id})" if self._request_id else ""
            self._notes.detail(f"{self._usage.input_tokens} tokens in, {self._usage.output_tokens} out{of}")
