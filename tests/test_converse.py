"""chat --converse: another program holds a conversation over two pipes, line by line."""

from __future__ import annotations

import json
import signal
import sqlite3
from pathlib import Path

import pytest
from conftest import Run, Spawn
from fake_server import Deltas, FakeServer, Reply, answer, closing, failure, opening, text, wait

CUT = "[The answer was cut off here.]"


def said(server: FakeServer, number: int = -1) -> list[str]:
    return [message["content"] for message in server.requests[number].body["messages"]]


def read_frame(process) -> list[dict]:
    """The events of one turn, up to the one that says that it is over."""
    return [json.loads(line) for line in process.read_until(b'{"type":"end",').splitlines()[:-1]]


def test_each_line_is_answered_before_the_next_is_written(spawn: Spawn, server: FakeServer):
    server.enqueue(answer("One."), answer("Two.\n"), answer("Three"))
    process = spawn("chat", "--converse", stdin="pipe")
    for line, shown in ((b"first\n", b"One.\n"), (b"second\n", b"Two.\n"), (b"third\n", b"Three\n")):
        process.write(line)
        assert process.read_until(b"\n") == shown
    result = process.finish()
    assert (result.status, result.text, result.stderr) == (0, "One.\nTwo.\nThree\n", "")
    assert said(server) == ["first", "One.", "second", "Two.\n", "third"]


def test_in_json_each_answer_has_its_frame(spawn: Spawn, server: FakeServer):
    process = spawn("chat", "--converse", "-f", "json", stdin="pipe")
    for turn in (1, 2):
        process.write(b"hi\n")
        events = [json.loads(line) for line in process.read_until(b'"status":0}\n').splitlines()]
        assert [event["type"] for event in events] == ["turn", "start", "delta", "usage", "stop", "end"]
        assert (events[0], events[-1]) == ({"type": "turn", "turn": turn}, {"type": "end", "turn": turn, "status": 0})
    assert process.finish().status == 0


def test_a_delta_comes_while_the_model_still_writes_and_stdin_is_silent(spawn: Spawn, server: FakeServer):
    server.enqueue(Reply(steps=[*opening(), text("The beginning"), wait("more"), text(" and the end."), *closing()]))
    process = spawn("chat", "--converse", "-f", "json", stdin="pipe")
    process.write(b"hi\n")
    process.read_until(b"The beginning")
    server.release("more")
    process.read_until(b'{"type":"end","turn":1,"status":0}\n')
    assert process.finish().status == 0


def test_a_turn_that_fails_does_not_end_the_conversation(run: Run, server: FakeServer):
    server.enqueue(answer("One."), failure(400), answer("Three."))
    result = run("chat", "--converse", "-f", "json", stdin=b"1\n2\n3\n")
    events = [json.loads(line) for line in result.text.splitlines()]
    assert [(event["type"], event.get("turn")) for event in events if event["type"] in ("turn", "error", "end")] == [
        *(("turn", 1), ("end", 1)),
        *(("turn", 2), ("error", None), ("end", 2)),
        *(("turn", 3), ("end", 3)),
    ]
    assert [event["status"] for event in events if event["type"] == "end"] == [0, 1, 0]
    assert (result.status, "scripted 400" in result.stderr) == (1, True)
    assert said(server) == ["1", "One.", "3"]


def test_a_line_that_no_request_can_take_has_a_frame_too(run: Run, server: FakeServer):
    result = run("chat", "--converse", "-f", "json", stdin=b"x" * 33_000_000 + b"\nhi\n")
    events = [json.loads(line) for line in result.text.splitlines()]
    assert [event["type"] for event in events][:3] == ["turn", "error", "end"]
    assert [event["status"] for event in events if event["type"] == "end"] == [66, 0]
    assert (result.status, said(server)) == (66, ["hi"])


