"""analyze as a whole: windows over time, what becomes of a flood, of ^C, of what is found twice."""

import json
import re
import signal
import subprocess
import time

import pytest
from fake_server import End, FakeServer, Reply, answer, closing, failure, opening, text, wait
from harness import screen

from streamcli.core.lines import MAX_LINE_BYTES, UNCERTAIN_BYTES

QUICK = ("--max-requests-per-minute", "0")


def held(name: str, before: str = "", after: str = "") -> Reply:
    """An answer that waits in its middle until `name` is released."""
    return Reply(steps=[*opening(), text(before), wait(name), text(after), *closing()])


def content(server: FakeServer, number: int) -> str:
    return server.requests[number].body["messages"][0]["content"]


def numbers(message: str) -> list[int]:
    return [int(number) for number in re.findall(r"^L(\d+) ", message, re.M)]


def events(output: bytes, kind: str) -> list[dict]:
    return [event for line in output.splitlines() if (event := json.loads(line))["type"] == kind]


# --- windows ---


def test_several_windows_at_once_are_shown_in_their_order(spawn, server):
    server.enqueue(held("one", "1", "a\n"), held("two", "2", "b\n"), held("three", "3", "c\n"))
    process = spawn("analyze", *QUICK, "--lines", "1", "--jobs", "3", "-f", "json", stdin="pipe")
    for count in (1, 2, 3):
        process.write(b"line\n")
        server.wait_requests(count)
    for name in ("three", "two", "one"):
        server.release(name)
    result = process.finish()
    shown = [event.get("window") or event.get("text") for event in map(json.loads, result.stdout.splitlines())]
    assert result.status == 0
    assert "".join(str(one) for one in shown if one) == "11a\n22b\n33c\n"


def test_what_is_shown_first_streams_though_others_are_under_way(spawn, server):
    server.enqueue(held("one", "first words"), held("two", "second words"))
    process = spawn("analyze", *QUICK, "--lines", "1", "--jobs", "2", stdin="pipe")
    process.write(b"line\n")
    process.read_until(b"first words")
    process.write(b"line\n")
    server.wait_reached("two")
    assert process.captured() == b"first words"
    server.release("one")
    process.read_until(b"\nsecond words")
    server.release("two")
    assert process.finish().status == 0


def test_a_window_that_breaks_while_another_is_shown_begins_anew(spawn, server):
    broken = Reply(steps=[*opening(), text("lost"), End("rst")])
    server.enqueue(held("one", "1"), broken, answer("whole"))
    process = spawn("analyze", *QUICK, "--lines", "1", "--jobs", "2", stdin="pipe")
    process.write(b"line\n")
    process.read_until(b"1")
    process.write(b"line\n")
    server.wait_requests(3)
    server.release("one")
    result = process.finish()
    assert (result.status, result.stdout) == (0, b"1\nwhole\n")


def test_so_many_windows_a_minute_and_the_wait_is_said(spawn, server):
    process = spawn("analyze", "--lines", "1", "--max-requests-per-minute", "2", stdin="pipe")
    process.write(b"one\n")
    process.read_until(b"ok")
    process.write(b"two\nthree\n")
    process.read_until(b"the next window goes out in 30 s, and grows until then", "stderr")
    process.signal(signal.SIGINT)
    result = process.finish()
    assert (result.status, len(server.requests)) == (-signal.SIGINT, 1)
    assert "2 lines were read but not analysed" in result.stderr


def test_a_budget_for_the_hour_lets_windows_wait(spawn, server):
    server.always(answer("ok\n", input_tokens=100_000, output_tokens=1000))
    options = ("-m", "claude-haiku-4-5", "--budget-per-hour", "0.10", *QUICK)
    process = spawn("analyze", "--lines", "1", *options, stdin="pipe")
    process.write(b"one\n")
    process.read_until(b"ok\n")
    process.write(b"two\n")
    process.read_until(b"--budget-per-hour is reached: the next window goes out in ", "stderr")
    process.signal(signal.SIGINT)
    assert (process.finish().status, len(server.requests)) == (-signal.SIGINT, 1)


