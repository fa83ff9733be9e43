"""What is to be done with a request (answer, count or only show it), made ready while stdin is read."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from streamcli.commands.answer import Answer, say_retry
from streamcli.commands.delivery import Output
from streamcli.commands.runtime import Runtime
from streamcli.config import Settings
from streamcli.core.events import Event, Retry
from streamcli.core.formats import count_as_text, request_as_json
from streamcli.core.models import is_embedded
from streamcli.core.prompt import Request
from streamcli.edge.notes import Notes
from streamcli.edge.progress import FetchBar
from streamcli.net import attempts, sdk
from streamcli.net.client import Client, connect, connect_embedded

T = TypeVar("T")

# Takes a request, and a function that tells whether another may follow. Raises StreamcliError.
Ask = Callable[[Request, Callable[[], bool]], Awaitable[None]]


@dataclass(frozen=True)
class Asking:
    """`ready` gives the way to ask; `imported` is done when the SDK is imported, and that may be much earlier."""

    ready: "asyncio.Task[Ask]"
    imported: "asyncio.Task[Any]"

    async def unless_it_fails(self, main: Coroutine[Any, Any, T]) -> T:
        """The result of `main`; but a client that cannot be had ends it at once, not when stdin has come to its end."""
        task = asyncio.create_task(main)
        try:
            await asyncio.wait({task, self.ready}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                await self.ready
            return await task
        finally:
            task.cancel()


@asynccontextmanager
async def asking(
    runtime: Runtime, settings: Settings, output: Output, *, code_only: bool = False
) -> AsyncIterator[Asking]:
    """Begins to make ready; at the end stops the embedded server, if one was started."""

    async def prepare() -> Ask:
        if settings.dry_run:
            return _show(runtime)
        client = await _open(settings, runtime.notes, stack)
        if settings.count_tokens:
            return _count(client, settings, runtime)
        return _answer(client, output, runtime.notes, settings, code_only=code_only)

    async with AsyncExitStack() as stack:
        imported = asyncio.create_task(_import_sdk(settings))
        ready = asyncio.create_task(prepare())
        stack.push_async_callback(_settle, ready)
        stack.push_async_callback(_settle, imported)
        yield Asking(ready, imported)


def _show(runtime: Runtime) -> Ask:
    async def show(request: Request, more: Callable[[], bool]) -> None:
        await runtime.sink.write(request_as_json(request.params(), ascii_only=runtime.stdout_is_terminal))

    return show


def _count(client: Client, settings: Settings, runtime: Runtime) -> Ask:
    async def count(request: Request, more: Callable[[], bool]) -> None:
        tokens = 0

        async def attempt() -> AsyncGenerator[list[Event], None]:
            nonlocal tokens
            tokens = await client.count_tokens(request.countable())
            yield []

        async def emit(events: Sequence[Event | Retry]) -> None:
            for event in events:
                if isinstance(event, Retry):
                    say_retry(runtime.notes, event)

        await attempts.answer(attempt, emit, retries=settings.retries, time_limit=settings.timeout)
        await runtime.sink.write(count_as_text(tokens, as_json=settings.format == "json"))

    return count


def _answer(client: Client, output: Output, notes: Notes, settings: Settings, *, code_only: bool) -> Ask:
    async def answer(request: Request, more: Callable[[], bool]) -> None:
        await Answer(client, output, notes, settings, code_only=code_only).deliver(request, more)

    return answer


async def _import_sdk(settings: Settings) -> None:
    if not settings.dry_run:
        await asyncio.to_thread(sdk.load)


async def _open(settings: Settings, notes: Notes, stack: AsyncExitStack) -> Client:
    timeouts = {"connect_timeout": settings.connect_timeout, "idle_timeout": settings.idle_timeout}
    if not is_embedded(settings.model):
        return await asyncio.to_thread(connect, settings.base_url, **timeouts)
    from streamcli.net.local import serve

    with FetchBar(notes) as progress:
        endpoint = await stack.enter_async_context(serve(settings.model, notes.notice, progress))
    return await asyncio.to_thread(connect_embedded, endpoint.base_url, endpoint.api_key, **timeouts)


async def _settle(task: "asyncio.Task[Any]") -> None:
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        task.exception()  # now it is seen: else asyncio complains of it
