"""Which failures are tried again, after how long, and what is reported when they are given up."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamcli.core.retry import (
    FIRST_BACKOFF,
    MAX_BACKOFF,
    MAX_WAIT,
    SPEND_LIMITS,
    AttemptFailed,
    failure_of_event,
    failure_of_status,
    gives_up,
    reported,
    wait_before_retry,
)
from streamcli.errors import StreamBroken


@pytest.mark.parametrize(
    ("status", "exit_status", "retryable"),
    [
        (400, 1, False),
        (401, 77, False),
        (402, 1, False),
        (403, 77, False),
        (404, 1, False),
        (405, 1, False),
        (408, 69, True),
        (409, 69, True),
        (413, 1, False),
        (422, 1, False),
        (429, 75, True),
        (500, 69, True),
        (502, 69, True),
        (503, 69, True),
        (504, 69, True),
        (529, 69, True),
        (304, 1, False),
    ],
)
def test_an_http_status_is_retried_and_reported_by_the_table(status, exit_status, retryable):
    failed = failure_of_status(status, "no luck", request_id="req_1")
    assert (failed.error.status, failed.retryable) == (exit_status, retryable)
    assert (failed.error.request_id, failed.error.message) == ("req_1", f"the server answered {status}: no luck")
    assert str(failed) == failed.error.message


@pytest.mark.parametrize("code", sorted(SPEND_LIMITS))
def test_a_spend_limit_is_never_waited_for(code):
    failed = failure_of_status(429, "used up", error_code=code, retry_after=5.0)
    assert (failed.error.status, failed.retryable) == (1, False)
    assert "spending limit" in failed.error.hint


@pytest.mark.parametrize("status", [408, 409, 429, 500, 529])
def test_a_server_that_says_do_not_retry_is_obeyed(status):
    assert failure_of_status(status, "x", should_retry="false").retryable is False
    assert failure_of_status(status, "x", should_retry="true").retryable is True


@pytest.mark.parametrize("status", [400, 401, 402, 404])
def test_a_refused_request_is_not_retried_whatever_the_server_says(status):
    assert failure_of_status(status, "x", should_retry="true").retryable is False


@pytest.mark.parametrize("status", [408, 429, 503, 529])
def test_the_servers_wish_to_wait_is_kept(status):
    assert failure_of_status(status, "x", retry_after=12.0).retry_after == 12.0


def test_the_hint_for_a_rate_limit_says_when_to_come_back():
    assert failure_of_status(429, "x", retry_after=12.4).error.hint == "try again in 13 s"
    assert failure_of_status(429, "x").error.hint == "try again later"


@pytest.mark.parametrize(
    ("status", "hint"),
    [(401, "ANTHROPIC_API_KEY"), (402, "balance"), (404, "--model"), (413, "less input")],
)
def test_a_refusal_hints_at_what_to_do(status, hint):
    assert hint in failure_of_status(status, "x").error.hint


@pytest.mark.parametrize(
    ("kind", "exit_status", "retryable"),
    [
        ("overloaded_error", 76, True),
        ("api_error", 76, True),
        ("rate_limit_error", 76, True),
        ("timeout_error", 76, True),
        ("an_error_from_the_future", 76, True),
        (None, 76, True),
        ("invalid_request_error", 1, False),
        ("not_found_error", 1, False),
        ("request_too_large", 1, False),
        ("billing_error", 1, False),
        ("authentication_error", 77, False),
        ("permission_error", 77, False),
    ],
)
def test_an_error_event_is_retried_and_reported_by_its_type(kind, exit_status, retryable):
    failed = failure_of_event(kind, "no luck", "req_1")
    assert (failed.error.status, failed.retryable, failed.error.request_id) == (exit_status, retryable, "req_1")
    assert "no luck" in failed.error.message
    assert kind is None or kind in failed.error.message


@pytest.mark.parametrize(
    ("failed", "before", "after"),
    [
        (failure_of_status(429, "x", retry_after=1.0), 75, 76),
        (failure_of_status(529, "x"), 69, 76),
        (failure_of_status(401, "x"), 77, 76),
        (failure_of_event("overloaded_error", "x", "req_1"), 76, 76),
    ],
)
def test_once_there_is_text_whatever_goes_wrong_is_a_broken_stream(failed, before, after):
    for text_was_emitted, status in ((False, before), (True, after)):
        error = reported(failed, text_was_emitted)
        assert error.status == status
        assert (error.message, error.hint, error.request_id) == (
            failed.error.message,
            failed.error.hint,
            failed.error.request_id,
        )


def failure(retry_after=None):
    return AttemptFailed(StreamBroken("x"), retryable=True, retry_after=retry_after)


@pytest.mark.parametrize(
    ("failures", "bound"),
    [(1, 1.0), (2, 2.0), (3, 4.0), (5, 16.0), (6, 30.0), (7, 30.0), (10_000, 30.0)],
)
def test_the_wait_doubles_up_to_its_bound(failures, bound):
    assert wait_before_retry(failure(), failures, 0.5) == bound / 2
    assert wait_before_retry(failure(), failures, 0.0) == 0.0


@pytest.mark.parametrize("seconds", [0.0, 0.25, 7200.0])
def test_the_servers_wish_comes_before_our_own_wait(seconds):
    assert wait_before_retry(failure(seconds), 3, 0.5) == seconds


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 10**9), st.floats(0, 1, exclude_max=True))
def test_no_wait_of_ours_is_longer_than_its_bound(failures, jitter):
    assert 0 <= wait_before_retry(failure(), failures, jitter) <= MAX_BACKOFF
    assert wait_before_retry(failure(), 1, jitter) <= FIRST_BACKOFF


@pytest.mark.parametrize(
    ("failures", "retries", "wait", "remaining", "expected"),
    [
        (1, 0, 0.0, None, True),
        (1, 1, 0.0, None, False),
        (2, 1, 0.0, None, True),
        (4, 4, 0.0, None, False),
        (5, 4, 0.0, None, True),
        (1, 4, 10.0, 10.1, False),
        (1, 4, 10.0, 10.0, True),
        (1, 4, 0.0, 0.0, True),
        (1, 4, 0.0, -1.0, True),
        (1, 4, MAX_WAIT, None, False),
        (1, 4, MAX_WAIT + 1, None, True),
        (1, 4, 4_294_967.0, None, True),
    ],
)
def test_giving_up(failures, retries, wait, remaining, expected):
    """`retries` more attempts are made after the first, none of which would begin after the deadline."""
    assert gives_up(failures, retries, wait, remaining) == expected
