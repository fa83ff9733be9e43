"""What a person sees of a process on a terminal, and waits for before the next key."""

from __future__ import annotations

import fcntl
import struct
import termios
import time
from collections.abc import Callable
from typing import Any

import pyte
from harness import Process


class Glass:
    """The screen of a process whose streams are "tty". Nothing here sleeps: it waits for what the screen shows."""

    def __init__(self, process: Process, size: tuple[int, int] = (24, 80)) -> None:
        self.process = process
        rows, columns = size
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._fed = 0

    def lines(self) -> list[str]:
        """Without the blanks at their ends, and without empty lines at the end."""
        data = self.process.captured("tty")
        self._stream.feed(data[self._fed :])
        self._fed = len(data)
        lines = [line.rstrip() for line in self._screen.display]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    def cursor(self) -> tuple[int, int]:
        """Its line and column, from 0."""
        return self._screen.cursor.y, self._screen.cursor.x

    def wait(self, seen: Callable[[list[str]], bool], what: str, timeout: float = 30.0) -> list[str]:
        """The lines, as soon as they are as wanted."""
        deadline = time.monotonic() + timeout
        while not seen(lines := self.lines()):
            if "tty" not in self.process._readable:
                raise AssertionError(f"the terminal was closed without {what}:\n" + "\n".join(lines))
            try:
                self.process._wait_ready([], ["tty"], deadline, what)
            except TimeoutError as error:
                shown = "\n".join(f"|{line}" for line in lines)
                raise AssertionError(f"waited in vain for {what}; the screen shows:\n{shown}\n{error}") from None
        return lines

    def wait_for(self, text: str, timeout: float = 30.0) -> list[str]:
        """Until the text is on the screen."""
        return self.wait(lambda lines: any(text in line for line in lines), repr(text), timeout)

    def wait_prompt(self, typed: str = "", prompt: str = "> ") -> list[str]:
        """Until the last line is the prompt with that typed, and the cursor is behind it."""
        line = prompt + typed

        def seen(lines: list[str]) -> bool:
            return bool(lines) and lines[-1] == line.rstrip() and self.cursor() == (len(lines) - 1, len(line))

        return self.wait(seen, f"the prompt {line!r}")

    def type(self, keys: str) -> None:
        """Press keys: "\\r" is Enter, "\\x1b" begins those with Alt."""
        self.process.type(keys)

    def modes(self) -> list[Any]:
        """Those of the terminal, as `stty -a` shows them."""
        assert self.process._terminal is not None
        return termios.tcgetattr(self.process._terminal)

    def resize(self, rows: int, columns: int) -> None:
        """As a window manager does."""
        assert self.process._terminal is not None
        self._screen.resize(rows, columns)
        fcntl.ioctl(self.process._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
