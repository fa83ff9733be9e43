"""Markdown on a real terminal, as it streams: what is seen in the end, and what was sent on the way."""

import re
import signal

import pytest
from fake_server import Deltas, End, Reply, answer, closing, opening, text, wait
from harness import PROGRAM, screen

ON_TERMINAL = {"stdin": "tty", "stdout": "tty", "stderr": "tty"}
SGR = re.compile(rb"\x1b\[[0-9;]*m")
MOVES = re.compile(rb"\x1b\[\d*[A-HJK]")
ANSWER = """# Title

Some *prose* with `code`, long enough to be broken into two lines on a terminal of eighty columns.

```python
def f(x):
    return x + 1
```

- one
- two

| a | b |
|---|---|
| 1 | 2 |
"""
SHOWN = [
    "Title",
    "",
    "Some prose with code, long enough to be broken into two lines on a terminal of",
    "eighty columns.",
    "",
    "  def f(x):",
    "      return x + 1",
    "",
    "• one",
    "• two",
    "",
    "a │ b",
    "──┼──",
    "1 │ 2",
]
PLAIN = [
    "# Title",
    "",
    "Some *prose* with `code`, long enough to be broken into two lines on a terminal",
    "of eighty columns.",
    *SHOWN[4:],
]


def dripped(content, size=3):
    return Reply(
        steps=[*opening(), *(text(content[at : at + size]) for at in range(0, len(content), size)), *closing()]
    )


def on_terminal(spawn, *argv, **streams):
    """What was sent to a terminal of 24 by 80, at the end of a run that went well."""
    result = spawn(*argv, **(ON_TERMINAL | streams)).finish()
    assert result.status == 0, result
    return result.tty


@pytest.mark.parametrize("options", [(), ("--coalesce", "0"), ("--transform", "markdown")], ids=str)
def test_an_answer_in_small_deltas(options, spawn, server):
    server.enqueue(dripped(ANSWER))
    sent = on_terminal(spawn, "chat", *options, "hi")
    assert screen(sent) == SHOWN
    assert SGR.search(sent)


def test_the_open_block_is_seen_before_its_end_and_not_twice_in_the_end(spawn, server):
    server.enqueue(Reply(steps=[*opening(), text("one\na *word"), wait("more"), text("*s\nmore"), *closing()]))
    process = spawn("chat", "--color", "never", "hi", **ON_TERMINAL)
    process.read_until(b"word", "tty")
    server.release("more")
    result = process.finish()
    assert (screen(result.tty), SGR.search(result.tty)) == (["one", "a *word*s", "more"], None)


def test_text_is_the_text_as_it_is(spawn, server):
    server.enqueue(dripped(ANSWER))
    sent = on_terminal(spawn, "chat", "-f", "text", "hi", size=(40, 120))
    assert sent == ANSWER.replace("\n", "\r\n").encode()


@pytest.mark.parametrize(
    ("options", "env", "colour"),
    [
        ((), {"NO_COLOR": "1"}, False),
        (("--color", "never"), {}, False),
        (("--color", "always"), {"NO_COLOR": "1"}, True),
        (("--color", "auto"), {"NO_COLOR": ""}, True),
        ((), {"STREAMCLI_COLOR": "never"}, False),
    ],
    ids=str,
)
def test_without_colours_the_structure_remains(options, env, colour, spawn, server):
    server.enqueue(dripped(ANSWER))
    sent = on_terminal(spawn, "chat", *options, "hi", env=env)
    assert screen(sent) == (SHOWN if colour else PLAIN)
    assert bool(SGR.search(sent)) is colour


@pytest.mark.parametrize("term", ["dumb", ""])
@pytest.mark.parametrize("options", [(), ("-f", "markdown"), ("--transform", "markdown")], ids=str)
def test_a_dumb_terminal_gets_no_escapes(options, term, spawn, server):
    server.enqueue(dripped(ANSWER))
    sent = on_terminal(spawn, "chat", *options, "hi", env={"TERM": term})
    assert b"\x1b" not in sent
    if options:
        assert screen(sent) == PLAIN
    else:
        assert sent == ANSWER.replace("\n", "\r\n").encode()


@pytest.mark.parametrize(
    "hostile",
    [
        "\x1b]0;title\x07\x1b[2J\x1b[H\x9b31m\x08\x0b\u202e",
        "\x1b]52;c;aGk=\x1b\\",
        "[a](\x1b]8;;http://x\x07)",
        "`\x1b[5m`",
        "```\x1b[1m\n\x1b[2J\n```\n",
        "| \x1b[2J | b |\n|---|---|\n| \x9b2J | \x1b[H |\n",
    ],
    ids=repr,
)
def test_escapes_in_the_text_are_harmless(hostile, spawn, server):
    server.enqueue(dripped(hostile, 1))
    sent = on_terminal(spawn, "chat", "--coalesce", "0", "hi")
    ours = re.compile(rb"\x1b\[[0-9;]*m|\x1b\[\d*A|\x1b\[J")
    left = ours.sub(b"", sent).decode()
    assert re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", left) is None, sent
    assert "␛" in left or "\\x9b" in left


