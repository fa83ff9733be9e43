"""One failed attempt -> try again after so many seconds, or give up with which error.

The statuses follow the table in README.md: 401 and 403 are a matter of the key, other 4xx would be refused again, and
what is left is worth another attempt. The waits are full-jitter exponential back-off (Brooker, "Exponential Backoff
And Jitter", 2015): of many clients that failed together, few come back together.
"""

import math

from streamcli.errors import (
    KeyRefused,
    RateLimited,
    RequestRefused,
    StreamBroken,
    StreamcliError,
    Unavailable,
)

FIRST_BACKOFF = 1.0
MAX_BACKOFF = 30.0
# Seconds; a server that asks for more than this is not waited for, even where --timeout 0 sets no bound.
MAX_WAIT = 3600.0

# Besides 429 and 5xx: the request timed out, or met another one.
RETRYABLE_STATUSES = frozenset({408, 409})
# error.error_code of a 429 that no waiting mends: the account's spend limit (facts of SDK 2.12).
SPEND_LIMITS = frozenset({"enforced_spend_limit_reached", "contract_spend_limit_reached", "ramp_limit_exceeded"})
REFUSED_EVENTS = frozenset(
    {"invalid_request_error", "not_found_error", "request_too_large", "billing_error", "content_too_large"}
)
KEY_EVENTS = frozenset({"authentication_error", "permission_error"})


class AttemptFailed(Exception):
    """One attempt failed. `error` is what to report if it is given up; `retry_after` is the server's wish, seconds."""

    def __init__(self, error: StreamcliError, *, retryable: bool, retry_after: float | None = None) -> None:
        super().__init__(error.message)
        self.error = error
        self.retryable = retryable
        self.retry_after = retry_after


def failure_of_status(
    status: int,
    message: str,
    *,
    error_code: str | None = None,
    request_id: str | None = None,
    retry_after: float | None = None,
    should_retry: str | None = None,
) -> AttemptFailed:
    """An HTTP status other than 2xx. `should_retry` is the header x-should-retry, of which "false" is obeyed."""
    what = f"the server answered {status}: {message}"
    spend_limit = error_code in SPEND_LIMITS
    if status in (401, 403):
        error: StreamcliError = KeyRefused(what, "check ANTHROPIC_API_KEY", request_id=request_id)
        return AttemptFailed(error, retryable=False)
    if status == 429 and not spend_limit:
        hint = (
            f"try again in {math.ceil(retry_after or 0)} s" if 0 < (retry_after or 0) <= MAX_WAIT else "try again later"
        )
        error = RateLimited(what, hint, request_id=request_id)
        return AttemptFailed(error, retryable=should_retry != "false", retry_after=retry_after)
    if status >= 500 or status in RETRYABLE_STATUSES:
        error = Unavailable(what, request_id=request_id)
        return AttemptFailed(error, retryable=should_retry != "false", retry_after=retry_after)
    error = RequestRefused(what, _refusal_hint(status, spend_limit), request_id=request_id)
    return AttemptFailed(error, retryable=False)


def failure_of_event(kind: str | None, message: str, request_id: str | None) -> AttemptFailed:
    """An `error` event in a stream that began with 200. Only its type tells what it is: there is no status."""
    what = f"the server broke off: {message}" + (f" ({kind})" if kind else "")
    if kind in KEY_EVENTS:
        error: StreamcliError = KeyRefused(what, "check ANTHROPIC_API_KEY", request_id=request_id)
        return AttemptFailed(error, retryable=False)
    if kind in REFUSED_EVENTS:
        return AttemptFailed(RequestRefused(what, request_id=request_id), retryable=False)
    return AttemptFailed(StreamBroken(what, request_id=request_id), retryable=True)


def wait_before_retry(failed: AttemptFailed, failures: int, jitter: float) -> float:
    """Seconds before the next attempt, after `failures` (1 for the first) in a row; `jitter` is in [0, 1)."""
    if failed.retry_after is not None:
        return failed.retry_after
    doublings = min(failures - 1, 16)  # far past MAX_BACKOFF, and no overflow
    return jitter * min(MAX_BACKOFF, FIRST_BACKOFF * 2.0**doublings)


def gives_up(failures: int, retries: int, wait: float, remaining: float | None) -> bool:
    """Whether to stop after `failures`: retries used up, or the wait would pass the deadline (seconds left)."""
    return failures > retries or wait > MAX_WAIT or (remaining is not None and wait >= remaining)


def reported(failed: AttemptFailed, text_was_emitted: bool) -> StreamcliError:
    """What the user is told of the last attempt: once there is text, whatever went wrong is a broken stream."""
    error = failed.error
    if not text_was_emitted or isinstance(error, StreamBroken):
        return error
    return StreamBroken(error.message, error.hint, request_id=error.request_id)


def _refusal_hint(status: int, spend_limit: bool) -> str | None:
    if spend_limit or status == 402:
        return "the account's spending limit or balance is used up"
    if status == 404:
        return "check the model's name (--model) and the server's address (--base-url)"
    if status == 413:
        return "send less input"
    return None
