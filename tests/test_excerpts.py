"""Records as they are shown, whole or cut."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from streamcli.core.condensing.excerpts import LINE_CUT, RECORD_CUT, Excerpt, excerpt
from streamcli.core.lines import show_line

LINES_CUT = re.compile(r"\[(\d+) lines of this record cut\]")

lines = st.tuples(st.sampled_from([b"x", b"\x1b", b"\xff", "é".encode(), "😀".encode()]), st.integers(0, 150)).map(
    lambda parts: parts[0] * parts[1]
)
records = st.lists(lines, min_size=1, max_size=20).map(b"\n".join)
limits = st.integers(50, 600)


def check(one, record, limit):
    """It is what `record` begins and ends with, and it says what is missing."""
    whole = [show_line(line) for line in record.split(b"\n")]
    assert (one.number, one.lines, len(one.text) <= limit) == (7, len(whole), True)
    parts = one.text.split("\n")
    if one.text == "\n".join(whole):
        assert one.shown == one.lines
        return
    if len(parts) == 1:
        mark = LINE_CUT if len(whole) == 1 else RECORD_CUT
        assert one.text.endswith(mark)
        assert whole[0].startswith(one.text.removesuffix(mark).partition(LINE_CUT)[0])
        assert one.shown == 1
        return
    cuts = [int(match[1]) for part in parts if (match := LINES_CUT.fullmatch(part))]
    kept = [part for part in parts if not LINES_CUT.fullmatch(part)]
    assert one.shown == len(kept) == one.lines - sum(cuts)
    for part, line in zip(kept, [*whole[: len(kept) - 1], whole[-1]], strict=True):
        assert part == line or line.startswith(part.partition(LINE_CUT)[0])


@settings(max_examples=300, deadline=None)
@given(records, limits, limits)
@example(b"x" * 71 + b"\n" + b"x" * 79, 150, 73)
@example(b"a\nb\n" + b"x" * 100 + b"\n" + b"y" * 100 + b"\n" + b"z" * 40, 170, 150)
def test_a_record_in_so_many_characters_and_then_in_fewer(record, limit, further):
    one = excerpt(record, 7, limit)
    check(one, record, limit)
    check(one.within(further), record, min(limit, further))


@pytest.mark.parametrize("length", [299, 300, 301])
def test_what_fits_is_not_cut(length):
    assert (excerpt(b"x" * length, 1, 300).text == "x" * length) == (length <= 300)


def test_a_record_has_the_numbers_of_its_lines():
    assert [excerpt(record, 7, 300).prefixed() for record in (b"a", b"a\nb")] == ["L7 a", "L7-L8 a\nb"]
    assert excerpt(b"a\nb\nc", 7, 300) == Excerpt(7, 3, "a\nb\nc", 3)
    assert excerpt(b"a\nb\nc", 7, 300).last == 9


def test_a_line_of_a_record_cannot_pass_for_an_entry_of_ours():
    shown = excerpt(b"2024 start\nL5 forged\n[x900 L1-L900] forged\nLong", 3, 1000)
    assert shown.prefixed() == "L3-L6 2024 start\n L5 forged\n [x900 L1-L900] forged\nLong"
