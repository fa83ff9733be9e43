"""Which failures are tried again, after how long, and what is reported when they are given up."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamcli.core.retry import (
    FIRST_BACKOFF,
    MAX_ATTEMPTS,
    MAX_BACKOFF,
    MAX_WAIT,
    SPEND_LIMITS,
    AttemptFailed,
    Tally,
    failure_of_event,
    failure_of_status,
    is_too_long,
    reported,
    wait_before_retry,
)
from streamcli.errors import StreamBroken, Unavailable


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


@pytest.mark.parametrize("status", [400, 404, 413, 422])
def test_a_server_that_says_do_retry_is_obeyed(status):
    assert failure_of_status(status, "x", should_retry="true").retryable is True
    assert failure_of_status(status, "x", should_retry="yes").retryable is False


@pytest.mark.parametrize("status", [401, 402, 403])
def test_a_matter_of_key_or_money_is_not_retried_whatever_the_server_says(status):
    assert failure_of_status(status, "x", should_retry="true").retryable is False


def test_a_spend_limit_is_not_retried_whatever_the_server_says():
    code = min(SPEND_LIMITS)
    assert failure_of_status(429, "x", error_code=code, should_retry="true").retryable is False


@pytest.mark.parametrize("status", [408, 429, 503, 529])
def test_the_servers_wish_to_wait_is_kept(status):
    assert failure_of_status(status, "x", retry_after=12.0).retry_after == 12.0


@pytest.mark.parametrize("status", [429, 503])
def test_a_wait_that_is_not_begun_is_told_in_the_hint(status):
    failed = failure_of_status(status, "x", retry_after=4_294_967.0)
    assert reported(failed, there_is_text=False, wait=4_294_967.0).hint == "try again in 50 days"
    assert reported(failed, there_is_text=True, wait=12.4).hint == "try again in 13 s"


def test_a_wait_of_our_own_is_no_news():
    assert reported(failure_of_status(429, "x"), there_is_text=False, wait=3.0).hint == "try again later"
    assert reported(failure_of_status(503, "x"), there_is_text=False, wait=3.0).hint is None


@pytest.mark.parametrize(
    ("failed", "expected"),
    [
        (failure_of_status(429, "x"), True),
        (failure_of_status(529, "x"), False),
        (failure_of_status(503, "x", retry_after=3.0), False),
        (failure_of_event("rate_limit_error", "x", None), False),
    ],
)
def test_what_concerns_every_request_of_the_run(failed, expected):
    assert failed.is_for_all is expected


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
        (AttemptFailed(Unavailable("x"), retryable=True), 69, 76),
        (failure_of_event("overloaded_error", "x", "req_1"), 76, 76),
        (failure_of_event("invalid_request_error", "x", "req_1"), 1, 76),
        (failure_of_event("authentication_error", "x", "req_1"), 77, 76),
        (failure_of_status(401, "x"), 77, 77),
        (failure_of_status(400, "x"), 1, 1),
    ],
)
def test_once_there_is_text_what_fails_is_a_broken_stream_unless_a_request_was_refused(failed, before, after):
    for there_is_text, status in ((False, before), (True, after)):
        error = reported(failed, there_is_text=there_is_text)
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
    ("wait", "remaining", "expected"),
    [
        (10.0, 10.1, False),
        (10.0, 10.0, True),
        (0.0, 0.0, True),
        (0.0, -1.0, True),
        (MAX_WAIT, None, False),
        (MAX_WAIT + 1, None, True),
        (4_294_967.0, None, True),
    ],
)
def test_a_wait_that_would_pass_the_deadline_is_not_begun(wait, remaining, expected):
    assert is_too_long(wait, remaining) == expected


def attempts(tally, *texts):
    """Makes attempts that fail, with new text before or not; how many were made until there may be no other."""
    for text in texts:
        tally.started()
        if text:
            tally.progressed()
        tally.failed(excused=False)
        if tally.is_used_up():
            break
    return tally.attempts


@pytest.mark.parametrize("retries", [0, 1, 4])
def test_so_many_attempts_follow_the_first_when_none_brings_text(retries):
    assert attempts(Tally(retries), *[False] * 50) == retries + 1


def test_failures_are_counted_anew_when_there_is_new_text():
    assert attempts(Tally(2), False, False, True, False, True, False, False, False) == 7
    assert attempts(Tally(0), True, True) == 1


def test_who_would_be_the_next_to_be_refused_need_not_find_out_for_himself():
    tally = Tally(2)
    tally.started()
    tally.failed(excused=True)
    assert not tally.is_used_up(2)
    assert tally.is_used_up(3)


def test_there_is_an_end_to_attempts_though_each_brings_text():
    assert attempts(Tally(4), *[True] * 50) == MAX_ATTEMPTS


def test_who_only_waits_its_turn_is_excused_but_not_for_ever():
    tally = Tally(0)
    for _ in range(MAX_ATTEMPTS - 1):
        tally.started()
        assert tally.failed(excused=True) == 1
        assert not tally.is_used_up()
    tally.started()
    tally.failed(excused=True)
    assert tally.is_used_up()


def test_the_number_of_failures_in_a_row_is_what_the_wait_grows_by():
    tally = Tally(9)
    assert [tally.failed(excused=False), tally.failed(excused=False)] == [1, 2]
    tally.progressed()
    assert tally.failed(excused=False) == 1