def test_what_came_of_a_broken_answer_is_in_the_next_turn(run: Run, server: FakeServer):
    server.enqueue(answer("Too lo", stop_reason="max_tokens"), answer("Two."))
    result = run("chat", "--converse", stdin=b"1\n2\n")
    assert (result.status, result.text) == (5, "Too lo\nTwo.\n")
    assert said(server) == ["1", f"Too lo\n\n{CUT}", "2"]


@pytest.mark.parametrize("reply", [failure(401), failure(403)])
def test_a_key_that_is_refused_ends_it(reply, run: Run, server: FakeServer):
    server.enqueue(reply)
    result = run("chat", "--converse", stdin=b"1\n2\n")
    assert (result.status, len(server.requests)) == (77, 1)


def test_a_missing_key_ends_it_before_a_line_is_read(spawn: Spawn):
    process = spawn("chat", "--converse", stdin="pipe", env={"ANTHROPIC_API_KEY": None})
    assert process.wait() == 77


def test_a_spent_budget_ends_it(run: Run, server: FakeServer):
    result = run("chat", "--converse", "--max-total-tokens", "10", stdin=b"1\n2\n3\n")
    assert (result.status, len(server.requests)) == (6, 1)


def test_a_prompt_is_the_first_turn_and_empty_lines_are_none(run: Run, server: FakeServer):
    result = run("chat", "--converse", "You", "are", "a", "parrot.", stdin=b"\n  \n1\r\n\n2")
    assert (result.status, result.text) == (0, "ok\nok\nok\n")
    assert said(server) == ["You are a parrot.", "ok", "1", "ok", "2"]


def test_a_terminal_and_no_input_are_usage_errors(run: Run, server: FakeServer):
    assert run("chat", "--converse", stdin=None).status == 0  # /dev/null: no turns
    assert run("chat", "--converse", "-n", "hi").status == 2
    assert run("chat", "--converse", "--each", "lines").status == 2
    assert not server.requests


def test_with_a_session_it_is_kept_and_gone_on_with(run: Run, server: FakeServer):
    server.enqueue(answer("One."), answer("Two."))
    run("chat", "--converse", "--session", "work", stdin=b"1\n2\n")
    assert run("chat", "--converse", "-c", stdin=b"3\n4\n").status == 0
    assert said(server) == ["1", "One.", "2", "Two.", "3", "ok", "4"]


def test_interrupted_the_turn_is_kept(spawn: Spawn, run: Run, server: FakeServer):
    server.enqueue(answer("One."), Reply(steps=[*opening(), text("Half of"), wait("never")]))
    process = spawn("chat", "--converse", "--session", "work", "--coalesce", "0", stdin="pipe")
    process.write(b"1\n2\n3\n")
    process.read_until(b"Half of")
    process.signal(signal.SIGINT)
    assert process.finish().status == -signal.SIGINT
    run("chat", "-c", "go on")
    assert said(server) == ["1", "One.", "2", f"Half of\n\n{CUT}", "go on"]


def test_between_two_turns_others_may_have_theirs(spawn: Spawn, run: Run, server: FakeServer):
    process = spawn("chat", "--converse", "--session", "work", stdin="pipe")
    process.write(b"1\n")
    process.read_until(b"ok\n")
    assert run("chat", "-c", "2").stderr == ""
    process.write(b"3\n")
    process.read_until(b"ok\n")
    assert process.finish().status == 0
    assert said(server) == ["1", "ok", "2", "ok", "3"]


def test_the_next_lines_stay_in_the_pipe_while_a_turn_is_under_way(spawn: Spawn, server: FakeServer):
    server.enqueue(Reply(steps=[wait("go"), *opening(), text("ok"), *closing()]))
    process = spawn("chat", "--converse", stdin="pipe")
    process.write(b"1\n")
    server.wait_reached("go")
    with pytest.raises(TimeoutError):
        process.write(b"x" * 999_999 + b"\n", timeout=1.0)
    server.release("go")
    process.read_until(b"ok\n")
    process.kill()


