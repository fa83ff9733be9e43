"""The program as a citizen of the pipe: real pipes, terminals and signals."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fake_server import Deltas, End, FakeServer, Raw, Reply, answer, closing, opening, text, wait
from harness import PROGRAM

VERBS = ("chat", "gen", "analyze")
# More than --coalesce, so that it is written at once; in a fence, so that gen shows it.
FIRST = "the first words of an answer that goes on for a while\n"
SECOND = "and the rest of it\n"
INPUT = b"one line\nanother line\n"


def argv(verb: str, *options: str) -> list[str]:
    return [verb, *options] if verb == "analyze" else [verb, "a question", *options]


def held(name: str = "more") -> Reply:
    """An answer whose first words come at once, and the rest when the test says so."""
    return Reply(steps=[*opening(), text("```\n" + FIRST), wait(name), text(SECOND + "```\n"), *closing()])


def shown(verb: str, content: str) -> bytes:
    """What a verb prints of an answer in a fence: gen the code, the others all of it."""
    return (content if verb == "gen" else f"```\n{content}```\n").encode()


def begun(process, server: FakeServer) -> None:
    process.read_until(FIRST.encode())
    server.wait_reached("more")


@pytest.mark.parametrize("verb", VERBS)
def test_output_arrives_while_the_model_still_writes(verb, spawn, server):
    server.enqueue(held())
    process = spawn(*argv(verb), stdin="pipe")
    process.write(INPUT)
    process.close_stdin()
    begun(process, server)
    assert process.status is None
    server.release("more")
    result = process.finish()
    assert (result.status, result.stdout) == (0, shown(verb, FIRST + SECOND))


@pytest.mark.parametrize("verb", VERBS)
def test_a_reader_that_leaves_ends_it_by_sigpipe_in_silence(verb, spawn, server):
    flood = "x" * 99 + "\n"
    server.enqueue(Reply(steps=[*opening(), text("```\n"), Deltas(flood, 200_000), *closing()]))
    process = spawn(*argv(verb), stdin="pipe")
    process.write(INPUT)
    process.close_stdin()
    process.read_until(flood.encode())
    left = process.close("stdout")
    process.drain()
    assert process.wait() == -signal.SIGPIPE
    assert process.captured("stderr") == b""
    assert server.wait_closed()[0].closed_at - left < 1.0


@pytest.mark.parametrize("verb", VERBS)
def test_a_reader_that_leaves_while_nothing_comes_is_noticed(verb, spawn, server):
    server.enqueue(held())
    process = spawn(*argv(verb), stdin="pipe")
    process.write(INPUT)
    process.close_stdin()
    begun(process, server)
    left = process.close("stdout")
    closed = server.wait_closed()[0].closed_at
    assert process.wait() == -signal.SIGPIPE
    assert process.captured("stderr") == b""
    assert closed - left < 1.0


def test_a_watcher_whose_reader_leaves_between_windows_ends(spawn, server):
    server.enqueue(answer("one\n"))
    process = spawn("analyze", "--lines", "1", stdin="pipe")
    process.write(b"a line\n")
    process.read_until(b"one\n")
    process.close("stdout")
    assert process.wait() == -signal.SIGPIPE


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("verb", VERBS)
def test_a_signal_cancels_keeps_what_was_written_and_kills(verb, number, spawn, server):
    server.enqueue(held())
    process = spawn(*argv(verb), stdin="pipe")
    process.write(INPUT)
    process.close_stdin()
    begun(process, server)
    at = process.signal(number)
    if verb == "analyze" and number != signal.SIGHUP:  # which lets an answer come to its end, but not twice
        process.read_until(b"may come to its end", "stderr")
        at = process.signal(number)
        assert process.wait() == -number
        assert server.wait_closed()[0].closed_at - at < 1.0
        return
    result = process.finish()
    assert (result.status, result.stdout) == (-number, shown(verb, FIRST).removesuffix(b"```\n"))
    assert server.wait_closed()[0].closed_at - at < 1.0
    assert ("2 lines were read but not analysed" in result.stderr) == (verb == "analyze")


@pytest.mark.parametrize("verb", ["chat", "analyze"])
def test_text_that_is_still_held_is_written_when_a_signal_comes(verb, spawn, server):
    server.enqueue(Reply(steps=[*opening(), Raw(_deltas("a" * 1000, "short")), wait("more")]))
    process = spawn(*argv(verb), "--coalesce", "1000", "--coalesce-delay", "600000", stdin="pipe")
    process.write(INPUT)
    process.close_stdin()
    process.read_until(b"a" * 1000)  # in one chunk with what is held
    process.signal(signal.SIGINT)
    result = process.finish()
    assert (result.status, result.stdout) == (-signal.SIGINT, b"a" * 1000 + b"short")


def _deltas(*texts: str) -> bytes:
    event = 'event: content_block_delta\ndata: {{"type":"content_block_delta","index":0,"delta":{}}}\n\n'
    return "".join(event.format(json.dumps({"type": "text_delta", "text": text})) for text in texts).encode()


def test_a_signal_ends_it_though_stdout_is_stuck(spawn, server):
    server.enqueue(Reply(steps=[*opening(), Deltas("y" * 100, 200_000), *closing()]))
    process = spawn("chat", "hi")
    process.read_until(b"y" * 1000)
    process.signal(signal.SIGINT)
    assert process.wait() == -signal.SIGINT


def test_a_signal_ends_it_while_stdin_is_awaited(spawn):
    process = spawn("chat", stdin="pipe", stderr="tty")
    process.read_until(b"waiting for standard input", "tty")
    process.signal(signal.SIGINT)
    assert process.wait() == -signal.SIGINT


def test_signals_that_the_parent_ignores_stay_ignored(spawn, server):
    server.enqueue(held())
    process = spawn("chat", "hi", wrap="trap '' INT HUP; exec \"$@\"")
    begun(process, server)
    process.signal(signal.SIGINT)
    process.signal(signal.SIGHUP)
    server.release("more")
    assert process.finish().status == 0


def test_death_by_sigint_ends_a_shell_loop(spawn, server):
    server.enqueue(held(), times=3)
    loop = 'for i in 1 2 3; do "$@"; done; echo survived'
    process = spawn("chat", "hi", program=["bash", "-c", loop, "bash", *PROGRAM])
    begun(process, server)
    os.killpg(process.pid, signal.SIGINT)
    result = process.finish()
    assert b"survived" not in result.stdout
    assert len(server.requests) == 1


def test_a_stop_and_a_cont_do_not_count_against_the_deadlines(spawn, server):
    server.enqueue(held())
    process = spawn("chat", "hi", "--idle-timeout", "3", "--timeout", "20", "--retries", "0")
    begun(process, server)
    process.signal(signal.SIGSTOP)
    process.wait_stopped()
    time.sleep(5)  # the gap itself
    server.release("more")
    process.signal(signal.SIGCONT)
    result = process.finish()
    assert (result.status, result.stderr) == (0, "")


@pytest.mark.parametrize("verb", VERBS)
def test_a_closed_stdout_is_an_error_before_anything_is_paid_for(verb, run, server):
    result = run(*argv(verb), stdin=INPUT, stdout="closed")
    assert (result.status, len(server.requests)) == (74, 0)
    assert result.stderr.startswith("streamcli: cannot write to standard output")


@pytest.mark.parametrize("verb", VERBS)
def test_a_closed_stdin_is_an_error(verb, run, server):
    result = run(*argv(verb), wrap='exec "$@" <&-')
    assert (result.status, len(server.requests)) == (66, 0)
    assert result.stderr.startswith("streamcli: cannot read standard input: Bad file descriptor\n")


@pytest.mark.parametrize("verb", VERBS)
def test_a_closed_stderr_does_not_matter(verb, run, server):
    server.enqueue(answer("```\nfine\n```\n"))
    result = run(*argv(verb, "-v"), stdin=INPUT, stderr="closed")
    assert (result.status, result.stdout) == (0, shown(verb, "fine\n"))


@pytest.mark.parametrize("verb", VERBS)
def test_a_full_disk_is_status_74(verb, run):
    result = run(*argv(verb), stdin=INPUT, stdout="/dev/full")
    assert (result.status, result.stderr) == (
        74,
        "streamcli: cannot write to standard output: No space left on device\n",
    )


@pytest.mark.parametrize("verb", VERBS)
def test_output_to_dev_null_is_fine(verb, run):
    assert run(*argv(verb), stdin=INPUT, stdout="null").status == 0


@pytest.mark.parametrize("verb", VERBS)
def test_output_to_a_file(verb, run, server, tmp_path):
    server.enqueue(answer("```\nfine\n```\n"))
    target = tmp_path / "out"
    assert run(*argv(verb), stdin=INPUT, stdout=str(target)).status == 0
    assert target.read_bytes() == shown(verb, "fine\n")


def test_no_input_at_all(run, server):
    """An empty log has nothing wrong in it; an empty question cannot be answered."""
    assert (run("analyze").status, run("chat").status, run("gen").status) == (0, 66, 66)
    assert server.requests == []


def test_dev_null_as_stdin_leaves_the_prompt_alone(run, server):
    assert run("chat", "just", "this").status == 0
    assert server.requests[0].body["messages"] == [{"role": "user", "content": "just this"}]


@pytest.mark.parametrize("verb", VERBS)
def test_stdin_from_a_fifo_a_file_and_a_here_document(verb, run, server, tmp_path):
    log = tmp_path / "log"
    log.write_bytes(INPUT)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for redirection in (
        f'exec "$@" < {log}',
        f'(cat {log} > {fifo} &) ; exec "$@" < {fifo}',
        f'"$@" <<E\n{INPUT.decode()}E\n',
    ):
        result = run(*argv(verb), wrap=redirection)
        assert (result.status, result.stdout) == (0, b"ok"), redirection
    for request in server.requests:
        content = request.body["messages"][0]["content"]
        assert "one line\nanother line\n" in re.sub(r"(?m)^L\d+ ", "", content)


def test_no_stdin_leaves_the_loop_its_input(run, server):
    loop = 'printf "a\\nb\\nc\\n" | while read -r line; do "$@" "$line"; done'
    result = run("chat", "-n", wrap=loop)
    assert (result.stdout, len(server.requests)) == (b"okokok", 3)
    assert [request.body["messages"][0]["content"] for request in server.requests] == ["a", "b", "c"]


@pytest.mark.parametrize("verb", VERBS)
def test_a_terminal_without_a_prompt_is_a_usage_error(verb, spawn, server):
    process = spawn(verb, stdin="tty")
    result = process.finish()
    assert (result.status, len(server.requests)) == (2, 0)
    assert "\nhint: " in result.stderr


def test_a_terminal_is_not_read_when_there_is_a_prompt(spawn, server):
    process = spawn("chat", "hi", stdin="tty")
    assert process.wait() == 0


def test_bytes_that_are_no_text_are_shown_to_the_model_as_escapes(run, server):
    assert run("chat", "what?", stdin=b"caf\xe9 \x00 end").status == 0
    content = server.requests[0].body["messages"][0]["content"]
    assert content == "<stdin>\ncaf\\xe9 \x00 end\n</stdin>\n\nwhat?"
    assert run("analyze", stdin=b"caf\xe9 \x00\x1b[31m end\r\n").status == 0
    assert "<stdin>\nL1 caf\\xe9 \\x00\\x1b[31m end\n</stdin>" in server.requests[1].body["messages"][0]["content"]


def test_a_latin_1_argument_and_the_c_locale(spawn, server):
    process = spawn("chat", env={"LANG": None, "LC_ALL": "C", "HOME": None}, wrap='exec "$@" "$(printf \'caf\\351\')"')
    assert process.finish().status == 0
    assert server.requests[0].body["messages"][0]["content"] == "caf\\xe9"


def test_an_empty_environment(run, server):
    bare = {"LANG": None, "HOME": None, "TERM": None, "PATH": "/usr/bin:/bin", "LC_ALL": "C"}
    server.enqueue(answer("grüße\n"))
    result = run("chat", "hi", env=bare)
    assert (result.status, result.stdout) == (0, "grüße\n".encode())


def test_a_last_line_without_a_newline_is_a_line(run, server):
    assert run("analyze", stdin=b"first\nlast").status == 0
    assert "L1 first\nL2 last\n</stdin>" in server.requests[0].body["messages"][0]["content"]


@pytest.mark.parametrize(("verb", "status"), [("chat", 66), ("gen", 66), ("analyze", 0)])
def test_300_megabytes_without_a_newline(verb, status, spawn, server):
    source = subprocess.Popen(["head", "-c", "300000000", "/dev/zero"], stdout=subprocess.PIPE)
    process = spawn(verb, stdin=source.stdout.fileno())
    source.stdout.close()
    result = process.finish(timeout=60)
    source.wait()
    assert result.status == status
    assert result.peak_kb < 120_000


def test_an_endless_stdin_is_watched_in_bounded_memory(spawn, server):
    server.enqueue(held(), *[answer("again\n") for _ in range(3)])
    source = subprocess.Popen(["yes", "the same line again and again"], stdout=subprocess.PIPE)
    process = spawn("analyze", "--max-requests-per-minute", "0", stdin=source.stdout.fileno())
    source.stdout.close()
    begun(process, server)
    server.release("more")
    process.read_until(b"again\nagain\nagain\n")
    process.signal(signal.SIGINT)
    result = process.finish()
    source.wait()
    assert result.status == -signal.SIGINT
    assert result.peak_kb < 120_000
    assert " condensed, 0 dropped" in result.stderr


@pytest.mark.parametrize("verb", VERBS)
def test_200_000_deltas_in_bounded_memory(verb, spawn, server):
    server.enqueue(Reply(steps=[*opening(), text("```\n"), Deltas("ab c\n", 200_000), text("```\n"), *closing()]))
    process = spawn(*argv(verb), stdin="pipe")
    result = process.finish(timeout=120, stdin=INPUT)
    assert (result.status, len(result.stdout)) == (0, len(shown(verb, "ab c\n" * 200_000)))
    assert result.peak_kb < 120_000


def test_a_slow_reader_slows_the_server_down_and_loses_nothing(spawn, server):
    content = "0123456789abcdef" * 8
    server.enqueue(Reply(steps=[*opening(), Deltas(content, 100_000), *closing()]))
    process = spawn("chat", "hi")
    process.read_until(content.encode())
    assert process.memory_kb() < 120_000
    result = process.finish(timeout=60)
    assert result.status == 0
    assert result.stdout == content.encode() * 100_000
    assert result.peak_kb < 120_000


def test_a_stdout_that_others_made_non_blocking(spawn, server):
    read, write = os.pipe()
    os.set_blocking(write, False)
    server.enqueue(Reply(steps=[*opening(), Deltas("0123456789" * 4, 20_000), *closing()]))
    process = spawn("chat", "hi", stdout=write)
    os.close(write)
    received = bytearray()
    while chunk := os.read(read, 1 << 16):
        received += chunk
    os.close(read)
    assert process.wait() == 0
    assert bytes(received) == b"0123456789" * 80_000


def test_writes_are_coalesced_by_characters_and_at_the_end(spawn, server):
    """Each write is one packet of a socket that keeps their bounds."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.settimeout(20)
    server.enqueue(Reply(steps=[*opening(), *[text("abcd")] * 25, *closing()]))
    process = spawn("chat", "hi", "--coalesce", "40", "--coalesce-delay", "60000", stdout=theirs.fileno())
    theirs.close()
    packets = []
    with ours:
        while packet := ours.recv(1 << 16):
            packets.append(packet)
    assert process.wait() == 0
    assert b"".join(packets) == b"abcd" * 25
    assert len(packets) <= 3


