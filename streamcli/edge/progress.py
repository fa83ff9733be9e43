"""Progress on stderr, for what takes minutes: fetching a model's weights, many answers."""

import time
from typing import TYPE_CHECKING, Self

from streamcli.edge.notes import Notes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.progress import Progress, ProgressColumn, TaskID


# Seconds between two drawings of the count.
REDRAW = 0.1


class FetchBar:
    """Called with the bytes done and the bytes in all. Shows nothing unless somebody may be looking.

    As a context it takes the bar off the terminal at its end, however it ends.
    """

    def __init__(self, notes: Notes) -> None:
        self._shown = notes.on_terminal() and not notes.quiet
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def __call__(self, done: int, total: int) -> None:
        if not self._shown:
            return
        if self._bar is None:
            self._bar, self._task = _start_bar(total)
        if self._task is not None:
            self._bar.update(self._task, completed=done, refresh=True)
        if done >= total:
            self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def _start_bar(total: int) -> "tuple[Progress, TaskID]":
    from rich.progress import BarColumn, DownloadColumn, TimeRemainingColumn, TransferSpeedColumn

    return _start((BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn()), total)


def _start(columns: "Sequence[ProgressColumn]", total: int | None) -> "tuple[Progress, TaskID]":
    from rich.console import Console
    from rich.progress import Progress

    # auto_refresh would start a thread; who uses the bar calls often enough.
    console = Console(stderr=True)
    bar = Progress(
        *columns, console=console, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False
    )
    _draw_on(bar)
    return bar, bar.add_task("", total=total)


class CountBar:
    """How many answers of a run are begun, done and failed; counted always, shown only where somebody may be looking.

    As a context it takes itself off the terminal at its end. A notice goes above it: see Notes.bar.
    """

    def __init__(self, notes: Notes, *, hidden: bool) -> None:
        self._notes = notes
        self._shown = not hidden and notes.on_terminal() and not notes.quiet
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._drawn_at = 0.0
        self.count = 0
        self.done = 0
        self.failed = 0
        self._total: int | None = None

    def begun(self) -> None:
        """One more is asked."""
        self.count += 1
        self._draw()

    def ended(self, *, failed: bool) -> None:
        """One has its result."""
        self.done += 1
        self.failed += failed
        self._draw()

    def all_are_read(self) -> None:
        """No more will begin than have, and one that is being handed over."""
        self._total = self.count

    def hide(self) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self) -> None:
        if self._bar is not None:
            _draw_on(self._bar)

    def __enter__(self) -> Self:
        if self._shown:
            self._bar, self._task = _start_count()
            self._notes.bar = self
        return self

    def __exit__(self, *_: object) -> None:
        self._notes.bar = None
        self.hide()
        self._bar = None

    def _draw(self) -> None:
        now = time.monotonic()
        if self._bar is None or self._task is None or now < self._drawn_at + REDRAW:
            return
        self._drawn_at = now
        failed = f", {self.failed} failed" if self.failed else ""
        text = f"{self.done} of {self.count} answered{failed}"
        self._bar.update(self._task, completed=self.done, total=self._total, description=text, refresh=True)


def _draw_on(bar: "Progress") -> None:
    bar.start()
    bar.console.show_cursor(True)  # a second ^C could leave the terminal without one


def _start_count() -> "tuple[Progress, TaskID]":
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn

    return _start((BarColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn()), None)
