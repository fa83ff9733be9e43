"""Frozen settings: defaults < environment < flags. The command line makes them; the commands only read them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from streamcli.core.history import MAX_EXCHANGES, Bounds
from streamcli.core.models import limits

if TYPE_CHECKING:
    from streamcli.core.overload import Overload

Verb = Literal["chat", "gen", "analyze"]
Level = Literal["INFO", "WARNING", "ERROR", "CRITICAL"]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What all three verbs share. Times are in seconds; 0 means no limit. `format` None is what suits the output."""

    verb: Verb
    model: str
    prompt: str = ""
    read_stdin: bool = True
    system: str | None = None
    max_tokens: int | None = None
    base_url: str | None = None
    timeout: float = 600.0
    connect_timeout: float = 10.0
    idle_timeout: float = 90.0
    retries: int = 4
    on_break: Literal["resume", "fail"] = "resume"
    coalesce: int = 32
    coalesce_delay: float = 0.04
    format: Literal["text", "markdown", "json"] | None = None
    color: Literal["auto", "always", "never"] = "auto"
    transforms: tuple[str, ...] = ()
    quiet: bool = False
    verbose: bool = False
    dry_run: bool = False
    count_tokens: bool = False
    cache: bool = False
    resume: bool = False
    redact: bool = False
    redact_rules: str | None = None
    usage: bool = False
    max_cost: float | None = None
    max_total_tokens: int | None = None
    keep_mb: int = 100
    keep_days: float = 30.0
    is_repeatable: bool = True
    """Whether the same command line asks the same again."""

    @property
    def asks(self) -> bool:
        """Whether an answer is wanted: not the request alone, nor its size."""
        return not (self.dry_run or self.count_tokens)

    @property
    def needs_prices(self) -> bool:
        """Whether it matters what an answer costs."""
        return self.max_cost is not None

    @property
    def answer_limit(self) -> int:
        """Tokens of one answer at most: the user's limit, else the model's default."""
        return self.max_tokens or limits(self.model).max_tokens


@dataclass(frozen=True, kw_only=True)
class MessageSettings(Settings):
    """chat and gen: one message, or with `each` as many as stdin has records."""

    each: Literal["lines", "nul", "jsonl"] | None = None
    jobs: int = 4
    unordered: bool = False

    @property
    def has_message(self) -> bool:
        """Whether there is something to send without standard input."""
        return bool(self.prompt)


@dataclass(frozen=True, kw_only=True)
class ChatSettings(MessageSettings):
    """Which files go along with a message; which conversation it belongs to, and how much of that goes along.

    `attach` are paths, `goes_on` is --continue. The model and the system prompt are the session's own, unless they
    were given.
    """

    attach: tuple[str, ...] = ()
    is_model_given: bool = False
    session: str | None = None
    goes_on: bool = False
    converse: bool = False
    max_history: int = MAX_EXCHANGES
    max_history_tokens: int | None = None

    @property
    def has_message(self) -> bool:
        """Whether there is something to send without standard input."""
        return bool(self.prompt or self.attach)

    @property
    def bounds(self) -> Bounds:
        """How much of a conversation is sent."""
        return Bounds(self.max_history, self.max_history_tokens)


@dataclass(frozen=True, kw_only=True)
class GenSettings(MessageSettings):
    """What becomes of the code. `attempts` None is 2 where it goes into a file, else 1; `check_timeout` in seconds."""

    output: str | None = None
    edit: str | None = None
    force: bool = False
    parents: bool = False
    lang: str | None = None
    block: Literal["first", "last", "all"] | int = "first"
    raw: bool = False
    check: str | None = None
    check_shell: bool = False
    check_timeout: float = 60.0
    attempts: int | None = None
    diff: bool = False
    annotate: Literal["github"] | None = None

    @property
    def attempt_limit(self) -> int:
        """How often the code is asked for at most."""
        return self.attempts or (2 if self.output or self.edit else 1)

    @property
    def is_held(self) -> bool:
        """Whether the code is whole and valid before any of it is given away."""
        return bool(self.output or self.edit or self.check or self.diff or self.attempt_limit > 1)


@dataclass(frozen=True, kw_only=True)
class AnalyzeSettings(Settings):
    """When a window closes, how much of it is sent, how often; what becomes of the findings."""

    redact: bool = True
    is_repeatable: bool = False
    lines: int = 10
    every: float = 10.0
    idle: float = 0.0
    window_tokens: int | None = None
    record_start: str | None = None
    on_overload: "Overload" = "condense"
    jobs: int = 1
    max_requests_per_minute: int = 6
    budget_per_hour: float | None = None
    on_interrupt: Literal["stop", "flush"] = "stop"
    fail_on: Level | None = None
    skip_ok: bool = False
    context: int = 0
    words: tuple[str, ...] = ()
    """Those of the prompt: with --follow the first may be files."""
    follow: tuple[str, ...] = ()
    from_start: bool = False
    pii: bool = False
    report: str | None = None

    @property
    def needs_prices(self) -> bool:
        """Whether it matters what an answer costs."""
        return self.max_cost is not None or self.budget_per_hour is not None

    @property
    def window_limit(self) -> int:
        """Tokens of one window at most."""
        return self.window_tokens or limits(self.model).window_tokens


@dataclass(frozen=True, kw_only=True)
class FetchSettings:
    """`streamcli models fetch`."""

    name: str
    quiet: bool = False
    verbose: bool = False


@dataclass(frozen=True, kw_only=True)
class AnswersSettings:
    """`streamcli answers`: of which answers."""

    ids: tuple[int, ...] = ()
    quiet: bool = False
    verbose: bool = False


@dataclass(frozen=True, kw_only=True)
class SessionsSettings:
    """`streamcli sessions`: of which conversations; `rename` takes the old name and the new one."""

    names: tuple[str, ...] = ()
    format: Literal["markdown", "json"] = "markdown"
    quiet: bool = False
    verbose: bool = False


@dataclass(frozen=True, kw_only=True)
class RedactSettings:
    """`streamcli redact`. `redact_rules` is the path of a file of more rules."""

    redact_rules: str | None = None
    pii: bool = False
    quiet: bool = False
    verbose: bool = False
