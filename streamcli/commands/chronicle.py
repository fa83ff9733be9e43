"""What a run of analyze has done so far: windows, findings, failures; for its end, its report and its status line."""

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from streamcli.commands.reporting import Reporting
from streamcli.commands.runtime import Runtime
from streamcli.commands.watch import Watch
from streamcli.config import AnalyzeSettings
from streamcli.core.budget import Budget
from streamcli.core.events import Found, FoundAgain, Stats, Usage
from streamcli.core.findings import Again, Finding, Level, Tally
from streamcli.core.known import Known
from streamcli.core.window import Window
from streamcli.errors import BudgetSpent, StreamcliError

if TYPE_CHECKING:
    from streamcli.core.report import Totals

_WAYS = ("shown", "condensed", "dropped")


class Chronicle:
    """`statuses` are those that occurred; `known` are the findings that the next window is told of."""

    def __init__(self, runtime: Runtime, settings: AnalyzeSettings, watch: Watch, masked: Mapping[str, int]) -> None:
        self._notes = runtime.notes
        self._watch = watch
        self._masked = masked
        self._fail_on = Level[settings.fail_on] if settings.fail_on else None
        self._tally = Tally()
        self._counts: Counter[str] = Counter()
        self.known = Known(settings.context)
        self.statuses: set[int] = set()
        self.budget: Budget | None = None
        self.report = Reporting(settings.report, runtime.notes, self._totals) if settings.report else None

    def sent(self, window: Window) -> None:
        """A window goes out."""
        content = window.content
        self._counts["windows"] += 1
        said = [f"{count} {what}" for what in _WAYS if (count := getattr(content, what))]
        self._notes.detail(f"lines {window.first} to {window.last}: {', '.join(said)}")
        if self.report is not None:
            self.report.window(content)

    def answered(self, window: Window) -> None:
        """It has its answer: its lines are analysed."""
        for what in ("lines", *_WAYS):
            self._counts[what] += getattr(window.content, what)
        self.statuses.add(0)
        self._watch.in_hand -= window.lines

    def found(self, found: Finding | Again, window: Window, text: str) -> Found | FoundAgain:
        """A finding is shown; `text` is its text for the user. The event for it."""
        self._tally.add(found)
        if isinstance(found, Again):
            self.known.again(found.number, window.number)
            if self.report is not None:
                self.report.again(found.number, found.first, found.last)
            return FoundAgain(found.number, found.first, found.last)
        if self._fail_on is not None and found.level >= self._fail_on:
            self.statuses.add(3)
        number = self.known.add(found, window.number)
        level = found.level.name
        if self.report is not None:
            self.report.finding(number, level, found.first, found.last, text, window.content)
        return Found(number, level, found.first, found.last, text)

    def failed(self, error: StreamcliError, window: Window) -> None:
        """A window has no answer, or none that is whole."""
        self._notes.error(error, f"lines {window.first} to {window.last}")
        self._counts["failed"] += 1
        if not isinstance(error, BudgetSpent):  # for which nothing was asked: those lines are told of at the end
            self._counts["failed_lines"] += window.lines
            self._watch.in_hand -= window.lines
        if self.report is not None:
            self.report.failure(window.first, window.last, error.message)

    def say_unanalysed(self) -> None:
        """Says how many lines were read in vain, if there are any."""
        if lines := self._watch.unanalysed():
            self._notes.notice(f"{lines} lines were read but not analysed")

    def say_end(self) -> None:
        """Whatever the model was not shown as it was is counted and said."""
        counts = self._counts
        if counts["condensed"] or counts["dropped"]:
            parts = [f"{counts['shown']} shown as they were", f"{counts['condensed']} condensed"]
            parts.append(f"{counts['dropped']} dropped")
            answered = counts["windows"] - counts["failed"]
            windows = f"{answered} window{'s' if answered > 1 else ''}"
            self._notes.notice(f"{counts['lines']} lines in {windows}: {', '.join(parts)}")
        if clause := self._tally.clause():
            self._notes.detail(f"findings: {clause}")
        self.say_unanalysed()

    def stats(self) -> Stats:
        """The run as an event."""
        counts = self._counts
        return Stats(
            self._watch.lines,
            counts["shown"],
            counts["condensed"],
            counts["dropped"] + self._watch.blank,
            self._unanalysed,
            counts["windows"],
            counts["failed"],
            self._tally.by_level(),
            self._tally.again,
            **self._spent(),
        )

    @property
    def windows(self) -> int:
        return self._counts["windows"]

    @property
    def dropped(self) -> int:
        """Lines."""
        return self._counts["dropped"]

    @property
    def _unanalysed(self) -> int:
        """Lines of windows that failed, too."""
        return self._watch.unanalysed() + self._counts["failed_lines"]

    def _spent(self) -> dict[str, Any]:
        """What was masked, and what was used, as Stats and a report have it."""
        usage = self.budget.usage if self.budget else Usage()
        return {
            "masked": {kind: count for kind, count in self._masked.items() if count},
            "input_tokens": usage.tokens - usage.output_tokens,
            "output_tokens": usage.output_tokens,
            "cost": self.budget.cost if self.budget else None,
        }

    def _totals(self) -> "Totals":
        from streamcli.core.report import Totals

        return Totals(requests=self.windows, unanalysed=self._unanalysed, **self._spent())
