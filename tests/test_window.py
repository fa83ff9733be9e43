"""Group commit: when a window closes, and that every line is in one."""

import tracemalloc

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from streamcli.core.window import CHARS_PER_TOKEN, PAUSE, RUSH, WindowBuilder, WindowPolicy

NEVER = 1e9
SMALLEST_BUDGET = 100 * CHARS_PER_TOKEN  # --window-tokens is at least 100
OVERLOADS = ("condense", "block", "drop-oldest", "sample", "fail")


def builder_of(lines=1000, every=NEVER, idle=0.0, budget=100_000, overload="condense"):
    return WindowBuilder(WindowPolicy(lines, every, idle, budget, overload))


def unlike(number):
    """A line of words that no other has, so that it cannot be condensed with others."""
    words = bytes.maketrans(b"0123456789", b"abcdefghij")
    return b" ".join(b"%d" % (number * factor) for factor in (7, 1013, 99991)).translate(words) * (number % 3 + 1)


def take_lines(builder, now):
    window = builder.take(now)
    return window and (window.first, window.last)


# --- when it closes ---


def test_without_lines_there_is_no_window_and_no_deadline():
    builder = builder_of(every=0.0)
    builder.add([], 1.0)
    builder.end()
    assert (builder.take(NEVER), builder.deadline(), builder.pending) == (None, None, 0)


def test_a_window_closes_at_so_many_lines_when_the_stream_pauses():
    builder = builder_of(lines=3)
    builder.add([b"a", b"b"], 0.0)
    assert (builder.take(NEVER - 1), builder.deadline()) == (None, NEVER)
    builder.add([b"c"], 5.0)
    assert [builder.take(5.0), builder.deadline()] == [None, 5.0 + PAUSE]
    window = builder.take(5.0 + PAUSE)
    assert (window.number, window.first, window.last, window.content.text) == (1, 1, 3, "L1 a\nL2 b\nL3 c")
    assert builder.pending == 0


def test_a_stream_that_does_not_pause_is_not_waited_for_long():
    builder = builder_of(lines=3)
    for tick in range(100):
        builder.add([b"a"], tick / 20)
    assert builder.deadline() == 0.1 + RUSH
    assert take_lines(builder, 0.1 + RUSH) == (1, 100)


def test_a_window_closes_so_long_after_its_first_line():
    builder = builder_of(every=10.0)
    builder.add([b"a"], 5.0)
    builder.add([b"b"], 14.0)
    assert [builder.deadline(), builder.take(14.9), take_lines(builder, 15.0)] == [15.0, None, (1, 2)]


def test_a_window_closes_at_a_gap_without_a_line():
    builder = builder_of(every=10.0, idle=2.0)
    builder.add([b"a"], 5.0)
    builder.add([b"b"], 6.5)
    assert [builder.deadline(), builder.take(8.4), take_lines(builder, 8.5)] == [8.5, None, (1, 2)]


def test_a_stream_without_gaps_is_not_kept_waiting_for_one():
    builder = builder_of(every=10.0, idle=2.0)
    for second in range(10):
        builder.add([b"x"], float(second))
    assert [builder.deadline(), builder.take(9.9), take_lines(builder, 10.0)] == [10.0, None, (1, 10)]


@pytest.mark.parametrize("overload", OVERLOADS)
def test_a_window_closes_when_its_budget_is_full(overload):
    builder = builder_of(budget=SMALLEST_BUDGET, overload=overload)
    while not builder.is_full:
        assert builder.take(0.0) is None
        builder.add([unlike(builder.pending)], 0.0)
    window = builder.take(0.0)
    assert window.content.shown
    assert len(window.content.text) <= SMALLEST_BUDGET


def test_a_window_closes_at_the_end_of_input():
    builder = builder_of()
    builder.add([b"a"], 0.0)
    assert (builder.take(0.0), builder.ended) == (None, False)
    builder.end()
    assert (take_lines(builder, 0.0), builder.ended, builder.take(NEVER)) == ((1, 1), True, None)


