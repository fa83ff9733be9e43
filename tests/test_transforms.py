"""What stands in a row, what may say something beside the text, and what is not ours and so may do anything."""

import asyncio
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamcli.core.coalesce import Coalescer
from streamcli.core.events import Remark
from streamcli.core.pipeline import Pipeline
from streamcli.core.sanitize import Sanitizer
from streamcli.core.sentiment import MAX_SENTENCE, REMARK_CHARS, REMARK_SECONDS, Sentiment
from streamcli.core.transforms import Guarded
from streamcli.edge.screen import Screen, takes_colour
from streamcli.errors import TransformFailed

NOT_JSON = Remark("x", "x", {"a": math.nan})
SEEN = Remark("seen", "seen", {"n": 1})


class Stage:
    """What a plug-in may be: `give` is what `feed` and `flush` give, or raise."""

    def __init__(self, give, at=None):
        self.give = give
        self.at = at

    def feed(self, text, now):
        return self.give(text)

    def deadline(self):
        return self.at() if callable(self.at) else self.at

    def flush(self):
        return self.give("")


# --- in a row ---


def test_a_remark_passes_what_follows_and_keeps_its_place():
    pipeline = Pipeline([Stage(lambda text: [text, SEEN, text]), Sanitizer()])
    assert pipeline.feed("a\r\n", 0.0) == ["a\n", SEEN, "a\n"]


def test_what_waits_for_the_clock_can_be_hurried_and_the_clock_of_the_others_goes_on():
    seen = []

    class Clock(Stage):
        def feed(self, text, now):
            seen.append(now)
            return [text]

    pipeline = Pipeline([Coalescer(100, 5.0), Clock(None)])
    assert pipeline.feed("a", 1.0) == []
    assert pipeline.hurry(2.0) == ["a"]
    assert seen == [2.0]
    assert pipeline.deadline() is None


# --- not ours ---


@pytest.mark.parametrize(
    "junk",
    [None, "text", b"bytes", 7, [None], [b"x"], ["a", 3], [Remark("x", "x", {"a": {1}})], [NOT_JSON]],
)
def test_what_is_neither_text_nor_a_remark_is_a_failure(junk):
    guarded = Guarded("shout", Stage(lambda text: junk))
    guarded.feed("x", 0.0)
    assert isinstance(guarded.failure, TransformFailed)
    assert guarded.failure.message.startswith(
        ("the transform shout failed: TypeError: ", "the transform shout failed: ValueError: ")
    )
    assert (guarded.failure.status, "shout" in guarded.failure.hint) == (78, True)
    assert guarded.flush() == []


@pytest.mark.parametrize("error", [ValueError("boom"), SystemExit(3), RecursionError()])
def test_after_a_failure_nothing_comes_of_it_and_it_is_not_asked_again(error):
    calls = []

    def give(text):
        calls.append(text)
        raise error

    guarded = Guarded("shout", Stage(give, 5.0))
    assert (guarded.feed("a", 0.0), guarded.feed("b", 1.0), guarded.flush(), guarded.deadline()) == ([], [], [], None)
    assert calls == ["a"]
    assert type(error).__name__ in guarded.failure.message


def test_what_came_before_a_failure_is_given():
    def give(text):
        yield "good"
        raise ValueError

    assert Guarded("x", Stage(give)).feed("a", 0.0) == ["good"]


def test_half_a_character_is_mended():
    assert Guarded("x", Stage(lambda text: ["\ud83d"])).feed("a", 0.0) == ["\ufffd"]


@pytest.mark.parametrize("at", [-1.0, 3.0, math.inf, math.nan])
def test_a_deadline_that_has_come_is_none(at):
    guarded = Guarded("x", Stage(lambda text: [text], at))
    guarded.feed("a", 3.0)
    assert guarded.deadline() is None


@pytest.mark.parametrize("at", ["soon", lambda: 1 / 0])
def test_a_deadline_that_is_none_is_a_failure(at):
    guarded = Guarded("x", Stage(lambda text: [text], at))
    assert guarded.deadline() is None
    assert guarded.failure is not None


# --- sentiment ---


def scored(sentence):
    return 1.0 if "good" in sentence else -1.0 if "bad" in sentence else 0.0