def test_a_file_is_one_or_a_few_requests_and_no_line_is_lost(run, server):
    lines = b"".join(b"12:00:%02d INFO worker %d did job %d\n" % (n % 60, n % 7, n * n) for n in range(30_000))
    result = run("analyze", "-f", "json", stdin=lines, timeout=60)
    windows = events(result.stdout, "window")
    assert result.status == 0
    assert len(windows) <= 3
    assert [windows[0]["first_line"], windows[-1]["last_line"]] == [1, 30_000]
    (stats,) = events(result.stdout, "stats")
    assert stats["lines"] == stats["shown"] + stats["condensed"] + stats["dropped"] == 30_000
    assert (stats["unanalysed"], stats["windows"]) == (0, len(windows))
    assert f"30000 lines in {len(windows)} window" in result.stderr


# --- more than can be sent ---


def flood(count: int) -> bytes:
    return b"".join(b"%d is the number of this line, whatever else\n" % number for number in range(1, count + 1))


def test_blocking_shows_each_line_as_it_is(run, server):
    result = run("analyze", *QUICK, "--on-overload", "block", "--window-tokens", "2000", stdin=flood(500), timeout=60)
    shown = [number for place in range(len(server.requests)) for number in numbers(content(server, place))]
    assert (result.status, result.stderr, shown) == (0, "", list(range(1, 501)))


@pytest.mark.parametrize("policy", ["drop-oldest", "sample"])
def test_dropping_counts_what_is_not_shown(policy, spawn, server):
    server.enqueue(held("go"), answer("ok"))
    options = ("--on-overload", policy, "--window-tokens", "1000", "-f", "json")
    process = spawn("analyze", *QUICK, *options, "--lines", "1", stdin="pipe")
    process.write(b"first\n")
    server.wait_reached("go")
    process.write(flood(2000))
    process.close_stdin()
    server.release("go")
    result = process.finish(60)
    sent = events(result.stdout, "window")[1:]
    assert sum(window["lines"] for window in sent) == 2000
    shown = [number for place in range(1, len(server.requests)) for number in numbers(content(server, place))]
    assert sum(window["shown"] for window in sent) == len(shown)
    assert sum(window["dropped"] for window in sent) == 2000 - len(shown)
    assert shown[-1] > 1900
    assert " dropped" in result.stderr


def test_failing_is_a_status_and_what_was_there_is_analysed(spawn, server):
    server.enqueue(held("go"), answer("ok"), answer("ok"), answer("ok"))
    options = ("--on-overload", "fail", "--window-tokens", "1000", "--lines", "1")
    process = spawn("analyze", *QUICK, *options, stdin="pipe")
    process.write(b"first\n")
    server.wait_reached("go")
    process.write(flood(2000))
    server.release("go")
    result = process.finish(60)
    assert result.status == 75
    assert "lines come faster than windows go out" in result.stderr
    assert "lines were read but not analysed" in result.stderr


def test_a_writer_at_full_speed_needs_bounded_memory_and_each_line_is_counted(spawn, server):
    server.always(Reply(steps=[*opening(), text("ok\n"), wait("never"), *closing()]))
    server.enqueue(held("one", "one\n"))
    source = subprocess.Popen(
        ["sh", "-c", 'exec awk \'BEGIN { for (i = 0; ; i++) print i, "user" i * 7919 % 10007, "did", i % 91 }\''],
        stdout=subprocess.PIPE,
    )
    process = spawn("analyze", *QUICK, "-f", "json", stdin=source.stdout.fileno())
    source.stdout.close()
    process.read_until(b'"one\\n"')
    server.release("one")
    process.read_until(b'"ok\\n"')
    process.signal(signal.SIGINT)
    process.read_until(b"may come to its end", "stderr")
    server.release("never")
    result = process.finish(60)
    source.wait()
    assert counted(result.stdout)["lines"] > 10_000
    assert result.peak_kb < 150_000