def test_a_window_can_be_taken_before_its_time():
    builder = builder_of()
    assert builder.take(0.0, by_force=True) is None
    builder.add([b"a"], 0.0)
    assert builder.take(0.0, by_force=True).last == 1


def test_what_comes_until_it_is_taken_is_in_the_window():
    builder = builder_of(lines=2)
    builder.add([b"a", b"b", b"c"], 0.0)
    builder.add([b"d"], 9.0)
    assert take_lines(builder, 9.0) == (1, 4)


def test_the_age_of_a_window_begins_with_its_own_first_line():
    builder = builder_of(lines=1, every=10.0)
    builder.add([b"a"], 0.0)
    builder.take(3.0)
    assert builder.deadline() is None
    builder.add([b"b"], 50.0)
    assert builder.deadline() == 50.0 + PAUSE


# --- what is in it ---


def test_windows_and_lines_are_numbered_through_the_stream():
    builder = builder_of(lines=1)
    windows = []
    for records in ([b"a", b"b\n of two\n lines"], [b"c"], [b"d", b"e", b"f"]):
        builder.add(records, 0.0)
        windows.append(builder.take(1.0))
    assert [(window.number, window.first, window.last) for window in windows] == [(1, 1, 4), (2, 5, 5), (3, 6, 8)]
    assert windows[0].content.text == "L1 a\nL2-L4 b\n of two\n lines"


def test_a_window_knows_how_far_the_input_was_read():
    builder = builder_of(lines=1)
    builder.add([b"a"], 0.0)
    builder.mark = "after a"
    assert (builder.take(1.0).mark, builder.mark) == ("after a", "after a")


@pytest.mark.parametrize(
    ("records", "blank"),
    [([b""], True), ([b" ", b"\t", b"\n\n "], True), ([b"", b"x"], False), ([b"\x01"], False)],
)
def test_a_window_without_a_visible_character_is_passed_over(records, blank):
    builder = builder_of(lines=1)
    builder.add(records, 0.0)
    assert (builder.take(1.0) is None, builder.pending) == (blank, 0)
    builder.add([b"next"], 1.0)
    window = builder.take(2.0)
    assert (window.number, window.first) == (1 if blank else 2, sum(1 + record.count(b"\n") for record in records) + 1)


def test_what_a_full_window_does_not_take_it_gives_back():
    records = [b"%d" % number + b"x" * 20 for number in range(100)]
    for overload in ("block", "fail"):
        builder = builder_of(budget=SMALLEST_BUDGET, overload=overload)
        windows = []
        rest = records
        while rest := builder.add(rest, 0.0):
            windows.append(builder.take(0.0))
        builder.end()
        windows.append(builder.take(0.0))
        texts = "\n".join(window.content.text for window in windows)
        assert texts == "\n".join(f"L{line} {record.decode()}" for line, record in enumerate(records, 1))
        assert max(len(window.content.text) for window in windows) <= SMALLEST_BUDGET


def test_where_a_request_can_be_sent_a_window_is_not_filled_beyond_its_budget():
    records = [unlike(number) for number in range(5000)]
    builder = builder_of(budget=2000)
    rest = builder.add(records, 0.0, to_the_brim=True)
    assert builder.is_full
    assert len(records) - 200 < len(rest) + builder.pending <= len(records)
    assert builder.add(rest, 0.0, to_the_brim=True) == rest
    assert builder.add(rest, 0.0) == []


# --- how much it takes ---


@pytest.mark.parametrize("overload", OVERLOADS)
@pytest.mark.parametrize(
    ("record", "step", "times"),
    [(b"x" * 120, 5_000, 10), (b"x" * 120, 1, 2_000), (b"", 10_000, 3), (b"\x01" * 5000, 200, 5)],
    ids=["in large blocks", "one by one", "blank", "long"],
)
def test_lines_that_nobody_takes_need_bounded_memory(record, step, times, overload):
    """Tens of thousands of lines while one answer is written."""
    records = [record] * step
    budget = 8000 * CHARS_PER_TOKEN
    builder = builder_of(budget=budget, overload=overload)
    tracemalloc.start()
    try:
        for _ in range(times):
            builder.add(records, 0.0)
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()


