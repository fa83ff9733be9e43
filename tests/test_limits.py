"""Rate-limit headers -> how long to wait."""

import math
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamcli.core.limits import retry_after

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
