"""An answer that broke off: how the rest is asked for, and what the seam lets through."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamcli.core.prompt import Request
from streamcli.core.resume import (
    COMPARED,
    MAX_RESUMABLE_BYTES,
    MIN_OVERLAP,
    OverlapSeam,
    PrefillSeam,
    Resumption,
    prefers_prefill,
)

PREFILLED, TURNED = "claude-haiku-4-5", "claude-sonnet-5-5"
SENTENCE = "The quick brown fox jumps over the lazy dog. "
many = settings(max_examples=300, deadline=None)


def request(model=PREFILLED):
    return Request(model, "Be brief.", (("user", "Say it."),), 100)


def resumption(text, model=PREFILLED):
    resumption = Resumption(request(model))
    resumption.received(text)
    return resumption


def through(seam, *texts):
    return "".join([piece for text in texts for piece in seam.feed(text, 0.0)] + seam.flush())


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("claude-haiku-4-5", True),
        ("claude-haiku-4-5-20251001", True),
        ("claude-opus-4-5-20251101", True),
        ("claude-sonnet-4-5-20250929", True),
        ("anthropic.claude-sonnet-4-5-20250929-v1:0", True),
        ("claude-sonnet-4-20250514", True),
        ("claude-opus-4-1-20250805", True),
        ("claude-3-5-sonnet-20241022", True),
        ("claude-3-opus-20240229", True),
        ("claude-2.1", True),
        ("claude-opus-4-6", False),
        ("claude-opus-4-6-20260101", False),
        ("claude-sonnet-5", False),
        ("claude-sonnet-5-5", False),
        ("claude-haiku-5-5-20260901", False),
        ("claude-4-10-x", False),
        ("claude-mythos", False),
        ("local", True),
        ("local:smollm2", True),
        ("llama3.3:70b", True),
        ("qwen-4-6", True),
    ],
)
def test_a_model_is_asked_by_prefill_where_it_may_take_one(model, expected):
    assert prefers_prefill(model) is expected


def test_the_first_request_is_the_users_own():
    asked, seam = Resumption(request()).next_request()
    assert asked == request()
    assert through(seam, " a", "", "b ") == " ab "


def test_a_prefill_is_the_text_so_far_without_the_white_space_at_its_end():
    asked, _ = resumption("Once upon a \n").next_request()
    assert asked.messages == (("user", "Say it."), ("assistant", "Once upon a"))
    assert (asked.model, asked.system, asked.max_tokens) == (PREFILLED, "Be brief.", 100)


def test_other_models_are_told_by_a_turn_of_the_user_after_the_whole_text():
    asked, _ = resumption("Once upon a \n", TURNED).next_request()
    *before, last = asked.messages
    assert before == [("user", "Say it."), ("assistant", "Once upon a \n")]
    assert last[0] == "user"
    assert "Once upon a \n" in last[1]
    assert "Continue from where you left off" in last[1]


def test_only_the_end_of_a_long_answer_is_quoted():
    asked, _ = resumption("x" * 9000 + "the end", TURNED).next_request()
    assert asked.messages[-1][1].count("x") < 300
    assert "the end" in asked.messages[-1][1]


@pytest.mark.parametrize("model", [PREFILLED, TURNED])
@pytest.mark.parametrize("text", ["", " ", "\n\n", "\u3000"])
def test_where_there_is_only_white_space_the_same_is_asked_again(text, model):
    asked, seam = resumption(text, model).next_request()
    assert asked == request(model)
    assert through(seam, text + "Hi") == "Hi"


def test_a_refused_prefill_is_followed_by_a_turn_and_that_is_the_last_way():
    broken = resumption("Once")
    assert broken.prefill_refused()
    assert [role for role, _ in broken.next_request()[0].messages] == ["user", "assistant", "user"]
    assert not broken.prefill_refused()


@pytest.mark.parametrize("text", ["", "  \n"])
def test_a_refusal_of_the_request_itself_is_no_refusal_of_a_prefill(text):
    assert not resumption(text).prefill_refused()


def test_the_text_grows_with_each_attempt_and_is_void_after_a_restart():
    broken = resumption("Once ")
    broken.received("up ")
    assert (broken.size, broken.next_request()[0].messages[-1]) == (8, ("assistant", "Once up"))
    broken.received("é")
    assert broken.size == 10
    broken.restart()
    assert (broken.size, broken.next_request()[0]) == (0, request())


def test_a_text_of_an_earlier_run_is_continued():
    kept = Resumption(request(), "Zwölf Boxkämpfer ".encode())
    assert (kept.size, kept.next_request()[0].messages[-1]) == (19, ("assistant", "Zwölf Boxkämpfer"))


def test_the_text_is_held_up_to_a_bound():
    broken = resumption("x" * MAX_RESUMABLE_BYTES)
    assert broken.is_possible
    broken.received("y")
    assert not broken.is_possible
    assert broken.size == MAX_RESUMABLE_BYTES + 1
    broken.restart()
    assert broken.is_possible


# --- the seam after a prefill ---


pieces = st.text(st.sampled_from(["a", "b", " ", " ", "\n", "\t", "é", "😀"]), max_size=30)


@many
@given(pieces, pieces, st.data())
def test_a_model_that_goes_on_exactly_gives_the_exact_answer(head, tail, data):
    """Whatever the text and wherever it broke: the model continues what stands in the prefill."""
    broken = resumption(head)
    asked, seam = broken.next_request()
    prefill = asked.messages[-1][1] if len(asked.messages) > 1 else ""
    rest = (head + tail)[len(prefill) :]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rest)), max_size=5)))
    chunks = [rest[start:end] for start, end in zip([0, *cuts], [*cuts, len(rest)], strict=True)]
    assert head + through(seam, *chunks) == head + tail
    assert seam.repeated == len(head) - len(prefill)


@pytest.mark.parametrize(
    ("white_space", "rest", "expected"),
    [
        ("", " a", " a"),
        (" ", "a", "a"),
        (" ", "  a", " a"),
        ("\n\n", "\na", "a"),
        ("\n\n", "\n\n\na", "\na"),
        ("\n ", " a", " a"),
        (" ", "", ""),
        ("\n    ", "\n    \n    x", "\n    x"),
    ],
)
def test_white_space_comes_once_and_nothing_else_is_left_out(white_space, rest, expected):
    assert through(PrefillSeam(white_space), rest) == expected
    assert through(PrefillSeam(white_space), *rest) == expected


# --- the seam after a turn ---


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize("repeated", [SENTENCE, "fox jumps over the lazy dog. ", "x" + SENTENCE[1:]])
def test_a_long_repetition_is_left_out(repeated, size):
    text = "Once upon a time. " + "x" + SENTENCE[1:] if repeated[0] == "x" else "Once upon a time. " + SENTENCE
    rest = repeated + "And then it sleeps."
    seam = OverlapSeam(text)
    assert through(seam, *[rest[at : at + size] for at in range(0, len(rest), size)]) == "And then it sleeps."
    assert seam.repeated == len(repeated)


def test_the_whole_answer_said_again_is_left_out():
    seam = OverlapSeam(SENTENCE)
    assert (through(seam, SENTENCE, "And so on."), seam.repeated) == ("And so on.", len(SENTENCE))


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("He said no. ", "no. And no again."),
        ("a" * 100, "a" * 100 + "b"),
        ("ha " * 40, "ha " * 40 + "!"),
        (SENTENCE * 3, SENTENCE * 2),
        (SENTENCE * 2 + SENTENCE[:10], SENTENCE[10:] + SENTENCE),
        (SENTENCE + SENTENCE[:10], SENTENCE[10:] + SENTENCE + SENTENCE),
        ("0,0,0,0,0,0,0,0,0,0,0,0,0,0\n" * 2, "0,0,0,0,0,0,0,0,0,0,0,0,0,0\n"),
        ("        " * 8, "        " * 8 + "x"),
        ("| a | b |\n" * 9, "| a | b |\n" * 9),
        ("the lazy dog", "The lazy dog, said he"),
        ("a mid-wo", "rd break"),
        ("", "anything at all that is long"),
        ("no overlap here whatsoever", ""),
    ],
)
def test_what_may_be_meant_is_let_through(text, rest):
    for size in (1, 2, 7, 1000):
        seam = OverlapSeam(text)
        assert through(seam, *[rest[at : at + size] for at in range(0, len(rest), size)]) == rest
        assert seam.repeated == 0


@many
@given(st.text(st.sampled_from("ab \n"), max_size=60), st.text(st.sampled_from("ab \n"), max_size=60), st.data())
def test_whatever_is_left_out_was_there_word_for_word_and_long(text, rest, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rest)), max_size=5)))
    seam = OverlapSeam(text)
    passed = through(seam, *[rest[start:end] for start, end in zip([0, *cuts], [*cuts, len(rest)], strict=True)])
    assert rest[: seam.repeated] + passed == rest
    assert seam.repeated == 0 or (seam.repeated >= MIN_OVERLAP and text.endswith(rest[: seam.repeated]))


def test_text_is_held_only_while_it_may_be_a_repetition():
    seam = OverlapSeam(SENTENCE)
    assert (seam.feed("dog", 0.0), seam.feed("ma. ", 0.0), seam.feed("", 0.0)) == ([], ["dogma. "], [])
    assert seam.deadline() is None


def test_a_long_text_is_compared_with_its_end_only():
    text = "".join(f"line {number}\n" for number in range(10_000))
    seam = OverlapSeam(text)
    assert through(seam, text[-3000:], "more") == "more"
    assert through(OverlapSeam(text), text[: COMPARED * 3]) == text[: COMPARED * 3]
