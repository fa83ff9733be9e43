"""Servers, environments and answers that mean no good, or know no better: a status of the table, and one line."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from fake_server import (
    PING,
    Deltas,
    End,
    Event,
    FakeServer,
    Pause,
    Raw,
    Reply,
    answer,
    block_start,
    closing,
    delta,
    error_event,
    failure,
    message_delta,
    message_start,
    opening,
    page,
    redirect,
    text,
    wait,
)
from harness import ROOT, hermetic

PROSE = "Sure! Here is the code that you asked for.\n"


def one_line(stderr: str) -> bool:
    lines = [line for line in stderr.splitlines() if not line.startswith("hint: ")]
    return len(lines) == 1 and lines[0].startswith("streamcli: ") and "bug" not in lines[0]


def test_what_may_be_prose_is_not_printed_as_code_on_a_signal(spawn, server: FakeServer):
    server.enqueue(Reply(steps=[*opening(), text(PROSE), wait("never")]))
    process = spawn("gen", "x")
    server.wait_reached("never")
    process.signal(signal.SIGINT)
    result = process.finish()
    assert (result.status, result.stdout) == (-signal.SIGINT, b"")


@pytest.mark.parametrize("broken", [End("rst"), End("fin"), error_event()])
def test_what_came_before_a_break_is_kept_where_no_fence_came(broken, run_warm, server: FakeServer):
    server.enqueue(Reply(steps=[*opening(), text("bare code"), broken]))
    result = run_warm("gen", "--on-break", "fail", "x")
    assert (result.status, result.stdout) == (76, b"bare code")


def test_code_before_a_break_is_kept(run_warm, server: FakeServer):
    server.enqueue(Reply(steps=[*opening(), text(PROSE + "```\ncode\nmore"), End("rst")]))
    result = run_warm("gen", "--on-break", "fail", "x")
    assert (result.status, result.stdout) == (76, b"code\nmore")


def test_a_complete_answer_is_complete_though_the_server_goes_on_pinging(run_warm, server: FakeServer):
    pings = [step for _ in range(60) for step in (PING, Raw(b": on and on\n\n"), Pause(0.2))]
    server.enqueue(Reply(steps=[*opening(), text("all of it"), message_delta(), *pings]))
    result = run_warm("chat", "x", "--timeout", "8")
    assert (result.status, result.stdout) == (0, b"all of it")


def test_an_index_that_is_used_again_loses_no_text(run_warm, server: FakeServer):
    thinking = block_start(0, {"type": "thinking", "thinking": ""})
    server.enqueue(Reply(steps=[message_start(), thinking, block_start(0), text("kept"), *closing()]))
    assert run_warm("chat", "x").stdout == b"kept"


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        (
            Reply(
                steps=[
                    *opening(),
                    text("x"),
                    Raw(b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"\\ud83d"}}\n\n'),
                ]
            ),
            0,
        ),
        (
            Reply(
                steps=[
                    *opening(),
                    Raw(b'event: error\ndata: {"type":"error","error":{"type":"\\ud83d","message":"\\ud83d"}}\n\n'),
                ]
            ),
            76,
        ),
        (page('{"type":"error","error":{"type":"invalid_request_error","message":"\\ud83d"}}', status=400), 1),
    ],
)
def test_lone_surrogates_anywhere_break_no_json(reply, status, run_warm, server: FakeServer):
    server.enqueue(reply)
    result = run_warm("chat", "x", "-f", "json", "--retries", "0")
    assert result.status == status
    for line in result.stdout.splitlines():
        json.loads(line)


def test_a_server_that_quotes_the_key_does_not_get_it_shown(run_warm, server: FakeServer):
    for arguments in ([], ["-f", "json"]):
        server.enqueue(page({"error": {"message": "wrong key: test-key"}}, status=401))
        result = run_warm("chat", "x", *arguments)
        assert result.status == 77
        assert "test-key" not in result.stderr + result.text
        assert "wrong key: <secret>" in result.stderr


def test_a_redirect_to_another_host_is_not_followed(run_warm, server: FakeServer):
    with FakeServer() as other:
        server.enqueue(redirect(f"{other.url}/v1/messages"))
        result = run_warm("chat", "x")
        assert (result.status, len(other.requests)) == (1, 0)
        assert one_line(result.stderr)


def test_an_error_whose_body_never_ends_is_read_to_a_bound(run, server: FakeServer):
    endless = Reply(status=400, headers={"content-type": "text/plain"}, steps=[Deltas("x" * 1000, 1_000_000)])
    server.enqueue(endless)
    result = run("chat", "x", timeout=60)
    assert result.status == 1
    assert result.peak_kb < 120_000


@pytest.mark.parametrize("body", ["<html>sign in</html>", "{}", '{"input_tokens": "many"}', "[1]", "not json"])
def test_a_count_that_is_none(body, run_warm, server: FakeServer):
    server.enqueue(page(body), route="count_tokens")
    result = run_warm("chat", "x", "--count-tokens", "--retries", "0")
    assert (result.status, result.stdout) == (76, b"")
    assert one_line(result.stderr)


def test_a_count_is_retried(run_warm, server: FakeServer):
    server.enqueue(failure(529, headers={"retry-after-ms": "1"}), route="count_tokens")
    assert run_warm("chat", "x", "--count-tokens").status == 0


@pytest.mark.parametrize(
    "environment",
    [
        {"HTTP_PROXY": "garbage://x", "NO_PROXY": None},
        {"HTTPS_PROXY": "http://u:p@h:port", "NO_PROXY": None},
        {"NO_PROXY": "[::1:bad]"},
        {"SSL_CERT_FILE": "/nonexistent"},
        {"SSL_CERT_FILE": "/etc/passwd"},
        {"ANTHROPIC_BASE_URL": "nonsense"},
        {"STREAMCLI_BASE_URL": "nonsense"},
        {"STREAMCLI_RETRIES": "many"},
    ],
)
def test_a_bad_environment_is_bad_configuration(environment, run, server: FakeServer):
    result = run("chat", "x", env=environment)
    assert (result.status, len(server.requests)) == (78, 0)
    assert one_line(result.stderr)


def test_an_empty_address_is_none(run_warm, server: FakeServer):
    result = run_warm("chat", "x", "--base-url", server.url, env={"ANTHROPIC_BASE_URL": "", "STREAMCLI_BASE_URL": ""})
    assert result.status == 0


@pytest.mark.parametrize("arguments", [["-m", ""], ["--base-url", "ftp://x"], ["--timeout", "nan"], ["--lines", "0"]])
def test_a_bad_flag_is_a_usage_error(arguments, run, server: FakeServer):
    result = run("analyze", *arguments, stdin=b"x\n")
    assert (result.status, len(server.requests)) == (2, 0)
    assert one_line(result.stderr)


def test_a_model_that_is_no_text(run, server: FakeServer):
    assert run("chat", "x", wrap='exec "$@" -m "$(printf \'caf\\351\')"').status == 0
    assert server.requests[0].body["model"] == "caf\\xe9"


@pytest.mark.parametrize("date", ["Mon, 01 Jan 99999999999999999999 00:00:00 GMT", "1e300", "never"])
def test_an_absurd_retry_after(date, run_warm, server: FakeServer):
    server.always(failure(429, headers={"retry-after": date}))
    result = run_warm("chat", "x", "--retries", "0")
    assert result.status == 75
    assert len(result.stderr) < 300


def test_input_that_grows_past_the_limit_when_it_is_sent(run, server: FakeServer):
    result = run("chat", "x", stdin=b"\xff" * 12_000_000, timeout=60)
    assert (result.status, len(server.requests)) == (66, 0)


def test_the_status_is_the_worst_of_the_windows(spawn, server: FakeServer):
    server.enqueue(Reply(steps=[*opening(), text("half\n"), End("fin")]), failure(400))
    process = spawn("analyze", "--on-break", "fail", "--lines", "1", stdin="pipe")
    process.write(b"1\n")
    process.read_until(b"half\n")
    assert process.finish(stdin=b"2\n").status == 76


def test_signals_work_though_nobody_reads_stderr(spawn, server: FakeServer):
    read, write = os.pipe()
    os.set_blocking(write, False)
    filled = 0
    try:
        while True:
            filled += os.write(write, b"x" * 65536)
    except BlockingIOError:
        os.set_blocking(write, True)
    server.always(failure(529, headers={"retry-after": "30"}))
    process = spawn("chat", "x", stderr=write)
    os.close(write)
    server.wait_requests(1)
    process.signal(signal.SIGTERM)
    process.signal(signal.SIGTERM)
    status = process.wait()
    os.close(read)
    assert filled
    assert status == -signal.SIGTERM


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_at_any_moment_of_the_start_kills_in_silence(number, home):
    """Moments are sought by time, as a person would hit them; whichever they are, there is no traceback."""
    for delay in range(14, 54, 4):  # before that it is the interpreter that is starting
        process = subprocess.Popen(
            [sys.executable, "-m", "streamcli", "chat"],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=hermetic(home),
        )
        time.sleep(delay / 100)
        process.send_signal(number)
        process.send_signal(number)
        _, stderr = process.communicate(timeout=20)
        assert process.returncode == -number
        assert stderr == b""


def test_a_user_without_a_home(run, server: FakeServer, tmp_path):
    """As in a container that runs under a number that nobody has: no HOME, and no entry in the user database."""
    nobody = "import pwd\ndef getpwuid(uid): raise KeyError(uid)\npwd.getpwuid = getpwuid\n"
    (tmp_path / "sitecustomize.py").write_text(nobody)
    path = f"{tmp_path}{os.pathsep}{ROOT}"
    result = run("chat", "x", env={"HOME": None, "PYTHONPATH": path})
    assert (result.status, result.stdout) == (0, b"ok")
    assert run("chat", "x", env={"HOME": None, "PYTHONPATH": path, "ANTHROPIC_API_KEY": None}).status == 77


def test_data_only_errors_are_errors(run_warm, server: FakeServer):
    server.enqueue(Reply(steps=[Event(None, {"error": {"message": "no such model"}})]))
    result = run_warm("chat", "x", "--retries", "0")
    assert result.status == 76
    assert "no such model" in result.stderr


def test_a_delta_without_text_is_skipped(run_warm, server: FakeServer):
    server.enqueue(Reply(steps=[*opening(), delta({"type": "text_delta"}), text("x"), *closing()]))
    assert run_warm("chat", "x").stdout == b"x"


def test_the_newline_between_answers_waits_for_no_answer(run_warm, server: FakeServer):
    server.enqueue(answer("one"))
    assert run_warm("analyze", stdin=b"a\n").stdout == b"one"
