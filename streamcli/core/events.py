"""What a stream means, once it is parsed: the vocabulary between the rooms."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Started:
    """The server has begun to answer. A name may be empty: not every server sends them."""

    message_id: str
    model: str
    request_id: str | None


@dataclass(frozen=True, slots=True)
class Delta:
    """More text of the answer. May hold half of a surrogate pair: core/coalesce.py mends that."""

    text: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens so far, cumulative; 0 where the server did not say."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Stop:
    """The answer is complete. `reason` is None where a server ended with a bare message_stop."""

    reason: str | None
    category: str | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """An attempt failed before any text, and another follows after `delay` seconds."""

    why: str
    delay: float
    attempt: int
    request_id: str | None


@dataclass(frozen=True, slots=True)
class Failed:
    """The answer failed: the fields of the error that ended it."""

    status: int
    message: str
    hint: str | None
    request_id: str | None


@dataclass(frozen=True, slots=True)
class WindowSent:
    """A window of a log goes out: stream lines `first` to `last`, of which `cut` are not shown to the model."""

    number: int
    first: int
    last: int
    lines: int
    cut: int


@dataclass(frozen=True, slots=True)
class AnswerEnded:
    """No more text for this answer; `more` says that another answer may follow in the same output."""

    more: bool


Event = Started | Delta | Usage | Stop
OutputEvent = Event | Retry | Failed | WindowSent | AnswerEnded
