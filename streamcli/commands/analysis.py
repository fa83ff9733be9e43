"""The windows of a watch and their answers: asked as the pace allows, shown in their order."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from streamcli.commands.answer import build_request
from streamcli.commands.asking import Asking
from streamcli.commands.chronicle import Chronicle
from streamcli.commands.delivery import Delivery, Output
from streamcli.commands.findings import Turn, WindowOutlet
from streamcli.commands.journal import Page
from streamcli.commands.message import read_system
from streamcli.commands.runtime import Runtime
from streamcli.commands.watch import Watch
from streamcli.config import AnalyzeSettings
from streamcli.core.allowance import Allowance
from streamcli.core.events import Found, FoundAgain, WindowSent
from streamcli.core.finding_filter import FindingFilter
from streamcli.core.findings import Again, Finding
from streamcli.core.limits import in_words
from streamcli.core.models import is_embedded
from streamcli.core.position import Mark
from streamcli.core.prompt import compose_window, sendable, window_question
from streamcli.core.secrets.pii import Restorer
from streamcli.core.window import Window
from streamcli.edge.status_line import StatusLine, Watching
from streamcli.errors import BudgetSpent, ConfigError, KeyRefused, RequestRefused, StreamcliError

if TYPE_CHECKING:
    from streamcli.core.redact import Redactor

# Seconds that answers under way have at ^C.
GRACE = 5.0
# Seconds; a shorter wait for the pace is not worth a word.
SAY_FROM = 3.0


class Analysis:
    """A run of analyze. What the `redactor` has masked by --pii, the answer shows again.

    `keep` is called with the mark of each window that has its answer, in their order.
    """

    def __init__(
        self,
        runtime: Runtime,
        settings: AnalyzeSettings,
        watch: Watch,
        chronicle: Chronicle,
        redactor: "Redactor | None",
        keep: Callable[[Mark], None],
    ) -> None:
        self._runtime = runtime
        self._settings = settings
        self._watch = watch
        self._chronicle = chronicle
        self._mask = redactor.text if redactor is not None else str
        self._pseudonyms = redactor.pseudonyms if redactor is not None and settings.pii else None
        self._keep = keep
        self._loop = asyncio.get_running_loop()
        self._output = Output(runtime, settings)
        self._system = read_system(settings)
        self._question = _question(settings)
        self._allowance = Allowance(settings.max_requests_per_minute, settings.budget_per_hour)
        self._tasks: set[asyncio.Task[None]] = set()
        self._interrupted = asyncio.Event()
        self._waits_said: set[str] = set()
        self._cost_counted = 0.0
        self._turn: Turn = self._loop.create_future()
        self._turn.set_result(None)

    async def run(self, asked: Asking) -> None:
        """Answers windows until the input ends, or it is interrupted, or another window would fare no better."""
        self._asked = asked
        self._ask = await asked.ready
        if asked.desk is not None:
            self._chronicle.budget = asked.desk.budget
        self._runtime.wind_down = self.interrupt
        hidden = self._runtime.stdout_is_terminal or not self._settings.asks
        async with AsyncExitStack() as stack:
            stack.enter_context(StatusLine(self._runtime.notes, self._look, hidden=hidden))
            if (report := self._chronicle.report) is not None:
                await stack.enter_async_context(report.writing())
            stack.push_async_callback(self._cancel)
            await self._answer_all()
        if self._settings.asks:
            self._chronicle.say_end()
            stats = self._output.render([self._chronicle.stats()], self._loop.time())
            if self._interrupted.is_set():  # nobody may be reading any more
                self._output.sink.push(stats)
            else:
                await self._output.sink.write(stats)

    async def _answer_all(self) -> None:
        while await self._has_a_slot():
            window = await self._watch.next_window(self._may_ask_at)
            if window is None:
                break
            self._begin(window)
        if self._interrupted.is_set():
            await self._wind_down()
        while self._tasks:
            await asyncio.wait(self._tasks)
            self._reap()

    def interrupt(self) -> None:
        """^C: no new request is opened, those under way have GRACE seconds."""
        self._watch.stop()
        self._interrupted.set()
        if any(not task.done() for task in self._tasks):
            self._runtime.notes.notice("the answer under way may come to its end; ^C again ends it at once")

    async def _wind_down(self) -> None:
        """After ^C: what is under way may end, and with --on-interrupt flush what waits is asked about too."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=GRACE)
            await self._cancel()
        if self._settings.on_interrupt == "flush" and (window := self._watch.last_window()):
            self._begin(window)

    async def _has_a_slot(self) -> bool:
        """Waits until another window may be asked about; False when the run is to end."""
        stop = asyncio.create_task(self._interrupted.wait())
        try:
            while len(self._tasks) >= self._settings.jobs and not stop.done():
                await asyncio.wait({*self._tasks, stop}, return_when=asyncio.FIRST_COMPLETED)
                self._reap()
        finally:
            stop.cancel()
        return not self._interrupted.is_set()

    def _may_ask_at(self, now: float) -> float:
        if self._asked.desk is None or not self._settings.asks:
            return now
        at = self._allowance.next_at(now)
        blocked = now + self._asked.desk.gate.blocked_for()  # of which the gate tells
        by_count = f"--max-requests-per-minute is {self._settings.max_requests_per_minute}"
        why = "--budget-per-hour is reached" if self._allowance.waits_for_money(now) else by_count
        if at > blocked and at - now > SAY_FROM and self._watch.pending and why not in self._waits_said:
            self._waits_said.add(why)
            self._runtime.notes.notice(f"{why}: the next window goes out in {in_words(at - now)}, and grows until then")
        return max(at, blocked)

    def _begin(self, window: Window) -> None:
        self._allowance.begin(self._loop.time())
        before, self._turn = self._turn, self._loop.create_future()
        self._tasks.add(asyncio.create_task(self._answer(window, before, self._turn)))

    async def _answer(self, window: Window, turn: Turn, done: Turn) -> None:
        """One window: its answer on the output, its status among the others."""
        self._chronicle.sent(window)
        context = self._chronicle.known.prompt(window.number)
        request = build_request(self._settings, self._system, compose_window(window, self._question, context))
        outlets: list[WindowOutlet] = []

        def open_outlet(page: Page) -> WindowOutlet:
            outlets[:] = [self._outlet(window, page, turn)]
            return outlets[0]

        try:
            await self._ask(
                request,
                open_outlet,
                self._more_may_come,
                self._runtime.notes,
            )
            self._chronicle.answered(window)
            self._keep(window.mark)
            if self._settings.fail_on and outlets and not outlets[0].is_understood:
                about = f"lines {window.first} to {window.last}"
                self._runtime.notes.notice(f"{about}: neither a finding nor an OK, so --fail-on has nothing to go by")
        except StreamcliError as error:
            self._fail(error, window)
        finally:
            self._pay()
            if not done.done():
                done.set_result(None)

    def _more_may_come(self) -> bool:
        if self._interrupted.is_set():
            return self._settings.on_interrupt == "flush" and self._watch.pending > 0
        return self._watch.more_may_come()

    def _outlet(self, window: Window, page: Page, turn: Turn) -> WindowOutlet:
        content, pseudonyms = window.content, self._pseudonyms
        counts = (content.lines, content.shown, content.condensed, content.dropped)
        return WindowOutlet(
            Delivery(self._output, page.commit),
            WindowSent(window.number, window.first, window.last, *counts),
            turn,
            lambda: FindingFilter(window.first, window.last, self._chronicle.known, skip_ok=self._settings.skip_ok),
            (lambda: Restorer(pseudonyms)) if pseudonyms is not None else None,
            lambda found: self._found(found, window),
            self._mask,
        )

    def _found(self, found: Finding | Again, window: Window) -> Found | FoundAgain:
        text = found.text
        return self._chronicle.found(found, window, self._pseudonyms.restored(text) if self._pseudonyms else text)

    def _fail(self, error: StreamcliError, window: Window) -> None:
        """The watch goes on, unless the next window would fare no better."""
        self._chronicle.failed(error, window)
        statuses = self._chronicle.statuses
        hopeless = isinstance(error, KeyRefused | ConfigError | BudgetSpent) or (
            isinstance(error, RequestRefused) and 0 not in statuses
        )
        statuses.add(error.status)
        if hopeless:
            self._watch.stop()

    def _pay(self) -> None:
        """What was spent since the last time delays the next window, if there is a budget for the hour."""
        if self._asked.desk is not None and (cost := self._asked.desk.budget.cost) is not None:
            self._allowance.spend(cost - self._cost_counted, self._loop.time())
            self._cost_counted = cost

    def _reap(self) -> None:
        for task in [task for task in self._tasks if task.done()]:
            self._tasks.discard(task)
            if not task.cancelled():
                task.result()

    async def _cancel(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        self._reap()

    def _look(self) -> Watching:
        now = self._loop.time()
        budget = self._chronicle.budget
        wait = self._allowance.next_at(now) - now
        return Watching(
            self._watch.lines,
            self._watch.pending,
            len(self._tasks),
            self._chronicle.windows,
            budget.tokens if budget else 0,
            budget.cost if budget else None,
            self._chronicle.dropped,
            wait if wait >= 1 and self._watch.pending else None,
        )


def _question(settings: AnalyzeSettings) -> str:
    is_read = bool(settings.fail_on or settings.skip_ok or settings.context or settings.report)
    return window_question(sendable(settings.prompt), embedded=is_embedded(settings.model), is_read=is_read)
