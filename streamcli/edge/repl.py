"""The prompt of a conversation on a terminal: prompt-toolkit, which nobody else imports."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import has_focus
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.input.vt100 import raw_mode
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.key_binding.key_processor import KeyPressEvent
from prompt_toolkit.output import Output, create_output
from prompt_toolkit.output.vt100 import Vt100_Output

from streamcli.edge.notes import Notes
from streamcli.edge.prompting import Abandoned
from streamcli.edge.terminal import Terminal

Complete = Callable[[str], Iterable[tuple[str, str, int]]]
"""Takes what stands before the cursor; gives what may come there, what it means, and how much of it that replaces."""


class PromptEditor:
    """Reads one message at a time. `goes_on` tells of a text whether Enter only begins a new line of it."""

    def __init__(
        self,
        terminal: Terminal,
        notes: Notes,
        complete: Complete,
        goes_on: Callable[[str], bool],
        is_remembered: Callable[[str], bool],
    ) -> None:
        self._terminal = terminal
        self._notes = notes
        self._goes_on = goes_on
        self._history = _History(is_remembered)
        self._session: PromptSession[str] = PromptSession(
            multiline=True,
            prompt_continuation=lambda width, line, wraps: " " * width,
            completer=_Completer(complete),
            complete_while_typing=False,
            key_bindings=self._bindings(),
            history=self._history,
            enable_open_in_editor=True,
            tempfile_suffix=".md",
            interrupt_exception=_Interrupt,
            output=_output(),
        )
        # SIGWINCH tells of it: nothing is to wake up twice a second.
        self._session.app.terminal_size_polling_interval = None

    def remember(self, texts: Iterable[str]) -> None:
        """What was typed in earlier runs, the oldest first. To be called before the first `read`."""
        for text in texts:
            self._history.append_string(text)

    async def read(self, prompt: str) -> str:
        """What is typed until Enter. Raises EOFError at ^D, and Abandoned at ^C."""
        self._terminal.claim()
        with self._on_terminal():
            try:
                return await self._session.prompt_async(prompt, handle_sigint=False, set_exception_handler=False)
            except _Interrupt:
                raise Abandoned(self._session.default_buffer.text) from None

    def is_reading(self) -> bool:
        return self._session.app.is_running

    def interrupt(self) -> bool:
        """^C is a key like any other here: a signal means the process, or the user's own editor."""
        return self._is_lent()

    # A bar of Notes: what is said while somebody types goes above it.

    def hide(self) -> None:
        if self._is_drawn():
            self._session.app.renderer.erase()

    def show(self) -> None:
        if self._is_drawn():
            self._redraw()

    def _is_drawn(self) -> bool:
        return self._session.app.is_running and not self._is_lent()

    def _is_lent(self) -> bool:
        """Whether the user's own editor has the terminal."""
        return self._session.app._running_in_terminal

    def _redraw(self) -> None:
        app = self._session.app
        app.renderer.reset()  # it begins where the cursor is now
        app._redraw()

    @contextmanager
    def _on_terminal(self) -> Iterator[None]:
        terminal = self._terminal
        terminal.before_stop, terminal.after_stop, terminal.is_lent = self._leave, self._come_back, self._is_lent
        terminal.is_prompting = True
        usual, self._notes.bar = self._notes.bar, self
        try:
            yield
        finally:
            self._notes.bar = usual  # what answers are drawn by makes room too
            terminal.before_stop = terminal.after_stop = terminal.is_lent = None
            terminal.is_prompting = False

    def _leave(self) -> None:
        if self._is_drawn():
            self._session.app._redraw(render_as_done=True)

    def _come_back(self) -> None:
        if self._is_drawn():
            raw_mode(self._session.input.fileno()).__enter__()  # prompt-toolkit's own ends it, after the prompt
            self._session.output.write_raw("\r")  # a SIGCONT may come to one that was not stopped
            self._redraw()

    def _bindings(self) -> KeyBindings:
        bindings = KeyBindings()
        typing = has_focus(DEFAULT_BUFFER)

        @bindings.add("enter", filter=typing)
        def _enter(event: KeyPressEvent) -> None:
            buffer = event.current_buffer
            if buffer.document.is_cursor_at_the_end and self._goes_on(buffer.text):
                buffer.delete_before_cursor()
                buffer.insert_text("\n")
            else:
                buffer.validate_and_handle()

        @bindings.add("escape", "enter", filter=typing)
        def _new_line(event: KeyPressEvent) -> None:
            event.current_buffer.insert_text("\n")

        @bindings.add("c-z")
        def _stop(event: KeyPressEvent) -> None:
            self._terminal.stop()

        return bindings


class _Interrupt(Exception):
    """Not KeyboardInterrupt, which asyncio lets through to whoever runs the loop."""


class _Completer(Completer):
    def __init__(self, complete: Complete) -> None:
        self._complete = complete

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        for text, meaning, replaced in self._complete(document.text_before_cursor):
            yield Completion(text, -replaced, display_meta=meaning)


class _History(InMemoryHistory):
    """In memory: what is on disk is loaded before, and written by others."""

    def __init__(self, is_remembered: Callable[[str], bool]) -> None:
        super().__init__()
        self._is_remembered = is_remembered

    def append_string(self, string: str) -> None:
        if self._is_remembered(string):
            super().append_string(string)


def _output() -> Output:
    output = create_output(sys.stdout)
    if isinstance(output, Vt100_Output):
        # Not asked where the cursor is: a terminal may not answer, and what answers late is taken for typed.
        output.enable_cpr = False
    return output
