"""Conversations on disk: real processes, a scripted server, and what it is asked from turn to turn."""

from __future__ import annotations

import json
import signal
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from conftest import Run, Spawn, Start
from fake_server import RST, FakeServer, Pause, Reply, answer, closing, failure, opening, text, wait
from harness import PROGRAM, Nursery, hermetic

CUT = "[The answer was cut off here.]"


def asked(server: FakeServer, number: int = -1) -> list[tuple[str, str]]:
    """The messages of a request."""
    return [(message["role"], message["content"]) for message in server.requests[number].body["messages"]]


def turns(*texts: str) -> list[tuple[str, str]]:
    return [(("user", "assistant")[place % 2], said) for place, said in enumerate(texts)]


def database(home: Path) -> Path:
    return home / "state" / "streamcli" / "streamcli.db"


def stored(home: Path) -> Sequence[tuple[str, str, str]]:
    db = sqlite3.connect(database(home))
    try:
        return db.execute("SELECT state, question, answer FROM exchanges ORDER BY id").fetchall()
    finally:
        db.close()


def held(first: str = "Hello, wor", then: str = "ld", name: str = "more") -> Reply:
    return Reply(steps=[*opening(), text(first), wait(name), text(then), *closing()])


# --- one after the other ---


def test_a_session_goes_on_from_run_to_run(run_warm: Run, server: FakeServer):
    server.enqueue(answer("One."), answer("Two."), answer("Three."))
    for question in ("first", "second", "third"):
        result = run_warm("chat", "--session", "work", question)
        assert (result.status, result.stderr) == (0, ""), result
    assert result.text == "Three."
    assert asked(server) == turns("first", "One.", "second", "Two.", "third")


def test_continue_goes_on_with_the_one_that_was_used_last(run_warm: Run, server: FakeServer):
    server.enqueue(answer("A."), answer("B."), answer("A2."), answer("A3."))
    run_warm("chat", "--session", "a", "in a")
    run_warm("chat", "--session", "b", "in b")
    run_warm("chat", "--session", "a", "in a again")
    assert run_warm("chat", "-c", "and?").text == "A3."
    assert asked(server) == turns("in a", "A.", "in a again", "A2.", "and?")


def test_what_is_piped_in_is_a_part_of_it(run_warm: Run, server: FakeServer):
    run_warm("chat", "--session", "work", "look", stdin=b"a line\n")
    run_warm("chat", "-c", "again")
    assert asked(server) == turns("<stdin>\na line\n</stdin>\n\nlook", "ok", "again")


def test_model_and_system_prompt_are_kept_and_can_be_replaced(run_warm: Run, server: FakeServer):
    run_warm("chat", "--session", "work", "-m", "model-a", "-s", "Be brief.", "1")
    run_warm("chat", "-c", "2")
    assert [server.requests[-1].body[name] for name in ("model", "system")] == ["model-a", "Be brief."]
    run_warm("chat", "--session", "work", "-m", "model-b", "3")
    run_warm("chat", "--session", "work", "-s", "Be rude.", "4", env={"STREAMCLI_MODEL": "model-c"})
    run_warm("chat", "-c", "5")
    assert [server.requests[-1].body[name] for name in ("model", "system")] == ["model-c", "Be rude."]


def test_what_is_kept_is_private(run_warm: Run, home: Path):
    run_warm("chat", "--session", "work", "hi")
    assert {path.stat().st_mode & 0o777 for path in database(home).parent.iterdir()} == {0o600}


def test_continue_without_a_conversation_is_an_input_error(run_warm: Run, server: FakeServer):
    result = run_warm("chat", "-c", "hi")
    assert (result.status, len(server.requests)) == (66, 0)
    assert "--session NAME begins one" in result.stderr
    run_warm("chat", "hi")
    assert run_warm("chat", "-c", "hi").status == 66


@pytest.mark.parametrize(
    "options",
    [
        ["--session", "a", "-c"],
        ["--session", "a", "--each", "lines"],
        ["-c", "--each", "lines"],
        ["--session", ""],
        ["--session", "-x"],
        ["--session", "a/b"],
        ["--session", "a\nb"],
        ["--session", "x" * 101],
    ],
)
def test_what_makes_no_sense_is_a_usage_error(options, run_warm: Run, server: FakeServer):
    assert (run_warm("chat", *options, "hi", stdin=b"x\n").status, len(server.requests)) == (2, 0)


# --- cut off ---


def cut_by(how: str, process) -> None:
    if how == "a closed pipe":
        process.close("stdout")
        assert process.wait() == -signal.SIGPIPE
    else:
        process.signal(signal.Signals[how])
        assert process.finish().status == -signal.Signals[how]