def test_a_break_in_an_open_block_is_told_above_it(spawn, server):
    server.enqueue(
        Reply(steps=[*opening(), text("A first *line* and\nthe beginn"), wait("shown"), End("rst")]),
        answer("ing of a second"),
    )
    process = spawn("chat", "--retries", "3", "hi", **ON_TERMINAL)
    process.read_until(b"the beginn", "tty")
    server.release("shown")
    result = process.finish()
    lines = screen(result.tty)
    assert result.status == 0
    assert lines[-2:] == ["A first line and", "the beginning of a second"]
    told = "".join(lines[:-2])  # one of them is longer than a line
    assert re.fullmatch(r"streamcli: .*: attempt 2 in .* s ?streamcli: the answer is continued by a new .*", told)


def test_a_notice_in_another_place_leaves_what_is_drawn_alone(spawn, server, tmp_path):
    server.enqueue(Reply(steps=[*opening(), text("one\ntwo"), wait("shown"), End("rst")]), answer(" three"))
    told = tmp_path / "stderr"
    process = spawn("chat", "hi", stdout="tty", stderr=str(told))
    process.read_until(b"two", "tty")
    server.release("shown")
    result = process.finish()
    assert (result.status, screen(result.tty)) == (0, ["one", "two three"])
    assert result.tty.count(b"one") == 1
    assert "attempt 2" in told.read_text()


def test_a_terminal_that_becomes_narrower(spawn, server):
    words = "one two three four five six seven eight nine ten "
    server.enqueue(Reply(steps=[*opening(), text("First.\n\n" + words), wait("more"), text(words), *closing()]))
    process = spawn("chat", "hi", **ON_TERMINAL)
    process.read_until(b"ten", "tty")
    process.resize(24, 30)
    server.release("more")
    result = process.finish()
    assert screen(result.tty, (24, 30))[-4:] == [
        "one two three four five six",
        "seven eight nine ten one two",
        "three four five six seven",
        "eight nine ten",
    ]


def test_control_c_leaves_the_open_block_in_its_final_form(spawn, server):
    server.enqueue(Reply(steps=[*opening(), text("Done.\n\n- one\n- *two"), wait("more"), *closing()]))
    process = spawn("chat", "hi", **ON_TERMINAL)
    process.read_until(b"two", "tty")
    process.type("\x03")
    result = process.finish()
    assert result.status == -signal.SIGINT
    assert screen(result.tty.replace(b"^C", b"")) == ["Done.", "", "• one", "• *two"]


JOB = 'set -m; "$@"; echo; echo stopped; fg >/dev/null'


def test_control_z_and_fg(spawn, server):
    server.enqueue(Reply(steps=[*opening(), text("Done.\n\none\ntwo"), wait("more"), text(" three"), *closing()]))
    process = spawn("chat", "hi", program=["bash", "-c", JOB, "bash", *PROGRAM], **ON_TERMINAL)
    process.read_until(b"two", "tty")
    process.type("\x1a")
    process.read_until(b"stopped\r\n", "tty")
    process.read_until(b"two", "tty")  # without more of the text
    server.release("more")
    result = process.finish()
    lines = screen(result.tty)
    assert (result.status, lines[:2], lines[-2:]) == (0, ["Done.", ""], ["one", "two three"]), lines
    assert "stopped" in lines
    assert lines.count("one") == 1


def test_in_the_background_no_cursor_moves(spawn, server):
    server.enqueue(Reply(steps=[*opening(), text("First.\n\none *two"), wait("more"), text(" three*"), *closing()]))
    process = spawn("chat", "hi", program=["bash", "-c", 'set -m; "$@" & wait', "bash", *PROGRAM], **ON_TERMINAL)
    process.read_until(b"First.", "tty")
    server.release("more")
    result = process.finish()
    assert MOVES.search(result.tty) is None
    assert screen(result.tty)[:3] == ["First.", "", "one two three"]


def test_a_watch_keeps_the_lines_of_its_findings(spawn, server):
    findings = "[ERROR] L1: disk full on /dev/sda_1, *.log\n[WARNING]: slow\n"
    server.enqueue(dripped(findings), answer("OK"))
    streams = {"stdout": "tty", "stderr": "tty", "stdin": "pipe"}
    process = spawn("analyze", "--lines", "1", "--max-requests-per-minute", "0", **streams)
    process.write(b"one\n")
    process.read_until(b"slow", "tty")
    process.write(b"two\n")
    result = process.finish()
    assert screen(result.tty)[:3] == ["[ERROR] L1: disk full on /dev/sda_1, *.log", "[WARNING]: slow", "OK"]
    assert b"in flight" not in result.tty


def test_a_score_comes_after_the_text(spawn, server):
    server.enqueue(answer("This is *wonderful*"))
    sent = on_terminal(spawn, "chat", "--transform", "sentiment", "hi")
    assert screen(sent) == ["This is wonderful", "streamcli: sentiment +0.57 (1 sentence)"]


def test_a_reader_that_leaves_and_a_full_disk(run, server):
    server.always(Reply(steps=[*opening(), Deltas("- x\n" * 50, 2000), *closing()]))
    result = run("chat", "-f", "markdown", "hi", wrap='"$@" | head -n 1')
    assert (result.stdout.decode(), result.stderr) == ("• x\n", "")
    assert run("chat", "-f", "markdown", "hi", stdout="/dev/full").status == 74
