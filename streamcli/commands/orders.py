"""What the commands of a conversation do: those of core/slash.py. What they show goes where the answers do."""

import asyncio
import os
import shlex
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from typing import Any, TypeVar

from streamcli.commands.asking import Asking
from streamcli.commands.attachments import read_attachments
from streamcli.commands.conversation import Conversation
from streamcli.commands.costs import usage_line
from streamcli.commands.message import read_system
from streamcli.commands.paths import typed_path
from streamcli.commands.runtime import Runtime
from streamcli.commands.turns import Turns
from streamcli.config import ChatSettings
from streamcli.core.content import as_text
from streamcli.core.prompt import SYSTEM_PROMPTS, sendable
from streamcli.core.sanitize import one_line, sanitize
from streamcli.core.slash import HELP, Command
from streamcli.core.transcript import as_markdown
from streamcli.errors import CannotCreate, InputError, StreamcliError

T = TypeVar("T")

# A session without a name is called by when it was begun.
_NAME_FORM = "%Y-%m-%d-%H%M%S"


class _Stopped(Exception):
    """^C."""


class Orders:
    """Carries them out; each is given what stands after its name."""

    def __init__(
        self, runtime: Runtime, settings: ChatSettings, asked: Asking, conversation: Conversation, turns: Turns
    ) -> None:
        self._runtime = runtime
        self._settings = settings
        self._asked = asked
        self._conversation = conversation
        self._turns = turns
        self._actions: dict[str, Callable[[str], Awaitable[None]]] = {
            "help": self._help,
            "model": self._model,
            "system": self._system,
            "attach": self._attach,
            "save": self._save,
            "export": self._export,
            "retry": self._retry,
            "undo": self._undo,
            "clear": self._clear,
            "usage": self._usage,
        }

    async def carry_out(self, command: Command) -> bool:
        """Returns whether the conversation goes on. What goes wrong is said."""
        if command.name == "exit":
            return False
        try:
            await self._actions[command.name](command.argument)
        except StreamcliError as error:
            self._runtime.notes.error(error)
        except _Stopped:
            self._runtime.notes.notice("interrupted: nothing was changed")
        return True

    async def _unless_stopped(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of `work`, which may have to wait for another process. Raises _Stopped at ^C."""
        results: list[T] = []

        async def run() -> None:
            results.append(await work)

        if not await self._turns.stoppable(run()):
            work.close()
            raise _Stopped
        return results[0]

    async def _help(self, _: str) -> None:
        width = max(len(typed) for typed, _ in HELP)
        await self._show("\n".join(f"{typed:{width}}  {what}" for typed, what in HELP))

    async def _model(self, name: str) -> None:
        name = sendable(name)
        if not name:
            await self._show(self._conversation.model)
            return
        await self._unless_stopped(self._asked.use(name))
        self._conversation.model = name
        self._say(f"{one_line(name)} answers from now on")

    async def _system(self, text: str) -> None:
        if not text:
            system = self._conversation.system
            await self._show(SYSTEM_PROMPTS[self._settings.verb] if system is None else system)
        elif text == "-":
            self._conversation.system = None
            self._say("the system prompt is the usual one again")
        else:
            if text.startswith("@"):
                text = f"@{typed_path(text[1:])}"
            self._conversation.system = read_system(replace(self._settings, system=text))
            self._say("the system prompt holds from the next message on")

    async def _attach(self, path: str) -> None:
        if not path or path == "-":
            self._say_attached(drop=path == "-")
            return
        path = typed_path(path)
        settings = replace(self._settings, attach=(path,), model=self._conversation.model)
        self._turns.attach(await self._unless_stopped(read_attachments(self._runtime, settings)))
        self._say(f"{one_line(sendable(path), 60)} goes along with the next message")

    def _say_attached(self, *, drop: bool) -> None:
        names = self._turns.attached
        if not names:
            raise InputError("no file goes along with the next message", "/attach FILE attaches one")
        if drop:
            self._turns.detach()
        self._say(f"{'not going' if drop else 'going'} along with the next message: {', '.join(names)}")

    async def _save(self, name: str) -> None:
        if self._conversation.name is not None:
            raise InputError(f"the conversation is session {self._conversation.name} already, and kept")
        await self._conversation.save_as(name or time.strftime(_NAME_FORM))
        command = f"streamcli chat --session {shlex.quote(self._conversation.name or '')}"
        self._say(f"kept from now on: {command} goes on")

    async def _export(self, path: str) -> None:
        if not path:
            raise InputError("/export needs the name of a file")
        said = self._conversation.everything()
        if not said:
            raise InputError("there is nothing to export yet")
        document = "\n".join(as_markdown(exchange, ending="[cut off]" if exchange.is_cut else "") for exchange in said)
        path = typed_path(path)
        await asyncio.to_thread(_write_new, path, document.encode("utf-8", "replace"))
        self._say(f"exported to {one_line(sendable(path))}")

    async def _retry(self, _: str) -> None:
        await self._turns.ask_again()

    async def _undo(self, _: str) -> None:
        exchange = await self._unless_stopped(self._conversation.undo())
        if exchange is None:
            raise InputError("there is nothing to take back")
        self._runtime.notes.notice(f"taken back: {one_line(as_text(exchange.question), 60)}")

    async def _clear(self, _: str) -> None:
        gone = await self._unless_stopped(self._conversation.clear())
        self._turns.forget()
        name = self._conversation.name
        those = f"{gone} exchange{'' if gone == 1 else 's'}"
        removed = f": {those} removed from session {one_line(name)}" if name is not None else ""
        self._runtime.notes.notice(f"the conversation begins anew{removed}")

    async def _usage(self, _: str) -> None:
        usage, cost = await asyncio.to_thread(self._turns.used)  # the first time it imports a list of prices
        await self._show(usage_line(self._conversation.model, usage, cost))

    def _say(self, done: str) -> None:
        self._runtime.notes.notice(done)

    async def _show(self, text: str) -> None:
        await self._runtime.sink.write(f"{sanitize(text)}\n".encode("utf-8", "replace"))
        await self._runtime.sink.drain()


def _write_new(path: str, document: bytes) -> None:
    from streamcli.store.files import Target

    target = Target(path, force=False, parents=False)
    try:
        target.check()
        target.commit(document)
    except CannotCreate as error:  # its hints are of options, which there are none of here
        is_there = os.path.lexists(path)
        hint = (
            "give another name, or remove it first" if is_there else "is there such a folder, and may you write to it?"
        )
        raise CannotCreate(error.message, hint) from error