def test_history_is_bounded_and_moves_in_steps(run: Run, server: FakeServer):
    lines = "".join(f"question {number}\n" for number in range(1, 61))
    result = run("chat", "--converse", "--max-history", "8", "-v", stdin=lines.encode())
    sent = [len(said(server, number)) // 2 for number in range(30)]
    assert sent[:9] == list(range(9))
    assert set(sent[9:]) == {6, 7, 8}
    firsts = [said(server, number)[0] for number in range(30)]
    assert len(set(firsts)) == 1 + len(range(9, 30, 3))
    assert all(said(server, number)[-1] == f"question {number + 1}" for number in range(30))
    assert result.stderr.count("not sent any more") == 1
    assert "3 earlier exchanges are not sent any more (--max-history, --max-history-tokens)" in result.stderr


def test_no_history_at_all(run: Run, server: FakeServer):
    run("chat", "--converse", "--max-history", "0", stdin=b"1\n2\n3\n")
    assert said(server) == ["3"]


def test_history_is_bounded_by_tokens(run: Run, server: FakeServer):
    server.always(answer("y" * 270))
    run("chat", "--converse", "--max-history-tokens", "200", stdin=b"1\n2\n3\n4\n")
    assert [len(said(server, number)) for number in range(4)] == [1, 3, 5, 3]
    run("chat", "--converse", "--max-history-tokens", "50", stdin=b"1\n2\n3\n4\n")
    assert said(server) == ["4"]


def test_memory_does_not_grow_with_the_run(spawn: Spawn, server: FakeServer):
    server.always(Reply(steps=[*opening(), Deltas("z" * 1000, 1000, batch=100), *closing()]))
    process = spawn("chat", "--converse", "--max-history", "1", "-f", "json", stdin="pipe")
    for turn in range(1, 31):
        process.write(b"hi\n")
        process.read_until(b'{"type":"end","turn":%d,"status":0}\n' % turn)
        if turn == 20:
            before = process.memory_kb()
    assert process.memory_kb() - before < 20_000  # 40 answers have 40 MB
    assert process.finish().status == 0


def test_dry_run_shows_each_request(run: Run, server: FakeServer, home: Path):
    run("chat", "--session", "work", "1")
    result = run("chat", "--session", "work", "--dry-run", "2")
    assert [message["content"] for message in json.loads(result.text)["messages"]] == ["1", "ok", "2"]
    assert run("chat", "--converse", "-c", "--count-tokens", stdin=b"2\n3\n").status == 0
    assert said(server) == ["1", "ok", "3"]
    db = sqlite3.connect(home / "state" / "streamcli" / "streamcli.db")
    assert db.execute("SELECT count(*) FROM exchanges").fetchone() == (1,)
    db.close()


def test_dry_run_of_a_session_makes_no_file(run: Run, home: Path):
    result = run("chat", "--session", "work", "--dry-run", "2")
    assert (result.status, (home / "state").exists()) == (0, False)
    assert run("chat", "-c", "--dry-run", "2").status == 66


def test_files_go_along_with_the_first_turn(run: Run, server: FakeServer, tmp_path: Path):
    (tmp_path / "notes.txt").write_text("some notes\n")
    assert run("chat", "--converse", "-a", "notes.txt", stdin=b"one\ntwo\n", cwd=tmp_path).status == 0
    first, _, second = said(server)
    assert [block["text"] for block in first] == ['<file name="notes.txt">\nsome notes\n</file>', "one"]
    assert second == "two"


def test_files_stay_in_a_session(run: Run, server: FakeServer, tmp_path: Path):
    (tmp_path / "notes.txt").write_text("some notes\n")
    assert run("chat", "-n", "--session", "work", "-a", "notes.txt", "one", cwd=tmp_path).status == 0
    assert run("chat", "-n", "-c", "two").status == 0
    first, _, second = said(server)
    assert [block["text"] for block in first] == ['<file name="notes.txt">\nsome notes\n</file>', "one"]
    assert second == "two"
