"""streamcli analyze: windows of a live stream, and an answer to each while the pipe stays open."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from streamcli.commands.answer import build_request
from streamcli.commands.asking import asking
from streamcli.commands.delivery import Delivery, Output
from streamcli.commands.journal import Page
from streamcli.commands.message import read_system, remind_of_silence
from streamcli.commands.runtime import Runtime
from streamcli.config import AnalyzeSettings
from streamcli.core.events import WindowSent
from streamcli.core.lines import LineSplitter
from streamcli.core.prompt import compose_window, sendable
from streamcli.core.window import CHARS_PER_TOKEN, Window, WindowBuilder, WindowPolicy
from streamcli.edge.signals import DeathBySignal
from streamcli.errors import (
    BudgetSpent,
    ConfigError,
    KeyRefused,
    RequestRefused,
    StreamcliError,
    UsageError,
    worst_status,
)

# Seconds between reads once a window is over its budget: a flood leaves the processor to the answer.
PAUSE_WHEN_FULL = 0.005


class Watch:
    """Lines as they come in, and windows as they close."""

    def __init__(self, runtime: Runtime, settings: AnalyzeSettings) -> None:
        self._runtime = runtime
        self._loop = asyncio.get_running_loop()
        self._splitter = LineSplitter()
        budget = settings.window_limit * CHARS_PER_TOKEN
        self._builder = WindowBuilder(WindowPolicy(settings.lines, settings.every, settings.idle, budget))
        self._changed = asyncio.Event()
        self._in_hand = 0
        self.may_cut = asyncio.Event()
        """Until it is set, a full window makes the producer wait."""
        self.failure: StreamcliError | None = None
        """Why stdin ended early, if it did."""

    async def read(self) -> None:
        """Reads to the end of input; what comes during an answer is the next window."""
        remind = remind_of_silence(self._runtime)
        try:
            while chunk := await self._runtime.stdin.read():
                remind.cancel()
                now = self._loop.time()
                self._builder.add(self._splitter.feed(chunk, now), now)
                self._changed.set()
                if self._builder.is_full:
                    await self.may_cut.wait()
                    await asyncio.sleep(PAUSE_WHEN_FULL)
        except StreamcliError as error:
            self.failure = error
        finally:
            remind.cancel()
            self._builder.add(self._splitter.flush(), self._loop.time())
            self._builder.end()
            self._changed.set()

    async def has_lines(self) -> bool:
        """Waits for a first line; False if there is none."""
        while not self._builder.pending and not self._builder.ended:
            await self._change(None)
        return self._builder.pending > 0

    async def next_window(self) -> Window | None:
        """Waits for the next window that has something in it to close; None at the end of input.

        Asking for it says that the last one is dealt with.
        """
        while True:
            self._in_hand = 0
            window = self._builder.take(self._loop.time())
            if window is not None:
                self._in_hand = window.lines
                if not window.is_blank():
                    return window
            elif self._builder.ended:
                return None
            else:
                await self._change(self._builder.deadline())

    def more_may_come(self) -> bool:
        """Whether there may be another window after the one that was taken."""
        return self._builder.pending > 0 or not self._builder.ended

    def unanalysed(self) -> int:
        """Lines that were read and are not dealt with."""
        return self._builder.pending + self._in_hand

    async def _change(self, deadline: float | None) -> None:
        self._changed.clear()
        try:
            async with asyncio.timeout_at(deadline):
                await self._changed.wait()
        except TimeoutError:
            return


async def run(runtime: Runtime, settings: AnalyzeSettings) -> int:
    """Answers window by window; the status is that of the worst."""
    if not settings.read_stdin:
        raise UsageError("analyze reads standard input: -n makes no sense")
    if runtime.stdin_is_terminal:
        raise UsageError("there is no log to analyze: standard input is a terminal", "tail -f LOG | streamcli analyze")
    watch = Watch(runtime, settings)
    try:
        async with _reading(watch):
            statuses = await _answer_windows(runtime, settings, watch)
    except asyncio.CancelledError:
        if isinstance(runtime.ending, DeathBySignal) and not runtime.ending.is_broken_pipe():
            _say_unanalysed(runtime, watch)
        raise
    if watch.failure is not None:
        runtime.notes.error(watch.failure)
        statuses.add(watch.failure.status)
    return worst_status(statuses)


async def _answer_windows(runtime: Runtime, settings: AnalyzeSettings, watch: Watch) -> set[int]:
    """The statuses that occurred."""
    statuses: set[int] = set()
    system, prompt = read_system(settings), sendable(settings.prompt)
    output = Output(runtime, settings)

    def open_outlet(page: Page) -> Delivery:
        return Delivery(output, settings, page.commit)

    async with asking(runtime, settings, many=True) as asked:
        # Flat-out reading would starve the import that the first answer waits for.
        asked.imported.add_done_callback(lambda _: watch.may_cut.set())
        if not await asked.unless_it_fails(watch.has_lines()):
            return statuses
        ask = await asked.ready
        while (window := await watch.next_window()) is not None:
            if settings.asks:
                await _announce(runtime, output, window)
            try:
                request = build_request(settings, system, compose_window(window, prompt))
                await ask(request, open_outlet, watch.more_may_come, runtime.notes)
                statuses.add(0)
            except StreamcliError as error:
                runtime.notes.error(error, f"lines {window.first} to {window.last}")
                hopeless = _is_hopeless(error, statuses)
                statuses.add(error.status)
                if hopeless:
                    _say_unanalysed(runtime, watch)
                    break
    return statuses


@asynccontextmanager
async def _reading(watch: Watch) -> AsyncIterator[None]:
    reader = asyncio.create_task(watch.read())
    try:
        yield
    finally:
        reader.cancel()
        await asyncio.wait({reader})
        if not reader.cancelled():
            reader.result()


def _is_hopeless(error: StreamcliError, statuses: set[int]) -> bool:
    """Whether the next window would fare no better: the key, a setting, the budget, or a first request refused."""
    return isinstance(error, KeyRefused | ConfigError | BudgetSpent) or (
        isinstance(error, RequestRefused) and 0 not in statuses
    )


async def _announce(runtime: Runtime, output: Output, window: Window) -> None:
    about = f"lines {window.first} to {window.last}"
    if window.cut:
        runtime.notes.notice(f"{about}: {window.cut} of {window.lines} cut to fit --window-tokens")
    else:
        runtime.notes.detail(about)
    sent = WindowSent(window.number, window.first, window.last, window.lines, window.cut)
    await output.sink.write(output.render([sent], asyncio.get_running_loop().time()))


def _say_unanalysed(runtime: Runtime, watch: Watch) -> None:
    if lines := watch.unanalysed():
        runtime.notes.notice(f"{lines} lines were read but not analysed")
