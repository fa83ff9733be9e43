"""The terminal at stdout, if it is one: how large it is, whether it takes colours, what is drawn there for now."""

import asyncio
import os
import signal
from typing import Literal, Protocol

from streamcli.edge.clock import stopping
from streamcli.edge.descriptors import is_in_foreground
from streamcli.edge.notes import PATIENCE_MS, Notes
from streamcli.edge.sink import Sink

# Of what is no terminal, or of one that does not say.
USUAL_COLUMNS = 80
# A wider line helps nobody to read.
MAX_COLUMNS = 1000
# Seconds until what made room is drawn again.
REDRAW = 0.1


class Drawing(Protocol):
    """What draws on the screen, and will draw again over what it has drawn."""

    def feed(self, text: str, now: float) -> list[str]: ...

    def let_go(self) -> list[str]:
        """Wipes away what is not final, leaves the cursor at a fresh line; the next drawing begins there."""


def is_dumb() -> bool:
    """Whether the terminal has no more than characters, as far as TERM says: it obeys no escape sequences."""
    return os.environ.get("TERM", "").lower() in ("", "dumb", "unknown")


def takes_colour(choice: Literal["auto", "always", "never"], *, asked_for: bool) -> bool:
    """Whether colours go out: what --color says, or else the environment, or else what is `asked_for`.

    NO_COLOR is heeded before FORCE_COLOR, and both only where they are not empty (no-color.org, force-color.org).
    """
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or asked_for


class Screen:
    """stdout, for what redraws. As a bar of Notes (see there) it makes room before a line of stderr goes out."""

    def __init__(self, sink: Sink, *, is_terminal: bool) -> None:
        self._sink = sink
        self._is_terminal = is_terminal
        self._loop = asyncio.get_running_loop()
        self.can_redraw = is_terminal and not is_dumb()
        self._drawing: Drawing | None = None

    def watch(self, notes: Notes) -> None:
        """From now on what is drawn makes room for notices on the same terminal, and for the shell at ^Z."""
        if not self.can_redraw:
            return
        if notes.columns() is not None:
            notes.bar = self
        if signal.getsignal(signal.SIGTSTP) is signal.SIG_DFL:
            self._loop.add_signal_handler(signal.SIGTSTP, self._stop)

    def size(self) -> tuple[int, int | None]:
        """Columns and rows now; None for rows where the cursor cannot be moved, or must not be."""
        if not self._is_terminal:
            columns = os.environ.get("COLUMNS", "")
            asked = int(columns) if len(columns) < 10 and columns.isdecimal() and columns.isascii() else 0
            return min(asked, MAX_COLUMNS) or USUAL_COLUMNS, None
        try:
            size = os.get_terminal_size(1)
        except OSError:
            return USUAL_COLUMNS, None
        return size.columns or USUAL_COLUMNS, (size.lines or None) if self.can_redraw and is_in_foreground(1) else None

    def drawn_by(self, drawing: Drawing | None) -> None:
        """Whose drawing is there now; None when it is finished."""
        self._drawing = drawing

    def hide(self) -> None:
        """Somebody else is about to write."""
        if self._drawing is not None:
            self._sink.push("".join(self._drawing.let_go()).encode())
        self._sink.settle(PATIENCE_MS / 1000)

    def show(self) -> None:
        """What was hidden is drawn anew, in a moment: often more is to be written first."""
        if self._drawing is not None:
            self._loop.call_later(REDRAW, self._draw)

    def _draw(self) -> None:
        if self._drawing is not None:
            self._sink.push("".join(self._drawing.feed("", self._loop.time())).encode())

    def _stop(self) -> None:
        """^Z: the shell writes next."""
        self.hide()
        self._loop.remove_signal_handler(signal.SIGTSTP)
        with stopping(self._loop):
            signal.raise_signal(signal.SIGTSTP)
        self._loop.add_signal_handler(signal.SIGTSTP, self._stop)
        self.show()
