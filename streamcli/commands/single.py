"""One message, one answer: what chat and gen have in common."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from streamcli.commands.answer import build_request
from streamcli.commands.asking import asking
from streamcli.commands.delivery import CodeFilter, Delivery, Output
from streamcli.commands.journal import Page
from streamcli.commands.message import check_there_is_input, read_message, read_system
from streamcli.commands.runtime import Runtime
from streamcli.config import MessageSettings
from streamcli.core.content import Content
from streamcli.core.events import Failed
from streamcli.edge.secrets import mask
from streamcli.errors import StreamcliError


async def answer_one(
    runtime: Runtime,
    settings: MessageSettings,
    make_filter: Callable[[], CodeFilter] | None = None,
    system: str | None = None,
    check: Callable[[], Awaitable[None]] | None = None,
    read: Callable[[Runtime, MessageSettings], Coroutine[Any, Any, Content]] = read_message,
) -> int:
    """Gets the message by `read`, asks, delivers what `make_filter` lets through. Returns 0; raises StreamcliError.

    `system` is the system prompt, where that is not the user's or the verb's own. `check` raises StreamcliError for
    an answer that is whole and not good: it is not kept, then.
    """
    check_there_is_input(runtime, settings)
    system = read_system(settings) if system is None else system
    output = Output(runtime, settings)

    pages: list[Page] = []

    def open_outlet(page: Page) -> Delivery:
        pages[:] = [page]
        return Delivery(output, page.commit, make_filter)

    async with asking(runtime, settings) as asked:
        message = await asked.unless_it_fails(read(runtime, settings))
        ask = await asked.ready
        await ask(build_request(settings, system, message), open_outlet, lambda: False, runtime.notes)
        if settings.asks and check is not None:
            try:
                await check()
            except StreamcliError as error:
                pages[0].discard()
                failed = Failed(error.status, mask(error.message), error.hint, None)
                await output.sink.write(output.render([failed], asyncio.get_running_loop().time()))
                raise
        asked.all_is_done = True
    return 0
