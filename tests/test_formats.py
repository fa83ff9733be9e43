"""Events -> bytes for stdout."""

import json
from dataclasses import asdict

import pytest

from streamcli.core.events import (
    AnswerEnded,
    Delta,
    Failed,
    Found,
    FoundAgain,
    Retry,
    Started,
    Stats,
    Stop,
    Usage,
    WindowSent,
)
from streamcli.core.formats import JsonFormat, TextFormat, count_as_text, request_as_json

STATS = Stats(9, 5, 3, 1, 0, 2, 1, {"ERROR": 1}, 4, {"PASSWORD": 2}, 100, 20, 0.5)
NO_TEXT = [
    Started("msg_1", "m", "req_1"),
    Usage(1, 2, 3, 4),
    Stop("end_turn"),
    Retry("why", 1.0, 2, None),
    Failed(76, "broke", "hint", "req_1"),
    WindowSent(1, 1, 10, 10, 10, 0, 0),
    Found(1, "ERROR", 1, 2, "x"),
    FoundAgain(1, None, None),
    STATS,
]


def write(form, *events):
    return b"".join(piece for event in events for piece in form.feed(event, 0.0)) + b"".join(form.flush())


@pytest.mark.parametrize("terminal", [False, True])
def test_as_text_only_the_models_words_go_out(terminal):
    assert write(TextFormat(terminal=terminal), *NO_TEXT) == b""


@pytest.mark.parametrize("text", ["é 😀\r\n\x1b[0m\n", "\n", "\x00"])
def test_text_is_its_bytes(text):
    assert write(TextFormat(terminal=False), Delta(text), AnswerEnded(more=False)) == text.encode()


@pytest.mark.parametrize("terminal", [False, True])
@pytest.mark.parametrize("more", [False, True])
@pytest.mark.parametrize("answer", ["", "no newline", "a newline\n"])
def test_a_newline_is_added_on_a_terminal_and_between_answers_where_there_is_none(terminal, more, answer):
    events = [Delta(answer)] if answer else []
    added = answer == "no newline" and (terminal or more)
    expected = answer.encode() + b"\n" * added
    assert write(TextFormat(terminal=terminal), *events, AnswerEnded(more=more)) == expected


def test_an_answer_without_text_adds_no_newline_after_another():
    answers = [Delta("one"), AnswerEnded(more=True), AnswerEnded(more=True), Delta("two"), AnswerEnded(more=False)]
    assert write(TextFormat(terminal=False), *answers) == b"one\ntwo"
    assert write(TextFormat(terminal=True), *answers) == b"one\ntwo\n"


@pytest.mark.parametrize(
    ("event", "fields"),
    [
        (Delta("a\n\u2028é"), {"type": "delta", "text": "a\n\u2028é"}),
        (Started("msg_1", "m", None), {"type": "start", "id": "msg_1", "model": "m", "request_id": None}),
        (
            Usage(1, 2, 3, 4),
            {
                "type": "usage",
                "input_tokens": 1,
                "output_tokens": 2,
                "cache_read_tokens": 3,
                "cache_write_tokens": 4,
            },
        ),
        (Stop("end_turn"), {"type": "stop", "reason": "end_turn"}),
        (Stop("refusal", "bio"), {"type": "stop", "reason": "refusal", "category": "bio"}),
        (Stop(None), {"type": "stop", "reason": None}),
        (
            Retry("overloaded", 1.23456, 2, "req_1"),
            {"type": "retry", "why": "overloaded", "delay": 1.235, "attempt": 2, "request_id": "req_1"},
        ),
        (
            Failed(76, "broke", None, "req_1"),
            {"type": "error", "status": 76, "message": "broke", "hint": None, "request_id": "req_1"},
        ),
        (
            WindowSent(2, 11, 30, 20, 10, 7, 3),
            {
                "type": "window",
                "window": 2,
                "first_line": 11,
                "last_line": 30,
                "lines": 20,
                "shown": 10,
                "condensed": 7,
                "dropped": 3,
            },
        ),
        (
            Found(3, "ERROR", 12, 40, "disk full"),
            {"type": "finding", "finding": 3, "level": "ERROR", "lines": [12, 40], "text": "disk full"},
        ),
        (
            Found(4, "INFO", None, None, "x"),
            {"type": "finding", "finding": 4, "level": "INFO", "lines": None, "text": "x"},
        ),
        (FoundAgain(3, 50, 50), {"type": "again", "finding": 3, "lines": [50, 50]}),
        (STATS, {"type": "stats", **asdict(STATS)}),
    ],
)
@pytest.mark.parametrize("ascii_only", [False, True])
def test_as_json_each_event_is_one_line(event, fields, ascii_only):
    line = write(JsonFormat(ascii_only=ascii_only), event)
    assert json.loads(line) == fields
    assert (line.endswith(b"\n"), line.count(b"\n")) == (True, 1)


def test_json_on_a_terminal_has_nothing_that_it_could_obey():
    line = write(JsonFormat(ascii_only=True), Delta("\x1b[2J\x9b\u202e\x7fé"))
    assert line.rstrip(b"\n").decode("ascii").isprintable()


def test_json_in_a_pipe_is_utf_8():
    assert "é😀".encode() in write(JsonFormat(ascii_only=False), Delta("é😀"))


def test_the_end_of_an_answer_is_no_line_of_json():
    assert write(JsonFormat(ascii_only=False), AnswerEnded(more=True), AnswerEnded(more=False)) == b""


@pytest.mark.parametrize(("ascii_only", "shown"), [(False, "é\x7f"), (True, "\\u00e9\\u007f")])
def test_a_request_as_it_would_be_sent(ascii_only, shown):
    params = {"model": "m", "messages": [{"role": "user", "content": "é\x7f"}]}
    written = request_as_json(params, ascii_only=ascii_only)
    assert json.loads(written) == {**params, "stream": True}
    assert (shown in written.decode(), written.endswith(b"}\n")) == (True, True)


@pytest.mark.parametrize(("as_json", "written"), [(False, b"12\n"), (True, b'{"type":"count","input_tokens":12}\n')])
def test_a_count_of_tokens(as_json, written):
    assert count_as_text(12, as_json=as_json) == written


@pytest.mark.parametrize(("last", "kind"), [(Stop("end_turn"), "stop"), (Failed(76, "broke", None, None), "error")])
def test_of_usage_the_last_word_is_told_where_the_answer_ends(last, kind):
    form = JsonFormat(ascii_only=False)
    for _ in range(2):
        lines = write(form, Usage(9, 1, 0, 0), Delta("a"), Usage(9, 7, 5, 2), last).splitlines()
        assert [json.loads(line)["type"] for line in lines] == ["delta", "usage", kind]
        assert json.loads(lines[1])["output_tokens"] == 7


@pytest.mark.parametrize("ascii_only", [False, True])
@pytest.mark.parametrize(
    "event",
    [
        Started("\ud83d", "\ud83d", "\ud83d"),
        Stop("\ud83d", "\ud83d"),
        Retry("\ud83d", 1.0, 2, "\ud83d"),
        Failed(76, "\ud83d", "\ud83d", "\ud83d"),
    ],
)
def test_half_a_character_in_what_a_server_says_about_itself_is_still_a_line_of_utf_8(event, ascii_only):
    line = write(JsonFormat(ascii_only=ascii_only), event)
    assert event.__class__.__name__.lower()[:4] in line.decode().replace("error", "failed")
    json.loads(line)
