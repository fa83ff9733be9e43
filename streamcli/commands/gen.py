"""streamcli gen: one task, and of the answer only the code; or with --each as many as stdin has records."""

from streamcli.commands.batch import answer_each
from streamcli.commands.runtime import Runtime
from streamcli.commands.single import answer_one
from streamcli.config import MessageSettings


async def run(runtime: Runtime, settings: MessageSettings) -> int:
    """The code as it comes, without its fence."""
    answer = answer_each if settings.each else answer_one
    return await answer(runtime, settings, code_only=True)
