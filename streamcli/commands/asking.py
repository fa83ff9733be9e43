"""What is to be done with a request (answer, count or only show it), made ready while stdin is read."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from streamcli.commands.answer import Answer, Desk, Notices, OpenOutlet, say_retry
from streamcli.commands.clients import Clients, settle
from streamcli.commands.costs import cost_of, usage_line
from streamcli.commands.journal import Journal, Keeping
from streamcli.commands.masking import telling_redactor
from streamcli.commands.runtime import Runtime
from streamcli.config import Settings
from streamcli.core.budget import Budget
from streamcli.core.content import map_text
from streamcli.core.events import AnswerEvent, Event, Retry, Usage
from streamcli.core.formats import count_as_text, request_as_json
from streamcli.core.limits import Pace, in_words
from streamcli.core.prompt import Request
from streamcli.core.resume import Resumption
from streamcli.errors import UsageError
from streamcli.net import attempts, sdk
from streamcli.net.gate import Gate

if TYPE_CHECKING:
    from streamcli.core.redact import Redactor

T = TypeVar("T")

Ask = Callable[[Request, OpenOutlet, Callable[[], bool], Notices], Awaitable[None]]
"""Takes a request, an outlet, a function that tells whether another answer may follow, and who is told of it.

Raises StreamcliError.
"""


@dataclass
class Asking:
    """`ready` gives the way to ask; `imported` is done when the SDK is imported, and that may be much earlier."""

    ready: "asyncio.Task[Ask]"
    imported: "asyncio.Task[Any]"
    desk: Desk | None = None
    """What its answers share; None where nothing is asked."""
    mask: Callable[[str], str] = str
    """What is left of a text when its secrets are masked, as they are in all that is asked; again, it changes nothing.
    """
    clients: Clients | None = None
    all_is_done: bool = False
    """Set by the command at its end: nothing is left that --resume could pick up."""

    def keeps(self) -> bool:
        """Whether there is a journal, for --resume to look into."""
        return self.desk is not None and self.desk.journal is not None and self.desk.journal.is_kept

    async def unless_it_fails(self, main: Coroutine[Any, Any, T]) -> T:
        """The result of `main`; but a client that cannot be had ends it at once, not when stdin has come to its end."""
        task = asyncio.create_task(main)
        try:
            await asyncio.wait({task, self.ready}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                await self.ready
            return await task
        finally:
            await settle(task)  # it may have something to give back first, the terminal for one

    async def use(self, model: str) -> None:
        """Makes ready for requests to another model. Raises StreamcliError; then the next request begins anew."""
        if self.desk is None or self.clients is None:
            return
        await _check_price(self.desk.settings, model)
        try:
            await self.clients.get(model)
        except BaseException:
            await self.clients.close()
            raise


@asynccontextmanager
async def asking(
    runtime: Runtime,
    settings: Settings,
    redactor: "Redactor | None" = None,
    *,
    many: bool = False,
    jobs: int = 1,
    keeps_answers: bool = False,
    journal: Journal | None = None,
) -> AsyncIterator[Asking]:
    """Begins to make ready; at the end stops the embedded server, if one was started.

    `many` says that there will be more than one request, `jobs` how many at once. With `keeps_answers` complete ones
    stay in the journal until all is done; a `journal` that is given is closed at the end as its own would be. All that
    is asked goes through `redactor`; without one it is made, if secrets are to be masked, and what it masked is told at
    the end.
    """
    async with AsyncExitStack() as stack:
        if settings.redact and redactor is None:
            redactor = stack.enter_context(telling_redactor(runtime, settings.redact_rules))
        mask = redactor.text if redactor else str
        imported = asyncio.create_task(_import_sdk(settings))
        stack.push_async_callback(settle, imported)
        if settings.dry_run:
            asked = Asking(asyncio.create_task(_now(_masking(_show(runtime), redactor))), imported, mask=mask)
            yield asked
            return
        clients = Clients(settings, runtime.notes, many=many)
        clients.begin(settings.model)
        stack.push_async_callback(clients.close)
        if journal is None and settings.asks:
            journal = Journal(runtime.notes, keeping(settings, of_run=keeps_answers))
        desk = _desk(runtime, settings, clients, jobs, journal)
        ready = asyncio.create_task(_ready(runtime, settings, desk, redactor))
        stack.push_async_callback(settle, ready)
        asked = Asking(ready, imported, desk, mask, clients)
        try:
            yield asked
        except asyncio.CancelledError:  # to be gone at once matters more than a tidy journal: the next run tidies it
            _say_usage(runtime, desk)
            raise
        except BaseException:
            _end(runtime, desk, all_is_done=False)
            raise
        else:
            _end(runtime, desk, all_is_done=asked.all_is_done)


def keeping(settings: Settings, *, of_run: bool = False) -> Keeping:
    """What stays of answers."""
    return Keeping(settings.cache, of_run, settings.keep_mb * 1_000_000, settings.keep_days * 86_400)


def _desk(runtime: Runtime, settings: Settings, clients: Clients, jobs: int, journal: Journal | None) -> Desk:
    def say_wait(seconds: float) -> None:
        runtime.notes.notice(f"the rate limit is reached: nothing is asked for {in_words(seconds)}")

    needs_prices = settings.usage or settings.needs_prices
    return Desk(
        clients.get,
        settings,
        journal,
        Gate(Pace(jobs), say_wait),
        Budget(settings.max_total_tokens, settings.max_cost, cost_of if needs_prices else lambda model, usage: None),
    )


async def _ready(runtime: Runtime, settings: Settings, desk: Desk, redactor: "Redactor | None") -> Ask:
    if settings.count_tokens:
        await desk.client(settings.model)
        return _masking(_count(desk, runtime), redactor)
    await _check_price(settings, settings.model)
    if not (settings.cache or settings.resume):  # those may do without a server
        await desk.client(settings.model)
    return _masking(_answer(desk), redactor)


async def _check_price(settings: Settings, model: str) -> None:
    if settings.needs_prices and await asyncio.to_thread(cost_of, model, Usage(1, 1)) is None:
        raise UsageError(f"no price is known for {model}", "--max-total-tokens needs none")


def _masking(ask: Ask, redactor: "Redactor | None") -> Ask:
    """The same, of what is left of a request when its secrets are masked."""
    if redactor is None:
        return ask
    mask = redactor.text

    async def ask_masked(request: Request, outlet: OpenOutlet, more: Callable[[], bool], notes: Notices) -> None:
        messages = tuple((role, map_text(content, mask)) for role, content in request.messages)
        await ask(replace(request, system=mask(request.system), messages=messages), outlet, more, notes)

    return ask_masked


def _say_usage(runtime: Runtime, desk: Desk) -> None:
    if desk.settings.usage and desk.settings.asks:
        budget = desk.budget
        runtime.notes.requested(usage_line(desk.settings.model, budget.usage, budget.cost))


def _end(runtime: Runtime, desk: Desk, *, all_is_done: bool) -> None:
    _say_usage(runtime, desk)
    if desk.journal is not None:
        desk.journal.close(done=all_is_done)


async def _now(ask: Ask) -> Ask:
    return ask


def _show(runtime: Runtime) -> Ask:
    async def show(request: Request, _outlet: OpenOutlet, _more: Callable[[], bool], _notes: Notices) -> None:
        await runtime.sink.write(request_as_json(request.params(), ascii_only=runtime.stdout_is_terminal))

    return show


def _count(desk: Desk, runtime: Runtime) -> Ask:
    settings = desk.settings

    async def count(request: Request, _outlet: OpenOutlet, _more: Callable[[], bool], notes: Notices) -> None:
        tokens = 0

        async def attempt(request: Request, accepted: attempts.Accepted) -> AsyncGenerator[list[Event], None]:
            nonlocal tokens
            client = await desk.client(request.model)
            tokens = await client.count_tokens(request.countable())
            accepted({})
            yield []

        terms = attempts.Terms(settings.retries, settings.timeout)
        await attempts.answer(attempt, _Retries(notes), Resumption(request), terms, desk.gate)
        await runtime.sink.write(count_as_text(tokens, as_json=settings.format == "json"))

    return count


class _Retries:
    """Where there is no text: the retries are said."""

    def __init__(self, notes: Notices) -> None:
        self._notes = notes

    def is_shown(self) -> bool:
        return False

    async def take(self, events: Sequence[AnswerEvent]) -> None:
        self.keep(events)

    def keep(self, events: Sequence[AnswerEvent]) -> None:
        for event in events:
            if isinstance(event, Retry):
                say_retry(self._notes, event)


def _answer(desk: Desk) -> Ask:
    async def answer(request: Request, outlet: OpenOutlet, more: Callable[[], bool], notes: Notices) -> None:
        await Answer(desk, request, outlet, notes).deliver(more)

    return answer


async def _import_sdk(settings: Settings) -> None:
    if not settings.dry_run:
        await asyncio.to_thread(sdk.load)
