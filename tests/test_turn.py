"""The stream's state table: what each wire event means, and which answers are complete."""

import json

import pytest

from streamcli.core.events import Delta, Started, Stop, Usage
from streamcli.core.retry import AttemptFailed
from streamcli.core.sse import ServerEvent
from streamcli.core.turn import MAX_OPEN_BLOCKS, Turn, is_known_stop, stop_error


def event(name, payload=None, **fields):
    """A wire event as the API sends it: its name is also its type."""
    data = {"type": name, **fields} if payload is None else payload
    return ServerEvent(name, data if isinstance(data, bytes) else json.dumps(data).encode())


def text_delta(text, index=0):
    return event("content_block_delta", index=index, delta={"type": "text_delta", "text": text})


def block(kind, index=0, **fields):
    return event("content_block_start", index=index, content_block={"type": kind, **fields})


def stopped(reason="end_turn", **fields):
    return event("message_delta", delta={"stop_reason": reason}, **fields)


START = event("message_start", message={"id": "msg_1", "model": "m"})
OPEN = block("text", text="")
CLOSE = event("content_block_stop", index=0)
STOP = event("message_stop")
STARTED = Started("msg_1", "m", "req_1")


def feed(*events):
    turn = Turn("req_1")
    return turn, [mine for each in events for mine in turn.feed(each)]


def texts(*events):
    return [mine.text for mine in feed(*events)[1] if isinstance(mine, Delta)]


# --- a whole answer ---


def test_a_whole_answer():
    start = event(
        "message_start",
        message={
            "id": "msg_1",
            "model": "m",
            "usage": {
                "input_tokens": 9,
                "output_tokens": 1,
                "cache_read_input_tokens": 5,
                "cache_creation_input_tokens": 2,
            },
        },
    )
    turn, events = feed(
        start,
        OPEN,
        event("ping"),
        text_delta("Hel"),
        text_delta("lo"),
        CLOSE,
        stopped(usage={"output_tokens": 7}),
        STOP,
    )
    assert events == [STARTED, Usage(9, 1, 5, 2), Delta("Hel"), Delta("lo"), Usage(9, 7, 5, 2)]
    assert (turn.complete, turn.finished, turn.end()) == (True, True, Stop("end_turn"))


def test_text_in_the_start_of_a_block_is_text():
    assert texts(START, block("text", text="He"), text_delta("y")) == ["He", "y"]


def test_the_texts_of_several_blocks_follow_each_other():
    assert texts(
        START, OPEN, text_delta("a"), CLOSE, block("text", 1), text_delta("b", 1), event("content_block_stop", index=1)
    ) == ["a", "b"]


def test_half_a_character_waits_for_its_other_half():
    assert texts(text_delta("\ud83d"), text_delta("\ude00")) == ["😀"]


def test_half_a_character_that_stays_alone_is_replaced_at_the_end_of_the_answer():
    assert texts(text_delta("a\ud83d"), CLOSE) == ["a"]
    assert texts(text_delta("a\ud83d"), CLOSE, event("message_stop")) == ["a", "\ufffd"]
    reason = event("message_delta", delta={"stop_reason": "end_turn"})
    assert texts(text_delta("a\ud83d"), CLOSE, reason, event("message_stop")) == ["a", "\ufffd"]


# --- complete, or cut off ---


@pytest.mark.parametrize(
    ("events", "complete", "finished"),
    [
        ([], False, False),
        ([START], False, False),
        ([START, OPEN, text_delta("x"), CLOSE], False, False),
        ([START, event("message_delta", delta={"stop_reason": None})], False, False),
        ([START, event("message_delta", delta={})], False, False),
        ([START, stopped("")], False, False),
        ([START, stopped()], True, False),
        ([START, stopped(), STOP], True, True),
        ([START, STOP], True, True),
        ([STOP], True, True),
        ([ServerEvent("message", b"[DONE]")], False, False),
    ],
)
def test_an_answer_is_complete_at_a_stop_reason_and_finished_at_message_stop(events, complete, finished):
    turn, _ = feed(*events)
    assert (turn.complete, turn.finished) == (complete, finished)