# --- ^C ---


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_at_a_signal_the_answer_under_way_comes_to_its_end(number, spawn, server):
    server.enqueue(held("go", "half ", "whole\n"))
    process = spawn("analyze", *QUICK, "--lines", "1", stdin="pipe", stderr="tty")
    process.write(b"one\n")
    process.read_until(b"half ")
    process.write(b"two\nthree\n")
    process.read_until(b"3 lines (", "tty")
    process.signal(number)
    process.read_until(b"may come to its end", "tty")
    server.release("go")
    result = process.finish()
    assert (result.status, result.stdout, len(server.requests)) == (-number, b"half whole\n", 1)
    assert b"2 lines were read but not analysed" in result.tty


def test_an_answer_that_takes_too_long_after_a_signal_is_cancelled(spawn, server):
    server.enqueue(held("never", "half"))
    process = spawn("analyze", *QUICK, "--lines", "1", stdin="pipe")
    process.write(b"one\n")
    process.read_until(b"half")
    at = process.signal(signal.SIGINT)
    result = process.finish()
    assert (result.status, result.stdout) == (-signal.SIGINT, b"half")
    assert 4.5 < server.wait_closed()[0].closed_at - at < 10
    assert "1 lines were read but not analysed" in result.stderr


def test_at_a_signal_between_windows_it_ends_at_once(spawn, server):
    process = spawn("analyze", *QUICK, "-v", "--lines", "5", "--every", "600", stdin="pipe")
    process.write(b"1\n2\n3\n4\n5\n")
    process.read_until(b"tokens in", "stderr")
    at = process.signal(signal.SIGINT)
    result = process.finish()
    assert (result.status, "its end" in result.stderr) == (-signal.SIGINT, False)
    assert result.exited_at - at < 1.0


def test_what_waits_at_a_signal_can_be_sent_in_a_last_request(spawn, server):
    server.enqueue(held("go", "half "), answer("last"))
    process = spawn("analyze", *QUICK, "--lines", "1", "--on-interrupt", "flush", stdin="pipe", stderr="tty")
    process.write(b"one\n")
    process.read_until(b"half ")
    process.write(b"two\nthree\nnot ended")
    process.read_until(b"4 lines (", "tty")
    process.signal(signal.SIGINT)
    process.read_until(b"may come to its end", "tty")
    server.release("go")
    result = process.finish()
    assert (result.status, result.stdout) == (-signal.SIGINT, b"half \nlast")
    assert "L2 two\nL3 three\nL4 not ended\n" in content(server, 1)
    assert b"not analysed" not in result.tty


def test_a_producer_that_gets_the_same_signal_costs_no_last_request(spawn, server):
    """tail ends at ^C too: its end and the signal come at the same moment, and the signal wins."""
    process = spawn("analyze", *QUICK, "--lines", "1", stdin="pipe")
    process.write(b"1\n")
    process.read_until(b"ok")
    begun = time.monotonic()
    while time.monotonic() - begun < 1.2:  # a watch that has gone on for a while
        process.write(b"2\n")
        server.wait_requests(len(server.requests))
        time.sleep(0.05)
    count = len(server.requests)
    process.write(b"left\n")
    process.close_stdin()
    process.signal(signal.SIGINT)
    assert process.finish().status == -signal.SIGINT
    assert len(server.requests) <= count + 1
    assert "left" not in content(server, -1)


# --- what was found before ---


