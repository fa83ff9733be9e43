"""What a stream means, once it is parsed: the vocabulary between the rooms."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Started:
    """The server has begun to answer. A name may be empty: not every server sends them."""

    message_id: str
    model: str
    request_id: str | None


@dataclass(frozen=True, slots=True)
class Delta:
    """More text of the answer. It always encodes to UTF-8: core/turn.py mends what does not."""

    text: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens so far, cumulative; 0 where the server did not say."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cache_read_tokens + other.cache_read_tokens,
            self.cache_write_tokens + other.cache_write_tokens,
        )

    def __sub__(self, other: "Usage") -> "Usage":
        return Usage(
            self.input_tokens - other.input_tokens,
            self.output_tokens - other.output_tokens,
            self.cache_read_tokens - other.cache_read_tokens,
            self.cache_write_tokens - other.cache_write_tokens,
        )

    @property
    def tokens(self) -> int:
        """All of them: the server counts what it read from a cache, or wrote to one, beside `input_tokens`."""
        return self.input_tokens + self.output_tokens + self.cache_read_tokens + self.cache_write_tokens


@dataclass(frozen=True, slots=True)
class Stop:
    """The answer is complete. `reason` is None where a server ended with a bare message_stop."""

    reason: str | None
    category: str | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """An attempt failed, and another (the `attempt`-th request, from 1) follows after `delay` seconds."""

    why: str
    delay: float
    attempt: int
    request_id: str | None


@dataclass(frozen=True, slots=True)
class Resumed:
    """A new request goes on where the last one broke off: at byte `byte` of the answer in UTF-8, by `how`.

    Of what it began with, `repeated` characters were there already, and were left out.
    """

    byte: int
    how: Literal["prefill", "turn"]
    repeated: int


@dataclass(frozen=True, slots=True)
class Replayed:
    """`size` bytes of text that an earlier run received come first: a whole answer (`complete`), or its beginning."""

    size: int
    complete: bool


@dataclass(frozen=True, slots=True)
class Restarted:
    """What came of the answer so far is void: it begins anew. Only where nothing of it was shown."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The answer failed: the fields of the error that ended it."""

    status: int
    message: str
    hint: str | None
    request_id: str | None


@dataclass(frozen=True, slots=True)
class WindowSent:
    """A window of a log goes out: stream lines `first` to `last`, `lines` in all.

    Of them `shown` are there as they are, `condensed` in counted templates, `dropped` not at all.
    """

    number: int
    first: int
    last: int
    lines: int
    shown: int
    condensed: int
    dropped: int


@dataclass(frozen=True, slots=True)
class Found:
    """A line of the answer is a finding, the `number`-th of the run; stream lines, None where it names none."""

    number: int
    level: str
    first: int | None
    last: int | None
    text: str


@dataclass(frozen=True, slots=True)
class FoundAgain:
    """The `number`-th finding of the run was found again, in stream lines `first` to `last`."""

    number: int
    first: int | None
    last: int | None


@dataclass(frozen=True, slots=True)
class Stats:
    """A watch is over: its lines, windows, findings by level, and what they cost (None: not known)."""

    lines: int
    shown: int
    condensed: int
    dropped: int
    unanalysed: int
    windows: int
    failed: int
    findings: Mapping[str, int]
    again: int
    masked: Mapping[str, int]
    input_tokens: int
    output_tokens: int
    cost: float | None


@dataclass(frozen=True, slots=True)
class Remark:
    """What a transform says beside the text: `text` to a person, `values` (of JSON's types) to a program."""

    transform: str
    text: str
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class AnswerEnded:
    """No more text for this answer; `more` says that another answer may follow in the same output."""

    more: bool


@dataclass(frozen=True, slots=True)
class TurnBegan:
    """The `turn`-th turn of a conversation begins: what follows is its answer, up to its TurnEnded."""

    turn: int


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """There is no more of that turn, whatever came of it; `status` is the exit status that it alone would have."""

    turn: int
    status: int


Event = Started | Delta | Usage | Stop
"""What one attempt yields."""
AnswerEvent = Event | Retry | Resumed | Replayed | Restarted
"""What an answer yields, whatever attempts it takes."""
OutputEvent = (
    AnswerEvent | Failed | WindowSent | Found | FoundAgain | Stats | Remark | AnswerEnded | TurnBegan | TurnEnded
)
