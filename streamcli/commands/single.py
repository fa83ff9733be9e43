"""One message, one answer: what chat and gen have in common."""

from collections.abc import Callable

from streamcli.commands.answer import build_request
from streamcli.commands.asking import asking
from streamcli.commands.delivery import Delivery, Output
from streamcli.commands.message import check_there_is_input, read_message, read_system
from streamcli.commands.runtime import Runtime
from streamcli.config import MessageSettings


async def answer_one(runtime: Runtime, settings: MessageSettings, *, code_only: bool) -> int:
    """Reads the message, asks, delivers. Returns 0; raises StreamcliError for anything else."""
    check_there_is_input(runtime, settings)
    system = read_system(settings)
    output = Output(runtime, settings)

    def open_outlet(before_write: Callable[[], None]) -> Delivery:
        return Delivery(output, settings, before_write, code_only=code_only)

    async with asking(runtime, settings) as asked:
        message = await asked.unless_it_fails(read_message(runtime, settings))
        ask = await asked.ready
        await ask(build_request(settings, system, message), open_outlet, lambda: False, runtime.notes)
        asked.all_is_done = True
    return 0