def test_text_is_not_held_longer_than_the_delay(spawn, server):
    server.enqueue(Reply(steps=[*opening(), text("x"), wait("more"), *closing()]))
    process = spawn("chat", "hi", "--coalesce", "1000", "--coalesce-delay", "50")
    process.read_until(b"x")  # though the server says no more
    server.release("more")
    assert process.finish().status == 0


# Terminals


@pytest.mark.parametrize("options", [(), ("-f", "text")], ids=["markdown", "text"])
def test_escapes_from_the_model_are_harmless_on_a_terminal(options, spawn, server):
    hostile = "a\x1b]0;title\x07b\x1b[2Jc\x9b31md\x08\re\u202efg"
    server.enqueue(answer(hostile))
    process = spawn("chat", "hi", *options, stdin="tty", stdout="tty")
    process.wait()
    process.drain()
    shown_text = process.captured("tty").decode()
    assert "\x1b" not in shown_text
    assert not any(character in shown_text for character in "\x07\x08\x9b\u202e")
    assert shown_text == "a␛]0;title␇b␛[2Jc\\x9b31md␈␍e\\u202efg\r\n"


def test_escapes_from_the_model_are_untouched_in_a_pipe(run, server):
    server.enqueue(answer("a\x1b[31mb\r\nc"))
    assert run("chat", "hi").stdout == b"a\x1b[31mb\r\nc"


