"""Rate-limit headers -> how long to wait, how much is left."""

import math
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamcli.core.limits import Quota, in_words, quota, retry_after

NOON = 1445428800.0  # Wed, 21 Oct 2015 12:00:00 GMT


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "0.25"}, 0.25),
        ({"retry-after": " 7 "}, 7.0),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "7"}, 7.0),
        ({"retry-after-ms": "-1", "retry-after": "7"}, 7.0),
        ({"retry-after": "Wed, 21 Oct 2015 12:00:30 GMT"}, 30.0),
        ({"retry-after": "Wed, 21 Oct 2015 12:00:30 -0000"}, 30.0),
        ({"retry-after": "Wed, 21 Oct 2015 14:00:30 +0200"}, 30.0),
        ({"retry-after": "Wednesday, 21-Oct-15 12:00:30 GMT"}, 30.0),
    ],
)
def test_retry_after(headers, seconds):
    assert retry_after(headers, NOON) == seconds


@pytest.fixture
def far_east(monkeypatch):
    monkeypatch.setenv("TZ", "UTC-9")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_a_date_without_a_zone_is_in_utc_wherever_we_are(far_east):
    assert retry_after({"retry-after": "Wed, 21 Oct 2015 12:00:30 -0000"}, NOON) == 30.0


def test_a_date_that_has_passed_is_now():
    assert retry_after({"retry-after": "Wed, 21 Oct 2015 11:59:00 GMT"}, NOON) == 0.0


@pytest.mark.parametrize(
    "value",
    [
        "",
        "soon",
        "-1",
        "nan",
        "inf",
        "1e999",
        "Wed, 99 Oct 2015 12:00:00 GMT",
        "Wed, 21 Oct 99999999999999999999 07:28:00 GMT",
        "99999999999999999999 Oct 2015 07:28:00 GMT",
        "Wed, 21 Oct 2015 12:00:00 +9999",
    ],
)
def test_a_value_that_is_neither_seconds_nor_a_date_says_nothing(value):
    assert retry_after({"retry-after": value}, NOON) is None


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.text(max_size=40),
        st.text(alphabet="0123456789 :+-.eGMTOctWd,", max_size=40),
        st.from_regex(r"\A(Mon, )?[0-9]{1,22} (Jan|Oct|Foo) [0-9]{1,22} [0-9]{1,4}:[0-9]{1,4}:[0-9]{1,4} \S{0,6}\Z"),
    )
)
def test_whatever_a_header_says_is_a_wait_or_nothing(value):
    for name in ("retry-after", "retry-after-ms"):
        seconds = retry_after({name: value}, NOON)
        assert seconds is None or (math.isfinite(seconds) and seconds >= 0)


# --- what is left ---


def said(**limits):
    """Headers: limit -> (remaining, reset)."""
    headers = {}
    for name, (remaining, reset) in limits.items():
        prefix = f"anthropic-ratelimit-{name.replace('_', '-')}"
        headers[f"{prefix}-remaining"], headers[f"{prefix}-reset"] = remaining, reset
    return headers


SOON, LATER, PAST = "2015-10-21T12:00:05Z", "2015-10-21T14:01:00+02:00", "2015-10-21T11:59:00Z"


@pytest.mark.parametrize(
    ("headers", "left"),
    [
        ({}, None),
        (said(requests=("50", SOON)), Quota(50, 5.0)),
        (said(requests=("50", LATER)), Quota(50, 60.0)),
        (said(requests=("50", "2015-10-21t12:00:00.25z")), Quota(50, 0.25)),
        (said(requests=("50", PAST)), Quota(50, 0.0)),
        ({**said(requests=("7", SOON)), "anthropic-ratelimit-requests-limit": "50"}, Quota(7, 5.0, 50)),
        ({**said(requests=("7", SOON)), "anthropic-ratelimit-requests-limit": "many"}, Quota(7, 5.0)),
        (said(requests=("0", SOON)), Quota(0, 5.0)),
        (said(requests=("-1", SOON)), Quota(0, 5.0)),
        (said(requests=("50", LATER), tokens=("1000", SOON)), Quota(50, 60.0)),
        (said(tokens=("1000", SOON)), None),
        (said(requests=("50", LATER), tokens=("0", SOON)), Quota(0, 5.0)),
        (said(requests=("50", SOON), input_tokens=("0", LATER)), Quota(0, 60.0)),
        (said(output_tokens=("-7", SOON)), Quota(0, 5.0)),
        (said(tokens=("0", SOON), input_tokens=("0", LATER), output_tokens=("9", PAST)), Quota(0, 60.0)),
        (said(requests=("0", LATER), tokens=("0", SOON)), Quota(0, 60.0)),
    ],
)
def test_quota(headers, left):
    assert quota(headers, NOON) == left


@pytest.mark.parametrize(
    ("remaining", "reset"),
    [
        ("many", SOON),
        ("", SOON),
        ("1.5", SOON),
        ("9" * 5000, SOON),
        ("50", ""),
        ("50", "soon"),
        ("50", "30"),
        ("50", "2015-10-21"),
        ("50", "2015-10-21T12:00:05"),  # no zone
        ("50", "2015-99-21T12:00:05Z"),
        ("50", "99999-10-21T12:00:05Z"),
    ],
)
def test_a_limit_that_is_not_understood_says_nothing(remaining, reset):
    assert (
        quota(said(requests=(remaining, reset), tokens=("0", reset) if remaining == "50" else ("", "")), NOON) is None
    )


def test_a_limit_without_its_reset_or_its_remainder_says_nothing():
    assert quota({"anthropic-ratelimit-requests-remaining": "0"}, NOON) is None
    assert quota({"anthropic-ratelimit-requests-reset": SOON}, NOON) is None


def test_a_reset_is_in_the_time_of_the_server_where_its_clock_is_ahead():
    headers = {**said(requests=("0", "2015-10-21T13:00:05Z")), "date": "Wed, 21 Oct 2015 13:00:00 GMT"}
    assert quota(headers, NOON) == Quota(0, 5.0)


@pytest.mark.parametrize("date", ["Wed, 21 Oct 2015 11:00:00 GMT", "today", ""])
def test_a_date_does_not_make_the_wait_longer(date):
    assert quota({**said(requests=("0", SOON)), "date": date}, NOON) == Quota(0, 5.0)


@settings(max_examples=300, deadline=None)
@given(
    st.text(max_size=30) | st.integers().map(str),
    st.text(max_size=30)
    | st.text(alphabet="0123456789:+-.TZ", max_size=30)
    | st.from_regex(r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})\Z"),
)
def test_whatever_the_headers_say_is_a_quota_or_nothing(remaining, reset):
    left = quota({**said(requests=(remaining, reset), tokens=(remaining, reset)), "date": reset}, NOON)
    assert left is None or (left.requests >= 0 and math.isfinite(left.resets_in) and left.resets_in >= 0)


# --- in words ---


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-1.0, "0 s"),
        (0.0, "0 s"),
        (0.02, "1 s"),
        (3.0, "3 s"),
        (3.0000000004, "3 s"),
        (3.01, "4 s"),
        (119.0, "119 s"),
        (119.5, "2 min"),
        (300.0, "5 min"),
        (301.0, "6 min"),
        (7141.0, "2 h"),
        (86_400.0, "24 h"),
        (172_801.0, "3 days"),
        (4_294_967.0, "50 days"),
        (100_000_000.0, "1,158 days"),
        (1e300, "more than 99 years"),
    ],
)
def test_a_time_in_words(seconds, words):
    assert in_words(seconds) == words
