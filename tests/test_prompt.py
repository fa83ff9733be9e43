"""Settings and input -> one canonical request."""

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamcli.core.models import MAX_MESSAGE_BYTES
from streamcli.core.prompt import (
    ANALYZE_QUESTION,
    SYSTEM_PROMPTS,
    Request,
    compose,
    compose_window,
    is_too_large,
    sendable,
)
from streamcli.core.window import Window


def test_each_verb_has_a_system_prompt_of_its_own():
    assert set(SYSTEM_PROMPTS) == {"chat", "gen", "analyze"}
    assert len(set(SYSTEM_PROMPTS.values())) == 3


def test_a_request_as_the_api_takes_it():
    request = Request("m", "be brief", (("user", "a"), ("assistant", "b"), ("user", "c")), 7)
    messages = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b"},
        {"role": "user", "content": "c"},
    ]
    body = {"model": "m", "max_tokens": 7, "system": "be brief", "messages": messages}
    assert request.params() == {**body, "cache_control": {"type": "ephemeral"}}
    assert replace(request, model="local").params() == {**body, "model": "local"}
    assert request.countable() == {"model": "m", "system": "be brief", "messages": messages}


def test_a_request_has_a_key_that_its_every_part_changes():
    request = Request("m", "be brief", (("user", "a"),), 7)
    others = [
        replace(request, model="n"),
        replace(request, system=""),
        replace(request, messages=(("assistant", "a"),)),
        replace(request, messages=(("user", "a"), ("user", ""))),
        replace(request, max_tokens=8),
    ]
    assert request.key() == Request("m", "be brief", (("user", "a"),), 7).key()
    assert len({one.key() for one in (request, *others)}) == 6
    assert re.fullmatch("[0-9a-f]{64}", request.key())


@pytest.mark.parametrize(
    ("stdin", "prompt", "message"),
    [
        (None, "why?", "why?"),
        ("", "why?", "why?"),
        ("input\n", "", "input\n"),
        ("input\n", "why?", "<stdin>\ninput\n</stdin>\n\nwhy?"),
        ("input", "why?", "<stdin>\ninput\n</stdin>\n\nwhy?"),
        ("\n", "why?", "<stdin>\n\n</stdin>\n\nwhy?"),
        (None, "", ""),
    ],
)
def test_the_message_is_what_was_piped_in_and_then_the_prompt(stdin, prompt, message):
    assert compose(stdin, prompt) == message


@pytest.mark.parametrize(
    ("argument", "text"),
    [("plain é 😀", "plain é 😀"), ("caf\udce9", "caf\\xe9"), ("caf\udcc3\udca9", "café"), ("", "")],
)
def test_an_argument_can_be_sent_whatever_the_locale(argument, text):
    assert sendable(argument) == text


@pytest.mark.parametrize(
    ("piece", "count", "too_large"),
    [
        ("x", 0, False),
        ("x", MAX_MESSAGE_BYTES - 2, False),
        ("x", MAX_MESSAGE_BYTES - 1, True),
        ("\n", MAX_MESSAGE_BYTES // 2 - 1, False),
        ("\n", MAX_MESSAGE_BYTES // 2, True),
        ("漢\n", MAX_MESSAGE_BYTES // 5 - 1, False),
        ("漢\n", MAX_MESSAGE_BYTES // 5 + 1, True),
    ],
)
def test_a_message_is_too_large_by_its_bytes_in_the_request(piece, count, too_large):
    """Two more are the quotes around it; a newline takes two, other text as many as in UTF-8."""
    assert is_too_large(piece * count) == too_large


def test_a_window_says_which_lines_it_has():
    window = Window(number=2, first=11, last=12, head=("one", "two"), tail=(), cut=0)
    expected = "<stdin>\none\ntwo\n</stdin>\n\n(These are lines 11 to 12 of the stream.)\n\nwhy?"
    assert compose_window(window, "why?") == expected


def test_a_window_says_what_was_cut_and_where():
    window = Window(number=1, first=1, last=9, head=("one",), tail=("eight", "nine"), cut=6)
    expected = (
        "<stdin>\none\n[6 lines cut here]\neight\nnine\n</stdin>\n\n"
        "(These are lines 1 to 9 of the stream; 6 of them are cut, to fit.)\n\nwhy?"
    )
    assert compose_window(window, "why?") == expected


def test_without_a_prompt_the_question_about_a_window_is_the_verbs_own():
    window = Window(number=1, first=1, last=1, head=("one",), tail=(), cut=0)
    assert compose_window(window, "").endswith(f"\n\n{ANALYZE_QUESTION}")


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.lists(st.sampled_from(["<", "/", "</", "stdin", "STDIN", ">", " ", "\t", "</stdin>", "x"])).map("".join),
        min_size=1,
    )
)
def test_no_line_of_a_log_can_close_the_tags_it_stands_in(lines):
    window = Window(number=1, first=1, last=len(lines), head=tuple(lines), tail=(), cut=0)
    message = compose_window(window, "why?")
    assert re.findall(r"</\s*stdin", message, re.IGNORECASE) == ["</stdin"]
