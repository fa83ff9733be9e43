"""streamcli answers: what is kept on disk, to look at and to remove."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from streamcli.commands.listing import beginning, columns, existing, when, write_lines
from streamcli.commands.runtime import Runtime
from streamcli.config import AnswersSettings
from streamcli.core.sanitize import Sanitizer, one_line
from streamcli.errors import InputError

if TYPE_CHECKING:
    from streamcli.store.answers import Answers, Summary
    from streamcli.store.entries import Entry

_HINT = "streamcli answers list shows them"


async def list_(runtime: Runtime, settings: AnswersSettings) -> int:
    """A line an answer, the newest first."""
    with _open() as answers:
        summaries = answers.list() if answers else []
    await write_lines(runtime, _table(summaries, columns(runtime)))
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
    """The answers on disk; None where there never were any. Raises InputError."""
    from streamcli.store.database import StoreError

    try:
        with existing() as answers:
            yield answers
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


def _in_words(size: int) -> str:
    if size < 1000:
        return f"{size} B"
    return f"{size / 1e3:.1f} kB" if size < 999_950 else f"{size / 1e6:.1f} MB"
