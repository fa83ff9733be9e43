"""chat with a conversation: one turn of a session; or with --converse as many as standard input has lines."""

from streamcli.commands.conversing import check_session, conversing
from streamcli.commands.delivery import Delivery, Output
from streamcli.commands.message import check_there_is_input, read_message
from streamcli.commands.runtime import Runtime
from streamcli.config import ChatSettings


async def answer_in_session(runtime: Runtime, settings: ChatSettings) -> int:
    """One message, asked with what was said before, and kept with its answer. Returns 0; raises StreamcliError."""
    check_session(settings)
    check_there_is_input(runtime, settings)
    async with conversing(runtime, settings) as talk:
        settings, asked = talk.settings, talk.asked
        output = Output(runtime, settings)
        message = await asked.unless_it_fails(read_message(runtime, settings))
        ask = await asked.ready
        await talk.conversation.turn(
            message, ask, lambda page: Delivery(output, settings, page.commit), lambda: False, runtime.notes
        )
        asked.all_is_done = True
    return 0


async def converse(runtime: Runtime, settings: ChatSettings) -> int:
    """To come."""
    raise NotImplementedError
