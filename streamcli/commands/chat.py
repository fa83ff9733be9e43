"""streamcli chat: one message, one answer; or with --each as many as stdin has records."""

from streamcli.commands.attachments import check_names, read_attachments, reading
from streamcli.commands.batch import answer_each
from streamcli.commands.runtime import Runtime
from streamcli.commands.single import answer_one
from streamcli.config import ChatSettings
from streamcli.core.models import is_embedded


async def run(runtime: Runtime, settings: ChatSettings) -> int:
    """The answer as it comes."""
    check_names(runtime, settings)
    if settings.each:
        return await answer_each(runtime, settings, attached=await read_attachments(runtime, settings))
    # A file that an embedded model does not take is told before that is loaded; a server is met meanwhile.
    attached = await read_attachments(runtime, settings) if is_embedded(settings.model) else None
    return await answer_one(runtime, settings, read=reading(attached, settings))
