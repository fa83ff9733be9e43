"""streamcli answers: what is kept on disk, to look at and to remove."""

import contextlib
import shutil
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from streamcli.commands.runtime import Runtime
from streamcli.config import AnswersSettings
from streamcli.core.markdown.widths import fitting, most_columns
from streamcli.core.sanitize import Sanitizer, one_line
from streamcli.errors import InputError

if TYPE_CHECKING:
    from streamcli.store.answers import Answers, Summary
    from streamcli.store.entries import Entry

_HINT = "streamcli answers list shows them"
# Columns of a line where no terminal says how many it has.
_WIDTH = 132
_LEAST = 10  # columns for the beginning of the text, however narrow the terminal is


async def list_(runtime: Runtime, settings: AnswersSettings) -> int:
    """A line an answer, the newest first."""
    with _open() as answers:
        summaries = answers.list() if answers else []
    width = shutil.get_terminal_size((_WIDTH, 24)).columns if runtime.stdout_is_terminal else _WIDTH
    for line in _table(summaries, width):
        await runtime.sink.write(f"{line}\n".encode("utf-8", "replace"))
    return 0


async def show(runtime: Runtime, settings: AnswersSettings) -> int:
    """The text of answers, byte for byte; on a terminal, harmless. Raises InputError where one is missing."""
    missing = []
    with _open() as answers:
        for place, number in enumerate(settings.ids, 1):
            if (entry := answers.get(number) if answers else None) is None:
                missing.append(number)
            else:
                await _write(runtime, entry, is_last=place == len(settings.ids))
    _report(missing)
    return 0


async def rm(runtime: Runtime, settings: AnswersSettings) -> int:
    """Removes answers. Raises InputError where one is missing or still being written, after the others."""
    with _open() as answers:
        removed = answers.remove(settings.ids) if answers else ()
        left = [number for number in settings.ids if number not in removed]
        running = [number for number in left if answers and answers.get(number)]
    _report([number for number in left if number not in running])
    if running:
        raise InputError(f"{_named(running)} still being written", "end that run first")
    return 0


async def clear(runtime: Runtime, settings: AnswersSettings) -> int:
    """Removes all answers but those that are being written."""
    with _open() as answers:
        count = answers.clear() if answers else 0
    runtime.notes.notice(f"removed {count} answer{'' if count == 1 else 's'}")
    return 0


@contextlib.contextmanager
def _open() -> "Iterator[Answers | None]":
    """The answers on disk; None where there never were any: nothing is made for a look. Raises InputError."""
    from streamcli.store.answers import Answers
    from streamcli.store.database import StoreError, database_exists, state_dir

    try:
        folder = state_dir()
        if not database_exists(folder):
            yield None
            return
        answers = Answers(folder)
        try:
            yield answers
        finally:
            answers.close()
    except StoreError as error:
        raise InputError(f"the answers on disk cannot be read or changed: {error}") from error


async def _write(runtime: Runtime, entry: "Entry", *, is_last: bool) -> None:
    """One answer; a newline that it lacks is added on a terminal, and before another answer."""
    sanitizer = Sanitizer() if runtime.stdout_is_terminal else None
    end = "\n"
    for text in entry.text():
        for shown in sanitizer.feed(text, 0.0) if sanitizer else [text]:
            end = shown
            await runtime.sink.write(shown.encode())
    for shown in sanitizer.flush() if sanitizer else []:
        end = shown
        await runtime.sink.write(shown.encode())
    if not end.endswith("\n") and (runtime.stdout_is_terminal or not is_last):
        await runtime.sink.write(b"\n")


def _report(missing: Sequence[int]) -> None:
    if missing:
        numbers = ", ".join(map(str, missing))
        raise InputError(f"there {'is no answer' if len(missing) == 1 else 'are no answers'} {numbers}", _HINT)


def _named(numbers: Sequence[int]) -> str:
    return f"answer {numbers[0]} is" if len(numbers) == 1 else f"answers {', '.join(map(str, numbers))} are"


def _table(summaries: "Sequence[Summary]", width: int) -> Iterator[str]:
    """Aligned lines of at most `width` columns, unless the text would have none."""
    rows = [
        (
            str(summary.id),
            when(summary.created),
            summary.state,
            summary.verb,
            one_line(summary.model, 40),
            _in_words(summary.bytes),
        )
        for summary in summaries
    ]
    number, _, state, verb, model, size = (
        (max(map(len, column)) for column in zip(*rows, strict=True)) if rows else [0] * 6
    )
    for row, summary in zip(rows, summaries, strict=True):
        line = (
            f"{row[0]:>{number}}  {row[1]}  {row[2]:<{state}}  {row[3]:<{verb}}  {row[4]:<{model}}  {row[5]:>{size}}  "
        )
        yield beginning(line, summary.beginning, width)


def when(seconds: float) -> str:
    """A moment, in seconds since the epoch, as the user's clock shows it: 16 characters."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))


def beginning(line: str, text: str, width: int) -> str:
    """A line of a table, and after it as much of a text as fits into that many columns."""
    return (line + fitting(one_line(text), max(_LEAST, width - most_columns(line)))).rstrip()


def _in_words(size: int) -> str:
    if size < 1000:
        return f"{size} B"
    return f"{size / 1e3:.1f} kB" if size < 999_950 else f"{size / 1e6:.1f} MB"