def test_an_answer_that_was_cut_off_has_no_end():
    turn, _ = feed(START, OPEN, text_delta("x"))
    with pytest.raises(AttemptFailed, match="ended before the answer was complete") as failed:
        turn.end()
    assert (
        failed.value.error.status,
        failed.value.error.request_id,
        failed.value.retryable,
    ) == (76, "req_1", True)


@pytest.mark.parametrize(
    ("events", "stop"),
    [
        ([stopped("max_tokens")], Stop("max_tokens")),
        ([stopped("max_tokens"), STOP], Stop("max_tokens")),
        ([STOP], Stop(None)),
        ([stopped("a_reason_from_the_future")], Stop("a_reason_from_the_future")),
        ([stopped(), event("message_delta", delta={}, usage={"output_tokens": 1})], Stop("end_turn")),
        (
            [event("message_delta", delta={"stop_reason": "refusal", "stop_details": {"category": "bio"}})],
            Stop("refusal", "bio"),
        ),
        (
            [event("message_delta", delta={"stop_reason": "refusal", "stop_details": {"category": 7}})],
            Stop("refusal"),
        ),
        ([event("message_delta", delta={"stop_reason": "refusal", "stop_details": None})], Stop("refusal")),
    ],
)
def test_how_an_answer_stopped(events, stop):
    turn, _ = feed(START, *events)
    assert turn.end() == stop


def test_after_message_stop_nothing_counts():
    turn, events = feed(STOP, text_delta("more"), event("error", error={"type": "api_error"}), ServerEvent("x", b"{"))
    assert (events, turn.end()) == ([], Stop(None))


def test_damage_after_a_stop_reason_leaves_the_answer_complete():
    turn, _ = feed(START, stopped())
    with pytest.raises(AttemptFailed):
        turn.feed(ServerEvent("message_stop", b"{"))
    assert turn.end() == Stop("end_turn")


# --- what is skipped ---


@pytest.mark.parametrize(
    "skipped",
    [
        event("ping"),
        ServerEvent("ping", b"not JSON"),
        ServerEvent("message", b"[DONE]"),
        event("an_event_from_the_future", text="no"),
        ServerEvent("an_event_from_the_future", b"not JSON"),
        event("content_block_stop", index=9),
        event("content_block_delta", index=0, delta={"type": "a_delta_from_the_future", "text": "no"}),
        event("content_block_delta", index=0, delta={"type": "input_json_delta", "partial_json": "{"}),
        event("content_block_delta", index=0, delta={"type": "citations_delta", "citation": {}}),
        event("content_block_delta", index=0, delta={"type": "text_delta"}),
        event("content_block_delta", index=0, delta={"type": "text_delta", "text": None}),
        event("content_block_delta", index=0, delta={"type": "text_delta", "text": ""}),
        event("content_block_delta", index=0, delta=None),
        event("content_block_delta", index=0),
        event("message_start", message={"id": None, "model": 7})._replace(name="a_name_from_the_future", data=b"[]"),
        event("message_delta", delta=None, usage=None),
        ServerEvent("content_block_delta", b"null"),
        ServerEvent("message", b"7"),
        ServerEvent("message", b'{"type":["content_block_delta"]}'),
        ServerEvent("message", b"{}"),
    ],
)
def test_what_is_not_text_of_the_answer_is_skipped(skipped):
    turn, events = feed(START, OPEN, text_delta("a"), skipped, text_delta("b"), stopped(), STOP)
    assert events == [STARTED, Delta("a"), Delta("b")]
    assert turn.end() == Stop("end_turn")


