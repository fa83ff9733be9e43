"""What of a conversation goes along with the next question."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamcli.core import history
from streamcli.core.content import Document, Image, Text, from_storage, names_of, to_storage
from streamcli.core.history import CUT, Bounds, Exchange, bytes_of, conversation, first_sent, tokens_of

words = st.text(min_size=1, max_size=12).filter(str.strip)
blocks = st.one_of(
    st.builds(Text, words, st.none() | words),
    st.builds(Image, words, st.just("image/png"), st.just("AAAA")),
    st.builds(Document, words, st.just("application/pdf"), st.just("AAAA")),
)
contents = st.one_of(words, st.lists(blocks, min_size=1, max_size=3).map(tuple))
exchanges = st.lists(
    st.builds(Exchange, contents, st.text(max_size=30), st.booleans(), st.booleans()),
    max_size=30,
)
bounds = st.builds(Bounds, st.integers(0, 12), st.none() | st.integers(0, 60))
sizes = st.lists(st.integers(0, 30), max_size=60)


def window(given_sizes, limits):
    return given_sizes[first_sent(given_sizes, limits) :]


# --- what is sent ---


@given(exchanges, contents, bounds)
def test_the_messages_alternate_and_begin_and_end_with_the_users(said, question, limits):
    messages, _ = conversation(said, question, limits)
    roles = [role for role, _ in messages]
    assert roles == ["user", "assistant"] * (len(roles) // 2) + ["user"]
    for _, content in messages:
        assert content
        assert not isinstance(content, str) or content.strip()


@given(exchanges, contents, bounds)
def test_no_question_without_its_answer_and_none_is_lost(said, question, limits):
    messages, fell_out = conversation(said, question, limits)
    sent = [exchange for exchange in said[fell_out:] if not exchange.is_refused]
    answers = [content for role, content in messages if role == "assistant"]
    assert len(answers) == len([exchange for exchange in sent if exchange.answer.strip()])
    for exchange, content in zip([e for e in sent if e.answer.strip()], answers, strict=True):
        assert content == exchange.answer if not exchange.is_cut else content.endswith(CUT)
    blocks_sent = [block for role, content in messages if role == "user" for block in as_blocks(content)]
    asked = [block for exchange in sent for block in as_blocks(exchange.question)] + as_blocks(question)
    assert "\n\n".join(map(str, blocks_sent)) == "\n\n".join(map(str, asked))


def as_blocks(content):
    if isinstance(content, str):
        return [content]
    return [block.text if isinstance(block, Text) else block for block in content]


def test_a_cut_answer_is_marked_and_one_that_nothing_came_of_is_said_with_the_next_question():
    said = [
        Exchange("one", "Half of", is_cut=True),
        Exchange("two", "", is_cut=True),
        Exchange("three", " \n", is_cut=True),
        Exchange("four", "Fo"),
        Exchange("five", "I can", is_refused=True),
        Exchange((Image("a.png", "image/png", "AAAA"),), "", is_cut=True),
    ]
    assert conversation(said, "six", Bounds())[0] == (
        ("user", "one"),
        ("assistant", f"Half of\n\n{CUT}"),
        ("user", "two\n\nthree\n\nfour"),
        ("assistant", "Fo"),
        ("user", (Image("a.png", "image/png", "AAAA"), Text("six"))),
    )


# --- the window ---


@given(sizes, bounds)
def test_the_bounds_are_kept(tokens, limits):
    kept = window(tokens, limits)
    assert len(kept) <= limits.exchanges
    assert limits.tokens is None or sum(kept) <= limits.tokens


@given(st.integers(0, 200), st.integers(0, 40))
def test_by_number_at_least_three_quarters_are_sent(count, most):
    kept = len(window([1] * count, Bounds(most)))
    assert kept == count if count <= most else math.ceil(most * 3 / 4) <= kept <= most


@given(st.integers(0, 200), st.integers(4, 40))
def test_the_beginning_stays_for_several_turns(count, most):
    """Of as many turns as are a quarter of the bound, only one begins otherwise than the one before it."""
    starts = [first_sent([1] * number, Bounds(most)) for number in range(count, count + most // 4 + 1)]
    assert sum(before != after for before, after in itertools.pairwise(starts)) <= 1


@given(sizes, bounds)
def test_it_only_moves_on_and_a_turn_that_fits_moves_nothing(tokens, limits):
    limit = math.inf if limits.tokens is None else limits.tokens
    before = 0
    for number in range(1, len(tokens) + 1):
        start = first_sent(tokens[:number], limits)
        assert start >= before
        if number - before <= limits.exchanges and sum(tokens[before:number]) <= limit:
            assert start == before
        before = start


@given(sizes, bounds)
def test_what_is_before_the_window_may_be_forgotten(tokens, limits):
    """What is sent now, and whatever follows, is the same."""
    forgotten = first_sent(tokens[: len(tokens) // 2], limits)
    assert first_sent(tokens, limits) == forgotten + first_sent(tokens[forgotten:], limits)


@given(sizes, st.integers(0, 30))
def test_the_last_exchange_goes_along_if_it_fits(tokens, last):
    assert window([*tokens, last], Bounds(5, 30))[-1:] == [last]


def test_a_request_is_never_larger_than_the_api_takes(monkeypatch):
    monkeypatch.setattr(history, "MAX_MESSAGE_BYTES", 100)
    said = [Exchange("é" * 10, "b" * 20) for _ in range(4)]
    assert conversation(said, "c" * 20, Bounds())[1] == 2
    assert conversation(said, "c" * 21, Bounds())[1] == 3
    assert conversation(said, "c" * 200, Bounds()) == ((("user", "c" * 200),), 4)


# --- sizes, and what is stored ---


def test_tokens_are_an_estimate_and_files_are_no_text():
    assert tokens_of(Exchange("abcd", "abc")) == 3
    assert tokens_of(Exchange("abcd", "abc", is_refused=True)) == 0
    assert tokens_of(Exchange((Text("abc"), Image("n", "image/png", "A" * 3_000_000)), "")) == 1601
    assert tokens_of(Exchange((Document("n", "application/pdf", "A" * 300_000),), "")) == 10_000
    assert bytes_of((Text("é"), Image("n", "image/png", "A" * 3000))) == 3002


@given(contents)
def test_what_is_stored_comes_back(content):
    assert from_storage(to_storage(content)) == content
    assert names_of(from_storage(to_storage(content))) == names_of(content)


@pytest.mark.parametrize(
    "stored",
    [
        *("", "no JSON", "1", "null", '{"type":"text"}', "[1]", '[{"text":"a"}]', '[{"type":"text"}]'),
        *('[{"type":"x"}]', '[{"type":"text","text":1}]', '[{"type":"text","text":"a","name":1}]'),
    ],
)
def test_what_was_not_stored_by_us_is_a_value_error(stored):
    with pytest.raises(ValueError):  # noqa: PT011
        from_storage(stored)
