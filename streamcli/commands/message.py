"""What the user gives: the prompt, the system prompt, and stdin as one message."""

import asyncio

from streamcli.commands.runtime import Runtime
from streamcli.config import MessageSettings, Settings
from streamcli.core.content import Content
from streamcli.core.lines import decode
from streamcli.core.models import MAX_MESSAGE_BYTES
from streamcli.core.prompt import compose, is_too_large, sendable
from streamcli.errors import InputError, UsageError

# Seconds of silence on stdin after which a person at a terminal is told what is waited for.
SILENCE = 3.0


async def read_message(runtime: Runtime, settings: Settings) -> str:
    """The prompt, and what stdin has; a terminal is not read. Raises InputError for none, or too much."""
    message = await read_words(runtime, settings)
    if not message.strip():
        raise nothing_to_send()
    check_size(message)
    return message


async def read_words(runtime: Runtime, settings: Settings) -> str:
    """The same, of which there may be none. Raises InputError for more input than is read."""
    stdin = await _read_all(runtime) if reads_stdin(runtime, settings) else ""
    return compose(stdin, sendable(settings.prompt))


def nothing_to_send() -> InputError:
    return InputError("there is nothing to send: the input is empty", "give a prompt, or pipe something in")


def check_size(message: Content) -> None:
    """Raises InputError for a message that the API would not take."""
    if is_too_large(message):
        raise too_large("the message")


def check_there_is_input(runtime: Runtime, settings: MessageSettings) -> None:
    """Raises UsageError if nothing can come: before a model is started for it."""
    if not settings.has_message and not reads_stdin(runtime, settings):
        raise UsageError("there is no prompt, and nothing is piped in", f"streamcli {settings.verb} 'your question'")


def read_system(settings: Settings) -> str | None:
    """The system prompt; None for the verb's own. Raises InputError."""
    value = settings.system
    if value is None or not value.startswith("@"):
        return None if value is None else sendable(value)
    name = sendable(value[1:])
    try:
        with open(value[1:], "rb") as file:
            content = file.read(MAX_MESSAGE_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no file has such a name"
        raise InputError(f"cannot read the system prompt {name}: {reason}") from error
    if len(content) > MAX_MESSAGE_BYTES:
        raise InputError(f"the system prompt {name} is larger than {MAX_MESSAGE_BYTES // 1_000_000} MB")
    return decode(content)


def remind_of_silence(
    runtime: Runtime, awaited: str = "standard input (use -n if there is none to read)"
) -> asyncio.TimerHandle:
    """Says after a while what is waited for: a timer, to be cancelled when something comes."""

    def remind() -> None:
        if runtime.notes.on_terminal():
            runtime.notes.notice(f"waiting for {awaited}")

    return asyncio.get_running_loop().call_later(SILENCE, remind)


def too_large(what: str) -> InputError:
    limit = MAX_MESSAGE_BYTES // 1_000_000
    return InputError(f"{what} is larger than {limit} MB", "send less, or use analyze for a stream")


def reads_stdin(runtime: Runtime, settings: Settings) -> bool:
    """Whether standard input is the message, or a part of it."""
    return settings.read_stdin and not runtime.stdin_is_terminal


async def _read_all(runtime: Runtime) -> str:
    remind = remind_of_silence(runtime)
    content = bytearray()
    try:
        while chunk := await runtime.stdin.read():
            remind.cancel()
            content += chunk
            if len(content) > MAX_MESSAGE_BYTES:
                raise too_large("the input")
    finally:
        remind.cancel()
    return decode(content)
