"""What varies in a line, and where its numbers are."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from streamcli.core.condensing.masks import ADDRESS_RUNS, MAX_CACHED, MAX_WORD, Masks, keys_of

PARTS = [
    b"a",
    b"f",
    b"x",
    b"0",
    b"7",
    b"42",
    b"9" * 70,
    b".",
    b":",
    b"-",
    b"=",
    b",",
    b" ",
    b"<",
    b">",
    b"Jan ",
    b"\xff",
]
lines = st.lists(st.sampled_from(PARTS), max_size=60).map(b"".join)


def masks_of(records):
    return Masks().of_all(records)[0]


@given(st.lists(st.integers(1, 40), max_size=30))
def test_a_run_of_up_to_40_digits_is_one_0_in_a_key(lengths):
    record = b"x".join(b"%d" % (10 ** (length - 1)) for length in lengths)
    assert keys_of([record]) == [b"x".join([b"0"] * len(lengths))]


@given(st.lists(st.sampled_from([b"", b"12 34", b"a\nb 5", b"\xff"]), min_size=1))
def test_each_record_has_its_key(records):
    assert keys_of(records) == [re.sub(rb"\d+", b"0", record) for record in records]


@settings(max_examples=300, deadline=None)
@given(st.lists(lines, min_size=1, max_size=10), st.integers(1, 3))
@example([b"0:" + b"9" * 500], 1)
@example([b"9" * 45 + b".1.2.3-4"], 1)
def test_the_columns_of_numbers_are_what_stands_in_the_records(records, times):
    """An identifier in hexadecimal has no numbers, and may be another one in the text that the columns are of."""
    masks, texts = Masks().of_all(records)
    for record, text, mask in zip(records, texts, masks, strict=True):
        runs = re.findall(rb"\d+", text)
        assert mask.layout.runs == len(runs)
        for number, column in zip(mask.layout.numbers, mask.layout.columns([text] * times), strict=True):
            assert column == [b".".join(runs[number.run : number.run + number.runs])] * times
            assert column[0] in record
            assert number.runs in (1, 2, ADDRESS_RUNS)


@settings(max_examples=300, deadline=None)
@given(st.lists(lines, min_size=1, max_size=10))
def test_words_that_are_alike_have_numbers_of_the_same_sort(records):
    sorts = {}
    for mask in masks_of(records):
        for number in mask.layout.numbers:
            assert sorts.setdefault((mask.words, number.slot), number.is_measure) == number.is_measure


def test_numbers_before_the_first_letter_are_times_and_no_values():
    [mask] = masks_of([b"1700000000.123 42 [7] disk 5 of 9"])
    assert mask.layout.columns([b"1700000000.123 42 [7] disk 5 of 9"]) == [[b"5"], [b"9"]]


def test_where_there_is_no_letter_all_numbers_are_values():
    [mask] = masks_of([b"5 17"])
    assert mask.layout.columns([b"5 17"]) == [[b"5"], [b"17"]]


def test_records_that_differ_far_behind_or_deep_in_a_long_word_are_different():
    start = b"word " * 1000
    long = b"x" * (2 * MAX_WORD)
    words = [mask.words for mask in masks_of([start + b"a", start + b"b", long + b"a", long + b"b", long + b"a"])]
    assert len(set(words)) == 4
    assert all(sum(map(len, one)) < 1000 for one in words)


def test_what_is_forgotten_is_worked_out_again():
    masks = Masks()
    [before], _ = masks.of_all([b"user aa took 5 ms"])
    for start in range(0, 3 * MAX_CACHED, 1000):
        masks.of_all([b"word " + bytes(50 + byte for byte in b"%d" % at) for at in range(start, start + 1000)])
    [after], _ = masks.of_all([b"user aa took 5 ms"])
    assert before is not after
    assert (before.words, before.layout.numbers) == (after.words, after.layout.numbers)


@settings(max_examples=300, deadline=None)
@given(st.lists(lines, min_size=1, max_size=10))
def test_what_is_known_already_changes_neither_masks_nor_numbers(records):
    masks = Masks()
    once = described(records, *masks.of_all(records))
    assert described(records, *masks.of_all(records)) == once
    assert [described([record], *Masks().of_all([record])) for record in records] == [[one] for one in once]


def described(records, masks, texts):
    return [
        (record, mask.words, mask.layout.numbers, mask.layout.columns([text]))
        for record, mask, text in zip(records, masks, texts, strict=True)
    ]


@pytest.mark.parametrize(
    "records",
    [
        [b"id 3fa9c1d2 ok", b"id c0ffee11 ok", b"id 7a7a7a7a7a7a ok"],
        [b"at 0x7fff5fbff8c0", b"at 0x10", b"at 0xfeed"],
        [b"x=123e4567-e89b-12d3-a456-426614174000", b"x=deadbeef-dead-4eef-9ead-beefdeadbeef"],
    ],
)
def test_identifiers_share_what_is_worked_out(records):
    """Else almost each line of such a log would be worked out anew."""
    first, *others = masks_of(records)
    assert all(mask is first for mask in others)


def test_the_time_before_an_identifier_stays_a_time():
    one, other = masks_of([b"2001:db8:0:0:0:0:2:1 up", b"fe80::1ff:fe23:4567:890a up"])
    assert one.words == other.words