def test_the_same_finding_again_is_counted_and_not_repeated(spawn, server):
    server.enqueue(
        answer("[ERROR] L1: disk 91 % full\n"),
        answer("[ERROR] L2: Disk 91 %  full\n[AGAIN F1] L2\n[INFO] L2: new\n"),
    )
    process = spawn("analyze", *QUICK, "--lines", "1", "--context", "2", "-f", "json", stdin="pipe")
    process.write(b"one\n")
    process.read_until(b'"type":"stop"')
    process.write(b"two\n")
    result = process.finish()
    assert [event["text"] for event in events(result.stdout, "delta")] == [
        "[ERROR] L1: disk 91 % full\n",
        "[INFO] L2: new\n",
    ]
    assert [(event["finding"], event["lines"]) for event in events(result.stdout, "again")] == [(1, [2, 2])] * 2
    assert [event["finding"] for event in events(result.stdout, "finding")] == [1, 2]
    assert events(result.stdout, "stats")[0]["again"] == 2
    assert "F1 [ERROR] disk 91 % full" in content(server, 1)
    assert "F1" not in content(server, 0)


def test_windows_at_once_do_not_repeat_what_another_has_found(spawn, server):
    server.enqueue(*(held(name, "", "[ERROR] disk full\n") for name in ("one", "two")))
    process = spawn("analyze", *QUICK, "--lines", "1", "--jobs", "2", "--context", "2", stdin="pipe")
    for name in ("one", "two"):
        process.write(b"line\n")
        server.wait_reached(name)
    server.release("two")
    server.release("one")
    result = process.finish()
    assert (result.status, result.stdout) == (0, b"[ERROR] disk full\n")


def test_an_answer_that_says_nothing_to_fail_on_is_mentioned(run_warm, server):
    server.enqueue(answer("Something may be wrong."), answer("OK"))
    first, second = (run_warm("analyze", "--fail-on", "error", stdin=b"x\n") for _ in range(2))
    assert (first.status, second.status, second.stderr) == (0, 0, "")
    assert "neither a finding nor an OK" in first.stderr


# --- counts ---


def counted(output: bytes) -> dict:
    (stats,) = events(output, "stats")
    assert stats["lines"] == stats["shown"] + stats["condensed"] + stats["dropped"] + stats["unanalysed"], stats
    return stats


def test_the_lines_of_a_window_that_failed_are_not_analysed(spawn, server):
    server.enqueue(answer("ok"), failure(500), answer("ok"))
    process = spawn("analyze", *QUICK, "--lines", "2", "--retries", "0", "-f", "json", stdin="pipe")
    process.write(b"1\n2\n")
    process.read_until(b'"stop"')
    process.write(b"3\n4\n")
    process.read_until(b'"error"')
    result = process.finish(stdin=b"5\n6\n")
    stats = counted(result.stdout)
    assert (result.status, stats["lines"], stats["unanalysed"], stats["failed"]) == (69, 6, 2, 1)
    assert "streamcli: lines 3 to 4: " in result.stderr


def test_blank_lines_are_counted(run_warm):
    stats = counted(run_warm("analyze", "-f", "json", "x", stdin=b"\n" * 30 + b"y\n").stdout)
    assert stats["lines"] == 31


@pytest.mark.parametrize("policy", ["block", "fail", "condense"])
def test_what_waits_behind_a_full_window_is_counted_at_a_signal(policy, spawn, server):
    server.enqueue(held("go"), answer("last"))
    options = ("--on-overload", policy, "--window-tokens", "1000", "--on-interrupt", "flush", "-f", "json")
    process = spawn("analyze", *QUICK, *options, "--lines", "1", stdin="pipe", stderr="tty")
    process.write(b"first\n")
    server.wait_reached("go")
    process.write(flood(300))
    process.read_until(re.compile(rb"(?<!\d)301 lines \("), "tty")
    process.signal(signal.SIGINT)
    process.read_until(b"may come to its end", "tty")
    server.release("go")
    assert counted(process.finish().stdout)["lines"] == 301


def test_a_budget_of_nothing_makes_no_sense(run_warm, server):
    assert (run_warm("analyze", "--budget-per-hour", "0", stdin=b"x\n").status, server.requests) == (2, [])


# --- masks ---

SECRET, ADDRESS = "hunter2Secret99", "192.0.2.77"


