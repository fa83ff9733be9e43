"""The live line of analyze, as a terminal shows it."""

import json
import signal
import subprocess
import sys

import pytest
from harness import screen
from hypothesis import given, settings
from hypothesis import strategies as st

from streamcli.edge.status_line import RATE_SPAN, REDRAW, Rate, Watching, status_text

SEEN = Watching(lines=12_345, pending=3_210, in_flight=1, windows=6, tokens=45_210, cost=0.12, dropped=0, wait=None)
FULL = "12,345 lines (512/s)  window 7: 3,210 lines  1 in flight  45,210 tokens  $0.12  0 dropped"
SIZE = (24, 120)

# Does what its standard input says, a line of JSON each, and says "done" on its standard output.
DRIVER = r"""
import asyncio, dataclasses, fcntl, json, os, signal, struct, sys, termios
from streamcli.edge.clock import StopAwareLoop
from streamcli.edge.notes import Notes
from streamcli.edge.status_line import StatusLine, Watching

def give_terminal_to(group):
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    os.tcsetpgrp(2, group)
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)

def other_group():
    ready, hold = os.pipe(), os.pipe()
    child = os.fork()
    if not child:
        os.setpgid(0, 0)
        os.close(hold[1])
        os.write(ready[1], b".")
        os.read(hold[0], 1)
        os._exit(0)
    os.read(ready[0], 1)
    return child

async def main():
    looks, looked = 0, asyncio.Event()
    seen = Watching(**json.loads(sys.argv[1]))

    def look():
        nonlocal looks
        looks += 1
        looked.set()
        return seen

    notes = Notes(quiet="quiet" in sys.argv)
    orders = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    with StatusLine(notes, look, hidden="hidden" in sys.argv) as line:
        while order := await orders.readline():
            name, *arguments = json.loads(order)
            if name == "see":
                seen = dataclasses.replace(seen, **arguments[0])
            elif name == "looks":
                until = looks + arguments[0]
                while looks < until:
                    looked.clear()
                    await looked.wait()
            elif name == "notice":
                notes.notice(arguments[0])
            elif name == "columns":
                fcntl.ioctl(2, termios.TIOCSWINSZ, struct.pack("HHHH", 24, arguments[0], 0, 0))
            elif name == "background":
                give_terminal_to(other_group())
            elif name == "foreground":
                give_terminal_to(os.getpgrp())
            elif name == "modules":
                assert not set(arguments) & set(sys.modules)
            else:
                getattr(line, name)()
            print("done", flush=True)

with asyncio.Runner(loop_factory=StopAwareLoop) as runner:
    try:
        runner.run(main())
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
"""


class Driven:
    """The driver, on a terminal."""

    def __init__(self, spawn, *options, **streams):
        streams = {"stdin": "pipe", "stdout": "pipe", "stderr": "tty", "size": SIZE} | streams
        self.process = spawn(json.dumps(vars(SEEN)), *options, program=[sys.executable, "-c", DRIVER], **streams)

    def __call__(self, *order):
        self.process.write(json.dumps(order).encode() + b"\n")
        self.process.read_until(b"done")

    def until(self, text):
        self.process.read_until(text, "tty")

    @property
    def drawn(self):
        return self.process.captured("tty")

    @property
    def shown(self):
        return screen(self.drawn, SIZE)

    def finish(self):
        result = self.process.finish()
        assert (result.status, result.stderr) == (0, ""), result
        return screen(result.tty, SIZE)


@pytest.fixture
def driven(spawn):
    return lambda *options, **streams: Driven(spawn, *options, **streams)


# --- what it says ---


def test_all_of_it():
    assert status_text(SEEN, 512.3, 200) == FULL


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"wait": 7.2}, "  0 dropped  next request in 8 s"),
        ({"wait": 0.0}, "  0 dropped"),
        ({"cost": None, "dropped": 1_000}, "  45,210 tokens  1,000 dropped"),
    ],
)
def test_what_is_not_always_there(change, part):
    assert status_text(Watching(**vars(SEEN) | change), 0.0, 200).endswith(part)


@pytest.mark.parametrize(("rate", "shown"), [(0.0, "0/s"), (0.2, "0.2/s"), (12.4, "12/s"), (250_000.0, "250,000/s")])
def test_rates(rate, shown):
    assert f"({shown})" in status_text(SEEN, rate, 200)


def test_one_line_is_no_lines():
    assert status_text(Watching(**vars(SEEN) | {"lines": 1, "pending": 1}), 1.0, 200).startswith(
        "1 line (1.0/s)  window 7: 1 line  "
    )


@settings(max_examples=200, deadline=None)
@given(st.integers(-1, 200), st.integers(0, 10**12), st.sampled_from([None, 0.0, 5.0]))
def test_what_does_not_fit_is_left_out_whole_and_what_was_lost_comes_before_what_it_cost(columns, number, wait):
    seen = Watching(number, number, number, number, number, number / 7, number, wait)
    full = status_text(seen, float(number), 10_000).split("  ")
    text = status_text(seen, float(number), columns)
    assert len(text) <= max(0, columns)
    parts = text.split("  ") if text else []
    assert [part for part in full if part in parts] == parts
    if len(parts) < len(full):
        assert not any("tokens" in part for part in parts)
    if parts:
        assert " line" in parts[0]
    if "$" in text:
        assert "dropped" in text


