"""--each: many prompts in one run, each answered once, whatever the server does and however the run ends."""

from __future__ import annotations

import itertools
import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Run, Spawn
from fake_server import (
    NO_LINGER,
    RST,
    End,
    FakeServer,
    Reply,
    Request,
    answer,
    closing,
    failure,
    opening,
    text,
    wait,
)
from harness import Result


def results(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.text.splitlines()]


def prompt_of(request: Request) -> str:
    return str(request.body["messages"][0]["content"])


def echo(request: Request) -> Reply:
    return answer(f"<{prompt_of(request)}>")


def input_of(count: int) -> bytes:
    return b"".join(b"prompt %d\n" % number for number in range(1, count + 1))


@pytest.mark.parametrize("jobs", ["1", "3", "64"])
@pytest.mark.parametrize("verb", ["chat", "gen"])
def test_each_line_is_a_prompt_and_gives_a_result_in_its_order(verb, jobs, run_warm: Run, server: FakeServer):
    server.always(echo)
    result = run_warm(verb, "--each", "lines", "--jobs", jobs, stdin=b"one\r\n\n two \n  \nthree")
    assert (result.status, result.stderr) == (0, ""), result
    assert [(r["type"], r["record"], r["status"], r["text"]) for r in results(result)] == [
        ("result", 1, 0, "<one>"),
        ("result", 3, 0, "< two >"),
        ("result", 5, 0, "<three>"),
    ]
    assert results(result)[0].keys() == {"type", "record", "status", "text", "stop_reason", "request_id", "usage"}
    assert (results(result)[0]["stop_reason"], results(result)[0]["usage"]["input_tokens"]) == ("end_turn", 10)


def test_records_may_be_separated_by_nul(run_warm: Run, server: FakeServer):
    server.always(echo)
    result = run_warm("chat", "--each", "nul", stdin=b"a\nb\0\0c\n\0d")
    assert [(r["record"], r["text"]) for r in results(result)] == [(1, "<a\nb>"), (3, "<c\n>"), (4, "<d>")]


def test_records_may_be_json(run_warm: Run, server: FakeServer):
    server.always(echo)
    lines = [{"prompt": "a\nb", "id": "x", "output": "o.py"}, "plain", {"prompt": "c", "system": "Be rude.", "id": [1]}]
    result = run_warm("chat", "--each", "jsonl", stdin="\n".join(map(json.dumps, lines)).encode())
    assert [(r.get("id"), r["text"]) for r in results(result)] == [("x", "<a\nb>"), (None, "<plain>"), ([1], "<c>")]
    assert {r.body["system"] for r in server.requests if prompt_of(r) == "c"} == {"Be rude."}


def test_a_prompt_is_asked_of_each_record(run_warm: Run, server: FakeServer):
    server.always(echo)
    result = run_warm("chat", "--each", "lines", "Translate", "it", stdin=b"bread\n")
    assert results(result)[0]["text"] == "<<stdin>\nbread\n</stdin>\n\nTranslate it>"


def test_gen_gives_code_without_its_fence(run_warm: Run, server: FakeServer):
    server.always(answer("Sure:\n```py\nx = 1\n```\nThere."))
    assert results(run_warm("gen", "--each", "lines", stdin=b"x\n"))[0]["text"] == "x = 1\n"


def test_as_text_each_answer_ends_with_a_newline(run_warm: Run, server: FakeServer):
    server.enqueue(answer("one"), answer("two\n"), failure(400), answer("four"))
    result = run_warm("chat", "--each", "lines", "--jobs", "1", "-f", "text", stdin=input_of(4))
    assert (result.status, result.text) == (1, "one\ntwo\nfour\n"), result


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (b"{", "no valid JSON"),
        (b"\xff", "no valid JSON"),
        (b"7", 'no "prompt"'),
        (b"{}", 'no "prompt"'),
        (b'{"prompt": ""}', 'no "prompt"'),
        (b'{"prompt": 1}', 'no "prompt"'),
        (b'{"prompt": "x", "system": 1}', '"system"'),
        (b"[" * 100_000, "no valid JSON"),
    ],
)
def test_a_record_that_cannot_be_read_fails_and_the_others_do_not(line, complaint, run_warm: Run, server: FakeServer):
    server.always(echo)
    result = run_warm("chat", "--each", "jsonl", stdin=b'"a"\n' + line + b'\n"b"\n')
    assert (result.status, [r["status"] for r in results(result)]) == (66, [0, 66, 0]), result
    assert complaint in results(result)[1]["error"]["message"]
    assert "streamcli: record 2: " in result.stderr