@pytest.mark.parametrize(
    ("kind", "delta"),
    [
        ("thinking", {"type": "thinking_delta", "thinking": "hm"}),
        ("thinking", {"type": "signature_delta", "signature": "x"}),
        ("redacted_thinking", {"type": "text_delta", "text": "hidden"}),
        ("tool_use", {"type": "input_json_delta", "partial_json": "{}"}),
        ("a_block_from_the_future", {"type": "text_delta", "text": "hidden"}),
    ],
)
def test_a_block_that_is_no_text_is_skipped_with_its_deltas(kind, delta):
    assert texts(
        START,
        block(kind, 0, text="hidden"),
        event("content_block_delta", index=0, delta=delta),
        CLOSE,
        block("text", 1),
        text_delta("shown", 1),
    ) == ["shown"]


def test_blocks_that_are_open_together_are_told_apart_by_their_index():
    assert texts(block("tool_use", 1), OPEN, text_delta("a", 0), text_delta("hidden", 1), text_delta("b", 0)) == [
        "a",
        "b",
    ]


def test_an_index_is_free_again_after_its_block_has_stopped():
    assert texts(block("thinking", 0), CLOSE, OPEN, text_delta("a")) == ["a"]


def test_a_text_block_takes_over_the_index_of_one_that_never_stopped():
    assert texts(block("thinking", 0), OPEN, text_delta("a")) == ["a"]


def test_text_without_a_block_or_a_start_is_text():
    """llama.cpp leaves message_start out at times, and sends a stop for a block that never started."""
    turn, events = feed(text_delta("😀"), CLOSE, stopped(), STOP)
    assert (events, turn.end()) == ([Delta("😀")], Stop("end_turn"))


def test_events_without_an_event_line_are_known_by_their_type():
    events = [each._replace(name="message") for each in (START, OPEN, text_delta("a"), stopped(), STOP)]
    turn, mine = feed(*events)
    assert (mine, turn.finished) == ([STARTED, Delta("a")], True)


def test_events_without_a_type_are_known_by_their_event_line():
    payload = {"index": 0, "delta": {"type": "text_delta", "text": "a"}}
    turn, mine = feed(event("content_block_delta", payload), event("message_stop", {}))
    assert (mine, turn.finished) == ([Delta("a")], True)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({}, Started("", "", "req_1")),
        ({"id": 7, "model": None}, Started("", "", "req_1")),
        (None, Started("", "", "req_1")),
        ([], Started("", "", "req_1")),
    ],
)
def test_a_start_without_names_is_a_start(message, expected):
    assert feed(event("message_start", message=message))[1] == [expected]


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"output_tokens": 7}, Usage(3, 7, 0, 0)),
        ({"input_tokens": 5, "output_tokens": 7}, Usage(5, 7, 0, 0)),
        ({"input_tokens": 0, "output_tokens": 7}, Usage(0, 7, 0, 0)),
        ({"output_tokens": None}, Usage(3, 1, 0, 0)),
        ({"output_tokens": "7"}, Usage(3, 1, 0, 0)),
        ({"output_tokens": -1}, Usage(3, 1, 0, 0)),
        ({"a_count_from_the_future": 7}, Usage(3, 1, 0, 0)),
    ],
)
def test_usage_is_cumulative_and_keeps_what_a_later_event_leaves_out(usage, expected):
    start = event("message_start", message={"usage": {"input_tokens": 3, "output_tokens": 1}})
    assert feed(start, stopped(usage=usage))[1][-1] == expected


# --- what fails ---


@pytest.mark.parametrize(
    "damaged",
    [
        ServerEvent("content_block_delta", b'{"type":"content_block_delta",'),
        ServerEvent("content_block_delta", b""),
        ServerEvent("content_block_delta", b'{"delta":{"type":"text_delta","text":"\xff"}}'),
        ServerEvent("message_stop", b"{"),
        ServerEvent("message", b"<html>"),
        ServerEvent("message", b"[" * 100_000),
        ServerEvent("message", b"1" * 10_000),
    ],
    ids=["half", "empty", "no UTF-8", "stop", "HTML", "nested", "long number"],
)
def test_a_damaged_event_breaks_the_attempt(damaged):
    turn, _ = feed(START, OPEN, text_delta("a"))
    with pytest.raises(AttemptFailed, match="no valid JSON") as failed:
        turn.feed(damaged)
    assert (
        failed.value.error.status,
        failed.value.retryable,
        failed.value.error.request_id,
    ) == (76, True, "req_1")
    assert not turn.complete


