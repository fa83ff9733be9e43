"""What a command line comes to: settings, and the command that takes them."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from streamcli.config import AnswersSettings, FetchSettings, RedactSettings, SessionsSettings, Settings

Command = Callable[[Any, Any], Coroutine[Any, Any, int]]
"""Takes a Runtime and the settings; returns the exit status."""


@dataclass(frozen=True)
class Invocation:
    """What the command line asks for: `load` imports the command that takes the settings."""

    load: Callable[[], Command]
    settings: Settings | FetchSettings | AnswersSettings | SessionsSettings | RedactSettings
