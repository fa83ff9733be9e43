"""A conversation on a terminal: what is typed is a turn of it, or a command."""

from dataclasses import replace

from streamcli.commands.attachments import read_attachments
from streamcli.commands.conversing import Talk, check_session, conversing
from streamcli.commands.orders import Orders
from streamcli.commands.past import Past
from streamcli.commands.paths import paths_beginning
from streamcli.commands.runtime import Runtime
from streamcli.commands.turns import Turns
from streamcli.config import ChatSettings
from streamcli.core.markdown.widths import cut_to
from streamcli.core.models import DEFAULT_MODEL, DEFAULT_WATCH_MODEL, is_embedded
from streamcli.core.sanitize import one_line
from streamcli.core.slash import Command, Message, Surplus, Unknown, completions, goes_on, is_remembered, parse
from streamcli.edge.notes import USUAL_COLUMNS, Notes
from streamcli.edge.prompting import Abandoned, Editor
from streamcli.edge.screen import is_dumb
from streamcli.edge.terminal import Terminal
from streamcli.errors import InputError, UsageError

# What Tab offers after /model.
MODELS = (DEFAULT_MODEL, DEFAULT_WATCH_MODEL, "local", "local:smollm2")


async def talk(runtime: Runtime, settings: ChatSettings) -> int:
    """Reads, asks, and reads again. Returns 0 after ^D; raises StreamcliError where it cannot begin."""
    check_session(settings)
    if settings.format == "json":
        raise UsageError("-f json is not for a conversation on a terminal", "give a prompt, or pipe something in")
    with Terminal() as terminal:
        # Before the SDK is imported, in a thread: each would slow the other down, and this one is waited for.
        editor = _editor(terminal, runtime.notes)
        past = Past(runtime.notes, is_kept=not settings.redact)
        async with conversing(runtime, replace(settings, is_repeatable=False), many=True) as begun:
            try:
                editor.remember(await past.entries())
                return await _Dialogue(runtime, begun, terminal, editor, past).run()
            finally:
                runtime.interrupt = None
                terminal.give_back()  # what comes now may take its time, and be cut short by another signal


def _editor(terminal: Terminal, notes: Notes) -> Editor:
    if is_dumb():
        from streamcli.edge.plain import PlainEditor

        return PlainEditor(terminal, goes_on)
    from streamcli.edge.repl import PromptEditor

    return PromptEditor(
        terminal, notes, lambda typed: completions(typed, MODELS, paths_beginning), goes_on, is_remembered
    )


class _Dialogue:
    def __init__(self, runtime: Runtime, begun: Talk, terminal: Terminal, editor: Editor, past: Past) -> None:
        self._runtime = runtime
        self._settings = begun.settings
        self._asked = begun.asked
        self._conversation = begun.conversation
        self._editor = editor
        self._past = past
        self._turns = Turns(runtime, begun.settings, begun.asked, begun.conversation, terminal)
        self._orders = Orders(runtime, begun.settings, begun.asked, begun.conversation, self._turns)

    async def run(self) -> int:
        await self._get_ready()
        self._conversation.outlives_session = True
        self._conversation.refresh()  # what is there now is what /undo may take back
        self._turns.attach(await read_attachments(self._runtime, self._settings))
        self._runtime.interrupt = self._interrupt
        self._runtime.notes.notice("/help tells what can be typed, ^D ends it")
        while await self._once():
            pass
        self._asked.all_is_done = True
        return 0

    async def _get_ready(self) -> None:
        """While the prompt is there nobody may say anything but through the bar of Notes, and in this thread."""
        if (desk := self._asked.desk) is not None and desk.journal is not None:
            await desk.journal.ready()
        if is_embedded(self._conversation.model):
            await self._asked.ready

    async def _once(self) -> bool:
        """One message or command; returns whether the conversation goes on."""
        await self._runtime.sink.drain()
        try:
            # A client that cannot be had ends it at once, not when something was typed for it.
            text = await self._asked.unless_it_fails(self._editor.read(self._prompt()))
        except EOFError:
            return False
        except Abandoned as abandoned:
            if not abandoned.text.strip():
                self._runtime.notes.notice("^D ends the conversation")
            return True
        self._turns.begin()
        await self._past.add(text)
        match parse(text):
            case Command() as command:
                return await self._orders.carry_out(command)
            case Unknown() as unknown:
                self._say_unknown(unknown)
            case Surplus(word):
                hint = f"/{word} ... sends it as a message"
                self._runtime.notes.error(InputError(f"{word} takes nothing: it was not carried out", hint))
            case Message(message) if message.strip():
                await self._turns.ask_typed(message)
        return True

    def _prompt(self) -> str:
        """The session's name, and room for what is typed."""
        name = self._conversation.name
        columns = self._runtime.notes.columns() or USUAL_COLUMNS
        return f"{cut_to(one_line(name), max(columns // 3, 4))}> " if name else "> "

    def _interrupt(self) -> bool:
        return self._editor.interrupt() if self._editor.is_reading() else self._turns.interrupt()

    def _say_unknown(self, unknown: Unknown) -> None:
        word, nearest = unknown.word, unknown.nearest
        hint = f"did you mean /{nearest}?" if nearest else f"/help lists them; /{word} sends it as it is"
        self._runtime.notes.error(InputError(f"there is no command {word}", hint))
