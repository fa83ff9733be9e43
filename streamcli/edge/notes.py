"""stderr: notices, errors, progress. Never on stdout, never more than a line each, never in the way."""

import contextlib
import os
import re
import select
from typing import Protocol

from streamcli.core.sanitize import one_line, sanitize
from streamcli.edge.descriptors import is_in_foreground, write_all
from streamcli.edge.secrets import mask
from streamcli.errors import StreamcliError

# How long a line waits for a stderr that is full. A pipe that can be written at all takes a whole line.
PATIENCE_MS = 100
# Lines of another program's output that are shown: the last ones, which say what failed.
MAX_PASSAGE = 200
# Of a terminal that does not say, as a serial line's.
USUAL_COLUMNS = 80
_RUNNER_COMMAND = re.compile(r"##(?=\[|vso\[)", re.IGNORECASE)


class Bar(Protocol):
    """Something that is drawn on the terminal, and makes room for a line."""

    def hide(self) -> None: ...

    def show(self) -> None: ...


class Notes:
    """`quiet` keeps errors and drops notices; `verbose` adds details."""

    def __init__(self, *, quiet: bool = False, verbose: bool = False, fd: int = 2) -> None:
        self.quiet = quiet
        self.verbose = verbose
        self._fd = fd
        self.bar: Bar | None = None

    def on_terminal(self) -> bool:
        """Whether somebody may be looking: a background job that writes uncalled for could be stopped for it."""
        return os.isatty(self._fd) and is_in_foreground(self._fd)

    def columns(self) -> int | None:
        """How wide the terminal is now; None if there is none."""
        try:
            return os.get_terminal_size(self._fd).columns or USUAL_COLUMNS
        except OSError:
            return None

    def draw(self, text: str, patience_ms: int = 0) -> bool:
        """What a bar shows, escape sequences and all; returns whether the terminal took it in that time."""
        return self._write_raw(text, patience_ms)

    def notice(self, text: str) -> None:
        """Something that the user should know."""
        if not self.quiet:
            self._line(text)

    def requested(self, text: str) -> None:
        """Something that the user asked for by an option: --quiet does not take it back."""
        self._line(text)

    def ask(self, question: str) -> None:
        """A question, without a newline."""
        self._write_raw(one_line(question) + " ")

    def passage(self, text: str) -> None:
        """What another program said, line by line, each marked as such: none can pass for ours, or for a command."""
        lines = mask(text).splitlines()
        if self.quiet or not lines:
            return
        cut = len(lines) - MAX_PASSAGE
        said = [f"({cut} lines before these are left out)"] if cut > 0 else []
        # In one go: each write waits for a reader, and nobody may be reading.
        self._write("\n".join(f"  | {one_line(line)}" for line in said + lines[-MAX_PASSAGE:]))

    def command(self, line: str) -> None:
        """A line for a program that reads stderr, which has to begin it."""
        self._write(sanitize(mask(line)))

    def detail(self, text: str) -> None:
        """Something for those who asked for more."""
        if self.verbose and not self.quiet:
            self._line(text)

    def error(self, error: StreamcliError, about: str | None = None) -> None:
        """What happened, to what if it is not all, and what to do about it."""
        request = f" (request {error.request_id})" if error.request_id else ""
        self._line((f"{about}: " if about else "") + error.message + request)
        if error.hint:
            self._write(f"hint: {one_line(mask(error.hint))}")

    def _line(self, text: str) -> None:
        self._write(f"streamcli: {one_line(mask(text))}")

    def _write(self, line: str) -> None:
        if self.bar is not None:
            self.bar.hide()
        # A runner in CI takes "##[..." for a command wherever in a line it stands.
        self._write_raw(_RUNNER_COMMAND.sub("## ", line) + "\n")
        if self.bar is not None:
            self.bar.show()

    def _write_raw(self, text: str, patience_ms: int = PATIENCE_MS) -> bool:
        # A stderr that is closed, or that nobody reads, is no reason to lose an answer, or to miss a signal.
        poll = select.poll()
        poll.register(self._fd, select.POLLOUT)
        with contextlib.suppress(OSError):
            if poll.poll(patience_ms):
                write_all(self._fd, text.encode("utf-8", "backslashreplace"))
                return True
        return False
