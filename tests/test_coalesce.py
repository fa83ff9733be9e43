"""Deltas -> writes. That nothing is lost, late or half a character, whatever comes, is in test_splits.py."""

import pytest

from streamcli.core.coalesce import Coalescer


@pytest.mark.parametrize("chars", [0, 1])
def test_with_chars_0_or_1_each_delta_passes_at_once(chars):
    coalescer = Coalescer(chars, 10.0)
    assert [coalescer.feed(text, 0.0) for text in ("a", "bc", "")] == [["a"], ["bc"], []]
    assert coalescer.deadline() is None
    assert coalescer.flush() == []


def test_text_is_held_until_there_is_enough_of_it():
    coalescer = Coalescer(5, 10.0)
    assert [coalescer.feed(text, 0.0) for text in ("ab", "cd", "e")] == [[], [], ["abcde"]]
    assert [coalescer.feed(text, 0.0) for text in ("fghi", "jk")] == [[], ["fghijk"]]


def test_text_is_held_until_the_oldest_has_waited_long_enough():
    coalescer = Coalescer(100, 4.0)
    assert [coalescer.feed(text, now) for text, now in (("a", 1.0), ("b", 4.5), ("c", 5.0))] == [[], [], ["abc"]]


def test_a_look_at_the_clock_gives_what_is_due():
    coalescer = Coalescer(100, 4.0)
    coalescer.feed("a", 1.0)
    assert [coalescer.feed("", now) for now in (4.9, 5.0, 99.0)] == [[], ["a"], []]


def test_the_deadline_is_that_of_the_oldest():
    coalescer = Coalescer(100, 4.0)
    assert coalescer.deadline() is None
    coalescer.feed("a", 1.0)
    coalescer.feed("b", 3.0)
    assert coalescer.deadline() == 5.0
    coalescer.feed("", 5.0)
    assert coalescer.deadline() is None
    coalescer.feed("c", 7.0)
    assert coalescer.deadline() == 11.0


def test_without_a_delay_text_never_waits():
    assert Coalescer(100, 0.0).feed("a", 1.0) == ["a"]


def test_at_the_end_all_of_it_comes_out():
    coalescer = Coalescer(100, 4.0)
    coalescer.feed("a", 1.0)
    coalescer.feed("b", 2.0)
    assert [coalescer.flush(), coalescer.flush()] == [["ab"], []]
    assert coalescer.deadline() is None
