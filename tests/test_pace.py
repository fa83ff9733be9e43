"""The pace of a run: its rules one by one, and any order of events."""

import math

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from streamcli.core.limits import Pace, Quota

# --- the window ---


def admitted(pace, now, at_most=1000):
    """All tickets that there are at a moment."""
    tickets = []
    while len(tickets) < at_most and isinstance(answer := pace.admit(now), int):
        tickets.append(answer)
    return tickets


def round_of(pace, now, accepted, refused, wait=1.0):
    """Admits so many requests, which are answered at once and are over."""
    tickets = admitted(pace, now, accepted + refused)
    assert len(tickets) == accepted + refused
    for at, ticket in enumerate(tickets):
        if at < accepted:
            pace.accepted(ticket, None, now)
        else:
            pace.refused(ticket, wait, now)
        pace.ended(ticket)


def test_no_more_are_under_way_than_the_run_is_wide():
    pace = Pace(3)
    tickets = admitted(pace, 0.0)
    assert (len(set(tickets)), pace.admit(0.0)) == (3, None)
    pace.accepted(tickets[1], None, 0.0)
    assert pace.admit(0.0) is None  # it still is under way
    pace.ended(tickets[1])
    assert (len(admitted(pace, 0.0)), pace.accepted_count) == (1, 1)


def test_a_refusal_blocks_the_whole_run_until_the_latest_of_the_waits_is_over():
    pace = Pace(8)
    tickets = admitted(pace, 0.0, 4)
    pace.refused(tickets[0], 1.0, 10.0)
    pace.refused(tickets[1], 5.0, 10.5)
    pace.refused(tickets[2], 2.0, 11.0)
    for ticket in tickets:
        pace.ended(ticket)
    assert (pace.admit(11.0), pace.blocked_for(11.0)) == (4.5, 4.5)
    assert (pace.admit(15.25), pace.blocked_for(15.25)) == (0.25, 0.25)
    assert isinstance(pace.admit(15.5), int)
    assert pace.blocked_for(15.5) == 0.0


@pytest.mark.parametrize(
    ("accepted", "refused", "window"),
    [(20, 10, 30), (25, 5, 30), (10, 20, 15), (1, 29, 2), (0, 30, 1), (0, 1, 1), (15, 15, 23)],
)
def test_after_a_block_the_window_is_cut_by_how_many_were_refused(accepted, refused, window):
    pace = Pace(30)
    round_of(pace, 0.0, accepted, refused)
    assert len(admitted(pace, 1.0)) == window == pace.window


def test_each_acceptance_then_widens_the_window_by_one():
    pace = Pace(8)
    round_of(pace, 0.0, 0, 8)
    sizes = []
    for _ in range(6):
        tickets = admitted(pace, 1.0)
        sizes.append(len(tickets))
        for ticket in tickets:
            pace.accepted(ticket, None, 1.0)
            pace.ended(ticket)
    assert sizes == [1, 2, 4, 8, 8, 8]


def test_what_was_admitted_before_the_block_does_not_cut_the_window_again():
    pace = Pace(8)
    first, *late = admitted(pace, 0.0)
    pace.refused(first, 1.0, 0.0)
    pace.ended(first)
    assert pace.admit(1.0) is None  # the window is not below what is under way
    assert pace.window == 7
    for ticket in late[:6]:
        pace.refused(ticket, 1.0, 1.5)
        pace.ended(ticket)
    assert pace.admit(2.0) == 0.5
    assert (len(admitted(pace, 2.5)), pace.window) == (6, 7)


def test_the_window_is_not_cut_below_what_is_under_way():
    """One refused, while answers of the same run are still written, would else stop it until nearly all have ended."""
    pace = Pace(10)
    written = admitted(pace, 0.0, 9)
    for ticket in written:
        pace.accepted(ticket, None, 0.0)
    round_of(pace, 0.0, 0, 1)  # 9 of 10 got through
    round_of(pace, 1.0, 0, 1)
    assert (pace.admit(2.0), pace.window) == (None, 9)
    pace.ended(written[0])
    assert len(admitted(pace, 2.0)) == 1


def test_a_wait_of_nothing_ends_the_round_all_the_same():
    pace = Pace(4)
    round_of(pace, 0.0, 0, 4, wait=0.0)
    assert (len(admitted(pace, 0.0)), pace.window) == (1, 1)


# --- what the headers leave ---


def test_no_more_go_out_than_are_left_whatever_is_without_an_answer():
    pace = Pace(10)
    first, *others = admitted(pace, 0.0, 4)
    pace.accepted(first, Quota(5, 60.0), 0.0)
    assert len(admitted(pace, 0.0)) == 2  # three of the five may have been counted, or not
    assert pace.admit(1.0) == 59.0
    pace.accepted(others[0], Quota(4, 59.0), 1.0)
    assert pace.admit(1.0) == 59.0
    pace.ended(others[1])  # it got no answer: it does not count
    assert len(admitted(pace, 1.0)) == 1
    pace.ended(first)
    assert pace.admit(2.0) == 58.0


def test_what_is_left_is_forgotten_at_the_reset():
    pace = Pace(10)
    (first,) = admitted(pace, 0.0, 1)
    pace.accepted(first, Quota(2, 60.0), 0.0)
    assert len(admitted(pace, 59.9)) == 2
    assert len(admitted(pace, 60.0)) == 7