@pytest.mark.parametrize("how", ["SIGINT", "SIGTERM", "SIGHUP", "SIGKILL", "a closed pipe"])
def test_a_turn_that_is_cut_off_is_kept_and_marked(how, spawn: Spawn, run_warm: Run, server: FakeServer):
    server.enqueue(held("The answer begins and then"))
    process = spawn("chat", "--session", "work", "--coalesce", "0", "hi")
    process.read_until(b"The answer begins and then")
    cut_by(how, process)
    result = run_warm("chat", "-c", "go on")
    assert (result.status, result.stderr) == (0, ""), result
    assert asked(server) == turns("hi", f"The answer begins and then\n\n{CUT}", "go on")


@pytest.mark.parametrize("how", ["SIGINT", "SIGKILL"])
def test_a_question_that_nothing_came_of_is_said_with_the_next(how, spawn: Spawn, run_warm: Run, server: FakeServer):
    server.enqueue(Reply(steps=[wait("never")]))
    process = spawn("chat", "--session", "work", "one")
    server.wait_requests(1)
    cut_by(how, process)
    run_warm("chat", "-c", "two")
    assert asked(server) == turns("one\n\ntwo")
    run_warm("chat", "-c", "three")
    assert asked(server) == turns("one\n\ntwo", "ok", "three")


def test_an_answer_that_broke_off_is_kept(run_warm: Run, server: FakeServer):
    server.enqueue(Reply(steps=[*opening(), text("Half"), RST]))
    assert run_warm("chat", "--session", "work", "--on-break", "fail", "one").status == 76
    run_warm("chat", "-c", "two")
    assert asked(server) == turns("one", f"Half\n\n{CUT}", "two")


def test_a_request_that_failed_was_never_made(run_warm: Run, server: FakeServer, home: Path):
    server.enqueue(failure(401), answer("Yes."), failure(400))
    assert run_warm("chat", "--session", "work", "one").status == 77
    assert run_warm("chat", "-c", "one").status == 66
    run_warm("chat", "--session", "work", "two")
    assert run_warm("chat", "--session", "work", "three").status == 1
    assert stored(home) == [("complete", '"two"', "Yes.")]


def test_an_answer_that_is_too_long_is_marked_and_a_refused_one_is_not_sent(run_warm: Run, server: FakeServer):
    server.enqueue(answer("Too lo", stop_reason="max_tokens"), answer("I can", stop_reason="refusal"))
    assert run_warm("chat", "--session", "work", "one").status == 5
    assert run_warm("chat", "-c", "two").status == 4
    run_warm("chat", "-c", "three")
    assert asked(server) == turns("one", f"Too lo\n\n{CUT}", "three")


# --- resume ---


@pytest.mark.parametrize("how", ["SIGINT", "SIGKILL"])
def test_resume_goes_on_with_the_answer_that_was_cut(how, spawn: Spawn, run_warm: Run, server: FakeServer, home: Path):
    run_warm("chat", "--session", "work", "-m", "claude-haiku-4-5", "before")
    server.enqueue(held())
    process = spawn("chat", "-c", "--coalesce", "0", "hi")
    process.read_until(b"Hello, wor")
    cut_by(how, process)
    server.enqueue(answer("ld"))
    result = run_warm("chat", "-c", "--resume", "hi")
    assert (result.status, result.text) == (0, "Hello, world"), result
    assert asked(server) == turns("before", "ok", "hi", "Hello, wor")
    assert stored(home) == [("complete", '"before"', "ok"), ("complete", '"hi"', "Hello, world")]


def test_resume_finds_a_question_that_was_masked(spawn: Spawn, run_warm: Run, server: FakeServer, home: Path):
    """Each run has hashes of its own: in the question, in the system prompt and in what was said before."""
    options = ["--session", "work", "--redact", "-s", "The password=hunter2hunter2sys.", "--coalesce", "0"]
    run_warm("chat", *options, "before: password=hunter2hunter2abc")
    server.enqueue(held())
    process = spawn("chat", *options, "login with password=hunter2hunter2xyz please")
    process.read_until(b"Hello, wor")
    cut_by("SIGKILL", process)
    server.enqueue(answer("ld"))
    result = run_warm("chat", *options, "--resume", "login with password=hunter2hunter2xyz please")
    assert (result.status, result.text) == (0, "Hello, world"), result
    assert "10 bytes of the answer are there from an earlier run" in result.stderr
    cut, resumed = (request.body for request in server.requests[1:])
    assert resumed["system"] == cut["system"]
    assert resumed["messages"][:3] == cut["messages"]
    assert [(state, said) for state, _, said in stored(home)] == [("complete", "ok"), ("complete", "Hello, world")]


@pytest.mark.parametrize("options", [["--resume"], []])
def test_resume_that_is_killed_too_loses_nothing(options, spawn: Spawn, run_warm: Run, server: FakeServer, home: Path):
    server.enqueue(held(), held(", dear", name="still"))
    for shown, resume in ((b"Hello, wor", []), (b"Hello, wor, dear", ["--resume"])):
        process = spawn("chat", "--session", "work", "-m", "claude-haiku-4-5", "--coalesce", "0", *resume, "hi")
        process.read_until(shown)
        cut_by("SIGKILL", process)
    server.enqueue(failure(401))
    assert run_warm("chat", "-c", *options, "hi").status == 77
    assert stored(home) == [("cut", '"hi"', "Hello, wor, dear")]


