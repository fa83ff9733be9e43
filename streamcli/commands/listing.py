"""What is kept on disk, as lines on stdout."""

import contextlib
import shutil
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from streamcli.commands.runtime import Runtime
from streamcli.core.markdown.widths import fitting, most_columns
from streamcli.core.sanitize import one_line

if TYPE_CHECKING:
    from streamcli.store.answers import Answers

# Columns of a line where no terminal says how many it has.
_WIDTH = 132
_LEAST = 10  # columns for the beginning of a text, however narrow the terminal is


@contextlib.contextmanager
def existing() -> "Iterator[Answers | None]":
    """What is on disk; None where there never was anything: nothing is made for a look. Raises StoreError."""
    from streamcli.store.answers import Answers
    from streamcli.store.database import database_exists, state_dir

    folder = state_dir()
    if not database_exists(folder):
        yield None
        return
    answers = Answers(folder)
    try:
        yield answers
    finally:
        answers.close()


def columns(runtime: Runtime) -> int:
    """How many a line may have."""
    return shutil.get_terminal_size((_WIDTH, 24)).columns if runtime.stdout_is_terminal else _WIDTH


async def write_lines(runtime: Runtime, lines: Iterable[str]) -> None:
    """One after the other; waits while the reader is slow."""
    for line in lines:
        await runtime.sink.write(f"{line}\n".encode("utf-8", "replace"))


def when(seconds: float) -> str:
    """A moment, in seconds since the epoch, as the user's clock shows it: 16 characters."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))


def beginning(line: str, text: str, width: int) -> str:
    """A line of a table, and after it as much of a text as fits into that many columns."""
    return (line + fitting(one_line(text), max(_LEAST, width - most_columns(line)))).rstrip()
