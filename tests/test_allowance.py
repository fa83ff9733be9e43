"""How often a watch may ask."""

import itertools
import math

from hypothesis import given, settings
from hypothesis import strategies as st

from streamcli.core.allowance import HOUR, MINUTE, Allowance


def begun(allowance: Allowance, seconds: float) -> list[float]:
    """When requests go out if one is wanted at any time."""
    now, times = 0.0, []
    while (now := allowance.next_at(now)) < seconds:
        allowance.begin(now)
        times.append(now)
    return times


def test_half_of_a_minutes_requests_may_come_at_once_and_the_others_are_spread():
    assert begun(Allowance(6, None), 100) == [0, 0, 0, 10, 20, 30, 60, 70, 80, 90]


def test_one_a_minute():
    assert begun(Allowance(1, None), 200) == [0, 60, 120, 180]


def test_without_limits_nothing_waits():
    allowance = Allowance(0, None)
    for _ in range(1000):
        allowance.begin(5.0)
        allowance.spend(100.0, 5.0)
    assert (allowance.next_at(5.0), allowance.waits_for_money(5.0)) == (5.0, False)


def test_a_quiet_log_is_answered_at_once():
    allowance = Allowance(6, None)
    for now in (0.0, 30.0, 61.0, 100.0):
        assert allowance.next_at(now) == now
        allowance.begin(now)


def test_what_was_spent_delays_the_next():
    allowance = Allowance(0, 1.0)
    allowance.begin(0.0)
    assert allowance.next_at(2.0) == 2.0
    allowance.spend(0.01, 4.0)
    assert (allowance.next_at(5.0), allowance.waits_for_money(5.0)) == (40.0, True)
    allowance.spend(0.01, 4.0)
    assert (allowance.next_at(5.0), allowance.waits_for_money(80.0)) == (76.0, False)


def test_a_limit_of_no_dollars_waits_for_ever_once_something_was_spent():
    allowance = Allowance(0, 0.0)
    allowance.spend(0.0, 1.0)
    assert allowance.next_at(1.0) == 1.0
    allowance.spend(0.001, 1.0)
    assert allowance.next_at(1.0) == math.inf


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 40), st.lists(st.floats(0, 40), max_size=120))
def test_no_minute_has_more_than_it_may_and_a_full_one_is_not_starved(limit, gaps):
    allowance, now, times = Allowance(limit, None), 0.0, []
    for gap in gaps:
        now = allowance.next_at(now + gap)
        allowance.begin(now)
        times.append(now)
    for place, time in enumerate(times):
        assert sum(other < time + MINUTE for other in times[place:]) <= limit
    assert all(later - earlier <= 40 + MINUTE for earlier, later in itertools.pairwise(times))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.floats(0.0001, 0.05), st.floats(0, 30)), min_size=1, max_size=200))
def test_no_hour_costs_more_than_it_may_but_for_the_last_request(requests):
    allowance, now, spent = Allowance(0, 1.0), 0.0, []
    for cost, seconds in requests:
        now = allowance.next_at(now)
        allowance.begin(now)
        now += seconds
        allowance.spend(cost, now)
        spent.append((now, cost))
    for place, (end, last) in enumerate(spent):
        within = sum(cost for time, cost in spent[: place + 1] if time > end - HOUR)
        assert within <= 1.0 + 2 * 0.05 + last
