"""What a report of a run is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field

LEVELS = ("CRITICAL", "ERROR", "WARNING", "INFO")
"""The levels of a finding, the most severe first."""


@dataclass(frozen=True)
class TemplateCount:
    """So many lines of a window look like `example`."""

    count: int
    example: str


@dataclass(frozen=True)
class Totals:
    """Of the whole run. `cost` is in dollars, None if unknown; `masked` counts secrets by their kind; `unanalysed`
    are lines that were read and that no request has carried.
    """

    requests: int
    input_tokens: int
    output_tokens: int
    cost: float | None
    masked: Mapping[str, int]
    unanalysed: int


@dataclass(frozen=True)
class Again:
    """How often a finding came again, and when and where it did last."""

    count: int
    at: float
    first: int | None
    last: int | None


@dataclass(frozen=True)
class Finding:
    """What was found in stream lines `first` to `last`, at `at`; `log` are lines of it. None: it was not said where."""

    at: float
    level: str
    first: int | None
    last: int | None
    text: str
    log: tuple[str, ...]
    log_cut: int
    """Lines that it cites and that are not in `log`."""
    again: Again | None = None

    @property
    def size(self) -> int:
        """Characters, all in all."""
        return len(self.text) + sum(map(len, self.log))


@dataclass(frozen=True)
class Failure:
    """A window that has no answer."""

    at: float
    first: int
    last: int
    message: str


@dataclass(frozen=True)
class Template:
    """Lines of the run that look alike. Where it is not `exact`, there may have been more before."""

    count: int
    example: str
    exact: bool


@dataclass
class Bucket:
    """What came in one stretch of time: lines, and findings by their level."""

    shown: int = 0
    condensed: int = 0
    dropped: int = 0
    failures: int = 0
    findings: dict[str, int] = field(default_factory=dict)

    @property
    def lines(self) -> int:
        return self.shown + self.condensed + self.dropped

    def take_in(self, other: "Bucket") -> None:
        self.shown += other.shown
        self.condensed += other.condensed
        self.dropped += other.dropped
        self.failures += other.failures
        for level, count in other.findings.items():
            self.findings[level] = self.findings.get(level, 0) + count


@dataclass(frozen=True)
class Story:
    """All that a page shows. Times are seconds since the epoch; buckets follow each other from `started` on."""

    title: str
    started: float
    now: float
    ended: bool
    windows: int
    lines: int
    shown: int
    condensed: int
    dropped: int
    totals: Totals
    width: float
    """Seconds of one bucket."""
    buckets: tuple[Bucket, ...]
    levels: Mapping[str, int]
    """Findings by level, with those that fell out."""
    findings: tuple[Finding, ...]
    """The most severe first, and of one level the newest."""
    fallen: Mapping[str, int]
    """Findings by level for which there was no room."""
    failed: int
    failures: tuple[Failure, ...]
    """The newest first; not all of `failed` have to be here."""
    templates: tuple[Template, ...]
    """The most frequent first."""
    unlisted_lines: int
    """Lines of templates that are not here."""
