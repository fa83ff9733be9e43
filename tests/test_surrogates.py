"""Surrogates: pairs that come in halves are joined, and a lone one is replaced."""

import struct

import pytest

from streamcli.core.surrogates import SurrogateMender, mend_surrogates

HIGH, LOW = "\ud83d", "\ude00"


@pytest.mark.parametrize("char", ["\U00010000", "😀", "\U0010ffff"])
def test_half_a_character_waits_for_its_other_half(char):
    high, low = (chr(half) for half in struct.unpack("<2H", char.encode("utf-16-le")))
    mender = SurrogateMender()
    assert [mender.feed("a" + high, 0.0), mender.feed("", 0.0), mender.feed(low + "b", 9.0)] == [
        ["a"],
        [],
        [char + "b"],
    ]
    assert (mender.deadline(), mender.flush()) == (None, [])


def test_half_a_character_alone_is_not_let_out():
    mender = SurrogateMender()
    assert [mender.feed(HIGH, 0.0), mender.feed(LOW, 5.0), mender.flush()] == [[], ["😀"], []]


def test_half_a_character_whose_other_half_never_comes_is_replaced():
    mender = SurrogateMender()
    assert [mender.feed("a" + HIGH, 0.0), mender.feed("b", 0.0)] == [["a"], ["\ufffdb"]]
    assert [mender.feed("a" + HIGH, 0.0), mender.flush(), mender.flush()] == [["a"], ["\ufffd"], []]


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("", ""),
        ("plain é 😀", "plain é 😀"),
        (HIGH + LOW, "😀"),
        (HIGH, "\ufffd"),
        (LOW, "\ufffd"),
        (LOW + HIGH, "\ufffd\ufffd"),
        (HIGH + HIGH + LOW, "\ufffd😀"),
        (HIGH + "a" + LOW, "\ufffda\ufffd"),
        ("\ufeff" + HIGH, "\ufeff\ufffd"),
    ],
)
def test_surrogates_are_mended(text, mended):
    assert mend_surrogates(text) == mended