def test_an_answer_on_a_terminal_ends_with_a_newline(spawn, server):
    server.enqueue(answer("no newline"), answer("a newline\n"))
    for expected in (b"no newline\r\n", b"a newline\r\n"):
        process = spawn("chat", "hi", stdout="tty")
        process.wait()
        process.drain()
        assert process.captured("tty") == expected


def test_control_c_on_a_terminal(spawn, server):
    server.enqueue(held())
    process = spawn("chat", "hi", stdin="tty", stdout="tty", stderr="tty")
    process.read_until(FIRST.strip().encode(), "tty")
    process.type("\x03")
    assert process.wait() == -signal.SIGINT
    process.drain()
    assert b"Traceback" not in process.captured("tty")


def test_a_terminal_that_goes_away_ends_it(spawn, server):
    server.enqueue(held())
    process = spawn("chat", "hi", stdin="tty", stdout="tty", stderr="tty")
    process.read_until(FIRST.strip().encode(), "tty")
    process.close("tty")
    assert process.wait() in (-signal.SIGHUP, 74)
    server.wait_closed()


def test_a_silent_stdin_is_mentioned_on_a_terminal_and_waited_for(spawn, server):
    process = spawn("chat", stdin="pipe", stderr="tty")
    process.read_until(b"waiting for standard input", "tty")
    result = process.finish(stdin=b"here it is")
    assert (result.status, result.stdout) == (0, b"ok")