def test_a_record_that_is_too_large_fails_and_the_others_do_not(run_warm: Run, server: FakeServer):
    result = run_warm("chat", "--each", "lines", stdin=b"a\n" + b"x" * 33_000_000 + b"\nb\n")
    assert (result.status, [r["status"] for r in results(result)]) == (66, [0, 66, 0]), str(result)[:2000]
    assert len(server.requests) == 2


def test_a_failure_does_not_stop_the_others_and_the_worst_is_the_status(run_warm: Run, server: FakeServer):
    replies = {"2": failure(400), "3": answer("cut", stop_reason="max_tokens"), "5": failure(401)}
    server.always(lambda request: replies.get(prompt_of(request)[-1]) or echo(request))
    result = run_warm("chat", "--each", "lines", "--jobs", "1", stdin=input_of(6))
    assert (result.status, [r["status"] for r in results(result)]) == (77, [0, 1, 5, 0, 77, 0]), result
    assert results(result)[2]["text"] == "cut"
    assert results(result)[1]["error"] == {"message": "the server answered 400: scripted 400", "hint": None}
    assert "3 of 6 answers failed: run the same with --resume" in result.stderr


def test_without_a_key_that_is_taken_nobody_else_is_asked(run_warm: Run, server: FakeServer):
    server.always(failure(401))
    result = run_warm("chat", "--each", "lines", "--jobs", "2", stdin=input_of(50))
    assert result.status == 77, result
    assert len(server.requests) <= 2
    assert "not all records were read" in result.stderr


def test_without_a_key_that_is_taken_stdin_is_not_waited_for(spawn: Spawn, server: FakeServer):
    server.always(failure(401))
    process = spawn("chat", "--each", "lines", stdin="pipe")
    process.write(b"one\n")
    assert process.wait() == 77


def test_without_any_key_it_ends_at_once(run_warm: Run, server: FakeServer):
    result = run_warm("chat", "--each", "lines", stdin=input_of(3), env={"ANTHROPIC_API_KEY": None})
    assert (result.status, result.text) == (77, "")


def test_a_broken_answer_begins_anew(run_warm: Run, server: FakeServer):
    server.enqueue(Reply(steps=[*opening(), text("Hello, "), RST]), answer("Good day"))
    result = run_warm("chat", "--each", "lines", stdin=b"hi\n")
    assert (result.status, results(result)[0]["text"]) == (0, "Good day"), result
    assert [len(request.body["messages"]) for request in server.requests] == [1, 1]


def test_an_answer_that_always_breaks_is_given_up_after_its_retries(run_warm: Run, server: FakeServer):
    """Text that is void is no progress."""
    server.always(Reply(steps=[*opening(), text("Hello, "), RST]))
    result = run_warm("chat", "--each", "lines", "--retries", "1", stdin=b"hi\n")
    assert (result.status, len(server.requests)) == (76, 2), result


def test_a_break_can_be_an_error_here_too(run_warm: Run, server: FakeServer):
    server.enqueue(Reply(steps=[*opening(), text("Hello, "), End("fin")]))
    result = run_warm("chat", "--each", "lines", "--on-break", "fail", stdin=b"hi\n")
    assert (result.status, results(result)[0]["text"], len(server.requests)) == (76, "Hello, ", 1), result


def test_so_many_are_asked_at_once_and_no_more(spawn: Spawn, server: FakeServer):
    server.always(Reply(steps=[*opening(), wait("go"), *closing()]))
    process = spawn("chat", "--each", "lines", "--jobs", "8", stdin="pipe")
    process.write(input_of(20))
    server.wait_requests(8)
    assert len([c for c in server.connections if c.closed_at is None]) == 8
    server.release("go")
    result = process.finish()
    assert (result.status, len(server.requests)) == (0, 20), result
    assert len(server.connections) <= 8  # one pool, whose connections are used again


