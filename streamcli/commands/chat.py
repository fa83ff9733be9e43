"""streamcli chat: one message, one answer."""

from streamcli.commands.runtime import Runtime
from streamcli.commands.single import answer_one
from streamcli.config import Settings


async def run(runtime: Runtime, settings: Settings) -> int:
    """The answer as it comes."""
    return await answer_one(runtime, settings, code_only=False)