# Windows of a stream


def test_windows_are_answered_while_the_pipe_stays_open(spawn, server):
    server.enqueue(answer("first\n"), answer("second"), answer("third"))
    process = spawn("analyze", "--lines", "2", "--every", "600", stdin="pipe")
    for lines, expected in ((b"1\n2\n", b"first\n"), (b"3\n4\n", b"second\n")):
        process.write(lines)
        process.read_until(expected)
    result = process.finish(stdin=b"5\n")
    assert (result.status, result.stdout) == (0, b"first\nsecond\nthird")
    contents = [request.body["messages"][0]["content"] for request in server.requests]
    assert ["lines 1 to 2" in contents[0], "lines 3 to 4" in contents[1], "lines 5 to 5" in contents[2]] == [True] * 3


def test_what_comes_during_an_answer_is_the_next_window_whole(spawn, server):
    server.enqueue(held(), answer("then\n"))
    process = spawn("analyze", "--lines", "1", stdin="pipe")
    process.write(b"0\n")
    begun(process, server)
    process.write(b"".join(b"%d\n" % number for number in range(1, 101)))
    process.close_stdin()
    server.release("more")
    assert process.finish().status == 0
    assert len(server.requests) == 2
    assert (
        "<stdin>\n" + "".join(f"L{number + 1} {number}\n" for number in range(1, 101))
        in server.requests[1].body["messages"][0]["content"]
    )


