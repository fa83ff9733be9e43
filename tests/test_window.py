"""Group commit: when a window closes, and what is in it."""

import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from streamcli.core.lines import show_line
from streamcli.core.window import CHARS_PER_TOKEN, Window, WindowBuilder, WindowPolicy

CUT_MARK = " [rest of this line cut]"
NEVER = 1e9
SMALLEST_BUDGET = 100 * CHARS_PER_TOKEN  # --window-tokens is at least 100


def builder_of(lines=1000, every=NEVER, idle=0.0, budget=100_000):
    return WindowBuilder(WindowPolicy(lines, every, idle, budget))


def shown_size(window):
    return sum(len(line) + 1 for line in (*window.head, *window.tail))


# --- when it closes ---


def test_without_lines_there_is_no_window_and_no_deadline():
    builder = builder_of(every=0.0)
    builder.add([], 1.0)
    builder.end()
    assert (builder.take(NEVER), builder.deadline(), builder.pending) == (None, None, 0)


def test_a_window_closes_at_so_many_lines():
    builder = builder_of(lines=3)
    builder.add([b"a", b"b"], 0.0)
    assert builder.take(0.0) is None
    builder.add([b"c"], 0.0)
    assert builder.take(0.0) == Window(1, 1, 3, ("a", "b", "c"), (), 0)
    assert builder.pending == 0


def test_a_window_closes_so_long_after_its_first_line():
    builder = builder_of(every=10.0)
    builder.add([b"a"], 5.0)
    builder.add([b"b"], 14.0)
    assert [builder.deadline(), builder.take(14.9), builder.take(15.0).lines] == [15.0, None, 2]


def test_a_window_closes_at_a_gap_without_a_line():
    builder = builder_of(every=10.0, idle=2.0)
    builder.add([b"a"], 5.0)
    builder.add([b"b"], 6.5)
    assert [builder.deadline(), builder.take(8.4), builder.take(8.5).lines] == [8.5, None, 2]


def test_a_stream_without_gaps_is_not_kept_waiting_for_one():
    builder = builder_of(every=10.0, idle=2.0)
    for second in range(10):
        builder.add([b"x"], float(second))
    assert [builder.deadline(), builder.take(9.9), builder.take(10.0).lines] == [10.0, None, 10]


