"""What the two prompts have in common: edge/repl.py, and edge/plain.py for terminals that only print."""

from collections.abc import Iterable
from typing import Protocol


class Abandoned(Exception):
    """^C at the prompt, with `text` typed."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class Editor(Protocol):
    """Reads one message at a time."""

    def remember(self, texts: Iterable[str]) -> None:
        """What was typed in earlier runs, the oldest first. To be called before the first `read`."""

    async def read(self, prompt: str) -> str:
        """What is typed until Enter. Raises EOFError at ^D, and Abandoned at ^C."""

    def is_reading(self) -> bool:
        """Whether the prompt is there."""

    def interrupt(self) -> bool:
        """SIGINT came while the prompt is there: whether it is dealt with."""
