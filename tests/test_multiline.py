"""Lines -> records: what belongs together stays together, whatever the batches."""

import re
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamcli.core.multiline import MAX_RECORD_BYTES, MAX_RECORD_LINES, SETTLE, RecordJoiner

PYTHON = [
    b"12:00:01 ERROR job 7 failed",
    b"Traceback (most recent call last):",
    b'  File "job.py", line 3, in run',
    b"    load()",
    b"ValueError: no such thing",
    b"",
    b"During handling of the above exception, another exception occurred:",
    b"",
    b"Traceback (most recent call last):",
    b'  File "job.py", line 9, in run',
    b"job.errors.Lost: gone",
]
JAVA = [
    b"12:00:02 WARN request failed",
    b"org.acme.web.RequestException: it timed out",
    b"\tat org.acme.web.Client.get(Client.java:88)",
    b"\t... 12 more",
    b"Caused by: java.net.SocketTimeoutException: Read timed out",
    b"\tat java.base/sun.nio.ch.NioSocketImpl.read(NioSocketImpl.java:280)",
    b"... 3 common frames omitted",
]
GO = [b"panic: index out of range", b"goroutine 1 [running]:", b"\tmain.go:7 +0x1d"]
PRETTY = [b"{", b'  "level": "error",', b"}"]
PLAIN = [b"12:00:03 INFO fine", b"12:00:04 INFO fine too"]


def join(*batches: list[bytes], start=None) -> list[bytes]:
    joiner = RecordJoiner(start)
    return [record for batch in batches for record in joiner.feed(batch, 0.0)] + joiner.flush()


@pytest.mark.parametrize("group", [PYTHON, JAVA, GO, PRETTY])
def test_what_was_logged_in_one_go_is_one_record(group):
    expected = [PLAIN[0], b"\n".join(group), PLAIN[1]]
    assert join([PLAIN[0], *group, PLAIN[1]]) == expected
    assert join(*([line] for line in [PLAIN[0], *group, PLAIN[1]])) == expected


def test_each_other_line_is_a_record():
    lines = [b"a", b"Caused an outage", b"Tracebacks are rare", b"x.y is not set", b"error: no"]
    assert join(lines) == lines


def test_a_log_of_indented_lines_is_no_record():
    lines = [b"  1 0 93", b"  2 1 90", b" 10 0 95", b"100 1 90"]
    assert join(lines) == lines
    assert join([b"  a", b"    b", b"  c"]) == [b"  a\n    b", b"  c"]


def test_after_the_exception_of_a_traceback_a_record_begins():
    lines = [b"Traceback (most recent call last):", b"  File", b"KeyError: 1", b"next"]
    assert join(lines) == [b"\n".join(lines[:3]), b"next"]


def test_a_pattern_says_where_records_begin():
    lines = [b"no start yet", b"2026-01-01 one", b"goes on", b" and on", b"2026-01-02 two"]
    expected = [b"no start yet", b"2026-01-01 one\ngoes on\n and on", b"2026-01-02 two"]
    assert join(lines, start=re.compile(rb"^\d{4}-")) == expected


def test_the_last_record_waits_for_what_may_belong_to_it():
    joiner = RecordJoiner()
    assert (joiner.feed([], 0.0), joiner.deadline(), joiner.held) == ([], None, 0)
    assert (joiner.feed([b"a", b"b"], 1.0), joiner.deadline(), joiner.held) == ([b"a"], 1.0 + SETTLE, 1)
    assert joiner.feed([b" c"], 1.05) == []
    assert joiner.feed([], 1.05 + SETTLE - 0.01) == []
    assert joiner.feed([], 1.05 + SETTLE) == [b"b\n c"]
    assert (joiner.deadline(), joiner.held, joiner.flush()) == (None, 0, [])


def test_nul_is_shown():
    assert join([b"a\0b", b"\0"]) == [b"a\\x00b", b"\\x00"]
    assert join([b"a", b" \0"]) == [b"a\n \\x00"]


@pytest.mark.parametrize("line", [b" x", b" " + b"x" * 5000])
def test_a_record_without_end_is_cut(line):
    joiner = RecordJoiner()
    tracemalloc.start()
    try:
        records = [record for _ in range(5000) for record in joiner.feed([line], 0.0)]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    records += joiner.flush()
    assert b"\n".join(records) == b"\n".join([line] * 5000)
    assert max(record.count(b"\n") + 1 for record in records) <= MAX_RECORD_LINES
    assert max(map(len, records)) <= MAX_RECORD_BYTES
    assert peak < 5000 * len(line) + 4 * MAX_RECORD_BYTES


LINES = st.lists(st.sampled_from([*PYTHON, *JAVA, *GO, *PRETTY, *PLAIN, b"\r", b"a\0"]), min_size=1, max_size=40)


@settings(max_examples=300, deadline=None)
@given(LINES, st.lists(st.integers(1, 9), min_size=1), st.sampled_from([None, re.compile(rb"^\d\d:")]))
def test_batches_do_not_matter_and_no_line_is_lost(lines, sizes, start):
    batches, rest, turn = [], lines, 0
    while rest:
        size = sizes[turn % len(sizes)]
        batches.append(rest[:size])
        rest, turn = rest[size:], turn + 1
    records = join(*batches, start=start)
    assert records == join(lines, start=start)
    assert b"\n".join(records) == b"\n".join(lines).replace(b"\0", b"\\x00")