def test_nothing_left_blocks_until_the_reset_and_does_not_cut_the_window():
    pace = Pace(4)
    tickets = admitted(pace, 0.0)
    pace.accepted(tickets[0], Quota(0, 60.0), 0.0)
    for ticket in tickets:
        pace.ended(ticket)
    assert (pace.admit(0.0), pace.blocked_for(1.0)) == (60.0, 59.0)
    assert (len(admitted(pace, 60.0)), pace.window) == (4, 4)


def test_nothing_left_does_not_make_a_block_shorter():
    pace = Pace(4)
    first, second = admitted(pace, 0.0, 2)
    pace.refused(first, 60.0, 0.0)
    pace.accepted(second, Quota(0, 5.0), 0.0)
    assert pace.blocked_for(0.0) == 60.0


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ([Quota(5, 60.0), Quota(3, 60.02)], 3),
        ([Quota(3, 60.0), Quota(5, 59.98)], 3),  # of one period, the smallest is the latest
        ([Quota(3, 60.0), Quota(5, 61.0)], 5),  # one further on: a bucket, or the next period
        ([Quota(5, 61.0), Quota(3, 60.0)], 5),
        ([Quota(3, 60.0), Quota(5, 0.0)], 3),
    ],
)
def test_responses_may_come_in_any_order(said, left):
    pace = Pace(20)
    for ticket, quota in zip(admitted(pace, 0.0, len(said)), said, strict=True):
        pace.accepted(ticket, quota, 0.0)
        pace.ended(ticket)
    assert len(admitted(pace, 0.0)) == left


# --- any order of events ---


class Running(RuleBasedStateMachine):
    """Requests and answers in any order."""

    @initialize(width=st.integers(1, 6))
    def start(self, width):
        self.pace, self.width = Pace(width), width
        self.now = self.blocked_until = 0.0
        self.under_way = {}  # ticket -> whether it is answered
        self.taken = 0

    def one(self, data, answered):
        return data.draw(st.sampled_from([ticket for ticket, is_so in self.under_way.items() if is_so <= answered]))

    @rule()
    def a_request_wants_to_go_out(self):
        answer = self.pace.admit(self.now)
        if isinstance(answer, int):
            assert self.now >= self.blocked_until
            assert answer not in self.under_way
            self.under_way[answer] = False
            assert len(self.under_way) <= self.width
        elif isinstance(answer, float):
            assert 0 < answer < math.inf
            assert self.under_way or self.now < self.blocked_until
        else:
            assert self.under_way
            assert self.now >= self.blocked_until

    @precondition(lambda self: not all(self.under_way.values()))
    @rule(data=st.data(), left=st.none() | st.builds(Quota, st.integers(0, 8), st.sampled_from([0.0, 1.0, 1.05, 9.0])))
    def one_is_accepted(self, data, left):
        ticket = self.one(data, answered=False)
        self.pace.accepted(ticket, left, self.now)
        self.under_way[ticket] = True
        self.taken += 1
        if left is not None and not left.requests:
            self.blocked_until = max(self.blocked_until, self.now + left.resets_in)

    @precondition(lambda self: not all(self.under_way.values()))
    @rule(data=st.data(), wait=st.sampled_from([0.0, 0.5, 5.0]))
    def one_is_refused(self, data, wait):
        ticket = self.one(data, answered=False)
        self.pace.refused(ticket, wait, self.now)
        self.under_way[ticket] = True
        self.blocked_until = max(self.blocked_until, self.now + wait)

    @precondition(lambda self: self.under_way)
    @rule(data=st.data())
    def one_ends(self, data):
        ticket = self.one(data, answered=True)
        self.pace.ended(ticket)
        del self.under_way[ticket]

    @rule(seconds=st.sampled_from([0.1, 1.0, 10.0]))
    def time_passes(self, seconds):
        self.now += seconds

    @invariant()
    def it_is_within_its_bounds(self):
        assert 1 <= self.pace.window <= self.width
        assert self.pace.accepted_count == self.taken
        assert self.pace.blocked_for(self.now) == max(0.0, self.blocked_until - self.now)

    def teardown(self):
        """Once all is over and the block too, a request goes out: no deadlock."""
        if not hasattr(self, "pace"):
            return
        for ticket in self.under_way:
            self.pace.ended(ticket)
        assert isinstance(self.pace.admit(max(self.now, self.blocked_until)), int)


TestRunning = Running.TestCase
TestRunning.settings = settings(max_examples=150, stateful_step_count=50, deadline=None)


def test_no_more_go_out_at_once_than_any_period_allows():
    pace = Pace(8)
    pace.accepted(pace.admit(0.0), Quota(0, 2.0, limit=3), 0.0)
    assert pace.admit(1.0) == 1.0
    tickets = [pace.admit(2.0) for _ in range(4)]
    assert [ticket is not None for ticket in tickets] == [True, True, True, False]
    pace.accepted(tickets[0], None, 2.1)
    assert pace.admit(2.1) is not None


def test_rounds_in_which_nobody_got_through_are_counted():
    pace = Pace(2)
    for now in (0.0, 1.0, 2.0):
        for ticket in [ticket for ticket in (pace.admit(now), pace.admit(now)) if ticket is not None]:
            pace.refused(ticket, 1.0, now)
            pace.ended(ticket)
    assert pace.barren_rounds == 3
    pace.accepted(pace.admit(3.0), None, 3.0)
    assert pace.barren_rounds == 0
