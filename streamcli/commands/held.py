"""An answer that is held until it is whole, for a result of its own."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from streamcli.commands.answer import Notices
from streamcli.commands.journal import Page
from streamcli.core.events import AnswerEvent, Delta, Restarted, Started, Stop, Usage
from streamcli.core.fences import Extractor
from streamcli.core.formats import Result
from streamcli.core.models import MAX_MESSAGE_BYTES
from streamcli.edge.notes import Notes
from streamcli.edge.secrets import mask
from streamcli.errors import StreamBroken, StreamcliError


class HeldAnswer:
    """An outlet of commands/answer.py. With `make_filter` the text is what that filter lets through of the answer."""

    def __init__(
        self, make_filter: Callable[[], Extractor] | None = None, unless_kept: StreamcliError | None = None
    ) -> None:
        self._make_filter = make_filter
        self._unless_kept = unless_kept
        self._usage = Usage()
        self._request_id: str | None = None
        self.page: Page | None = None
        self._clear()

    def _clear(self) -> None:
        self.extractor = self._make_filter() if self._make_filter else None
        self._texts: list[str] = []
        self._answer: list[str] = []
        self._size = 0
        self._stop: Stop | None = None

    def is_shown(self) -> bool:
        return False

    def before_request(self) -> None:
        """Raises what was given as `unless_kept`."""
        if self._unless_kept is not None:
            raise self._unless_kept

    async def events(self, events: Sequence[AnswerEvent]) -> None:
        """Raises StreamBroken for an answer that is larger than any message."""
        self.push(events)
        if self._size > MAX_MESSAGE_BYTES:
            self._clear()
            raise StreamBroken(f"the answer is larger than {MAX_MESSAGE_BYTES // 1_000_000} MB")

    def push(self, events: Sequence[AnswerEvent]) -> None:
        for event in events:
            match event:
                case Delta(text):
                    self._size += len(text)
                    self._texts += self.extractor.feed(text, 0.0) if self.extractor else [text]
                    if self.extractor:
                        self._answer.append(text)
                case Restarted():
                    self._clear()
                case Started(_, _, request_id):
                    self._request_id = request_id
                case Usage():
                    self._usage = event
                case Stop():
                    self._stop = event

    async def end(self, error: StreamcliError | None, *, more: bool) -> None:
        if self.extractor:
            self._texts += self.extractor.flush()

    def abort(self) -> None:
        pass

    def forget(self) -> None:
        """It was complete, but not good: --resume and --cache are not to find it."""
        if self.page is not None:
            self.page.discard()

    @property
    def text(self) -> str:
        """What was let through."""
        return "".join(self._texts)

    @property
    def answer(self) -> str:
        """All that the model said."""
        return "".join(self._answer) if self.extractor else self.text

    @property
    def usage(self) -> Usage:
        """Tokens so far."""
        return self._usage

    def result(self, record: int, identity: object, error: StreamcliError | None) -> Result:
        """What became of the record."""
        return Result(
            record,
            identity,
            error.status if error else 0,
            self.text,
            self._stop.reason if self._stop else None,
            (error.request_id if error else None) or self._request_id,
            self._usage,
            mask(error.message) if error else None,
            error.hint if error else None,
        )


class Course:
    """The answers to one task, one after the other, and its result."""

    def __init__(self) -> None:
        self.held = HeldAnswer()
        """The answer that is asked for, or was."""
        self.text: str | None = None
        """What is given instead of the answer's own text."""
        self._spent = Usage()

    def begin(self, held: HeldAnswer) -> None:
        """Another answer is asked for."""
        self._spent += self.held.usage
        self.held = held

    @property
    def given(self) -> str:
        """The text that is given."""
        return self.held.text if self.text is None else self.text

    def result(self, record: int, identity: object, output: str | None, error: StreamcliError | None) -> Result:
        """What became of it, with the tokens of all answers."""
        result = self.held.result(record, identity, error)
        return replace(result, text=self.given, output=output, usage=self._spent + result.usage)


class Telling(Notices, Protocol):
    """Where a task says more: edge/notes.py, or that with a record's number before it."""

    def passage(self, text: str) -> None: ...

    def command(self, line: str) -> None: ...


class RecordNotes:
    """Notices about one record of many."""

    def __init__(self, notes: Notes, number: int) -> None:
        self._notes = notes
        self._about = f"record {number}"

    def notice(self, text: str) -> None:
        self._notes.notice(f"{self._about}: {text}")

    def detail(self, text: str) -> None:
        self._notes.detail(f"{self._about}: {text}")

    def error(self, error: StreamcliError) -> None:
        self._notes.error(error, self._about)

    def passage(self, text: str) -> None:
        self._notes.passage(text)

    def command(self, line: str) -> None:
        self._notes.command(line)