def test_unordered_results_come_as_they_come(spawn: Spawn, server: FakeServer):
    def reply(request: Request) -> Reply:
        steps = [wait("first")] if prompt_of(request) == "prompt 1" else []
        return Reply(steps=[*opening(), *steps, text(prompt_of(request)), *closing()])

    server.always(reply)
    process = spawn("chat", "--each", "lines", "--unordered", "--jobs", "2", stdin="pipe")
    process.write(input_of(5))
    process.close_stdin()
    process.read_until(b"prompt 5")
    server.release("first")
    assert [r["record"] for r in results(process.finish())][-1] == 1


def test_results_that_wait_for_an_earlier_one_are_bounded(spawn: Spawn, server: FakeServer):
    def reply(request: Request) -> Reply:
        steps = [wait("first")] if prompt_of(request) == "prompt 1" else []
        return Reply(steps=[*opening(), *steps, text(prompt_of(request)), *closing()])

    server.always(reply)
    process = spawn("chat", "--each", "lines", "--jobs", "2", stdin="pipe")
    process.write(input_of(200))
    process.close_stdin()
    server.wait_reached("first")
    server.wait_requests(8)
    with pytest.raises(TimeoutError):
        server.wait_requests(9, timeout=0.5)
    server.release("first")
    result = process.finish()
    assert [r["record"] for r in results(result)] == list(range(1, 201))


def test_stdin_is_read_as_places_become_free(spawn: Spawn, server: FakeServer):
    """An endless producer is stopped upstream, and memory stays small."""
    server.always(Reply(steps=[*opening(), wait("never")]))
    read, write = os.pipe()
    process = spawn("chat", "--each", "lines", "--jobs", "2", stdin=read)
    os.close(read)
    os.set_blocking(write, False)
    taken = os.write(write, input_of(2))
    server.wait_requests(2)
    try:
        while taken < 50_000_000:
            taken += os.write(write, b"x" * 999 + b"\n")
    except BlockingIOError:
        pass
    finally:
        os.close(write)
    assert taken < 2_000_000
    process.signal(signal.SIGTERM)
    result = process.finish()
    assert result.status == -signal.SIGTERM


def refuses_a_third(header: dict[str, str]) -> Callable[[Request], Reply]:
    count = itertools.count(1)
    return lambda request: failure(429, headers=header) if next(count) % 3 == 0 else echo(request)


@pytest.mark.parametrize("header", [{"retry-after-ms": "20"}, {"retry-after": "0"}])
def test_all_are_answered_once_though_a_third_of_requests_is_refused(header, run_warm: Run, server: FakeServer):
    server.always(refuses_a_third(header))
    result = run_warm("chat", "-q", "--each", "lines", "--jobs", "32", stdin=input_of(300), timeout=120)
    assert result.status == 0, result
    assert [r["text"] for r in results(result)] == [f"<prompt {number}>" for number in range(1, 301)]
    assert len(server.requests) == 449  # 300 answers, and each third request: no other was wasted


def test_after_a_429_nobody_asks_until_the_wait_is_over(run_warm: Run, server: FakeServer):
    server.enqueue(failure(429, headers={"retry-after": "1"}))
    server.always(echo)
    result = run_warm("chat", "--each", "lines", "--jobs", "4", stdin=input_of(40))
    assert result.status == 0, result
    refused, *others = server.requests
    in_time = [request.at - refused.at for request in others]
    early = [seconds for seconds in in_time if seconds < 0.95]
    assert len(early) <= 6, early  # what was on its way, and what followed it before the refusal was read


@pytest.mark.parametrize("limit", ["8", "0"])
def test_a_wait_that_turns_out_too_long_ends_those_who_wait_already(limit, run_warm: Run, server: FakeServer):
    server.enqueue(failure(429, headers={"retry-after": "1"}), times=4)
    server.always(failure(429, headers={"retry-after": "100000"}))
    result = run_warm("chat", "--each", "lines", "--jobs", "4", "--timeout", limit, stdin=input_of(6), timeout=30)
    assert (result.status, [r["status"] for r in results(result)]) == (75, [75] * 6), result
    assert "try again in 28 h" in result.stderr
    assert len(server.requests) <= 8


