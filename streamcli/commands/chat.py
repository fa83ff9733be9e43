"""streamcli chat: one message, one answer; a turn of a conversation, or many; or with --each an answer a record.

On a terminal, without a message, a conversation is held there.
"""

from streamcli.commands.attachments import check_names, read_attachments, reading
from streamcli.commands.batch import answer_each
from streamcli.commands.runtime import Runtime
from streamcli.commands.single import answer_one
from streamcli.config import ChatSettings
from streamcli.core.models import is_embedded
from streamcli.errors import UsageError


async def run(runtime: Runtime, settings: ChatSettings) -> int:
    """The answer as it comes."""
    check_names(runtime, settings)
    is_session = settings.session is not None or settings.goes_on
    if settings.each and (is_session or settings.converse):
        raise UsageError("--each asks each record for itself: a conversation makes no sense with it")
    if settings.each:
        return await answer_each(runtime, settings, attached=await read_attachments(runtime, settings))
    if _is_talk(runtime, settings):
        # What it needs is not imported for anything else.
        from streamcli.commands.talk import talk

        return await talk(runtime, settings)
    if is_session or settings.converse:
        from streamcli.commands import converse

        return await (converse.converse if settings.converse else converse.answer_in_session)(runtime, settings)
    # A file that an embedded model does not take is told before that is loaded; a server is met meanwhile.
    attached = await read_attachments(runtime, settings) if is_embedded(settings.model) else None
    return await answer_one(runtime, settings, read=reading(attached, settings))


def _is_talk(runtime: Runtime, settings: ChatSettings) -> bool:
    """Whether somebody sits at both ends, and has asked nothing yet."""
    at_terminal = runtime.stdin_is_terminal and runtime.stdout_is_terminal
    wants_answers = settings.asks and settings.read_stdin and not settings.prompt
    return at_terminal and wants_answers and not settings.converse