def remarks(pieces):
    return [piece for piece in pieces if isinstance(piece, Remark)]


def test_the_score_is_the_mean_of_the_sentences_by_their_length():
    stage = Sentiment(scored)
    assert stage.feed("It is good. bad", 0.0) == ["It is good. bad"]
    (last,) = stage.flush()
    assert last == Remark(
        "sentiment",
        "sentiment +0.57 (2 sentences)",
        {"score": round((11 - 3) / 14, 3), "sentences": 2, "final": True},
    )


@pytest.mark.parametrize("text", ["", "\n\n", "```\nbad\n```\n", "42. - *\n"])
def test_of_no_prose_there_is_no_score(text):
    stage = Sentiment(scored)
    stage.feed(text, 0.0)
    assert stage.flush() == []


def test_a_remark_comes_after_so_much_text_and_so_much_time():
    stage = Sentiment(scored)
    line = "It is good.\n" * (REMARK_CHARS // 12 + 1)
    assert remarks(stage.feed(line, 0.0)) == []
    assert [one.text for one in remarks(stage.feed("x", REMARK_SECONDS))] == ["sentiment +1.00 (84 sentences so far)"]
    assert remarks(stage.feed("y", 99.0)) == []
    assert remarks(stage.feed(line, REMARK_SECONDS + 0.5)) == []


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text("ab.! \n`", max_size=30)))
def test_the_text_goes_through_as_it_is_and_each_part_of_it_is_scored_once(chunks):
    heard = []
    stage = Sentiment(lambda sentence: heard.append(sentence) or 0.5)
    out = [piece for chunk in chunks for piece in stage.feed(chunk, 0.0)]
    stage.flush()
    whole = "".join(chunks)
    assert "".join(piece for piece in out if isinstance(piece, str)) == whole
    if "```" not in whole:
        prose = [character for character in whole if character in "ab"]
        assert [character for sentence in heard for character in sentence if character in "ab"] == prose


def test_a_sentence_without_an_end_is_scored_in_parts():
    heard = []
    stage = Sentiment(lambda sentence: heard.append(sentence) or 0.5)
    for _ in range(1000):
        stage.feed("word " * 10 + "x" * 700, 0.0)
    stage.flush()
    assert max(map(len, heard)) <= MAX_SENTENCE
    assert len("".join(heard).replace(" ", "")) == 740_000


@pytest.mark.parametrize("step", [1, 3, 1000])
def test_sentiment_leaves_the_line_out_that_opens_a_block(step):
    text = "Good.\n```python title. Bad!\nbad\n```\n- ~~~ bad\n  bad\n  ~~~\n```So` is no fence.\n1. Fine"
    heard = []
    stage = Sentiment(lambda sentence: heard.append(sentence) or 0.5)
    for start in range(0, len(text), step):
        stage.feed(text[start : start + step], 0.0)
    stage.flush()
    assert heard == ["Good.", "```So` is no fence.", "Fine"]


# --- colour, and how large it is ---


@pytest.mark.parametrize(
    ("choice", "environment", "asked_for", "colour"),
    [
        ("auto", {}, True, True),
        ("auto", {}, False, False),
        ("auto", {"NO_COLOR": "1"}, True, False),
        ("auto", {"NO_COLOR": ""}, True, True),
        ("auto", {"FORCE_COLOR": "1"}, False, True),
        ("auto", {"FORCE_COLOR": ""}, False, False),
        ("auto", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False),
        ("always", {"NO_COLOR": "1"}, False, True),
        ("never", {"FORCE_COLOR": "1"}, True, False),
    ],
)
def test_the_option_goes_before_the_environment_and_that_before_the_terminal(
    choice, environment, asked_for, colour, monkeypatch
):
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert takes_colour(choice, asked_for=asked_for) is colour


@pytest.mark.parametrize(
    ("columns", "expected"), [("100", 100), ("", 80), ("0", 80), ("-5", 80), ("wide", 80), ("²", 80), (None, 80)]
)
def test_of_a_pipe_the_environment_says_how_wide_it_is(columns, expected, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    if columns is not None:
        monkeypatch.setenv("COLUMNS", columns)

    async def size():
        return Screen(None, is_terminal=False).size()

    assert asyncio.run(size()) == (expected, None)