def test_without_resume_the_same_question_is_a_new_turn(run_warm: Run, server: FakeServer):
    server.enqueue(Reply(steps=[*opening(), text("Half"), RST]))
    run_warm("chat", "--session", "work", "--on-break", "fail", "hi")
    run_warm("chat", "-c", "hi")
    assert asked(server) == turns("hi", f"Half\n\n{CUT}", "hi")


# --- several processes ---


def test_a_second_process_waits_and_says_so(spawn: Spawn, server: FakeServer):
    server.enqueue(held())
    first = spawn("chat", "--session", "work", "--coalesce", "0", "one")
    first.read_until(b"Hello, wor")
    second = spawn("chat", "-c", "--timeout", "20", "two")
    second.read_until(b"session work is in use by another process: waiting\n", "stderr")
    assert len(server.requests) == 1
    server.release("more")
    assert first.finish().text == "Hello, world"
    result = second.finish()
    assert (result.status, result.text) == (0, "ok"), result
    assert asked(server) == turns("one", "Hello, world", "two")


def test_who_waits_can_be_interrupted_and_has_said_nothing(spawn: Spawn, server: FakeServer, home: Path):
    server.enqueue(held())
    first = spawn("chat", "--session", "work", "--coalesce", "0", "one")
    first.read_until(b"Hello, wor")
    second = spawn("chat", "-c", "two")
    second.read_until(b"waiting\n", "stderr")
    second.signal(signal.SIGINT)
    assert second.finish().status == -signal.SIGINT
    server.release("more")
    assert first.finish().status == 0
    assert stored(home) == [("complete", '"one"', "Hello, world")]


def test_who_waits_for_a_process_that_is_killed_goes_on_from_what_it_left(spawn: Spawn, server: FakeServer):
    server.enqueue(held())
    first = spawn("chat", "--session", "work", "--coalesce", "0", "one")
    first.read_until(b"Hello, wor")
    second = spawn("chat", "-c", "two")
    second.read_until(b"waiting\n", "stderr")
    first.signal(signal.SIGKILL)
    assert second.finish().status == 0
    assert asked(server) == turns("one", f"Hello, wor\n\n{CUT}", "two")


def test_fifty_at_once_are_fifty_exchanges_in_an_order_that_makes_sense(
    start: Start, warm_nursery: Nursery | None, server: FakeServer, home: Path
):
    server.always(lambda request: answer(f"answer to {request.body['messages'][-1]['content']}"))
    options = ["chat", "--session", "work", "--max-history", "100"]
    processes = [
        start(warm_nursery, [*PROGRAM, *options, f"question {number}"], hermetic(home, server.url))
        for number in range(50)
    ]
    for process in processes:
        result = process.finish(timeout=300)
        assert result.status == 0, result
    assert {state for state, _, _ in stored(home)} == {"complete"}
    exchanges = [(json.loads(question), said) for _, question, said in stored(home)]
    assert sorted(question for question, _ in exchanges) == sorted(f"question {number}" for number in range(50))
    assert all(said == f"answer to {question}" for question, said in exchanges)
    said = [text for exchange in exchanges for text in exchange]
    for place in range(50):  # each was asked with all that was before it
        assert asked(server, place) == turns(*said[: 2 * place + 1])


def test_of_several_that_are_killed_each_keeps_what_it_had(
    start: Start, warm_nursery: Nursery | None, run_warm: Run, server: FakeServer, home: Path
):
    """Whoever comes next goes on from that, and nothing that was shown is lost."""
    pieces = [f"piece {number} " for number in range(30)]
    server.always(
        Reply(steps=[*opening(), *(step for piece in pieces for step in (text(piece), Pause(0.002))), *closing()])
    )
    options = ["chat", "--session", "work", "--max-history", "100", "--coalesce", "0"]
    processes = [
        start(warm_nursery, [*PROGRAM, *options, f"question {number}"], hermetic(home, server.url))
        for number in range(10)
    ]

    def kill(number: int) -> None:
        processes[number].read_until(pieces[3 * number].encode(), timeout=60)
        processes[number].signal(signal.SIGKILL)

    killers = [threading.Thread(target=kill, args=[number]) for number in range(0, 10, 2)]
    for killer in killers:
        killer.start()
    for killer in killers:
        killer.join()
    shown = {f"question {number}": process.finish(timeout=60).text for number, process in enumerate(processes)}
    assert run_warm("chat", "-c", "--max-history", "100", "the last").status == 0
    *exchanges, _ = [(state, json.loads(question), said) for state, question, said in stored(home)]
    assert len(exchanges) == 10
    whole = "".join(pieces)
    for state, question, said in exchanges:
        assert whole.startswith(said)
        assert said.startswith(shown[question])
        assert state == "complete" if said == whole else state == "cut"
    assert [content.removesuffix(f"\n\n{CUT}").strip() for role, content in asked(server) if role == "assistant"] == [
        said.strip() for _, _, said in exchanges
    ]
