"""The stream's state table: server-sent events -> our events; is the answer complete, or was it cut off?

Complete means that message_stop, or a message_delta with a stop reason, was seen: the SDK itself takes a clean end of
file before that for success. What is not text of the answer (thinking, tools, blocks, deltas and events from the
future) is skipped: a newer server must not break an older streamcli.
"""

import json
from collections.abc import Callable
from typing import Any

from streamcli.core.events import Delta, Event, Started, Stop, Usage
from streamcli.core.retry import AttemptFailed, failure_of_event
from streamcli.core.sse import ServerEvent
from streamcli.core.surrogates import SurrogateMender, mend_surrogates
from streamcli.errors import ModelRefused, StreamBroken, StreamcliError, Truncated

# Open blocks that are no text; a server that opens more without closing any is not speaking our protocol.
MAX_OPEN_BLOCKS = 1024

GOOD_STOPS = frozenset({None, "end_turn", "stop_sequence"})


class Turn:
    """One answer's events, in order. `feed` raises AttemptFailed for an error event and for a damaged one."""

    def __init__(self, request_id: str | None = None) -> None:
        self._request_id = request_id
        self._skipped_blocks: set[int] = set()
        self._usage = Usage()
        self._stop = Stop(None)
        self._mender = SurrogateMender()
        self.complete = False
        """The answer is whole, whatever becomes of the connection."""
        self.finished = False
        """message_stop was seen: there is nothing left to read."""
        self._handlers: dict[str, Callable[[dict[str, Any]], list[Event]]] = {
            "message_start": self._message_start,
            "content_block_start": self._block_start,
            "content_block_delta": self._block_delta,
            "content_block_stop": self._block_stop,
            "message_delta": self._message_delta,
            "message_stop": self._message_stop,
            "error": self._error,
        }

    def feed(self, event: ServerEvent) -> list[Event]:
        """Our events for one of the server's; [] for what is skipped."""
        if event.data == b"[DONE]":  # of other protocols; some proxies add it
            self.finished = self.complete
        if self.finished or event.name == "ping" or event.data == b"[DONE]":
            return []
        try:
            payload = json.loads(event.data.decode("utf-8"))
        except (ValueError, RecursionError) as error:
            if event.name == "error":
                raise failure_of_event(None, event.data.decode("utf-8", "replace"), self._request_id) from error
            if event.name != "message" and event.name not in self._handlers:
                return []
            raise self._damaged("an event that is no valid JSON") from error
        if not isinstance(payload, dict):
            if event.name == "error":
                raise failure_of_event(None, str(payload), self._request_id)
            return []
        # Some proxies leave out the `event:` line, some the type: either will do.
        kind = "error" if event.name == "error" else payload.get("type") or event.name
        handler = self._handlers.get(kind) if isinstance(kind, str) else None
        if handler is None and "error" in payload and "type" not in payload:
            handler = self._error
        return handler(payload) if handler else []

    def end(self) -> Stop:
        """The end of the body: how the answer stopped. Raises AttemptFailed if it was cut off."""
        if not self.complete:
            raise self._damaged("the stream ended before the answer was complete")
        return self._stop

    def _message_start(self, payload: dict[str, Any]) -> list[Event]:
        message = _table(payload, "message")
        events: list[Event] = [Started(_text(message, "id"), _text(message, "model"), self._request_id)]
        return events + self._count(_table(message, "usage"))

    def _block_start(self, payload: dict[str, Any]) -> list[Event]:
        block = _table(payload, "content_block")
        if block.get("type") == "text":
            self._skipped_blocks.discard(_index(payload))  # a server may use an index again
            return self._deltas(_text(block, "text"))
        if len(self._skipped_blocks) >= MAX_OPEN_BLOCKS:
            raise self._damaged("more content blocks than any answer has")
        self._skipped_blocks.add(_index(payload))
        return []

    def _block_delta(self, payload: dict[str, Any]) -> list[Event]:
        delta = payload.get("delta")
        if not isinstance(delta, dict) or delta.get("type") != "text_delta":
            return []
        text = delta.get("text")
        if not isinstance(text, str) or not text:
            return []
        if self._skipped_blocks and _index(payload) in self._skipped_blocks:
            return []
        return self._deltas(text)

    def _block_stop(self, payload: dict[str, Any]) -> list[Event]:
        self._skipped_blocks.discard(_index(payload))  # llama.cpp sends a stop without a start
        return []

    def _message_delta(self, payload: dict[str, Any]) -> list[Event]:
        delta = _table(payload, "delta")
        reason = delta.get("stop_reason")
        rest: list[Event] = []
        if isinstance(reason, str) and reason:
            self.complete = True
            category = _table(delta, "stop_details").get("category")
            category = mend_surrogates(category) if isinstance(category, str) else None
            self._stop = Stop(mend_surrogates(reason), category)
            rest = self._rest()
        return rest + self._count(_table(payload, "usage"))

    def _message_stop(self, _payload: dict[str, Any]) -> list[Event]:
        self.complete = self.finished = True
        return self._rest()

    def _error(self, payload: dict[str, Any]) -> list[Event]:
        error = payload.get("error", payload)
        if isinstance(error, str):
            raise failure_of_event(None, error, self._request_id)
        error = error if isinstance(error, dict) else {}
        kind, message = error.get("type"), error.get("message")
        request_id = payload.get("request_id")
        raise failure_of_event(
            kind if isinstance(kind, str) else None,
            message if isinstance(message, str) else "no message",
            request_id if isinstance(request_id, str) else self._request_id,
        )

    def _deltas(self, text: str) -> list[Event]:
        return [Delta(mended) for mended in self._mender.feed(text, 0.0)]

    def _rest(self) -> list[Event]:
        """Half a character that stayed alone; one block's end does not decide that, the answer's does."""
        return [Delta(text) for text in self._mender.flush()]

    def _count(self, usage: dict[str, Any]) -> list[Event]:
        """Cumulative: a later event may leave out what an earlier one said."""
        if not usage:
            return []
        old = self._usage
        self._usage = Usage(
            _tokens(usage, "input_tokens", old.input_tokens),
            _tokens(usage, "output_tokens", old.output_tokens),
            _tokens(usage, "cache_read_input_tokens", old.cache_read_tokens),
            _tokens(usage, "cache_creation_input_tokens", old.cache_write_tokens),
        )
        return [self._usage]

    def _damaged(self, what: str) -> AttemptFailed:
        return AttemptFailed(StreamBroken(what, request_id=self._request_id), retryable=True)


