"""chat with a conversation: one turn of a session; or with --converse as many as standard input has lines."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from streamcli.commands.asking import Ask
from streamcli.commands.attachments import read_attachments, reading
from streamcli.commands.conversing import Talk, check_session, conversing
from streamcli.commands.delivery import Delivery, Output
from streamcli.commands.journal import Page
from streamcli.commands.message import check_size, check_there_is_input, remind_of_silence
from streamcli.commands.runtime import Runtime
from streamcli.config import ChatSettings
from streamcli.core.attachments import with_attachments
from streamcli.core.content import Block
from streamcli.core.events import Failed, OutputEvent, TurnBegan, TurnEnded
from streamcli.core.prompt import sendable
from streamcli.core.records import Record, RecordSplitter, read_record
from streamcli.edge.secrets import mask
from streamcli.errors import BudgetSpent, ConfigError, KeyRefused, StreamcliError, UsageError, worst_status


async def answer_in_session(runtime: Runtime, settings: ChatSettings) -> int:
    """One message, asked with what was said before, and kept with its answer. Returns 0; raises StreamcliError."""
    check_session(settings)
    check_there_is_input(runtime, settings)
    async with conversing(runtime, settings) as talk:
        settings, asked = talk.settings, talk.asked
        output = Output(runtime, settings)
        message = await asked.unless_it_fails(reading(None, settings)(runtime, settings))
        ask = await asked.ready
        await talk.conversation.turn(
            message, ask, lambda page: Delivery(output, page.commit), lambda: False, runtime.notes
        )
        asked.all_is_done = True
    return 0


async def converse(runtime: Runtime, settings: ChatSettings) -> int:
    """A turn for the prompt, if there is one, then one for each line as it comes; the status is that of the worst."""
    check_session(settings)
    if not settings.read_stdin or runtime.stdin_is_terminal:
        raise UsageError("--converse reads its turns from standard input, a line each", "PROGRAM | streamcli chat ...")
    async with conversing(runtime, settings, many=True, forgets=True) as talk:
        lines = Lines(runtime, talk, await read_attachments(runtime, talk.settings))
        await lines.run(await talk.asked.ready)
        talk.asked.all_is_done = lines.statuses <= {0}
    return worst_status(lines.statuses)


class Lines:
    """One after the other. A line that is not answered yet is not followed by another read: the writer waits."""

    def __init__(self, runtime: Runtime, talk: Talk, attached: Sequence[Block]) -> None:
        self._runtime = runtime
        self._talk = talk
        self._settings = talk.settings
        self._output = Output(runtime, talk.settings)
        self._attached = attached  # files, for the first turn that is answered
        self._count = 0
        self._is_told = False  # whether an error of the turn is on stdout already, or will be
        self.statuses: set[int] = set()

    async def run(self, ask: Ask) -> None:
        """Until the input ends, or nothing more can be asked. One turn that fails is not the end."""
        try:
            async with aclosing(self._records()) as records:
                async for record in records:
                    error = await self._turn(ask, record)
                    self.statuses.add(error.status if error else 0)
                    if isinstance(error, BudgetSpent | KeyRefused | ConfigError):
                        return
        except StreamcliError as failure:  # the input cannot be read
            self._runtime.notes.error(failure)
            self.statuses.add(failure.status)

    async def _records(self) -> AsyncGenerator[Record, None]:
        if self._settings.prompt.strip():
            yield Record(0, sendable(self._settings.prompt).encode())
        splitter = RecordSplitter("lines")
        remind = remind_of_silence(self._runtime)
        try:
            while chunk := await self._runtime.stdin.read():
                remind.cancel()
                for record in splitter.feed(chunk, 0.0):
                    yield record
        finally:
            remind.cancel()
        for record in splitter.flush():
            yield record

    async def _turn(self, ask: Ask, record: Record) -> StreamcliError | None:
        self._count += 1
        self._is_told = False
        error = None
        await self._write(TurnBegan(self._count))
        try:
            question = with_attachments(self._attached, read_record(record, "lines").text)
            check_size(question)
            await self._talk.conversation.turn(question, ask, self._open, lambda: True, self._runtime.notes)
            self._attached = ()
        except StreamcliError as failure:
            error = failure
            self._runtime.notes.error(error)
            if not self._is_told:
                await self._write(Failed(error.status, mask(error.message), error.hint, error.request_id))
        await self._write(TurnEnded(self._count, error.status if error else 0))
        return error

    def _open(self, page: Page) -> Delivery:
        self._is_told = True
        return Delivery(self._output, page.commit)

    async def _write(self, event: OutputEvent) -> None:
        if self._settings.asks:
            now = asyncio.get_running_loop().time()
            await self._output.sink.write(self._output.render([event], now))
