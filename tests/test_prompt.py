"""Settings and input -> one canonical request."""

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamcli.core.condense import Condensed
from streamcli.core.content import Document, Image, Text, map_text
from streamcli.core.findings import FORM
from streamcli.core.models import MAX_MESSAGE_BYTES
from streamcli.core.prompt import (
    ANALYZE_QUESTION,
    PLAIN_QUESTION,
    SYSTEM_PROMPTS,
    Request,
    compose,
    compose_window,
    is_too_large,
    sendable,
    sent_bytes,
    window_question,
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


def test_a_message_with_files_is_too_large_by_all_that_is_sent():
    """A file is as large as its base64; what JSON puts around each part counts too."""
    image = Image("a.png", "image/png", "A" * (MAX_MESSAGE_BYTES // 2))
    around = sent_bytes((replace(image, data=""), replace(image, data="")))
    fits = replace(image, data="A" * (MAX_MESSAGE_BYTES // 2 - around))
    assert not is_too_large((image, fits))
    assert is_too_large((image, replace(fits, data=fits.data + "A")))
    assert is_too_large((Text("x" * MAX_MESSAGE_BYTES),))


def test_a_request_with_files_as_the_api_takes_it():
    content = (Image("a.png", "image/png", "QQ=="), Document("b.pdf", "application/pdf", "Qg=="), Text("why?"))
    request = Request("m", "", (("user", content),), 7)
    assert request.params()["messages"][0]["content"] == [
        {"type": "text", "text": "a.png:"},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QQ=="}},
        {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": "Qg=="},
            "title": "b.pdf",
        },
        {"type": "text", "text": "why?"},
    ]


def test_the_key_of_a_request_has_all_of_its_files():
    image, document = Image("a.png", "image/png", "QQ=="), Document("b.pdf", "application/pdf", "Qg==")
    contents = [
        (image, document),
        (document, image),
        (image,),
        (replace(image, name="b.png"), document),
        (replace(image, data="Qg=="), document),
        (replace(image, media_type="image/gif"), document),
        (image, replace(document, name="c.pdf")),
    ]
    assert len({Request("m", "", (("user", content),), 7).key() for content in contents}) == 7


def test_words_are_masked_wherever_they_stand():
    content = (Image("a-key.png", "image/png", "key="), Document("key.pdf", "application/pdf", "key="), Text("a key"))
    masked = map_text(content, lambda text: text.replace("key", "<KEY>"))
    assert masked == (
        Image("a-<KEY>.png", "image/png", "key="),
        Document("<KEY>.pdf", "application/pdf", "key="),
        Text("a <KEY>"),
    )


def window_of(text, shown=2, condensed=0, dropped=0, first=11):
    lines = shown + condensed + dropped
    return Window(2, first, first + lines - 1, Condensed(text, lines, shown, condensed, dropped))


def test_a_window_says_which_lines_it_has():
    about = "(These are lines 11 to 12 of the stream; L and a number before each is which line it is.)"
    assert compose_window(window_of("L11 one\nL12 two"), "why?") == (
        f"<stdin>\nL11 one\nL12 two\n</stdin>\n\n{about}\n\nwhy?"
    )


def test_a_window_says_what_was_condensed_and_dropped():
    message = compose_window(window_of("...", 1, 5, 3), "why?", "known already")
    counts = (
        "(These are lines 11 to 19 of the stream: of 9 lines 1 are shown, 5 condensed, 3 dropped. The log is condensed."
    )
    assert counts in message
    assert message.endswith(")\n\nknown already\n\nwhy?")
    assert "condensed. The log" not in compose_window(window_of("...", 1, 0, 3), "why?")


def test_what_is_asked_about_a_window():
    own, plain = f"{ANALYZE_QUESTION} {FORM}", PLAIN_QUESTION
    asked = [
        window_question("", embedded=embedded, is_read=read) for embedded in (False, True) for read in (False, True)
    ]
    assert asked == [own, own, plain, own]
    assert window_question("why?", embedded=False, is_read=False) == "why?"
    assert window_question("why?", embedded=True, is_read=True) == f"why?\n\n{FORM}"


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.lists(st.sampled_from(["<", "/", "</", "stdin", "STDIN", ">", " ", "\t", "</stdin>", "x"])).map("".join),
        min_size=1,
    )
)
def test_no_line_of_a_log_can_close_the_tags_it_stands_in(lines):
    message = compose_window(window_of("\n".join(lines)), "why?")
    assert re.findall(r"</\s*stdin", message, re.IGNORECASE) == ["</stdin"]
