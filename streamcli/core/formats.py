"""Events -> bytes for stdout: the model's text, or JSON lines."""

import json
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from streamcli.core.events import (
    AnswerEnded,
    Delta,
    Failed,
    Found,
    FoundAgain,
    OutputEvent,
    Replayed,
    Resumed,
    Retry,
    Started,
    Stats,
    Stop,
    TurnBegan,
    TurnEnded,
    Usage,
    WindowSent,
)


class Format(Protocol):
    """A filter of core's shape. Deltas come coalesced, and safe to encode."""

    def feed(self, event: OutputEvent, now: float) -> list[bytes]: ...

    def deadline(self) -> float | None: ...

    def flush(self) -> list[bytes]: ...


class TextFormat:
    """The model's bytes and nothing else; a newline is added only on a terminal and between answers."""

    def __init__(self, *, terminal: bool) -> None:
        self._terminal = terminal
        self._midline = False

    def feed(self, event: OutputEvent, now: float) -> list[bytes]:
        if isinstance(event, Delta):
            self._midline = not event.text.endswith("\n")
            return [event.text.encode()]
        if isinstance(event, AnswerEnded) and self._midline and (self._terminal or event.more):
            self._midline = False
            return [b"\n"]
        return []

    def deadline(self) -> float | None:
        return None

    def flush(self) -> list[bytes]:
        return []


class JsonFormat:
    """One JSON object a line. With `ascii_only` (a terminal) all else is escaped, so that nothing in it is obeyed.

    Usage is cumulative, so only the last word on it is told: at the end of the answer, however it ended.
    """

    def __init__(self, *, ascii_only: bool) -> None:
        self._encode = json.JSONEncoder(ensure_ascii=ascii_only, separators=(",", ":")).encode
        self._usage: Usage | None = None

    def feed(self, event: OutputEvent, now: float) -> list[bytes]:
        if isinstance(event, Usage):
            self._usage = event
            return []
        lines = self.flush() if isinstance(event, Stop | Failed) else []
        if fields := _json_fields(event):
            lines.append(self._line(fields))
        return lines

    def deadline(self) -> float | None:
        return None

    def flush(self) -> list[bytes]:
        usage, self._usage = self._usage, None
        return [self._line({"type": "usage", **asdict(usage)})] if usage else []

    def _line(self, fields: dict[str, Any]) -> bytes:
        return _json_line(self._encode(fields))


def _json_line(text: str) -> bytes:
    # A lone surrogate in what a server says becomes its JSON escape.
    return text.encode("utf-8", "backslashreplace") + b"\n"


@dataclass(frozen=True)
class Result:
    """What became of one record of many. `text` is what came of its answer: all of it where `status` is 0."""

    record: int
    id: object
    status: int
    text: str
    stop_reason: str | None
    request_id: str | None
    usage: Usage
    message: str | None = None
    hint: str | None = None
    output: str | None = None
    """The file that the text is for."""


def result_as_json(result: Result, *, ascii_only: bool) -> bytes:
    """One line; `id`, `output` and `error` only where there is one."""
    fields: dict[str, Any] = {
        "type": "result",
        "record": result.record,
        **({"id": result.id} if result.id is not None else {}),
        "status": result.status,
        **({"output": result.output} if result.output is not None else {}),
        "text": result.text,
        "stop_reason": result.stop_reason,
        "request_id": result.request_id,
        "usage": asdict(result.usage),
        **({"error": {"message": result.message, "hint": result.hint}} if result.message is not None else {}),
    }
    return _json_line(json.dumps(fields, ensure_ascii=ascii_only, separators=(",", ":")))


def result_as_text(text: str) -> bytes:
    """Only the text, with a newline at its end; nothing where there is none."""
    return (text if not text or text.endswith("\n") else text + "\n").encode()


def request_as_json(params: dict[str, Any], *, ascii_only: bool) -> bytes:
    """What --dry-run shows: the body that would be sent."""
    return json.dumps({**params, "stream": True}, indent=2, ensure_ascii=ascii_only).encode() + b"\n"


def count_as_text(tokens: int, *, as_json: bool) -> bytes:
    """What --count-tokens shows."""
    return b'{"type":"count","input_tokens":%d}\n' % tokens if as_json else b"%d\n" % tokens


def _json_fields(event: OutputEvent) -> dict[str, Any] | None:
    match event:
        case Delta(text):
            return {"type": "delta", "text": text}
        case Started(message_id, model, request_id):
            return {"type": "start", "id": message_id, "model": model, "request_id": request_id}
        case Stop(reason, category):
            return {"type": "stop", "reason": reason} | ({"category": category} if category else {})
        case Retry(why, delay, attempt, request_id):
            return {
                "type": "retry",
                "why": why,
                "delay": round(delay, 3),
                "attempt": attempt,
                "request_id": request_id,
            }
        case Resumed(byte, how, repeated):
            return {"type": "resume", "byte": byte, "how": how, "repeated": repeated}
        case Replayed(size, complete):
            return {"type": "replay", "bytes": size, "complete": complete}
        case Failed(status, message, hint, request_id):
            return {
                "type": "error",
                "status": status,
                "message": message,
                "hint": hint,
                "request_id": request_id,
            }
        case TurnBegan(turn):
            return {"type": "turn", "turn": turn}
        case TurnEnded(turn, status):
            return {"type": "end", "turn": turn, "status": status}
        case WindowSent():
            fields = asdict(event)
            number, first, last = fields.pop("number"), fields.pop("first"), fields.pop("last")
            return {"type": "window", "window": number, "first_line": first, "last_line": last, **fields}
        case Found(number, level, first, last, text):
            return {"type": "finding", "finding": number, "level": level, "lines": _span(first, last), "text": text}
        case FoundAgain(number, first, last):
            return {"type": "again", "finding": number, "lines": _span(first, last)}
        case Stats():
            return {"type": "stats", **asdict(event)}
        case _:
            return None


def _span(first: int | None, last: int | None) -> list[int | None] | None:
    return None if first is None else [first, last]