# --- any order of events ---


class Watching(RuleBasedStateMachine):
    """Lines, silence and requests in any order, against the number of lines that are waiting."""

    @initialize(
        lines=st.integers(1, 40),
        every=st.sampled_from([0.0, 5.0, 60.0]),
        idle=st.sampled_from([0.0, 0.0, 2.0]),
        budget=st.integers(SMALLEST_BUDGET, 4 * SMALLEST_BUDGET),
        overload=st.sampled_from(OVERLOADS),
    )
    def start(self, lines, every, idle, budget, overload):
        self.policy = WindowPolicy(lines, every, idle, budget, overload)
        self.builder = WindowBuilder(self.policy)
        self.waiting = self.taken = self.windows = 0
        self.now = self.first_at = self.last_at = 100.0
        self.enough_at = None
        self.ended = False

    @precondition(lambda self: not self.ended)
    @rule(
        sizes=st.lists(st.integers(0, 200), max_size=30),
        filler=st.sampled_from([b"x", b"x", b" ", b"\x01", b"\xff", b"\t", b"\n"]),
        to_the_brim=st.booleans(),
    )
    def lines_come(self, sizes, filler, to_the_brim):
        records = [b"%d " % at + filler * size for at, size in enumerate(sizes, 1)]
        rest = self.builder.add(records, self.now, to_the_brim=to_the_brim)
        taken = records[: len(records) - len(rest)]
        assert list(rest) == records[len(taken) :]
        assert not rest or (self.builder.is_full and (to_the_brim or self.policy.overload in ("block", "fail")))
        if taken:
            self.first_at = self.first_at if self.waiting else self.now
            self.last_at = self.now
        self.waiting += sum(1 + record.count(b"\n") for record in taken)
        if self.waiting >= self.policy.lines and self.enough_at is None:
            self.enough_at = self.now

    @precondition(lambda self: not self.ended)
    @rule(count=st.integers(1, 300))
    def a_flood_comes(self, count):
        self.lines_come([20] * count, b"x", False)

    @rule(seconds=st.sampled_from([0.05, 0.5, 1.0, 2.0, 5.0, 60.0]))
    def time_passes(self, seconds):
        self.now += seconds

    @precondition(lambda self: self.waiting)
    @rule()
    def the_deadline_comes(self):
        self.now = max(self.now, self.builder.deadline())
        assert self.is_closed()

    @rule()
    def input_ends(self):
        self.builder.end()
        self.ended = True

    @rule()
    def a_request_can_be_sent(self):
        closed = self.is_closed()
        window = self.builder.take(self.now)
        assert (window is not None) == closed
        if window is None:
            return
        self.windows += 1
        assert (window.number, window.first, window.last) == (self.windows, self.taken + 1, self.taken + self.waiting)
        content = window.content
        assert self.waiting == window.lines == content.lines == content.shown + content.condensed + content.dropped
        assert min(content.shown, content.condensed, content.dropped) >= 0
        assert len(content.text) <= self.policy.budget
        self.taken += self.waiting
        self.waiting = 0
        self.enough_at = None

    def is_closed(self):
        return bool(self.waiting) and (self.ended or self.builder.is_full or self.now >= self.deadline())

    def deadline(self):
        if not self.waiting:
            return None
        times = [self.first_at + self.policy.every]
        if self.policy.idle:
            times.append(self.last_at + self.policy.idle)
        if self.enough_at is not None:
            times.append(min(self.last_at + PAUSE, self.enough_at + RUSH))
        return min(times)

    @invariant()
    def what_waits_is_known(self):
        assert (self.builder.pending, self.builder.ended) == (self.waiting, self.ended)
        assert self.builder.deadline() == self.deadline()


TestWatching = Watching.TestCase
TestWatching.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