def test_200_lines_that_are_there_make_one_or_two_requests(run, server):
    assert run("analyze", stdin=b"a line of a log\n" * 200).status == 0
    assert len(server.requests) in (1, 2)


@pytest.mark.parametrize("options", [("--every", "0.2"), ("--every", "600", "--idle", "0.2")])
def test_a_window_closes_by_age_and_by_a_gap(options, spawn, server):
    process = spawn("analyze", "--lines", "1000", *options, stdin="pipe")
    process.write(b"only one line\n")
    process.read_until(b"ok")
    assert process.finish().status == 0


def test_a_window_over_its_budget_is_condensed_and_that_is_said(run, server):
    lines = b"".join(b"line number %d of this stream\n" % number for number in range(1, 1001))
    result = run("analyze", "--window-tokens", "500", stdin=lines)
    content = server.requests[0].body["messages"][0]["content"]
    assert "[x1000 L1-L1000] line number 1 of this stream" in content
    assert "of 1000 lines 1 are shown, 999 condensed, 0 dropped" in content
    assert result.stderr == "streamcli: 1000 lines in 1 window: 1 shown as they were, 999 condensed, 0 dropped\n"


def test_a_window_that_fails_does_not_end_the_watch(spawn, server):
    server.enqueue(Reply(steps=[*opening(), text("half"), End("fin")]), answer("whole"))
    process = spawn("analyze", "--on-break", "fail", "--lines", "1", stdin="pipe")
    process.write(b"1\n")
    process.read_until(b"half\n")
    result = process.finish(stdin=b"2\n")
    assert (result.status, result.stdout) == (76, b"half\nwhole")
    assert "streamcli: lines 1 to 1: " in result.stderr


