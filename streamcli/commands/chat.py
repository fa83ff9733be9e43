"""streamcli chat: one message, one answer; or with --each as many as stdin has records."""

from streamcli.commands.batch import answer_each
from streamcli.commands.runtime import Runtime
from streamcli.commands.single import answer_one
from streamcli.config import MessageSettings


async def run(runtime: Runtime, settings: MessageSettings) -> int:
    """The answer as it comes."""
    return await (answer_each if settings.each else answer_one)(runtime, settings)
