"""What -a attaches to a message: files, and what can be read like one (/dev/fd/63, a FIFO)."""

import asyncio
import os
import stat
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any

from streamcli.commands.message import (
    check_size,
    nothing_to_send,
    read_words,
    reads_stdin,
    remind_of_silence,
    too_large,
)
from streamcli.commands.runtime import Runtime
from streamcli.config import ChatSettings, MessageSettings
from streamcli.core.attachments import attachment, check_model, is_blank, not_text, shown_name, with_attachments
from streamcli.core.content import Block, Content
from streamcli.core.models import MAX_MESSAGE_BYTES
from streamcli.core.prompt import sendable, sent_bytes
from streamcli.errors import InputError, UsageError


def check_names(runtime: Runtime, settings: ChatSettings) -> None:
    """Raises UsageError for standard input, which is the message already; mentions files that are not attached."""
    for path in settings.attach:
        if (settings.read_stdin and path == "-") or (reads_stdin(runtime, settings) and _is_stdin(path)):
            raise UsageError(
                f"-a {sendable(path)}: standard input is the message already", "-n -a - attaches it instead"
            )
    # Of `-a *.png` a shell makes one file that is attached, and words that are asked.
    word = settings.prompt.partition(" ")[0]
    with suppress(ValueError):  # a NUL is in no name
        if settings.attach and word and os.path.isfile(word):
            runtime.notes.notice(f"{sendable(word)} is in the prompt, and not attached: each file needs an -a")


def reading(
    attached: Sequence[Block] | None, settings: ChatSettings
) -> Callable[[Runtime, MessageSettings], Coroutine[Any, Any, Content]]:
    """What reads a message with its files, unless those are read already."""

    async def read(runtime: Runtime, _: MessageSettings) -> Content:
        blocks = await read_attachments(runtime, settings) if attached is None else attached
        words = await read_words(runtime, settings)
        if not words.strip() and all(is_blank(block) for block in blocks):
            raise nothing_to_send()
        message = with_attachments(blocks, words)
        check_size(message)
        return message

    return read


async def read_attachments(runtime: Runtime, settings: ChatSettings) -> tuple[Block, ...]:
    """The files of -a, in their order. Raises InputError for what cannot be read, is not taken, or is too much.

    Says which are empty, and which cannot be masked.
    """
    blocks: list[Block] = []
    left = MAX_MESSAGE_BYTES
    for path in settings.attach:
        remind = remind_of_silence(runtime, shown_name(path))
        try:
            block = await asyncio.to_thread(_read, path)
        finally:
            remind.cancel()
        check_model([block], settings.model)
        left -= sent_bytes((block,))
        if left < 0:
            raise too_large("what is attached")
        if is_blank(block):
            runtime.notes.notice(f"{sendable(path)} is empty")
        blocks.append(block)
    if settings.redact and (names := not_text(blocks)):
        runtime.notes.notice(f"--redact cannot look into images and PDF: sent as they are: {', '.join(names)}")
    return tuple(blocks)


def _read(path: str) -> Block:
    """Blocks. Raises InputError."""
    try:
        with open("/dev/stdin" if path == "-" else path, "rb") as file:
            data = file.read(MAX_MESSAGE_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no file has such a name"
        raise InputError(f"cannot read {sendable(path)}: {reason}") from error
    if len(data) > MAX_MESSAGE_BYTES:
        raise too_large(sendable(path))
    return attachment("/dev/stdin" if path == "-" else path, data)


def _is_stdin(path: str) -> bool:
    """Whether it is the pipe or the file that standard input is, as /dev/stdin and /dev/fd/0 are."""
    try:
        theirs, ours = os.stat(path), os.fstat(0)
    except (OSError, ValueError):
        return False
    is_content = stat.S_ISFIFO(theirs.st_mode) or stat.S_ISREG(theirs.st_mode)  # there is nothing in /dev/null
    return is_content and os.path.samestat(theirs, ours)