def test_json_lines_are_whole_and_tell_the_story(run, server):
    result = run("analyze", "-f", "json", stdin=INPUT)
    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert [event["type"] for event in events] == ["window", "start", "delta", "usage", "stop", "stats"]
    assert events[0] == {
        "type": "window",
        "window": 1,
        "first_line": 1,
        "last_line": 2,
        "lines": 2,
        "shown": 2,
        "condensed": 0,
        "dropped": 0,
    }


# Start-up and the end


@pytest.mark.parametrize("arguments", [["--help"], ["chat", "--help"], ["--version"], ["models", "--help"]])
def test_help_imports_nothing_heavy(arguments, run):
    result = run(*arguments, env={"PYTHONPROFILEIMPORTTIME": "1"})
    heavy = (
        "anthropic",
        "rich",
        "httpx2",
        "asyncio",
        "prompt_toolkit",
        "streamcli.net",
        "streamcli.core.turn",
        "tenacity",
    )
    for module in heavy:
        assert f" {module}\n" not in result.stderr, module
    assert " typer\n" in result.stderr


def test_completion_imports_nothing_heavy(run):
    environment = {"_STREAMCLI_COMPLETE": "complete_bash", "COMP_WORDS": "streamcli c", "COMP_CWORD": "1"}
    result = run(env={**environment, "PYTHONPROFILEIMPORTTIME": "1"})
    assert "chat" in result.text
    for module in ("anthropic", "rich", "httpx2", "asyncio"):
        assert f" {module}\n" not in result.stderr, module


def test_help_into_a_closed_pipe_and_a_full_disk(run, spawn):
    assert run("--help", stdout="/dev/full").status == 74
    assert run("--help", stdout="closed").status == 74
    read, write = os.pipe()
    os.close(read)
    process = spawn("--help", stdout=write)
    os.close(write)
    assert process.wait() == -signal.SIGPIPE


def test_a_bug_is_one_line_and_a_traceback_in_a_private_file(run, tmp_path):
    broken = tmp_path / "sitecustomize.py"
    broken.write_text(
        "import streamcli.commands.chat as c\nasync def run(*_): raise RuntimeError('oh, test-key')\nc.run = run\n"
    )
    result = run(
        "chat",
        "hi",
        env={"PYTHONPATH": f"{tmp_path}{os.pathsep}{Path(__file__).parent.parent}", "TMPDIR": str(tmp_path)},
    )
    assert result.status == 70
    assert result.stderr.startswith("streamcli: a bug in streamcli: RuntimeError\nhint: please report it, with ")
    report = Path(result.stderr.strip().rsplit(" ", 1)[1])
    assert report.stat().st_mode & 0o777 == 0o600
    assert "oh, <secret>" in report.read_text()
    assert "Traceback" in report.read_text()


def test_gen_takes_no_memory_for_what_comes_after_the_code(run, server):
    server.enqueue(Reply(steps=[*opening(), text("```\nx\n```\n"), Deltas("word " * 200, 30_000), *closing()]))
    result = run("gen", "hi", timeout=120)
    assert (result.status, result.stdout) == (0, b"x\n")
    assert result.peak_kb < 120_000 or sys.platform != "linux"
