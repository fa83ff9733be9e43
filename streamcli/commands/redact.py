"""streamcli redact: standard input to standard output, secrets masked."""

import asyncio

from streamcli.commands.masking import telling_redactor
from streamcli.commands.runtime import Runtime
from streamcli.config import RedactSettings
from streamcli.core.redact_stream import RedactStream
from streamcli.errors import UsageError


async def run(runtime: Runtime, settings: RedactSettings) -> int:
    """Masks line by line to the end of input. What was masked is told at the end, however it comes."""
    if runtime.stdin_is_terminal:
        raise UsageError("there is nothing to redact: standard input is a terminal", "streamcli redact <app.log")
    now = asyncio.get_running_loop().time
    with telling_redactor(runtime, settings.redact_rules, pii=settings.pii) as redactor:
        stream = RedactStream(redactor)
        while chunk := await runtime.stdin.read():
            for masked in stream.feed(chunk, now()):
                await runtime.sink.write(masked)
        for masked in stream.flush():
            await runtime.sink.write(masked)
        if cut := stream.cut_lines:
            what = "1 line was too long to be masked, and is cut"
            runtime.notes.notice(what if cut == 1 else f"{cut} lines were too long to be masked, and are cut")
    return 0