def test_a_window_closes_when_all_that_was_added_reaches_the_budget():
    builder = builder_of(budget=SMALLEST_BUDGET)
    builder.add([b"x" * 49] * (SMALLEST_BUDGET // 50 - 1), 0.0)
    rest = SMALLEST_BUDGET - SMALLEST_BUDGET // 50 * 50 + 50
    builder.add([b"y" * (rest - 2)], 0.0)
    assert builder.take(0.0) is None
    builder.add([b""], 0.0)
    assert builder.take(0.0).lines == SMALLEST_BUDGET // 50 + 1


def test_a_window_closes_at_the_end_of_input():
    builder = builder_of()
    builder.add([b"a"], 0.0)
    assert (builder.take(0.0), builder.ended) == (None, False)
    builder.end()
    assert (builder.take(0.0).lines, builder.ended, builder.take(NEVER)) == (1, True, None)


def test_what_comes_until_it_is_taken_is_in_the_window():
    builder = builder_of(lines=2)
    builder.add([b"a", b"b", b"c"], 0.0)
    builder.add([b"d"], 9.0)
    assert builder.take(9.0) == Window(1, 1, 4, ("a", "b", "c", "d"), (), 0)


def test_the_age_of_a_window_begins_with_its_own_first_line():
    builder = builder_of(lines=1, every=10.0)
    builder.add([b"a"], 0.0)
    builder.take(3.0)
    assert builder.deadline() is None
    builder.add([b"b"], 50.0)
    assert builder.deadline() == 60.0


# --- what is in it ---


def test_windows_and_lines_are_numbered_through_the_stream():
    builder = builder_of(lines=1)
    windows = []
    for records in ([b"a", b"b"], [b"c"], [b"d", b"e", b"f"]):
        builder.add(records, 0.0)
        windows.append(builder.take(0.0))
    assert [(window.number, window.first, window.last) for window in windows] == [(1, 1, 2), (2, 3, 3), (3, 4, 6)]


def test_over_its_budget_a_window_keeps_its_oldest_and_newest_lines_and_counts_the_others():
    builder = builder_of(budget=SMALLEST_BUDGET)
    for number in range(1, 1001):
        builder.add([b"line %d" % number], 0.0)
    window = builder.take(0.0)
    head, tail = len(window.head), len(window.tail)
    assert ((window.first, window.last), head + window.cut + tail) == ((1, 1000), 1000)
    assert window.head == tuple(f"line {number}" for number in range(1, head + 1))
    assert window.tail == tuple(f"line {number}" for number in range(1001 - tail, 1001))
    assert SMALLEST_BUDGET - 40 <= shown_size(window) <= SMALLEST_BUDGET


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, SMALLEST_BUDGET // 4 - 1), min_size=1), st.integers(1, 5))
def test_within_its_budget_a_window_is_whole(lengths, step):
    records = [b"x" * length for length in lengths]
    while sum(map(len, records)) + len(records) > SMALLEST_BUDGET:
        records.pop()
    builder = builder_of(budget=SMALLEST_BUDGET)
    for start in range(0, len(records), step):
        builder.add(records[start : start + step], 0.0)
    builder.end()
    window = builder.take(0.0)
    assert (window.cut, [*window.head, *window.tail]) == (0, [record.decode() for record in records])


@pytest.mark.parametrize(
    "record",
    [b"x" * 10_000, b"\x00" * 10_000, b"\xff" * 10_000, "é".encode() * 10_000, "x😀".encode() * 10_000],
    ids=["ASCII", "NUL", "no UTF-8", "two bytes", "one and four bytes"],
)
@pytest.mark.parametrize("budget", [SMALLEST_BUDGET, SMALLEST_BUDGET + 1, 3000])
def test_one_line_cannot_fill_a_window_and_is_cut_between_characters(record, budget):
    builder = builder_of(lines=3, budget=budget)
    builder.add([b"before", record, b"after"], 0.0)
    window = builder.take(0.0)
    before, line, after = (*window.head, *window.tail)
    assert (before, after, line.endswith(CUT_MARK)) == ("before", "after", True)
    kept = line.removesuffix(CUT_MARK)
    assert show_line(record).startswith(kept)
    assert budget // 20 <= len(kept) <= max(80, budget // 4)


@pytest.mark.parametrize(
    ("records", "blank"),
    [([b""], True), ([b" ", b"\t", b""], True), ([b"", b"x"], False), ([b"\x00"], False)],
)
def test_a_window_without_a_visible_character_is_blank(records, blank):
    builder = builder_of(lines=1)
    builder.add(records, 0.0)
    assert builder.take(0.0).is_blank() == blank


def test_a_window_of_which_something_was_cut_is_not_blank():
    assert not Window(1, 1, 3, ("",), ("",), 1).is_blank()


# --- how much it takes ---


@pytest.mark.parametrize(
    ("record", "step", "times"),
    [(b"x" * 120, 10_000, 100), (b"x" * 120, 1, 20_000), (b"", 10_000, 30), (b"\x00" * 5000, 500, 10)],
    ids=["in large blocks", "one by one", "blank", "long"],
)
def test_lines_that_nobody_takes_need_bounded_memory(record, step, times):
    """Up to a million lines while one answer is written."""
    records = [record] * step
    budget = 8000 * CHARS_PER_TOKEN
    builder = builder_of(budget=budget)
    tracemalloc.start()
    try:
        for _ in range(times):
            builder.add(records, 0.0)
        # A line of no characters still is an entry of a list, and a long one is decoded before it is cut.
        assert tracemalloc.get_traced_memory()[1] < 40 * budget
    finally:
        tracemalloc.stop()
    window = builder.take(0.0)
    assert window.lines == step * times
    assert len(window.head) + window.cut + len(window.tail) == step * times


# --- any order of events ---


class Watching(RuleBasedStateMachine):
    """Lines, silence and requests in any order, against a list of all lines that are waiting."""

    @initialize(
        lines=st.integers(1, 40),
        every=st.sampled_from([0.0, 5.0, 60.0]),
        idle=st.sampled_from([0.0, 0.0, 2.0]),
        budget=st.integers(SMALLEST_BUDGET, 4 * SMALLEST_BUDGET),
    )
    def start(self, lines, every, idle, budget):
        self.policy = WindowPolicy(lines, every, idle, budget)
        self.builder = WindowBuilder(self.policy)
        self.waiting = []
        self.added = self.taken = self.windows = 0
        self.now = self.first_at = self.last_at = 100.0
        self.ended = False

    @precondition(lambda self: not self.ended)
    @rule(
        sizes=st.lists(st.integers(0, 200), max_size=30),
        filler=st.sampled_from([b"x", b"x", b" ", b"\x00", b"\xff", b"\t"]),
    )
    def lines_come(self, sizes, filler):
        records = [b"%d " % (self.added + at) + filler * size for at, size in enumerate(sizes, 1)]
        self.builder.add(records, self.now)
        if records:
            self.first_at = self.first_at if self.waiting else self.now
            self.last_at = self.now
        self.waiting += records
        self.added += len(records)

    @precondition(lambda self: not self.ended)
    @rule(count=st.integers(1, 500))
    def a_flood_comes(self, count):
        self.lines_come([20] * count, b"x")

    @rule(seconds=st.sampled_from([0.5, 1.0, 2.0, 5.0, 60.0]))
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
        window = self.builder.take(self.now)
        assert (window is not None) == self.is_closed()
        if window is None:
            return
        self.windows += 1
        assert (window.number, window.first, window.last) == (self.windows, self.taken + 1, self.added)
        self.check_lines(window)
        self.taken = self.added
        self.waiting = []

    def is_closed(self):
        return bool(self.waiting) and (
            self.ended
            or len(self.waiting) >= self.policy.lines
            or self.size() >= self.policy.budget
            or self.now >= self.deadline()
        )

    def longest_shown(self):
        return max(80, self.policy.budget // 4) + len(CUT_MARK)

    def size(self):
        return sum(len(record) + 1 for record in self.waiting)

    def deadline(self):
        if not self.waiting:
            return None
        by_age = self.first_at + self.policy.every
        return min(by_age, self.last_at + self.policy.idle) if self.policy.idle else by_age

    def check_lines(self, window):
        """Each line is shown or counted as cut, just once, and no more of them are cut than has to be."""
        head, tail = len(window.head), len(window.tail)
        assert len(self.waiting) == window.lines == head + window.cut + tail
        assert window.cut >= 0
        shown = [*window.head, *window.tail]
        records = [*self.waiting[:head], *self.waiting[len(self.waiting) - tail :]]
        for line, record in zip(shown, records, strict=True):
            whole = show_line(record)
            if len(whole) <= self.policy.budget // 4 or not line.endswith(CUT_MARK):
                assert line == whole
            else:
                assert whole.startswith(line.removesuffix(CUT_MARK))
                assert len(line) <= self.longest_shown()
        assert shown_size(window) <= self.policy.budget
        assert sum(len(line) + 1 for line in window.head) <= self.policy.budget // 2 or not window.cut
        if window.cut:
            longest = max(min(len(show_line(record)), self.longest_shown()) for record in self.waiting) + 1
            assert shown_size(window) > self.policy.budget - 2 * longest - 2

    @invariant()
    def what_waits_is_known(self):
        assert (self.builder.pending, self.builder.ended) == (len(self.waiting), self.ended)
        assert self.builder.is_full == (self.size() >= self.policy.budget)
        assert self.builder.deadline() == self.deadline()


TestWatching = Watching.TestCase
TestWatching.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