def test_a_secret_is_on_no_way_out(run, server, home, tmp_path):
    report = tmp_path / "report.html"
    log = f"login password={SECRET} from {ADDRESS}\n".encode()
    server.always(lambda request: answer(f"[ERROR] L1: {request.body['messages'][0]['content'][:60]}"))
    result = run("analyze", "-v", "--usage", "--cache", "--pii", "--report", str(report), "-f", "json", stdin=log)
    assert result.status == 0
    out = [result.stdout, result.stderr.encode(), report.read_bytes(), json.dumps(server.requests[0].body).encode()]
    files = [path.read_bytes() for path in home.rglob("*") if path.is_file()]
    assert any(b"PASSWORD" in data for data in files)
    assert not [data for data in (*out, *files) if SECRET.encode() in data]
    assert ADDRESS not in json.dumps(server.requests[0].body)
    assert ADDRESS.encode() in result.stdout
    assert not [data for data in files if ADDRESS.encode() in data]


# --- what a person sees ---


def test_a_report_shows_what_was_found(run, server, tmp_path):
    report = tmp_path / "report.html"
    server.enqueue(answer("[CRITICAL] L2-L3: it <b>broke</b>"))
    result = run("analyze", "--report", str(report), stdin=b"fine\nbroke <script>\nbroke too\n")
    page = report.read_text()
    assert result.status == 0
    assert "it &lt;b&gt;broke&lt;/b&gt;" in page
    assert "broke &lt;script&gt;" in page
    assert "<script" not in page
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith((".html", ".tmp"))] == ["report.html"]


def test_a_report_is_written_when_a_signal_ends_it(spawn, server, tmp_path):
    report = tmp_path / "report.html"
    process = spawn("analyze", *QUICK, "--lines", "1", "--report", str(report), stdin="pipe")
    process.write(b"one\n")
    process.read_until(b"ok")
    process.signal(signal.SIGINT)
    assert process.finish().status == -signal.SIGINT
    assert "</html>" in report.read_text()


def test_a_terminal_shows_how_the_watch_stands(spawn, server):
    server.enqueue(held("go"))
    process = spawn("analyze", *QUICK, "--lines", "1", stdin="pipe", stderr="tty")
    process.write(b"one\n")
    server.wait_reached("go")
    process.write(b"two\nthree\n")
    process.read_until(re.compile(rb"3 lines \([^)]*\)  window 2: 2 lines  1 in flight"), "tty")
    server.release("go")
    result = process.finish()
    assert (result.status, [line for line in screen(result.tty) if line.strip()]) == (0, [])


def test_on_the_terminal_of_the_answer_there_is_no_status_line(spawn, server):
    process = spawn("analyze", *QUICK, "--lines", "1", stdin="pipe", stdout="tty", stderr="tty")
    process.write(b"one\n")
    process.read_until(b"ok", "tty")
    result = process.finish()
    assert b"in flight" not in result.tty


def test_a_secret_at_the_cap_of_a_line_is_not_sent_in_part(run_warm, server):
    line = b"x" * (MAX_LINE_BYTES + UNCERTAIN_BYTES - 12) + b" ghp_" + b"a1B2" * 9
    assert run_warm("analyze", "--window-tokens", "200000", stdin=line + b"\n").status == 0
    assert "ghp_" not in content(server, 0)
    assert "more bytes of this line cut]" in content(server, 0)


def test_what_a_server_says_of_a_secret_is_masked(run_warm, server):
    server.always(failure(400, message=f"no password={SECRET} please"))
    result = run_warm("analyze", "-f", "json", stdin=b"x\n")
    assert (result.status, SECRET in result.text + result.stderr) == (1, False)
    assert "password=<PASSWORD:" in result.stderr


def test_chat_masks_secrets_when_asked_to(run, server):
    result = run("chat", "--redact", f"is password={SECRET} weak?", stdin=f"token: ghp_{'a1B2' * 9}\n".encode())
    assert result.status == 0
    assert SECRET not in content(server, 0)
    assert "ghp_" not in content(server, 0)
    assert "2 secrets were masked" in result.stderr
    run("chat", f"is password={SECRET} weak?")
    assert SECRET in content(server, 1)
