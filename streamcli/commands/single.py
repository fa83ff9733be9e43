"""One message, one answer: what chat and gen have in common."""

from streamcli.commands.answer import build_request
from streamcli.commands.asking import asking
from streamcli.commands.delivery import Output
from streamcli.commands.message import check_there_is_input, read_message, read_system
from streamcli.commands.runtime import Runtime
from streamcli.config import Settings


async def answer_one(runtime: Runtime, settings: Settings, *, code_only: bool) -> int:
    """Reads the message, asks, delivers. Returns 0; raises StreamcliError for anything else."""
    check_there_is_input(runtime, settings)
    system = read_system(settings)
    async with asking(runtime, settings, Output(runtime, settings), code_only=code_only) as asked:
        message = await asked.unless_it_fails(read_message(runtime, settings))
        ask = await asked.ready
        await ask(build_request(settings, system, message), lambda: False)
    return 0
