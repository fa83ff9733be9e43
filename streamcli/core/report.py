"""What a run of analyze has seen, for the page that `--report` writes. Bounded, however long the run."""

from collections import deque
from collections.abc import Sequence
from datetime import UTC, tzinfo

from streamcli.core.reports.facts import LEVELS, Bucket, Failure, Finding, Story
from streamcli.core.reports.facts import TemplateCount as TemplateCount
from streamcli.core.reports.facts import Totals as Totals
from streamcli.core.reports.keep import FindingShelf, TemplateTally, cut
from streamcli.core.reports.page import render
from streamcli.core.reports.timeline import Timeline

MAX_FAILURES = 100
MAX_LOG_LINES = 20
# Characters of one text.
MAX_TITLE = 200
MAX_TEXT = 2_000
MAX_LINE = 500
MAX_MESSAGE = 400


class Report:
    """Times are seconds since the epoch; lines are numbered through the stream, from 1. Texts may be anything.

    `zone` is the time zone of the page.
    """

    def __init__(self, title: str, started: float, zone: tzinfo = UTC) -> None:
        self._title = cut(title, MAX_TITLE)
        self._started = started
        self._zone = zone
        self._timeline = Timeline(started)
        self._windows = self._lines = 0
        self._sum = Bucket()
        self._findings = FindingShelf()
        self._failed = 0
        self._failures: deque[Failure] = deque(maxlen=MAX_FAILURES)
        self._templates = TemplateTally()

    def add_window(
        self, at: float, lines: int, shown: int, condensed: int, dropped: int, templates: Sequence[TemplateCount]
    ) -> None:
        """A window of `lines`: of those so many are in a request as they are, in its counts, or not at all."""
        self._windows += 1
        self._lines += lines
        volume = Bucket(shown, condensed, dropped)
        self._sum.take_in(volume)
        self._timeline.at(at).take_in(volume)
        self._templates.add(templates, MAX_LINE)

    def add_finding(
        self, at: float, level: str, first: int | None, last: int | None, text: str, log: Sequence[str]
    ) -> int:
        """Returns its number, for `again`. `log` is the lines that it cites, as they were sent.

        Raises ValueError for a level that is not of LEVELS.
        """
        if level not in LEVELS:
            raise ValueError(f"no level: {level!r}")
        self._mark(at, level)
        lines = tuple(cut(line, MAX_LINE) for line in log[:MAX_LOG_LINES])
        return self._findings.add(
            Finding(at, level, first, last, cut(text, MAX_TEXT), lines, max(0, len(log) - MAX_LOG_LINES))
        )

    def again(self, finding: int, at: float, first: int | None, last: int | None) -> None:
        """A finding has come again. One that has fallen out since is just passed over."""
        known = self._findings.again(finding, at, first, last)
        if known is not None:
            self._mark(at, known.level)

    def add_failure(self, at: float, first: int, last: int, message: str) -> None:
        """A window has no answer."""
        self._failed += 1
        self._timeline.at(at).failures += 1
        self._failures.append(Failure(at, first, last, cut(message, MAX_MESSAGE)))

    def page(self, now: float, totals: Totals, *, ended: bool) -> str:
        """All of it as HTML, which holds no lone surrogate: to be written as UTF-8."""
        self._timeline.at(now)
        story = Story(
            title=self._title,
            started=self._started,
            now=now,
            ended=ended,
            windows=self._windows,
            lines=self._lines,
            shown=self._sum.shown,
            condensed=self._sum.condensed,
            dropped=self._sum.dropped,
            totals=totals,
            width=self._timeline.width,
            buckets=tuple(self._timeline.buckets),
            levels=self._findings.counts,
            findings=self._findings.in_order(),
            fallen=self._findings.fallen,
            failed=self._failed,
            failures=tuple(reversed(self._failures)),
            templates=self._templates.listed(),
            unlisted_lines=self._templates.unlisted_lines(),
        )
        return render(story, self._zone)

    def _mark(self, at: float, level: str) -> None:
        findings = self._timeline.at(at).findings
        findings[level] = findings.get(level, 0) + 1
