"""The prompt on a terminal that only prints (TERM=dumb): the system's own line editing, and nothing else."""

import asyncio
import os
from collections.abc import Callable, Iterable

from streamcli.edge.descriptors import write_all
from streamcli.edge.prompting import Abandoned
from streamcli.edge.terminal import Terminal

# More than a line of a terminal may have.
_READ_BYTES = 1 << 16


class PlainEditor:
    """Reads one message at a time, from fd 0. `goes_on` tells of a text whether there is another line of it."""

    def __init__(self, terminal: Terminal, goes_on: Callable[[str], bool], fd: int = 0, output: int = 1) -> None:
        self._terminal = terminal
        self._goes_on = goes_on
        self._fd = fd
        self._output = output
        self._ready: asyncio.Future[None] | None = None
        self._held = b""

    def remember(self, texts: Iterable[str]) -> None:
        """There is no key to ask for them."""

    async def read(self, prompt: str) -> str:
        """What is typed until Enter. Raises EOFError at ^D, and Abandoned at ^C."""
        text = await self._line(prompt)
        while self._goes_on(text):
            text = f"{text[:-1]}\n{await self._line(' ' * len(prompt))}"
        return text

    def is_reading(self) -> bool:
        return self._ready is not None

    def interrupt(self) -> bool:
        """^C, which is a signal here."""
        if self._ready is not None and not self._ready.done():
            self._ready.set_exception(Abandoned(""))
        return True

    async def _line(self, prompt: str) -> str:
        self._terminal.claim()
        self._print(prompt)
        self._terminal.after_stop = lambda: self._print(f"\r{prompt}")
        self._terminal.is_prompting = True
        try:
            while b"\n" not in self._held:
                await self._wait()
                if not (chunk := os.read(self._fd, _READ_BYTES)):
                    raise EOFError
                self._held += chunk
        except (Abandoned, EOFError):
            self._print("\n")
            raise
        finally:
            self._terminal.after_stop = None
            self._terminal.is_prompting = False
        line, _, self._held = self._held.partition(b"\n")
        return line.decode("utf-8", "replace")

    async def _wait(self) -> None:
        """Until there is something to read. Raises Abandoned."""
        loop = asyncio.get_running_loop()
        ready = self._ready = loop.create_future()
        loop.add_reader(self._fd, lambda: None if ready.done() else ready.set_result(None))
        try:
            await ready
        finally:
            loop.remove_reader(self._fd)
            self._ready = None

    def _print(self, text: str) -> None:
        write_all(self._output, text.encode())
