"""One message, one answer: what chat and gen have in common."""

from collections.abc import Callable

from streamcli.commands.answer import build_request
from streamcli.commands.asking import asking
from streamcli.commands.delivery import CodeFilter, Delivery, Output
from streamcli.commands.journal import Page
from streamcli.commands.message import check_there_is_input, read_message, read_system
from streamcli.commands.runtime import Runtime
from streamcli.config import MessageSettings


async def answer_one(
    runtime: Runtime,
    settings: MessageSettings,
    make_filter: Callable[[], CodeFilter] | None = None,
    system: str | None = None,
) -> int:
    """Reads the message, asks, delivers what `make_filter` lets through. Returns 0; raises StreamcliError.

    `system` is the system prompt, where that is not the user's or the verb's own.
    """
    check_there_is_input(runtime, settings)
    system = read_system(settings) if system is None else system
    output = Output(runtime, settings)

    def open_outlet(page: Page) -> Delivery:
        return Delivery(output, settings, page.commit, make_filter)

    async with asking(runtime, settings) as asked:
        message = await asked.unless_it_fails(read_message(runtime, settings))
        ask = await asked.ready
        await ask(build_request(settings, system, message), open_outlet, lambda: False, runtime.notes)
        asked.all_is_done = True
    return 0
