"""What an answer leaves on disk: all that was shown of an interrupted one, and nothing of a complete one."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Run, Spawn
from fake_server import (
    RST,
    FakeServer,
    Pause,
    Reply,
    Request,
    answer,
    closing,
    error_event,
    opening,
    text,
    wait,
)

PREFILLED = "claude-haiku-4-5"
TEXT = "Eins, zwei,  drei\n\n\tvier 漢字 🦀🦀🦀\r\nfünf " + "".join(f"{number} " for number in range(400)) + "Ende.\n"


def goes_on(whole: str, pause: float = 0.0) -> Callable[[Request], Reply]:
    """A model that always answers `whole`, and goes on from a prefill."""

    def reply(request: Request) -> Reply:
        last = request.body["messages"][-1]
        start = len(last["content"]) if last["role"] == "assistant" else 0
        assert last["role"] == "user" or whole.startswith(last["content"])
        pieces = [step for at in range(start, len(whole), 7) for step in (text(whole[at : at + 7]), Pause(pause))]
        return Reply(steps=[*opening(), *pieces, *closing()])

    return reply


def on_disk(home: Path) -> bytes:
    return b"".join(file.read_bytes() for file in home.rglob("*") if file.is_file())


def folder_of(home: Path) -> Path:
    return home / "state" / "streamcli"


@pytest.mark.parametrize("seed", range(8))
def test_a_run_that_is_killed_at_any_moment_is_picked_up(seed, spawn: Spawn, run_warm: Run, server: FakeServer):
    """What was shown is a beginning of what the second run shows, and that is the whole answer."""
    server.always(goes_on(TEXT, 0.002))
    process = spawn("chat", "-m", PREFILLED, "--coalesce", "5", "hi")
    process.read_until(TEXT[: random.Random(seed).randrange(1, 700)].encode())
    process.signal(signal.SIGKILL)
    shown = process.finish()
    assert shown.status == -signal.SIGKILL
    resumed = run_warm("chat", "-m", PREFILLED, "--resume", "hi")
    assert (resumed.status, resumed.text) == (0, TEXT), resumed
    assert TEXT.encode().startswith(shown.stdout)
    prefix = server.requests[-1].body["messages"][-1]["content"]
    assert len(prefix.encode()) >= len(shown.stdout.rstrip())
    assert "bytes of the answer are there from an earlier run" in resumed.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_after_a_signal_all_that_was_received_is_there(number, spawn: Spawn, run_warm: Run, server: FakeServer):
    server.always(Reply(steps=[*opening(), text("Hello, wor"), wait("never")]))
    process = spawn("chat", "-m", PREFILLED, "hi")
    process.read_until(b"Hello")
    process.signal(number)
    assert process.finish().status == -number
    server.always(answer("ld"))
    resumed = run_warm("chat", "-m", PREFILLED, "--resume", "hi")
    assert (resumed.status, resumed.text) == (0, "Hello, world"), resumed


def test_after_a_closed_pipe_too(spawn: Spawn, run_warm: Run, server: FakeServer):
    server.always(Reply(steps=[*opening(), text("Hello, wor"), wait("never")]))
    process = spawn("chat", "-m", PREFILLED, "hi")
    process.read_until(b"Hello")
    process.close("stdout")
    assert process.wait() == -signal.SIGPIPE
    server.always(answer("ld"))
    assert run_warm("chat", "-m", PREFILLED, "--resume", "hi").text == "Hello, world"


def test_the_kept_prefix_is_shown_before_anything_is_asked(spawn: Spawn, run_warm: Run, server: FakeServer):
    server.enqueue(Reply(steps=[*opening(), text("Hello, wor"), RST]))
    run_warm("chat", "--on-break", "fail", "hi")
    server.always(Reply(steps=[wait("go"), *opening(), text("ld"), *closing()]))
    process = spawn("chat", "--resume", "hi")
    process.read_until(b"Hello, wor")
    server.wait_reached("go")
    server.release("go")
    assert process.finish().stdout == b"Hello, world"


def test_the_prefix_goes_through_the_fence_again(run_warm: Run, server: FakeServer):
    server.enqueue(Reply(steps=[*opening(), text("Sure:\n```py\nx = "), RST]))
    assert run_warm("gen", "-m", PREFILLED, "--on-break", "fail", "hi").text == "x = "
    server.enqueue(answer(" 1\n```\nThere."))
    assert run_warm("gen", "-m", PREFILLED, "--resume", "hi").text == "x = 1\n"


@pytest.mark.parametrize(
    "other", [["-s", "Be rude.", "hi"], ["-m", "other", "hi"], ["--max-tokens", "9", "hi"], ["hi", "there"]]
)
def test_another_request_is_another_answer(other, run_warm: Run, server: FakeServer):
    server.enqueue(Reply(steps=[*opening(), text("Hello, wor"), RST]))
    run_warm("chat", "--on-break", "fail", "hi")
    assert run_warm("chat", "--resume", *other).text == "ok"


@pytest.mark.parametrize("other", [["-v"], ["--retries", "9"], ["--coalesce", "0"], ["--timeout", "9"]])
def test_flags_that_do_not_change_the_answer_do_not_matter(other, run_warm: Run, server: FakeServer):
    server.enqueue(Reply(steps=[*opening(), text("Hello, wor"), RST]), answer("ld"))
    run_warm("chat", "--on-break", "fail", "hi")
    resumed = run_warm("chat", "--resume", *other, "hi", env={"ANTHROPIC_API_KEY": "another-key"})
    assert resumed.text == "Hello, world"


def test_without_resume_it_is_asked_anew_and_then_there_is_nothing_to_resume(run_warm: Run, server: FakeServer):
    server.enqueue(Reply(steps=[*opening(), text("Hello, wor"), RST]))
    run_warm("chat", "--on-break", "fail", "hi")
    assert run_warm("chat", "hi").text == "ok"
    assert run_warm("chat", "--resume", "hi").text == "ok"


def test_resume_without_anything_to_resume_is_a_plain_run(run_warm: Run, server: FakeServer):
    result = run_warm("chat", "--resume", "hi")
    assert (result.status, result.text, result.stderr) == (0, "ok", "")


def test_three_at_once_do_not_mix(spawn: Spawn, run_warm: Run, server: FakeServer):
    """One picks up what there is, the others begin anew, and each shows one answer."""
    server.enqueue(Reply(steps=[*opening(), text("Hello, "), RST]))
    run_warm("chat", "-m", PREFILLED, "--on-break", "fail", "hi")

    def reply(request: Request) -> Reply:
        words = ["world"] if len(request.body["messages"]) > 1 else ["Good ", "day"]
        return Reply(steps=[*opening(), *map(text, words), wait("go"), *closing()])

    server.always(reply)
    three = [spawn("chat", "-m", PREFILLED, "--resume", "--coalesce", "0", "hi") for _ in range(3)]
    server.wait_requests(4)
    server.release("go")
    assert sorted(process.finish().text for process in three) == ["Good day", "Good day", "Hello, world"]


@pytest.mark.parametrize("verb", ["chat", "gen", "analyze"])
def test_of_a_complete_answer_nothing_stays(verb, run_warm: Run, home: Path, server: FakeServer):
    server.always(answer("```\nthe answer itself\n```\n"))
    result = run_warm(verb, stdin=b"the question itself\n")
    assert result.status == 0
    assert b"answer itself" not in on_disk(home)
    assert b"question itself" not in on_disk(home)


@pytest.mark.parametrize("reason", ["max_tokens", "refusal"])
def test_of_an_answer_that_came_to_another_end_nothing_stays(reason, run_warm: Run, home: Path, server: FakeServer):
    server.always(answer("the answer itself", stop_reason=reason))
    assert run_warm("chat", "--cache", "hi").status in (4, 5)
    assert b"answer itself" not in on_disk(home)


def test_of_an_interrupted_run_the_answer_stays_and_the_prompt_does_not(run_warm: Run, home: Path, server: FakeServer):
    server.enqueue(Reply(steps=[*opening(), text("the answer itself"), RST]))
    run_warm("chat", "--on-break", "fail", "-s", "the system itself", "the question itself")
    assert b"answer itself" in on_disk(home)
    assert b"question itself" not in on_disk(home)
    assert b"system itself" not in on_disk(home)
    assert b"test-key" not in on_disk(home)


def test_what_is_kept_is_for_the_user_alone(run: Run, home: Path, server: FakeServer):
    run("chat", "--cache", "hi", wrap='umask 0; exec "$@"')
    folder = folder_of(home)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}


@pytest.mark.parametrize("verb", ["chat", "gen"])
def test_a_cached_answer_is_given_again_without_a_server_or_a_key(verb, run_warm: Run, server: FakeServer):
    server.enqueue(answer(f"```\n{TEXT}```\n" if verb == "gen" else TEXT, output_tokens=77))
    first = run_warm(verb, "--cache", "hi")
    again = run_warm(verb, "--cache", "hi", env={"ANTHROPIC_API_KEY": None})
    assert (again.status, again.text, again.stderr) == (0, first.text, "") == (0, TEXT, "")
    assert len(server.requests) == 1


def test_a_replay_says_in_json_that_it_is_one(run_warm: Run, server: FakeServer):
    server.enqueue(answer("Hello", stop_reason="stop_sequence", output_tokens=77))
    run_warm("chat", "--cache", "hi")
    lines = [json.loads(line) for line in run_warm("chat", "--cache", "-f", "json", "hi").text.splitlines()]
    assert [line["type"] for line in lines] == ["replay", "delta", "usage", "stop"]
    assert (lines[0]["bytes"], lines[0]["complete"], lines[2]["output_tokens"]) == (5, True, 77)
    assert lines[3]["reason"] == "stop_sequence"


def test_an_answer_that_is_not_complete_is_never_given_as_one(run_warm: Run, server: FakeServer):
    server.enqueue(Reply(steps=[*opening(), text("Hello, wor"), RST]))
    assert run_warm("chat", "--cache", "--on-break", "fail", "hi").status == 76
    again = run_warm("chat", "--cache", "hi")
    assert (again.status, again.text, len(server.requests)) == (0, "ok", 2)


def test_what_was_interrupted_is_picked_up_rather_than_an_older_answer(run_warm: Run, server: FakeServer):
    server.enqueue(answer("AAAA"), Reply(steps=[*opening(), text("BBB"), RST]), answer(" CCC"))
    run_warm("chat", "-m", PREFILLED, "--cache", "hi")
    run_warm("chat", "-m", PREFILLED, "--on-break", "fail", "hi")
    assert run_warm("chat", "-m", PREFILLED, "--resume", "hi").text == "BBB CCC"
    assert run_warm("chat", "-m", PREFILLED, "--resume", "hi").text == "ok"
    assert run_warm("chat", "-m", PREFILLED, "--cache", "hi").text == "AAAA"


def test_a_key_that_a_server_quotes_is_in_no_json(run_warm: Run, server: FakeServer):
    server.enqueue(Reply(steps=[error_event("api_error", "bad key test-key")]))
    result = run_warm("chat", "-f", "json", "hi")
    assert "bad key <secret>" in result.text
    assert "test-key" not in result.text + result.stderr


def test_a_database_with_what_does_not_belong_there_is_done_without(run_warm: Run, home: Path, server: FakeServer):
    run_warm("chat", "--cache", "hi")
    with sqlite3.connect(folder_of(home) / "streamcli.db") as database:
        database.execute("UPDATE answers SET bytes = 'abc', input_tokens = x'ff'")
    database.close()
    result = run_warm("chat", "--cache", "hi")
    assert (result.status, result.text) == (0, "ok"), result
    assert "the file is damaged" in result.stderr
    assert run_warm("answers", "list").status == 66


def test_without_cache_an_answer_is_asked_for_each_time(run_warm: Run, server: FakeServer):
    run_warm("chat", "--cache", "hi")
    run_warm("chat", "hi")
    assert len(server.requests) == 2


def test_what_is_kept_is_bounded_in_size_and_age(run_warm: Run, home: Path, server: FakeServer):
    server.always(answer("x" * 900_000))
    for number in range(4):
        run_warm("chat", "--cache", f"question {number}", env={"STREAMCLI_KEEP_MB": "2"})
    assert len(run_warm("answers", "list").text.splitlines()) == 2
    server.always(answer("y"))
    run_warm("chat", "--cache", "--keep-days", "0", "the last")
    assert run_warm("answers", "list").text == ""


def break_it(home: Path, how: str) -> None:
    folder = folder_of(home)
    folder.mkdir(parents=True)
    match how:
        case "a file that is no database":
            (folder / "streamcli.db").write_bytes(b"garbage" * 999)
        case "a folder in its place":
            (folder / "streamcli.db").mkdir()
        case "a link":
            (folder / "streamcli.db").symlink_to(home / "elsewhere")
        case "a file in the folder's place":
            folder.rmdir()
            folder.write_text("")
        case "a newer version":
            with sqlite3.connect(folder / "streamcli.db") as database:
                database.execute("PRAGMA user_version = 999")
            database.close()


@pytest.mark.parametrize(
    "how",
    [
        "a file that is no database",
        "a folder in its place",
        "a link",
        "a file in the folder's place",
        "a newer version",
    ],
)
def test_where_nothing_can_be_kept_the_answer_goes_on_without(how, run_warm: Run, home: Path, server: FakeServer):
    break_it(home, how)
    before = on_disk(home)
    server.enqueue(Reply(steps=[*opening(), text("Hello, wor"), RST]), answer("ld"))
    result = run_warm("chat", "--cache", "--resume", "hi")
    assert (result.status, result.text) == (0, "Hello, world"), result
    assert result.stderr.count("cannot be kept on disk") == 1
    assert on_disk(home) == before


def test_a_file_that_another_process_locks_is_done_without(run_warm: Run, home: Path, server: FakeServer):
    run_warm("chat", "--cache", "hi")
    database = sqlite3.connect(folder_of(home) / "streamcli.db", isolation_level=None)
    database.execute("BEGIN EXCLUSIVE")
    try:
        result = run_warm("chat", "there")
    finally:
        database.close()
    assert (result.status, result.text) == (0, "ok"), result
    assert "cannot be kept on disk" in result.stderr


def test_a_disk_that_is_full_is_done_without(run: Run, home: Path, server: FakeServer):
    """A file-size limit stands for it: the write fails in the midst of the answer."""
    server.always(goes_on(TEXT * 40))
    wrap = "trap '' XFSZ; ulimit -f 200; exec \"$@\""
    result = run("chat", "hi", wrap=wrap)
    assert (result.status, result.text) == (0, TEXT * 40), str(result)[:3000]
    assert result.stderr.count("cannot be kept on disk") == 1


def test_a_home_that_cannot_be_written_is_done_without(run: Run, server: FakeServer):
    result = run("chat", "hi", env={"XDG_STATE_HOME": "/proc/nowhere", "HOME": "/proc/nowhere"})
    assert (result.status, result.text) == (0, "ok"), result
    assert "cannot be kept on disk" in result.stderr


def test_answers_can_be_looked_at_and_removed(run_warm: Run, home: Path, server: FakeServer):
    server.enqueue(answer("the whole\x1b[2J"), Reply(steps=[*opening(), text("```\ncut off he"), RST]))
    run_warm("chat", "--cache", "one")
    run_warm("gen", "--on-break", "fail", "two")
    partial, complete = run_warm("answers", "list").text.splitlines()
    assert re.match(r"\d+ .* partial +gen .*``` cut off he$", partial)
    assert re.match(r"\d+ .* complete +chat .*the whole␛\[2J$", complete)
    first, second = (line.split()[0] for line in (complete, partial))
    assert run_warm("answers", "show", first).stdout == b"the whole\x1b[2J"
    assert run_warm("answers", "show", "999").status == 66
    assert run_warm("answers", "rm", second).status == 0
    assert b"cut off he" not in on_disk(home)
    assert run_warm("answers", "clear").status == 0
    assert run_warm("answers", "list").text == ""
    assert b"the whole" not in on_disk(home)


def test_looking_at_no_answers_makes_no_file(run_warm: Run, home: Path):
    assert run_warm("answers", "list").text == ""
    assert not os.path.exists(folder_of(home) / "streamcli.db")