def test_the_rate_is_that_of_the_last_seconds():
    rate = Rate()
    assert rate.per_second() == 0.0
    for second in range(100):
        rate.feed(1000 * second, float(second))
    assert rate.per_second() == 1000.0
    for second in range(100, 100 + int(RATE_SPAN)):
        rate.feed(99_000, float(second))
        assert 0 <= rate.per_second() < 1000
    rate.feed(99_000, 100 + RATE_SPAN)
    assert rate.per_second() == 0.0


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1000), st.floats(0, 10)), max_size=100))
def test_the_rate_keeps_no_more_than_it_needs_and_is_true_of_what_it_keeps(steps):
    rate, samples, lines, now = Rate(), [], 0, 0.0
    for more, passed in steps:
        lines, now = lines + more, now + passed
        samples.append((now, lines))
        rate.feed(lines, now)
    assert len(rate._samples) <= 2 + sum(at > now - RATE_SPAN for at, _ in samples)
    old = [sample for sample in samples if sample[0] <= now - RATE_SPAN]
    since, before = (old[-1] if old else samples[0]) if len(samples) > 1 else (now, lines)
    if now > since:
        assert rate.per_second() == pytest.approx((lines - before) / (now - since))


# --- on a terminal ---


def test_it_is_one_line_that_is_gone_at_the_end(driven):
    line = driven()
    line("looks", 6)
    line("see", {"dropped": 7})
    line.until(b"7 dropped")
    (shown,) = line.shown
    assert shown == FULL.replace("512", "0").replace("0 dropped", "7 dropped")
    assert line.finish() == []


def test_what_is_noticed_goes_above_it(driven):
    line = driven()
    line("looks", 2)
    line("notice", "first")
    line("notice", "second")
    line.until(b"second\r\n\r")
    assert line.shown[:2] == ["streamcli: first", "streamcli: second"]
    assert line.shown[2].startswith("12,345 lines")
    assert line.finish() == ["streamcli: first", "streamcli: second"]


def test_the_terminal_is_clean_after_an_interrupt(driven):
    line = driven()
    line("looks", 2)
    line.process.type("\x03")
    result = line.process.finish()
    assert (result.status, screen(result.tty, SIZE)) == (-signal.SIGINT, [])
    assert b"^C" in result.tty


def test_the_terminal_is_clean_after_a_stop(driven):
    line = driven()
    line("looks", 2)
    line.process.signal(signal.SIGSTOP)
    line.process.wait_stopped()
    line.process.signal(signal.SIGCONT)
    line("see", {"dropped": 7})
    line.until(b"7 dropped")
    assert len(line.shown) == 1
    assert line.finish() == []


@pytest.mark.parametrize(
    ("options", "changes"),
    [(["hidden"], {}), (["quiet"], {}), ([], {"env": {"TERM": "dumb"}})],
    ids=["hidden", "quiet", "dumb"],
)
def test_where_it_is_not_wanted_it_is_not_there(driven, options, changes):
    line = driven(*options, **changes)
    line("hide")
    line("show")  # where it is wanted, this draws it at once
    assert line.process.finish().tty == b""


def test_no_terminal_no_line(driven):
    line = driven(stderr="pipe")
    line("hide")
    line("notice", "kept")
    line("show")
    assert line.process.finish().stderr == "streamcli: kept\n"


def test_in_the_background_it_does_not_write(driven):
    """It would be seen here; under `stty tostop` it would be stopped for it."""
    line = driven()
    line("looks", 2)
    line("background")
    line("see", {"dropped": 7})
    line("looks", 3)
    line("hide")
    line("show")
    line("see", {"dropped": 8})
    line("foreground")
    line.until(b"8 dropped")
    assert line.finish() == []
    assert b"7 dropped" not in line.drawn


def test_what_ends_in_the_background_takes_nothing_off_the_terminal(driven):
    line = driven()
    line("looks", 2)
    line("background")
    (left,) = line.finish()
    assert left.startswith("12,345 lines")


def test_it_follows_the_width(driven):
    line = driven()
    line("looks", 2)
    line("columns", 30)
    line("looks", 4)
    assert line.finish() == []
    # A terminal that wrapped the longer line has the rest of it below.
    wide, erasure, narrow = line.drawn.decode().partition("\x1b[J")
    texts = [set(drawings.replace("\x1b[K", "").split("\r")) for drawings in (wide, narrow)]
    assert erasure
    assert texts == [{FULL.replace("512", "0"), ""}, {"12,345 lines (0/s)  0 dropped", ""}]


def test_a_terminal_that_takes_nothing_does_not_hold_the_run(driven):
    line = driven()
    line("looks", 2)
    line.process.type("\x13")
    line("looks", 4)
    line.process.type("\x11")
    line("see", {"dropped": 7})
    line.until(b"7 dropped")
    assert line.finish() == []


def test_hidden_it_stays_until_it_has_been_shown_as_often(driven):
    line = driven()
    line("looks", 2)
    line("hide")
    line("hide")
    line("show")
    line("see", {"dropped": 7})
    line("notice", "said meanwhile")
    line("looks", 3)
    line("see", {"dropped": 8})
    line("show")
    line.until(b"8 dropped")
    assert line.finish() == ["streamcli: said meanwhile"]
    assert b"7 dropped" not in line.drawn


def test_nothing_heavy_is_imported_for_it(driven):
    line = driven()
    line("looks", 2)
    line("modules", "rich", "anthropic", "typer")
    line.finish()
    code = "import sys, streamcli.edge.status_line; sys.exit('asyncio' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_it_is_drawn_a_few_times_a_second():
    assert 0.1 <= REDRAW <= 0.5
