"""Answers that break off and are mended: whatever breaks, stdout has each byte once, and the notices say where."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Sequence

import pytest
from conftest import Run, Spawn
from fake_server import (
    BAD_CHUNK,
    FIN,
    HALF_CHUNK,
    RST,
    Event,
    FakeServer,
    Raw,
    Reply,
    Request,
    answer,
    closing,
    error_event,
    failure,
    opening,
    page,
    text,
    wait,
)

PREFILLED, TURNED = "claude-haiku-4-5", "claude-sonnet-5-5"
BAD_UTF_8 = Raw(
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,'
    b'"delta":{"type":"text_delta","text":"\xff"}}\n\n'
)
FAULTS = {
    "clean end": [],
    "fin": [FIN],
    "reset": [RST],
    "half a chunk": [HALF_CHUNK],
    "bad chunk": [BAD_CHUNK],
    "half an event": [Raw(b'event: content_block_delta\ndata: {"type":"content_bl')],
    "overloaded": [error_event("overloaded_error")],
    "rate limit event": [error_event("rate_limit_error")],
    "error that is no JSON": [Event("error", "upstream connect error")],
    "malformed JSON": [Event("content_block_delta", '{"type":"content_block_delta","delta":{"ty'), *closing()],
    "not UTF-8": [BAD_UTF_8, *closing()],
    "half a character": [text("\ud83d"), FIN],
}
TEXT = "Eins, zwei,  drei\n\n\tvier 漢字 🦀🦀🦀\r\nfünf " + "ha " * 30 + "\n" * 5 + "Ende.\n "


def continues(whole: str, cuts: Sequence[int], fault: Sequence[object]) -> Callable[[Request], Reply]:
    """A model whose answer is `whole`; each request gets to the next of `cuts`, and then the fault."""
    breaks = iter(cuts)

    def reply(request: Request) -> Reply:
        said = [message["content"] for message in request.body["messages"] if message["role"] == "assistant"]
        start = len(said[0]) if said else 0
        assert whole.startswith(said[0] if said else "")
        cut = next(breaks, None)
        pieces = [text(char) for char in whole[start:cut]]
        return Reply(steps=[*opening(), *pieces, *(closing() if cut is None else fault)])

    return reply


@pytest.mark.parametrize("model", [PREFILLED, TURNED])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_mended_answer_is_whole_and_each_byte_is_there_once(fault, model, run_warm: Run, server: FakeServer):
    server.always(continues(TEXT, [18], FAULTS[fault]))
    result = run_warm("chat", "-m", model, "hi")
    assert (result.status, result.text) == (0, TEXT), result
    assert len(server.requests) == 2
    # A reset may overtake what was sent before it.
    byte = r"\d+" if fault == "reset" else "18"
    notices = rf"streamcli: [^\n]*attempt 2 in [^\n]*\nstreamcli: the answer is continued[^\n]* byte {byte} on\n"
    assert re.fullmatch(notices, result.stderr), result


@pytest.mark.parametrize("model", [PREFILLED, TURNED])
@pytest.mark.parametrize("cut", [5, 12, 19, 26, 29, 40, len(TEXT) - 1])
def test_the_seam_is_exact_wherever_it_is(cut, model, run_warm: Run, server: FakeServer):
    """In mid-word, in white space, in a CRLF, among equal characters, in periodic text."""
    server.always(continues(TEXT, [cut], [RST]))
    result = run_warm("chat", "-m", model, "hi")
    assert (result.status, result.text) == (0, TEXT), result


@pytest.mark.parametrize("verb", ["chat", "gen", "analyze"])
def test_an_answer_may_break_again_and_again(verb, run_warm: Run, server: FakeServer):
    """Each break brings new text, so --retries 1 allows for any number of them."""
    whole = f"```\n{TEXT}\n```\n" if verb == "gen" else TEXT
    server.always(continues(whole, [9, 12, 19, 21, 50, len(whole) - 3], [RST]))
    words = [] if verb == "analyze" else ["hi"]
    result = run_warm(verb, "--retries", "1", *words, stdin=b"one line\n" if verb == "analyze" else None)
    assert (result.status, result.text) == (0, f"{TEXT}\n" if verb == "gen" else TEXT), result
    assert len(server.requests) == 7


def test_an_answer_whose_every_attempt_breaks_ends_after_twenty(run_warm: Run, server: FakeServer):
    server.always(continues("x" * 99, range(1, 99), [error_event()]))
    result = run_warm("chat", "--timeout", "60", "hi", env={"STREAMCLI_RETRIES": "99"}, timeout=90)
    assert (result.status, result.text, len(server.requests)) == (76, "x" * 20, 20), result


def test_a_break_after_the_last_word_costs_no_word(run_warm: Run, server: FakeServer):
    server.enqueue(Reply(steps=[*opening(), text("All of it."), RST]), answer())
    result = run_warm("chat", "-m", PREFILLED, "hi")
    assert (result.status, result.text) == (0, "All of it."), result


def test_a_server_that_takes_no_prefill_is_asked_by_a_turn(run_warm: Run, server: FakeServer):
    server.enqueue(Reply(steps=[*opening(), text("Hello, "), RST]), failure(400, "no prefill"), answer("world"))
    result = run_warm("chat", "-m", PREFILLED, "--retries", "1", "hi")
    assert (result.status, result.text) == (0, "Hello, world"), result
    asked = [[message["role"] for message in request.body["messages"]] for request in server.requests]
    assert asked == [["user"], ["user", "assistant"], ["user", "assistant", "user"]]


def test_a_model_that_repeats_itself_after_a_turn_is_trimmed(run_warm: Run, server: FakeServer):
    end = "and the fox ran over the hill."
    server.enqueue(Reply(steps=[*opening(), text(f"It rained, {end}"), RST]), answer(end[4:15], f"{end[15:]} The end."))
    result = run_warm("chat", "-m", TURNED, "hi")
    assert (result.status, result.text) == (0, f"It rained, {end} The end."), result
    assert "less 26 characters that it repeated" in result.stderr


@pytest.mark.parametrize(
    ("reply", "status"),
    [(failure(401), 77), (failure(403), 77), (failure(404), 1), (failure(413), 1), (failure(402), 1)],
)
def test_a_continuation_that_is_refused_is_reported_as_what_it_is(reply, status, run_warm: Run, server: FakeServer):
    server.enqueue(Reply(steps=[*opening(), text("Hello, wor"), RST]), reply)
    result = run_warm("chat", "hi")
    assert (result.status, result.text, len(server.requests)) == (status, "Hello, wor", 2), result


@pytest.mark.parametrize(
    "reply",
    [failure(429, headers={"retry-after-ms": "1"}), failure(529, headers={"retry-after-ms": "1"}), page("<html>")],
)
def test_a_continuation_that_cannot_be_had_is_a_broken_stream(reply, run_warm: Run, server: FakeServer):
    server.enqueue(Reply(steps=[*opening(), text("Hello, wor"), RST]))
    server.always(reply)
    result = run_warm("chat", "--retries", "1", "hi")
    assert (result.status, result.text, len(server.requests)) == (76, "Hello, wor", 2), result
    assert "--resume" in result.stderr


def test_thinking_restarts_from_the_last_text(run_warm: Run, server: FakeServer):
    thinking = Event(
        "content_block_start", {"type": "content_block_start", "index": 1, "content_block": {"type": "thinking"}}
    )
    server.enqueue(Reply(steps=[*opening(), text("Hello, "), thinking, RST]), answer("world"))
    result = run_warm("chat", "-m", PREFILLED, "hi")
    assert (result.status, result.text) == (0, "Hello, world"), result


LINE = "12:00:01 the same line again\n"


@pytest.mark.parametrize("how", ["deadline", "signal", "break"])
def test_what_a_seam_holds_is_not_lost(how, spawn: Spawn, run: Run, server: FakeServer):
    """The continuation begins as the text ends: it may be a repetition, so it waits; then nothing more comes."""
    end = [wait("stalled")] if how != "break" else [FIN]
    server.enqueue(Reply(steps=[*opening(), text(LINE * 3), FIN]), Reply(steps=[*opening(), text(LINE), *end]))
    server.always(failure(400))
    limit = ["--timeout", "4"] if how == "deadline" else []
    process = spawn("chat", "-m", TURNED, *limit, "hi")
    if how == "signal":
        server.wait_reached("stalled")
        process.read_until((LINE * 3).encode())
        process.signal(signal.SIGTERM)
    result = process.finish()
    assert result.status == {"deadline": 124, "signal": -signal.SIGTERM, "break": 1}[how], result
    assert result.text.startswith(LINE * 3)
    if how != "signal":  # it may have come before the text did
        assert result.text == LINE * 4
    server.always(answer("The end."))
    resumed = run("chat", "-m", TURNED, "--resume", "hi")
    assert resumed.text == result.text + "The end.", resumed


def test_of_gen_what_only_waits_for_a_fence_is_not_continued_but_begun_anew(run_warm: Run, server: FakeServer):
    server.enqueue(Reply(steps=[*opening(), text("Sure, here is what"), RST]), answer("```py\nx = 1\n```\n"))
    result = run_warm("gen", "hi")
    assert (result.status, result.text) == (0, "x = 1\n"), result
    assert [len(request.body["messages"]) for request in server.requests] == [1, 1]


def test_a_break_before_the_fence_is_a_failure_without_text(run_warm: Run, server: FakeServer):
    server.always(Reply(steps=[*opening(), text("Sure, here is what"), FIN]))
    result = run_warm("gen", "--retries", "1", "hi")
    assert (result.status, len(server.requests)) == (76, 2), result


def test_an_attempt_that_broke_off_counts_for_about_what_it_wrote(run_warm: Run, server: FakeServer):
    server.enqueue(Reply(steps=[*opening(), text("word " * 80), FIN]), answer("end", input_tokens=10, output_tokens=5))
    result = run_warm("chat", "--usage", "hi")
    assert "streamcli: 20 tokens in, 105 out" in result.stderr, result


def test_usage_is_the_sum_of_all_requests(run_warm: Run, server: FakeServer):
    server.enqueue(Reply(steps=[*opening(), text("Hello, "), RST]), answer("world", input_tokens=20, output_tokens=7))
    result = run_warm("chat", "--usage", "hi", "-f", "json")
    assert '"usage","input_tokens":30,"output_tokens":8' in result.text, result
    assert "streamcli: 30 tokens in, 8 out, $0." in result.stderr


def test_a_budget_stops_a_run_before_the_next_request(run_warm: Run, server: FakeServer):
    server.enqueue(Reply(steps=[*opening(), text("Hello, "), RST]))
    result = run_warm("chat", "--max-total-tokens", "10", "hi")
    assert (result.status, result.text, len(server.requests)) == (6, "Hello, ", 1), result
    assert "--max-total-tokens" in result.stderr


def test_a_spent_budget_allows_no_request_at_all(run_warm: Run, server: FakeServer):
    result = run_warm("chat", "--max-cost", "0", "hi")
    assert (result.status, result.text, len(server.requests)) == (6, "", 0), result


def test_a_cost_can_only_be_kept_where_there_is_a_price(run_warm: Run, server: FakeServer):
    result = run_warm("chat", "--max-cost", "1", "-m", "my-own-model", "hi")
    assert (result.status, len(server.requests)) == (2, 0), result
    assert "no price is known for my-own-model" in result.stderr