def test_a_limit_in_the_headers_is_kept_without_a_refusal(run_warm: Run, server: FakeServer):
    from datetime import UTC, datetime, timedelta

    reset = (datetime.now(UTC) + timedelta(seconds=3)).isoformat()
    headers = {"anthropic-ratelimit-requests-remaining": "0", "anthropic-ratelimit-requests-reset": reset}
    server.enqueue(answer("first", headers=headers))
    server.always(echo)
    result = run_warm("chat", "--each", "lines", "--jobs", "1", stdin=input_of(3))
    assert result.status == 0, result
    first, second, third = (request.at for request in server.requests)
    assert second - first > 1.0
    assert third - second < 1.0


def test_finished_prompts_are_not_asked_twice(spawn: Spawn, run: Run, server: FakeServer):
    """^C in the midst of it, and the same again with --resume."""

    def reply(request: Request) -> Reply:
        return echo(request) if prompt_of(request) < "prompt 5" else Reply(steps=[*opening(), wait("never")])

    server.always(reply)
    process = spawn("chat", "--each", "lines", "--jobs", "2", stdin="pipe")
    process.write(input_of(9))
    process.read_until(b"prompt 4")
    server.wait_requests(6)
    process.signal(signal.SIGINT)
    first = process.finish()
    assert first.status == -signal.SIGINT
    assert "--resume" in first.stderr
    server.always(echo)
    before = len(server.requests)
    second = run("chat", "--each", "lines", "--resume", stdin=input_of(9))
    assert (second.status, second.stderr) == (0, ""), second
    assert [r["text"] for r in results(second)] == [f"<prompt {number}>" for number in range(1, 10)]
    assert sorted(map(prompt_of, server.requests[before:])) == [f"prompt {number}" for number in range(5, 10)]


def test_what_is_finished_is_kept_when_stdin_breaks(spawn: Spawn, run: Run, server: FakeServer):
    server.always(echo)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        theirs, _ = listener.accept()
    process = spawn("chat", "--each", "lines", stdin=theirs.fileno())
    theirs.close()
    ours.sendall(input_of(3))
    process.read_until(b"prompt 3")
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
    ours.close()
    broken = process.finish()
    assert broken.status == 66, broken
    assert "not all records were read: run the same with --resume" in broken.stderr
    again = run("chat", "--each", "lines", "--resume", stdin=input_of(4))
    assert (again.status, len(results(again)), len(server.requests)) == (0, 4, 4), again


def test_a_failed_run_leaves_nothing_once_another_is_done(run_warm: Run, home: Path, server: FakeServer):
    server.enqueue(answer("the first of them"), failure(400))
    assert run_warm("chat", "--each", "lines", "--jobs", "1", stdin=input_of(2)).status == 1
    assert run_warm("chat", "--each", "lines", stdin=input_of(2)).status == 0
    assert run_warm("answers", "list").text == ""
    assert not any(b"the first of them" in file.read_bytes() for file in home.rglob("*") if file.is_file())


def test_equal_prompts_are_asked_each(run_warm: Run, server: FakeServer):
    """Whoever asks the same three times wants three answers, also with --resume."""
    server.enqueue(answer("one"), answer("two"), failure(400))
    first = run_warm("chat", "--each", "lines", "--jobs", "1", "--resume", stdin=b"a\na\na\n")
    assert [r["text"] for r in results(first)] == ["one", "two", ""]
    server.enqueue(answer("three"))
    second = run_warm("chat", "--each", "lines", "--jobs", "1", "--resume", stdin=b"a\na\na\n")
    assert sorted(r["text"] for r in results(second)) == ["one", "three", "two"], second
    assert len(server.requests) == 4


def test_a_server_that_is_down_is_found_out_by_all_at_once(run_warm: Run, server: FakeServer):
    server.always(failure(529, headers={"retry-after": "1"}))
    result = run_warm("chat", "-q", "--each", "lines", "--jobs", "8", "--retries", "1", stdin=input_of(16), timeout=20)
    assert (result.status, len(server.requests)) == (69, 32), result


def test_what_is_picked_up_can_be_cached(run_warm: Run, server: FakeServer):
    server.enqueue(answer("one"), failure(400))
    run_warm("chat", "--each", "lines", "--jobs", "1", stdin=input_of(2))
    assert run_warm("chat", "--each", "lines", "--cache", "--resume", stdin=input_of(2)).status == 0
    before = len(server.requests)
    assert results(run_warm("chat", "--each", "lines", "--cache", stdin=input_of(2)))[0]["text"] == "one"
    assert len(server.requests) == before