@pytest.mark.parametrize(
    ("error", "status", "request_id", "message"),
    [
        (
            event("error", error={"type": "overloaded_error", "message": "Overloaded"}),
            76,
            "req_1",
            "the server broke off: Overloaded (overloaded_error)",
        ),
        (
            event("error", error={"type": "authentication_error", "message": "no"}, request_id="req_2"),
            77,
            "req_2",
            "the server broke off: no (authentication_error)",
        ),
        (
            event("error", error={"type": "invalid_request_error", "message": "no"}),
            1,
            "req_1",
            "the server broke off: no (invalid_request_error)",
        ),
        (
            event("error", {"error": {"code": 500, "message": "llama", "type": "server_error"}}),
            76,
            "req_1",
            "the server broke off: llama (server_error)",
        ),
        (
            event("error", error={"type": "api_error", "message": "x"})._replace(name="message"),
            76,
            "req_1",
            "the server broke off: x (api_error)",
        ),
        (ServerEvent("error", b"upstream gone"), 76, "req_1", "the server broke off: upstream gone"),
        (ServerEvent("error", b"gone \xff"), 76, "req_1", "the server broke off: gone \ufffd"),
        (event("error", error="gone"), 76, "req_1", "the server broke off: gone"),
        (event("error", error=None), 76, "req_1", "the server broke off: no message"),
        (event("error", error={"type": 7, "message": []}), 76, "req_1", "the server broke off: no message"),
    ],
)
def test_an_error_event_fails_the_attempt(error, status, request_id, message):
    with pytest.raises(AttemptFailed) as failed:
        feed(START, error)
    assert (
        failed.value.error.status,
        failed.value.error.request_id,
        failed.value.error.message,
    ) == (status, request_id, message)


@pytest.mark.parametrize(
    "data", [b'{"type":"overloaded_error","message":"x"}', b'{"type":null}', b'"gone"', b"[]", b"null"]
)
def test_an_event_named_error_is_one_whatever_is_in_it(data):
    with pytest.raises(AttemptFailed, match="broke off"):
        feed(START, ServerEvent("error", data))


def test_endless_blocks_are_refused_and_any_number_one_after_the_other_is_not():
    turn = Turn()
    for index in range(2 * MAX_OPEN_BLOCKS):
        turn.feed(block("tool_use", index))
        turn.feed(event("content_block_stop", index=index))
    for index in range(MAX_OPEN_BLOCKS):
        turn.feed(block("tool_use", index))
    with pytest.raises(AttemptFailed, match="more content blocks"):
        turn.feed(block("tool_use", MAX_OPEN_BLOCKS))


# --- what a stop reason means ---


@pytest.mark.parametrize(
    ("reason", "status", "known"),
    [
        ("end_turn", None, True),
        ("stop_sequence", None, True),
        (None, None, True),
        ("a_reason_from_the_future", None, False),
        ("max_tokens", 5, False),
        ("model_context_window_exceeded", 5, False),
        ("refusal", 4, False),
        ("tool_use", 76, False),
        ("pause_turn", 76, False),
    ],
)
def test_what_a_stop_reason_means_for_the_status(reason, status, known):
    error = stop_error(Stop(reason))
    assert (error and error.status, is_known_stop(Stop(reason))) == (status, known)


def test_a_refusal_says_its_category():
    assert [stop_error(Stop("refusal", category)).message for category in ("bio", None)] == [
        "the model refused (bio)",
        "the model refused",
    ]
