"""The turns of a conversation on a terminal: each may be stopped by ^C, and fail, and the conversation goes on."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any

from streamcli.commands.asking import Asking
from streamcli.commands.conversation import Conversation
from streamcli.commands.costs import cost_of
from streamcli.commands.delivery import Delivery, Output
from streamcli.commands.journal import Page
from streamcli.commands.message import check_size
from streamcli.commands.runtime import Runtime
from streamcli.config import Settings
from streamcli.core.attachments import with_attachments
from streamcli.core.content import Block, Content
from streamcli.core.events import AnswerEnded, Usage
from streamcli.edge.screen import is_dumb
from streamcli.edge.terminal import Terminal
from streamcli.errors import StreamcliError

# Seconds in which a second ^C is the same as the first: people press it twice.
ONE_PRESS = 0.5


class Turns:
    """Asks, one question at a time."""

    def __init__(
        self,
        runtime: Runtime,
        settings: Settings,
        asked: Asking,
        conversation: Conversation,
        terminal: Terminal,
    ) -> None:
        self._runtime = runtime
        self._asked = asked
        self._conversation = conversation
        self._terminal = terminal
        self._output = Output(runtime, settings)
        self._task: asyncio.Task[Any] | None = None
        self._stopped_at: float | None = None
        self._used: list[tuple[str, Usage]] = []
        self._attached: list[Block] = []
        self._failed: _Failed | None = None  # the last question, if it is no part of the conversation

    def attach(self, blocks: Sequence[Block]) -> None:
        """These go along with what is typed next."""
        self._attached += blocks

    @property
    def attached(self) -> Sequence[str]:
        """The names of those files."""
        return [block.name or "" for block in self._attached]

    def detach(self) -> int:
        """None goes along after all. Returns how many did."""
        count = len(self._attached)
        self._attached.clear()
        if self._failed is not None:
            self._failed = replace(self._failed, files=0)
        return count

    async def ask_typed(self, message: str) -> None:
        """Asks, with the files that were attached. What goes wrong is said; raises StreamcliError without a client."""
        await self._ask_new(_Failed(with_attachments(self._attached, message), len(self._attached)))

    async def ask_again(self) -> None:
        """As `ask_typed`, the last question: also one that failed."""
        if self._failed is not None:
            await self._ask_new(self._failed)
        else:
            await self._ask(self._turn(None))

    async def _ask_new(self, question: "_Failed") -> None:
        """Until it is a part of the conversation it is one that failed, and its files are still to go along."""
        self._failed = question
        await self._ask(self._turn(question.content))
        if self._conversation.was_kept:
            del self._attached[: question.files]
            self._failed = None

    def forget(self) -> None:
        """The conversation begins anew: nothing that was to be asked is left."""
        self._attached.clear()
        self._failed = None

    async def _ask(self, turn: Coroutine[Any, Any, None]) -> None:
        try:
            is_whole = await self.stoppable(turn)
        except StreamcliError as error:
            if error is _failure(self._asked.ready):
                raise
            self._runtime.notes.error(error)
            return
        if not is_whole:
            await self._end_line()
            self._say_interrupted()
        elif not self._conversation.was_kept:
            self._runtime.notes.notice("the answer has no words: what there was before stays")
        elif not self._conversation.exchanges[-1].answer.strip():
            self._runtime.notes.notice("the answer has no words")

    async def stoppable(self, work: Coroutine[Any, Any, None]) -> bool:
        """Whether `work` came to its end: ^C stops it, and only it. Raises what it raises."""
        task = self._task = asyncio.create_task(work)
        if self._stopped_at is not None:  # while it was not begun yet
            task.cancel()
        try:
            with self._terminal.between_prompts(self._output.staging.screen):
                await asyncio.wait({task})
        except asyncio.CancelledError:  # the whole run ends
            self._terminal.give_back()
            task.cancel()
            if self._stopped_at is None:  # else it does not listen
                await asyncio.wait({task})
            raise
        finally:
            self._task = self._stopped_at = None
        if task.cancelled():
            return False
        task.result()
        return True

    def begin(self) -> None:
        """Something new was typed."""
        self._stopped_at = None

    def interrupt(self) -> bool:
        """SIGINT while no prompt is there: stops what runs, unless that was tried before and led to nothing."""
        now = asyncio.get_running_loop().time()
        if self._stopped_at is not None:
            return now < self._stopped_at + ONE_PRESS
        self._stopped_at = now
        self._terminal.forget_typed()
        if self._task is not None:
            self._task.cancel()
        return True

    def used(self) -> tuple[Usage, float | None]:
        """What this run has used so far, and its price in US dollars; None where one is not known."""
        usage = sum((used for _, used in self._used), Usage())
        costs = [cost_of(model, used) for model, used in self._used]
        known = [cost for cost in costs if cost is not None]
        return usage, sum(known) if len(known) == len(costs) else None

    async def _turn(self, question: Content | None) -> None:
        """None is the last one, again."""
        self._conversation.was_kept = False
        if question is not None:
            check_size(question)
        ask = await asyncio.shield(self._asked.ready)
        desk = self._asked.desk
        assert desk is not None
        before, model = desk.budget.usage, self._conversation.model
        try:
            if question is None:
                await self._conversation.turn_again(ask, self._deliver, lambda: False, self._runtime.notes)
            else:
                await self._conversation.turn(question, ask, self._deliver, lambda: False, self._runtime.notes)
        finally:
            if (used := desk.budget.usage - before) != Usage():
                self._used.append((model, used))

    def _deliver(self, page: Page) -> Delivery:
        return Delivery(self._output, page.commit)

    async def _end_line(self) -> None:
        now = asyncio.get_running_loop().time()
        end = self._output.render([AnswerEnded(False)], now)
        await self._runtime.sink.write(b"\n" if is_dumb() else end)  # such a terminal has echoed a "^C"
        await self._runtime.sink.drain()

    def _say_interrupted(self) -> None:
        conversation = self._conversation
        if conversation.was_kept and conversation.exchanges[-1].answer:
            self._runtime.notes.notice("interrupted: the answer is kept as far as it came")
        else:
            self._runtime.notes.notice("interrupted: there is no answer")


@dataclass(frozen=True, slots=True)
class _Failed:
    """A question of which nothing came, and how many of the files that are attached it has."""

    content: Content
    files: int


def _failure(task: "asyncio.Task[Any]") -> BaseException | None:
    return task.exception() if task.done() and not task.cancelled() else None
