"""The error tree. Each error knows its exit status; the table in README.md is the contract.

An error is shown as one line, `streamcli: message (request ID)`, and a second, `hint: ...`, where one helps.
Nothing here formats or prints: edge/notes.py does.
"""

from collections.abc import Iterable


class StreamcliError(Exception):
    """Anything that ends an answer, or the run, with a status of its own.

    `message` is one clause without a full stop; `hint` says what the user can do; `request_id` is the server's
    name for the request, which support will ask for.
    """

    status = 70

    def __init__(self, message: str, hint: str | None = None, *, request_id: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.request_id = request_id


class RequestRefused(StreamcliError):
    """The API answered 4xx: the same request would be refused again."""

    status = 1


class UsageError(StreamcliError):
    """The command line makes no sense."""

    status = 2


class ModelRefused(StreamcliError):
    """stop_reason "refusal": what was written may be incomplete."""

    status = 4


class Truncated(StreamcliError):
    """stop_reason "max_tokens" or "model_context_window_exceeded"."""

    status = 5


class BudgetSpent(StreamcliError):
    """--max-cost or --max-total-tokens is used up: no further request is made."""

    status = 6


class InputError(StreamcliError):
    """Input is missing, unreadable or too large."""

    status = 66


class InvalidCode(StreamcliError):
    """Generated code is not valid, or did not pass --check. `line` and `column` count from 1, where they are known."""

    status = 65

    def __init__(self, message: str, hint: str | None = None, *, line: int | None = None, column: int | None = None):
        super().__init__(message, hint)
        self.line = line
        self.column = column


class Unavailable(StreamcliError):
    """No answer could be had: no connection, or the server failed, after all retries."""

    status = 69


class InternalError(StreamcliError):
    """Our own bug."""

    status = 70


class CannotCreate(StreamcliError):
    """The output file cannot be created, or must not be replaced."""

    status = 73


class OutputError(StreamcliError):
    """stdout is closed, or a write to it failed."""

    status = 74


class RateLimited(StreamcliError):
    """429 after all retries: try later."""

    status = 75


class StreamBroken(StreamcliError):
    """The stream ended, or broke, before the answer was complete."""

    status = 76


class KeyRefused(StreamcliError):
    """The key is missing, malformed or refused (401, 403)."""

    status = 77


class ConfigError(StreamcliError):
    """A setting from a file or the environment makes no sense."""

    status = 78


class TransformFailed(ConfigError):
    """A --transform that is not ours cannot be loaded, or failed on the way."""


class DeadlineExceeded(StreamcliError):
    """--timeout passed."""

    status = 124


# Of several answers the status is the first of these that occurred (death by a signal comes before all of them).
_WORST_FIRST = (74, 70, 78, 77, 73, 76, 75, 69, 124, 6, 66, 65, 5, 4, 1, 3)


def worst_status(statuses: Iterable[int]) -> int:
    """The exit status of a run whose answers ended with `statuses`; 0 for none."""
    seen = set(statuses)
    for status in _WORST_FIRST:
        if status in seen:
            return status
    return max(seen, default=0)
