"""An answer that is held until it is whole, for a result of its own."""

from collections.abc import Sequence

from streamcli.core.events import AnswerEvent, Delta, Restarted, Started, Stop, Usage
from streamcli.core.fences import FenceFilter
from streamcli.core.formats import Result
from streamcli.core.models import MAX_MESSAGE_BYTES
from streamcli.edge.notes import Notes
from streamcli.edge.secrets import mask
from streamcli.errors import StreamBroken, StreamcliError


class HeldAnswer:
    """An outlet of commands/answer.py. `code_only` keeps what stands in the answer's code fence."""

    def __init__(self, *, code_only: bool) -> None:
        self._code_only = code_only
        self._usage = Usage()
        self._request_id: str | None = None
        self._clear()

    def _clear(self) -> None:
        self._fence = FenceFilter() if self._code_only else None
        self._texts: list[str] = []
        self._size = 0
        self._stop: Stop | None = None

    def is_shown(self) -> bool:
        return False

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
                    self._texts += self._fence.feed(text, 0.0) if self._fence else [text]
                case Restarted():
                    self._clear()
                case Started(_, _, request_id):
                    self._request_id = request_id
                case Usage():
                    self._usage = event
                case Stop():
                    self._stop = event

    async def end(self, error: StreamcliError | None, *, more: bool) -> None:
        if self._fence:
            self._texts += self._fence.flush()

    def abort(self) -> None:
        pass

    def result(self, record: int, identity: object, error: StreamcliError | None) -> Result:
        """What became of the record."""
        return Result(
            record,
            identity,
            error.status if error else 0,
            "".join(self._texts),
            self._stop.reason if self._stop else None,
            (error.request_id if error else None) or self._request_id,
            self._usage,
            mask(error.message) if error else None,
            error.hint if error else None,
        )


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
