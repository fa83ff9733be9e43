"""A progress bar on stderr, for what takes minutes: fetching a model's weights."""

from typing import TYPE_CHECKING, Self

from streamcli.edge.notes import Notes

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


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
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    # auto_refresh would start a thread; the fetch calls often enough.
    console = Console(stderr=True)
    bar = Progress(
        *columns, console=console, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False
    )
    bar.start()
    console.show_cursor(True)  # a second ^C could leave the terminal without one
    return bar, bar.add_task("", total=total)