def stop_error(stop: Stop) -> StreamcliError | None:
    """What a stop reason means for the exit status; None for a complete and acceptable answer.

    A reason unknown to us is acceptable: `is_known_stop` tells whether to mention it.
    """
    match stop.reason:
        case "max_tokens":
            return Truncated("the answer was cut off at --max-tokens", "raise --max-tokens, or ask for less")
        case "model_context_window_exceeded":
            return Truncated("the answer was cut off: the model's context window is full", "send less input")
        case "refusal":
            return ModelRefused("the model refused" + (f" ({stop.category})" if stop.category else ""))
        case "tool_use" | "pause_turn":
            return StreamBroken(
                f"the model stopped for something that nothing here can give it ({stop.reason})",
                "ask for an answer in plain text",
            )
        case _:
            return None


def is_known_stop(stop: Stop) -> bool:
    """Whether a stop that is no error is one that we know."""
    return stop.reason in GOOD_STOPS


def _table(payload: dict[str, Any], key: str) -> dict[str, Any]:
    value = payload.get(key)
    return value if isinstance(value, dict) else {}


def _text(payload: dict[str, Any], key: str) -> str:
    value = payload.get(key)
    return value if isinstance(value, str) else ""


def _index(payload: dict[str, Any]) -> int:
    value = payload.get("index")
    return value if isinstance(value, int) else -1


def _tokens(usage: dict[str, Any], key: str, otherwise: int) -> int:
    value = usage.get(key)
    return value if isinstance(value, int) and value >= 0 else otherwise
