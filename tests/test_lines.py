"""Bytes -> lines. That chunks do not matter is in test_splits.py."""

import re
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamcli.core.lines import MAX_LINE_BYTES, LineSplitter, decode, show_line

BLOCK = 1 << 16


def split(*chunks, cap=MAX_LINE_BYTES):
    splitter = LineSplitter(cap)
    return [line for chunk in chunks for line in splitter.feed(chunk, 0.0)] + splitter.flush()


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", []),
        (b"\n", [b""]),
        (b"\r\n", [b""]),
        (b"a", [b"a"]),
        (b"a\n", [b"a"]),
        (b"a\nb", [b"a", b"b"]),
        (b"a\r\nb\r\n", [b"a", b"b"]),
        (b"a\n\n\nb\n", [b"a", b"", b"", b"b"]),
        (b"a\rb\n", [b"a\rb"]),
        (b"a\r\r\nb\r\r\n", [b"a\r", b"b\r"]),
        (b"\x00\xff\xfe\xc3\n\x1b[0m\n", [b"\x00\xff\xfe\xc3", b"\x1b[0m"]),
        (b"\x0b\x0c\xc2\x85\xe2\x80\xa8\n", [b"\x0b\x0c\xc2\x85\xe2\x80\xa8"]),
    ],
)
def test_lines_end_at_lf_or_crlf(data, lines):
    assert split(data) == lines
    assert split(*(data[at : at + 1] for at in range(len(data)))) == lines


def test_a_line_is_given_out_with_the_chunk_that_ends_it():
    splitter = LineSplitter()
    assert [splitter.feed(chunk, 0.0) for chunk in (b"a", b"b\nc", b"", b"\nd\n")] == [[], [b"ab"], [], [b"c", b"d"]]
    assert splitter.flush() == []
    assert splitter.deadline() is None


def test_the_last_line_needs_no_end_and_comes_once():
    splitter = LineSplitter()
    splitter.feed(b"a\nb", 0.0)
    assert [splitter.flush(), splitter.flush()] == [[b"b"], []]


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"abcd\nefgh", [b"abcd", b"efgh"]),
        (b"abcdefgh\n", [b"abcd [4 more bytes of this line cut]"]),
        (b"x\nabcdefgh\ny\n", [b"x", b"abcd [4 more bytes of this line cut]", b"y"]),
        (b"abcdefgh\nxy\n", [b"abcd [4 more bytes of this line cut]", b"xy"]),
        (b"abcdefgh", [b"abcd [4 more bytes of this line cut]"]),
    ],
)
def test_a_line_over_the_cap_is_cut_and_the_rest_counted(data, lines):
    assert split(data, cap=4) == lines
    assert split(*(data[at : at + 1] for at in range(len(data))), cap=4) == lines


def test_by_default_a_line_is_cut_at_64_kib_however_it_was_read():
    data = b"x" * (MAX_LINE_BYTES + 5) + b"\nnext\n"
    expected = [b"x" * MAX_LINE_BYTES + b" [5 more bytes of this line cut]", b"next"]
    assert split(data) == expected
    assert split(data[:BLOCK], data[BLOCK:]) == expected


@pytest.mark.parametrize("size", [16, 1000, BLOCK, 16 * BLOCK])
def test_a_line_without_end_takes_bounded_memory(size):
    count = 64 * BLOCK // size
    splitter = LineSplitter()
    tracemalloc.start()
    try:
        for _ in range(count):
            assert splitter.feed(b"x" * size, 0.0) == []
        # Besides a chunk and the line there are the headers of its pieces.
        assert tracemalloc.get_traced_memory()[1] < size + 8 * MAX_LINE_BYTES
    finally:
        tracemalloc.stop()
    cut = size * count - MAX_LINE_BYTES
    assert splitter.flush() == [b"x" * MAX_LINE_BYTES + b" [%d more bytes of this line cut]" % cut]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"plain \xc3\xa9 \xf0\x9f\x98\x80\r\n\x00", "plain é 😀\r\n\x00"),
        (b"caf\xe9", "caf\\xe9"),
        (b"\xed\xa0\xbd", "\\xed\\xa0\\xbd"),
        (b"\xc3", "\\xc3"),
    ],
)
def test_bytes_that_are_no_utf_8_are_shown(data, text):
    assert decode(data) == text


@pytest.mark.parametrize(
    ("record", "line"),
    [
        (b"as it is\t\xc3\xa9", "as it is\té"),
        (b"\x1b[31mred", "\\x1b[31mred"),
        (b"\x00\x07\x7f\r", "\\x00\\x07\\x7f\\x0d"),
        (b"caf\xe9\x1b", "caf\\xe9\\x1b"),
        (b"", ""),
    ],
)
def test_controls_in_a_line_are_shown(record, line):
    assert show_line(record) == line


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_any_line_becomes_one_line_that_can_be_sent(record):
    line = show_line(record)
    assert re.findall(r"[\x00-\x08\x0a-\x1f\x7f]", line) == []
    assert line.encode().decode() == line
    assert decode(record) == decode(record).encode().decode()
