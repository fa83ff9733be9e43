"""Text on its way to a terminal. That chunks do not matter is in test_splits.py."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamcli.core.sanitize import Sanitizer, one_line, sanitize

NASTY = st.text(alphabet=st.one_of(st.characters(), st.sampled_from("\r\n\t\x1b\x7f\x85\x9b\u2028\u202e\u2066[]ab ")))


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("plain text, é, 漢字, 😀\n\tindented\n", "plain text, é, 漢字, 😀\n\tindented\n"),
        ("\x1b[31mred\x1b[0m", "␛[31mred␛[0m"),
        ("\x1b]52;c;cm0gLXJm\x07", "␛]52;c;cm0gLXJm␇"),
        ("a\rb", "a␍b"),
        ("a\bb\x00\x7f", "a␈b␀␡"),
        ("\x9b31m\x85", "\\x9b31m\\x85"),
        ("\u202eabc\u202c\u2066d\u2069", "\\u202eabc\\u202c\\u2066d\\u2069"),
        ("", ""),
    ],
)
def test_controls_are_shown_instead_of_obeyed(text, harmless):
    assert sanitize(text) == harmless


@pytest.mark.parametrize("code", [*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)])
def test_every_control_but_newline_and_tab_is_replaced_by_something_visible(code):
    shown = sanitize(chr(code))
    assert shown == chr(code) if chr(code) in "\n\t" else shown.isprintable()


@settings(max_examples=200, deadline=None)
@given(NASTY)
def test_what_is_harmless_has_no_controls_and_stays_as_it_is(text):
    shown = sanitize(text)
    assert [char for char in shown if unicodedata.category(char) == "Cc" and char not in "\n\t"] == []
    assert sanitize(shown) == shown


@pytest.mark.parametrize(
    ("deltas", "shown"),
    [
        (["a\r\nb"], "a\nb"),
        (["a\r", "\nb"], "a\nb"),
        (["a\r", "b"], "a␍b"),
        (["a\r"], "a␍"),
        (["\r\r\n"], "␍\n"),
        (["\r", "\r", "\n"], "␍\n"),
        (["\x1b", "[2J"], "␛[2J"),
        ([], ""),
    ],
)
def test_a_cr_is_dropped_where_an_lf_follows_it(deltas, shown):
    sanitizer = Sanitizer()
    pieces = [piece for delta in deltas for piece in sanitizer.feed(delta, 0.0)] + sanitizer.flush()
    assert "".join(pieces) == shown
    assert "" not in pieces


def test_after_a_flush_nothing_is_left():
    sanitizer = Sanitizer()
    sanitizer.feed("a\r", 0.0)
    assert [sanitizer.flush(), sanitizer.flush()] == [["␍"], []]
    assert sanitizer.deadline() is None


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("as it is", "as it is"),
        ("  two\nlines\tand\r\n\x0b more ", "two lines and more"),
        ("\x1b[2Jgone", "␛[2Jgone"),
        ("", ""),
        ("\n", ""),
    ],
)
def test_a_foreign_message_becomes_one_harmless_line(text, line):
    assert one_line(text) == line


def test_a_long_message_is_cut_and_says_so():
    assert [one_line("x" * 10, 10), one_line("x" * 11, 10)] == ["x" * 10, "x" * 7 + "..."]


@settings(max_examples=200, deadline=None)
@given(NASTY, st.integers(3, 50))
def test_a_message_of_ours_is_one_line_of_bounded_length(text, limit):
    line = one_line(text, limit)
    assert len(line) <= limit
    assert (line.splitlines() or [""]) == [line]
    assert [char for char in line if unicodedata.category(char) == "Cc"] == []
