"""Transforms of other packages, found by their entry point, in the program itself."""

import contextlib
import json
import signal
import textwrap

import pytest
from fake_server import Reply, answer, closing, opening, text, wait
from harness import ROOT, screen

GROUP = "streamcli.transforms"
PARTS = """
from streamcli.transforms import Remark
class Base:
    def feed(self, text, now): return [text]
    def deadline(self): return None
    def flush(self): return []
"""
PLUGINS = {
    "shout": "class Plugin(Base):\n def feed(self, text, now): return [text.upper()]",
    "count": "class Plugin(Base):\n n = 0\n"
    " def feed(self, text, now): self.n += len(text); return [text]\n"
    " def flush(self): return [Remark('count', f'{self.n} characters', {'characters': self.n, 'type': 'x'})]",
    "says": "class Plugin(Base):\n"
    " def feed(self, text, now): return [text, *([Remark('says', f'said {text!r}', {})] if text else [])]",
    "hold": "class Plugin(Base):\n held = ''\n at = None\n"
    " def feed(self, text, now):\n"
    "  if text: self.held += text; self.at = self.at or now + 0.05; return []\n"
    "  held, self.held, self.at = self.held, '', None; return [held]\n"
    " def deadline(self): return self.at\n"
    " def flush(self): return [self.held]",
    "prints": "print('loaded')\nclass Plugin(Base): pass",
    "broken": "raise OSError('no such thing')",
    "nothing": "class Plugin: pass",
    "raises": "class Plugin(Base):\n def feed(self, text, now): raise ValueError('boom')",
    "late": "class Plugin(Base):\n def flush(self): raise ValueError('boom')",
    "junk": "class Plugin(Base):\n def feed(self, text, now): return [None]",
    "ticks": "class Plugin(Base):\n at = None\n"
    " def feed(self, text, now):\n"
    "  if not text: print('ticked'); raise ValueError('tick')\n"
    "  self.at = now + 0.01; return [text]\n"
    " def deadline(self): return self.at",
    "chatters": "class Plugin(Base):\n def feed(self, text, now): print('printed'); return [text]",
    "hangs": "import time\nclass Plugin(Base):\n"
    " def feed(self, text, now): print('hangs'); time.sleep(600); return [text]",
    "empty": "class Plugin(Base):\n at = 0\n"
    " def feed(self, text, now): self.at = now + 1e-9; return ['', text]\n"
    " def deadline(self): return self.at\n"
    " def flush(self): return ['']",
    "odd": "class Odd(BaseException):\n def __str__(self): raise ValueError\n"
    "class Plugin(Base):\n def feed(self, text, now): raise Odd()",
    "markdown": "class Plugin(Base):\n def feed(self, text, now): return ['not the built-in one']",
}


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder for PYTHONPATH, with a distribution that brings them all."""
    folder = tmp_path_factory.mktemp("site")
    info = folder / "plugins-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plugins\nVersion: 1.0\n")
    lines = [f"[{GROUP}]"]
    for name, code in PLUGINS.items():
        (folder / f"plugin_{name}.py").write_text(textwrap.dedent(PARTS) + code + "\n")
        lines.append(f"{name} = plugin_{name}:Plugin")
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    return {"PYTHONPATH": f"{ROOT}:{folder}"}


def test_one_after_the_other(run, server, installed):
    server.enqueue(answer("a word"))
    result = run("chat", "--transform", "shout", "--transform", "count", "hi", env=installed)
    assert (result.status, result.stdout, result.stderr) == (0, b"A WORD", "streamcli: 6 characters\n")


def test_as_json_the_text_is_the_transformed_one_and_a_remark_an_event(run, server, installed):
    server.enqueue(answer("a word"))
    result = run("chat", "-f", "json", "--transform", "shout", "--transform", "count", "hi", env=installed)
    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert [event["type"] for event in events] == ["start", "delta", "remark", "usage", "stop"]
    assert events[1]["text"] == "A WORD"
    assert events[2] == {"type": "remark", "transform": "count", "characters": 6}
    assert (result.status, result.stderr) == (0, "")


def test_one_that_waits_for_the_clock_is_asked_when_its_time_has_come(spawn, server, installed):
    server.enqueue(Reply(steps=[*opening(), text("some text"), wait("more"), *closing()]))
    process = spawn("chat", "--transform", "hold", "hi", env=installed)
    process.read_until(b"some text")  # though the server says no more
    server.release("more")
    assert process.finish().status == 0


def test_a_remark_on_a_terminal_goes_above_what_is_still_drawn(spawn, server, installed):
    server.enqueue(Reply(steps=[*opening(), text("one\ntwo"), wait("more"), text(" *three*"), *closing()]))
    streams = {"stdout": "tty", "stderr": "tty"}
    process = spawn("chat", "--coalesce", "0", "--transform", "says", "hi", env=installed, **streams)
    process.read_until(b"said", "tty")
    process.read_until(b"two", "tty")
    server.release("more")
    said = ["streamcli: said 'one\\ntwo'", "streamcli: said ' *three*'"]
    assert screen(process.finish().tty) == [*said, "one", "two three"]


def test_what_a_plugin_prints_is_no_part_of_the_answer(run, server, installed):
    server.enqueue(answer("a word"))
    result = run("chat", "--transform", "prints", "hi", env=installed)
    assert (result.status, result.stdout, result.stderr) == (0, b"a word", "  | loaded\n")


def test_one_that_hangs_is_ended_by_the_second_signal(spawn, server, installed):
    process = spawn("chat", "--transform", "hangs", "hi", env=installed)
    process.read_until(b"hangs", "stderr")
    process.signal(signal.SIGINT)
    for _ in range(100):  # the next one that comes half a second later ends it
        process.signal(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            process.wait(0.2)
            break
    assert process.wait() == -signal.SIGTERM


def test_nothing_is_made_of_an_empty_text(spawn, server, installed):
    server.enqueue(Reply(steps=[*opening(), text("a line\n"), wait("more"), *closing()]))
    process = spawn("chat", "-n", "-f", "json", "--transform", "empty", "hi", env=installed)
    process.read_until(b"a line")
    server.release("more")
    events = [json.loads(line) for line in process.finish().text.splitlines()]
    assert "" not in [event.get("text") for event in events]
    assert [event["type"] for event in events][-2:] == ["usage", "stop"]


def test_what_a_plugin_prints_makes_room_first(spawn, server, installed):
    server.enqueue(Reply(steps=[*opening(), text("Some **bold"), wait("more"), text("** words"), *closing()]))
    process = spawn("chat", "--transform", "chatters", "hi", env=installed, stdout="tty", stderr="tty")
    process.read_until(b"bold", "tty")
    server.release("more")
    shown = screen(process.finish().tty)
    assert (shown[0], shown[-1]) == ("  | printed", "Some bold words")
    assert {*shown[1:-1]} == {"  | printed"}


def test_one_of_that_name_does_not_stand_in_for_a_built_in_one(run, server, installed):
    server.enqueue(answer("*a*"))
    result = run("chat", "--transform", "markdown", "--color", "never", "hi", env=installed)
    assert (result.status, result.stdout) == (0, b"*a*\n")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("broken", "the transform broken cannot be loaded: OSError: no such thing"),
        ("nothing", "the transform nothing cannot be loaded: TypeError: it has no feed, no deadline, no flush"),
    ],
)
def test_one_that_cannot_be_loaded_is_an_error_before_anything_is_paid_for(name, why, run, server, installed):
    result = run("chat", "--transform", name, "hi", env=installed)
    assert (result.status, result.stdout, result.stderr) == (78, b"", f"streamcli: {why}\n")
    assert not server.requests


def test_one_that_is_not_there_is_told_with_those_that_are(run, installed):
    result = run("chat", "--transform", "nope", "hi", env=installed)
    there = ", ".join(sorted({*PLUGINS, "highlight", "sentiment"}))
    assert (result.status, result.stderr) == (2, f"streamcli: there is no transform nope\nhint: there is {there}\n")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("raises", "ValueError: boom"),
        ("odd", "Odd"),
        ("junk", "TypeError: it gave NoneType, which is neither text nor a remark"),
    ],
)
def test_one_that_fails_ends_the_answer_and_what_came_is_kept(name, why, run, server, installed):
    first = "the first words"
    server.enqueue(Reply(steps=[*opening(), text(first), wait("more"), *closing()]))
    result = run("chat", "--coalesce", "0", "--transform", name, "hi", env=installed)
    assert (result.status, result.stdout) == (78, b"")
    assert result.stderr.startswith(f"streamcli: the transform {name} failed: {why} (request req_")
    assert f"hint: without --transform {name} the answer comes as it is; what came is kept" in result.stderr
    server.wait_closed()
    server.enqueue(answer(" and the rest"))
    assert run("chat", "--resume", "hi").stdout == b"the first words and the rest"


@pytest.mark.parametrize("form", ["text", "json"])
def test_one_that_fails_at_the_end_leaves_the_answer_and_it_is_not_paid_for_twice(form, run, server, installed):
    server.enqueue(answer("all of it"))
    result = run("chat", "-f", form, "--transform", "late", "hi", env=installed)
    assert (result.status, b"all of it" in result.stdout) == (78, True)
    assert "the transform late failed: ValueError: boom" in result.stderr
    if form == "json":
        assert json.loads(result.stdout.splitlines()[-1])["status"] == 78
    again = run("chat", "--resume", "hi")
    assert (again.status, again.stdout, len(server.requests)) == (0, b"all of it", 1)


def test_one_that_fails_by_the_clock_is_an_error_too(spawn, server, installed):
    server.enqueue(Reply(steps=[*opening(), text("a"), wait("more"), text("b"), *closing()]))
    process = spawn("chat", "--coalesce", "0", "--transform", "ticks", "hi", env=installed)
    process.read_until(b"ticked", "stderr")
    server.release("more")
    result = process.finish()
    assert (result.status, result.stdout) == (78, b"a")
    assert "the transform ticks failed: ValueError: tick" in result.stderr


@pytest.mark.parametrize("name", ["raises", "late"])
def test_a_watch_that_it_fails_in_ends(name, run, server, installed):
    server.always(answer("OK"))
    result = run("analyze", "-f", "json", "--lines", "1", "--transform", name, stdin=b"a\nb\n", env=installed)
    assert (result.status, len(server.requests)) == (78, 1), result
    error = json.loads(result.stdout.splitlines()[-2])
    assert (error["type"], error["message"]) == ("error", f"the transform {name} failed: ValueError: boom")


def test_of_records_the_first_failure_ends_the_run(run, server, installed):
    server.always(answer("fine"))
    result = run("chat", "--each", "lines", "--jobs", "1", "--transform", "raises", stdin=b"a\nb\nc\n", env=installed)
    first = json.loads(result.stdout.splitlines()[0])
    assert (result.status, first["status"], first["text"]) == (78, 78, "")
    assert len(server.requests) < 3