@pytest.mark.parametrize("cached", [False, True])
def test_of_a_run_that_is_done_nothing_stays_unless_it_is_cached(cached, run_warm: Run, home: Path, server: FakeServer):
    server.always(echo)
    flags = ["--cache"] if cached else []
    run_warm("chat", "--each", "lines", *flags, stdin=input_of(5))
    assert any(b"<prompt 3>" in file.read_bytes() for file in home.rglob("*") if file.is_file()) is cached
    again = run_warm("chat", "--each", "lines", *flags, stdin=input_of(5))
    assert (again.status, len(server.requests)) == (0, 5 if cached else 10)


def test_a_budget_ends_the_run(run_warm: Run, server: FakeServer):
    result = run_warm("chat", "--each", "lines", "--jobs", "1", "--max-total-tokens", "40", stdin=input_of(9))
    assert (result.status, len(server.requests)) == (6, 3), result
    assert "45 of --max-total-tokens 40 are used" in result.stderr


def test_usage_is_that_of_the_run(run_warm: Run, server: FakeServer):
    result = run_warm("chat", "--each", "lines", "--usage", stdin=input_of(4))
    assert "streamcli: 40 tokens in, 20 out, $" in result.stderr, result


def test_the_time_limit_is_that_of_each_record(run_warm: Run, server: FakeServer):
    server.enqueue(Reply(steps=[*opening(), wait("never")]))
    server.always(echo)
    result = run_warm("chat", "--each", "lines", "--jobs", "1", "--timeout", "1", stdin=input_of(3))
    assert (result.status, [r["status"] for r in results(result)]) == (124, [124, 0, 0]), result


def test_requests_can_be_looked_at_and_counted(run_warm: Run, server: FakeServer):
    shown = run_warm("chat", "--each", "lines", "--dry-run", stdin=input_of(2))
    assert (shown.status, shown.text.count('"content": "prompt '), len(server.requests)) == (0, 2, 0)
    counted = run_warm("chat", "--each", "lines", "--count-tokens", stdin=input_of(2))
    assert (counted.status, len(counted.text.splitlines())) == (0, 2), counted


@pytest.mark.parametrize("extra", [["-n"], []])
def test_there_must_be_something_to_read(extra, spawn: Spawn, server: FakeServer):
    result = spawn("chat", "--each", "lines", *extra, "hi", stdin="tty" if not extra else "null").finish()
    assert result.status == 2
    assert "--each" in result.stderr


def test_an_empty_input_is_no_failure(run_warm: Run, server: FakeServer):
    result = run_warm("chat", "--each", "lines", stdin=b"\n\n")
    assert (result.status, result.stdout, len(server.requests)) == (0, b"", 0)


def test_a_reader_that_leaves_ends_the_run(spawn: Spawn, server: FakeServer):
    server.always(echo)
    process = spawn("chat", "--each", "lines", stdin="pipe")
    process.write(input_of(1))
    process.read_until(b"prompt 1")
    process.close("stdout")
    assert process.wait() == -signal.SIGPIPE


def test_a_terminal_shows_how_far_it_is_and_notices_above(spawn: Spawn, server: FakeServer, tmp_path: Path):
    server.enqueue(failure(400), answer("ok"))
    out = tmp_path / "out"
    process = spawn("chat", "--each", "lines", "--jobs", "1", stdin="pipe", stdout=str(out), stderr="tty")
    process.write(input_of(2))
    process.read_until(b"record 1: the server answered 400", "tty")
    process.read_until(b"answered", "tty")
    result = process.finish()
    assert (result.status, len(out.read_text().splitlines())) == (1, 2)


if sys.platform == "linux":

    def test_an_endless_run_takes_no_more_memory_than_a_short_one(run: Run, server: FakeServer):
        server.always(answer("x" * 1000))
        short = run("chat", "--each", "lines", "--jobs", "8", stdin=input_of(50))
        long = run("chat", "--each", "lines", "--jobs", "8", stdin=input_of(1500), timeout=120)
        assert (short.status, long.status) == (0, 0)
        assert long.peak_kb < short.peak_kb + 20_000
