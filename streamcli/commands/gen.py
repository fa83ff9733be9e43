"""streamcli gen: one task, and of the answer only the code."""

from streamcli.commands.runtime import Runtime
from streamcli.commands.single import answer_one
from streamcli.config import Settings


async def run(runtime: Runtime, settings: Settings) -> int:
    """The code as it comes, without its fence."""
    return await answer_one(runtime, settings, code_only=True)
