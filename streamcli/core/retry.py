"""One failed attempt -> try again after so many seconds, or give up with which error.

The statuses follow the table in README.md: 401 and 403 are a matter of the key, other 4xx would be refused again, and
what is left is worth another attempt. The waits are full-jitter exponential back-off (Brooker, "Exponential Backoff
And Jitter", 2015): of many clients that failed together, few come back together.
"""

from streamcli.core.limits import in_words
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

# Requests of one answer at most, however much each brings: what breaks so often will not be whole.
MAX_ATTEMPTS = 20

# Besides 429 and 5xx: the request timed out, or met another one.
RETRYABLE_STATUSES = frozenset({408, 409})
# error.error_code of a 429 that no waiting mends: the account's spend limit (facts of SDK 2.12).
SPEND_LIMITS = frozenset({"enforced_spend_limit_reached", "contract_spend_limit_reached", "ramp_limit_exceeded"})
REFUSED_EVENTS = frozenset(
    {"invalid_request_error", "not_found_error", "request_too_large", "billing_error", "content_too_large"}
)
KEY_EVENTS = frozenset({"authentication_error", "permission_error"})


class AttemptFailed(Exception):
    """One attempt failed. `error` is what to report if it is given up; `retry_after` is the server's wish, seconds.

    `status` is that of the HTTP answer, where that was an error.
    """

    def __init__(
        self,
        error: StreamcliError,
        *,
        retryable: bool,
        retry_after: float | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(error.message)
        self.error = error
        self.retryable = retryable
        self.retry_after = retry_after
        self.status = status

    @property
    def is_for_all(self) -> bool:
        """Whether it concerns each request of the run, not only this one."""
        return self.status == 429


def failure_of_status(
    status: int,
    message: str,
    *,
    error_code: str | None = None,
    request_id: str | None = None,
    retry_after: float | None = None,
    should_retry: str | None = None,
) -> AttemptFailed:
    """An HTTP status other than 2xx.

    `should_retry` is the header x-should-retry: what the server says counts, but for a matter of key or money.
    """
    what = f"the server answered {status}: {message}"
    spend_limit = status == 402 or error_code in SPEND_LIMITS
    retryable = should_retry == "true"
    error: StreamcliError
    if status in (401, 403):
        error, retryable = KeyRefused(what, "check ANTHROPIC_API_KEY", request_id=request_id), False
    elif status == 429 and not spend_limit:
        error, retryable = RateLimited(what, "try again later", request_id=request_id), should_retry != "false"
    elif status >= 500 or status in RETRYABLE_STATUSES:
        error, retryable = Unavailable(what, request_id=request_id), should_retry != "false"
    else:
        error = RequestRefused(what, _refusal_hint(status, spend_limit), request_id=request_id)
        retryable = retryable and not spend_limit
    return AttemptFailed(error, retryable=retryable, retry_after=retry_after, status=status)


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


class Tally:
    """The failures of one answer: in a row without new text, and in all. `retries` bounds the first."""

    def __init__(self, retries: int) -> None:
        self._retries = retries
        self._in_a_row = 0
        self.attempts = 0

    def started(self) -> None:
        """An attempt begins."""
        self.attempts += 1

    def progressed(self) -> None:
        """There is new text."""
        self._in_a_row = 0

    def failed(self, *, excused: bool) -> int:
        """The attempt failed; returns how many did in a row, this one at least.

        One is excused that was refused for its pace while others of the run got through: it only waits its turn.
        """
        if not excused:
            self._in_a_row += 1
        return max(1, self._in_a_row)

    def is_used_up(self, failures_of_all: int = 0) -> bool:
        """Whether there may be no further attempt; `failures_of_all` is how many in a row the whole run has had."""
        return max(self._in_a_row, failures_of_all) > self._retries or self.attempts >= MAX_ATTEMPTS


def is_too_long(wait: float, remaining: float | None) -> bool:
    """Whether a wait (seconds) is not worth beginning: it would pass the deadline, or is absurd."""
    return wait > MAX_WAIT or (remaining is not None and wait >= remaining)


def reported(failed: AttemptFailed, *, there_is_text: bool, wait: float = 0.0) -> StreamcliError:
    """What the user is told of the attempt that was the last: once there is text, a failure is a broken stream.

    What an HTTP status says of the request or the key stays what it is. `wait` (seconds) would have been the next.
    """
    error = failed.error
    if there_is_text and (failed.status is None or isinstance(error, RateLimited | Unavailable)):
        error = StreamBroken(error.message, error.hint, request_id=error.request_id)
    if failed.retryable and failed.retry_after:
        error.hint = f"try again in {in_words(wait)}"
    return error


def _refusal_hint(status: int, spend_limit: bool) -> str | None:
    if spend_limit or status == 402:
        return "the account's spending limit or balance is used up"
    if status == 404:
        return "check the model's name (--model) and the server's address (--base-url)"
    if status == 413:
        return "send less input"
    return None
