"""streamcli sessions: conversations to look at, to take along and to remove."""

from __future__ import annotations

import json
import random
import re
import signal
import sqlite3
import time
from contextlib import closing as closing_store
from pathlib import Path

import pytest
from conftest import Run, Spawn
from fake_server import FakeServer, Reply, answer, closing, opening, text, wait
from wcwidth import wcswidth

from streamcli.core.content import Text
from streamcli.core.history import Exchange
from streamcli.store.answers import Answers

NASTY = "\x1b]0;owned\x07\u202e"


def database(home: Path) -> Path:
    return home / "state" / "streamcli" / "streamcli.db"


def begin(run_warm: Run, server: FakeServer, name: str, *exchanges: tuple[str, str]) -> None:
    for question, said in exchanges:
        server.enqueue(answer(said))
        assert run_warm("chat", "--session", name, question).status == 0


def test_the_list_has_the_one_that_was_used_last_first(run_warm: Run, server: FakeServer):
    begin(run_warm, server, "one", ("What is a pipe?", "A tube."), ("And a socket?", "Another."))
    begin(run_warm, server, "two", ("Hi\nthere", "Hello."))
    begin(run_warm, server, "one", ("Thanks", "Welcome."))
    result = run_warm("sessions", "list")
    assert (result.status, result.stderr) == (0, "")
    lines = [re.split(r"  +", line) for line in result.text.splitlines()]
    assert [[line[0], *line[2:]] for line in lines] == [
        ["one", "3", "claude-sonnet-5-5", "What is a pipe?"],
        ["two", "1", "claude-sonnet-5-5", "Hi there"],
    ]
    moment = time.mktime(time.strptime(lines[0][1], "%Y-%m-%d %H:%M"))
    assert abs(moment - time.time()) < 24 * 3600


def test_the_list_does_not_hold_what_it_does_not_show(run: Run, home: Path):
    with closing_store(Answers(database(home).parent)) as answers:
        for number in range(12):
            file = Text(f'<file name="t.txt">\n{"x" * 16_000_000}\n</file>', "t.txt" if number else None)
            answers.sessions().put(f"s{number}", "a-model", None, [Exchange((file, Text("why?")), "So.")])
    result = run("sessions", "list")
    assert result.peak_kb < 150_000
    shown = [re.split(r"  +", line)[-1] for line in result.text.splitlines()]
    assert shown[:11] == ["[t.txt] why?"] * 11
    assert shown[11].startswith('<file name="t.txt"> xxx')  # of before names were kept


def test_of_a_text_file_people_see_the_name_and_programs_the_text(run_warm: Run, server: FakeServer, tmp_path: Path):
    (tmp_path / "t.txt").write_bytes(b"hello\n")
    assert run_warm("chat", "--session", "work", "-a", "t.txt", "what?", cwd=tmp_path).status == 0
    assert run_warm("sessions", "show", "work").text == "> [t.txt]\n>\n> what?\n\nok\n"
    assert "\n\n[t.txt]\n\nwhat?\n\n" in run_warm("sessions", "export", "work").text
    exported = json.loads(run_warm("sessions", "export", "-f", "json", "work").text)
    assert (exported["question"], exported["attachments"]) == ("[t.txt]\n\nwhat?", ["t.txt"])
    assert exported["content"][0] == {"type": "text", "text": '<file name="t.txt">\nhello\n</file>'}
    assert exported["content"] == server.requests[0].body["messages"][0]["content"]


def test_wide_names_are_aligned(run_warm: Run, home: Path):
    with closing_store(Answers(database(home).parent)) as answers:
        for name in ("日本語", "plain name"):
            answers.sessions().put(name, "a-model", None, [Exchange("why?", "So.")])
    lines = run_warm("sessions", "list").text.splitlines()
    assert len({wcswidth(line) for line in lines}) == 1


def test_without_any_there_is_nothing_and_nothing_is_made(run_warm: Run, home: Path):
    assert run_warm("sessions", "list").text == ""
    assert not database(home).exists()


@pytest.mark.parametrize(
    "argv", [["show", "x"], ["export", "x"], ["rename", "x", "y"], ["rm", "x"], ["show", "\udcff"]]
)
@pytest.mark.parametrize("is_there", [False, True])
def test_one_that_is_missing_is_an_input_error(argv, is_there, run_warm: Run, server: FakeServer):
    if is_there:
        begin(run_warm, server, "another", ("Hi", "Hello."))
    result = run_warm("sessions", *argv)
    assert result.status == 66, result
    assert "there is no session" in result.stderr
    assert "hint: streamcli sessions list" in result.stderr


def test_show_is_for_a_person(run_warm: Run, server: FakeServer):
    begin(run_warm, server, "work", ("What is\n\na pipe?", "A tube.\n"))
    server.enqueue(answer("Half", stop_reason="max_tokens"), answer("", stop_reason="refusal"))
    run_warm("chat", "-c", "And?")
    run_warm("chat", "-c", "And now?")
    shown = run_warm("sessions", "show", "work").text
    assert shown == (
        "> What is\n>\n> a pipe?\n\nA tube.\n\n> And?\n\nHalf\n[cut off]\n\n> And now?\n\n[refused by the model]\n"
    )


def test_what_a_killed_run_left_is_shown(spawn: Spawn, run_warm: Run, server: FakeServer):
    server.enqueue(Reply(steps=[*opening(), text("Half of"), wait("never")]))
    process = spawn("chat", "--session", "work", "--coalesce", "0", "Hi")
    process.read_until(b"Half of")
    assert run_warm("sessions", "show", "work").text == "> Hi\n\n[not answered yet, or interrupted]\n"
    process.signal(signal.SIGKILL)
    process.finish()
    assert run_warm("sessions", "show", "work").text == "> Hi\n\nHalf of\n[cut off]\n"


def test_export_as_json_has_all_of_it(run_warm: Run, server: FakeServer):
    begin(run_warm, server, "work", ("One?", 'naïve "日本語"\n'))
    server.enqueue(answer("Half", stop_reason="max_tokens"))
    run_warm("chat", "-c", "-m", "other", "Two?")
    first, second = map(json.loads, run_warm("sessions", "export", "work", "-f", "json").text.splitlines())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", first.pop("created"))
    assert first == {
        "session": "work",
        "exchange": 1,
        "model": "claude-sonnet-5-5",
        "question": "One?",
        "attachments": [],
        "answer": 'naïve "日本語"\n',
        "cut": False,
        "refused": False,
    }
    assert (second["exchange"], second["model"], second["answer"], second["cut"]) == (2, "other", "Half", True)


def test_export_as_markdown_has_headings(run_warm: Run, server: FakeServer):
    begin(run_warm, server, "work", ("One?", "```sh\nls\n```\n"), ("Two?", "Yes."))
    exported = run_warm("sessions", "export", "work").text
    expected = (
        "# work\n\n## You, TIME\n\nOne?\n\n## claude-sonnet-5-5\n\n```sh\nls\n```\n"
        "\n## You, TIME\n\nTwo?\n\n## claude-sonnet-5-5\n\nYes.\n"
    )
    assert re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "TIME", exported) == expected


@pytest.mark.parametrize("argv", [["list"], ["show", "work"], ["export", "work"], ["export", "work", "-f", "json"]])
def test_on_a_terminal_nothing_in_it_is_obeyed(argv, spawn: Spawn, run_warm: Run, server: FakeServer):
    begin(run_warm, server, "work", (f"a{NASTY}b", f"c{NASTY}d"))
    process = spawn("sessions", *argv, stdout="tty")
    tty = process.finish().tty.decode()
    assert "\x1b" not in tty
    assert "\x07" not in tty
    assert "\u202e" not in tty
    if argv[0] != "list":
        assert NASTY in (piped := run_warm("sessions", *argv).text) or "\\u001b" in piped


def test_rename(run_warm: Run, server: FakeServer):
    begin(run_warm, server, "one", ("1", "A"))
    begin(run_warm, server, "two", ("2", "B"))
    taken = run_warm("sessions", "rename", "one", "two")
    assert (taken.status, "sessions list" in taken.stderr, " rm " in taken.stderr) == (66, True, False)
    assert run_warm("sessions", "rename", "one", "a/b").status == 2
    assert run_warm("sessions", "rename", "one", "one").status == 0
    assert run_warm("sessions", "rename", "one", "three four").status == 0
    assert run_warm("sessions", "show", "three four").text == "> 1\n\nA\n"
    assert run_warm("sessions", "show", "one").status == 66


def test_a_session_that_is_in_use_is_not_removed_but_may_be_renamed(spawn: Spawn, run_warm: Run, server: FakeServer):
    begin(run_warm, server, "other", ("1", "A"))
    server.enqueue(Reply(steps=[*opening(), text("Hello, wor"), wait("more"), text("ld"), *closing()]))
    process = spawn("chat", "--session", "work", "--coalesce", "0", "hi")
    process.read_until(b"Hello, wor")
    result = run_warm("sessions", "rm", "work", "other")
    assert (result.status, "in use by another process: work" in result.stderr) == (66, True)
    assert run_warm("sessions", "show", "other").status == 66
    assert run_warm("sessions", "rename", "work", "play").status == 0
    server.release("more")
    assert process.finish().status == 0
    assert run_warm("sessions", "show", "play").text == "> hi\n\nHello, world\n"
    assert run_warm("sessions", "rm", "play").status == 0


@pytest.mark.parametrize("seed", [6, 7])  # of which something stays where the file is not written anew
def test_what_is_removed_leaves_the_disk(seed, run_warm: Run, home: Path):
    """Also what SQLite has moved: turns of several sessions at once make pages split in the middle."""
    chance = random.Random(seed)
    with closing_store(Answers(database(home).parent)) as answers:
        sessions = answers.sessions()
        numbers = {word: sessions.make(word, "a-model") for word in ("xyzzy", "stays")}
        open_rows = []
        for place in range(200):
            word = chance.choice(["xyzzy", "stays"])
            open_rows.append((sessions.begin(numbers[word], "question", "key"), word))
            row, word = open_rows.pop(chance.randrange(len(open_rows))) if len(open_rows) > 5 else (0, "")
            if row:
                sessions.close(row, Exchange("question", f"{word} {place} " * chance.randrange(1, 120)))
    assert run_warm("sessions", "rm", "xyzzy").status == 0
    data = b"".join(path.read_bytes() for path in database(home).parent.iterdir())
    assert (b"xyzzy" in data, b"stays" in data) == (False, True)


def test_who_waits_for_a_session_that_is_removed_is_told(spawn: Spawn, run_warm: Run, server: FakeServer, home: Path):
    """As another program would remove it: ours does not while it is in use."""
    server.enqueue(Reply(steps=[*opening(), text("Hello, wor"), wait("more"), text("ld"), *closing()]))
    first = spawn("chat", "--session", "work", "--coalesce", "0", "hi")
    first.read_until(b"Hello, wor")
    second = spawn("chat", "-c", "two")
    second.read_until(b"waiting\n", "stderr")
    db = sqlite3.connect(database(home), isolation_level=None)
    db.execute("DELETE FROM sessions")
    db.close()
    server.release("more")
    assert first.finish().status == 0
    result = second.finish()
    assert (result.status, "session work was removed meanwhile" in result.stderr) == (66, True)
    assert len(server.requests) == 1


def test_answers_are_evicted_and_sessions_are_not(run_warm: Run, server: FakeServer):
    begin(run_warm, server, "work", ("1", "A"))
    server.enqueue(answer("B"))
    run_warm("chat", "-c", "--keep-mb", "0", "--keep-days", "0", "2")
    run_warm("answers", "clear", "-q")
    assert run_warm("sessions", "show", "work").text == "> 1\n\nA\n\n> 2\n\nB\n"


# --- what cannot be used ---


@pytest.mark.parametrize("argv", [["chat", "--session", "work", "hi"], ["chat", "-c", "hi"], ["sessions", "list"]])
def test_a_damaged_file_is_an_error_before_any_request(argv, run_warm: Run, server: FakeServer, home: Path):
    begin(run_warm, server, "work", ("1", "A"))
    for suffix in ("-wal", "-shm"):
        database(home).with_name(f"streamcli.db{suffix}").unlink(missing_ok=True)
    database(home).write_bytes(b"not a database at all" * 1000)
    result = run_warm(*argv)
    assert (result.status, len(server.requests)) == (66, 1), result
    assert re.fullmatch(r"streamcli: .* cannot be read or kept: the file is damaged.*\n(hint: .*\n)?", result.stderr)
    assert ("without a session" in result.stderr) == (argv[0] == "chat")


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE exchanges SET question = 'no JSON'",
        'UPDATE exchanges SET question = \'[{"type":"alien"}]\'',
        "UPDATE exchanges SET question = x'00'",
        "UPDATE exchanges SET answer = x'00'",
        "UPDATE exchanges SET state = 'alien'",
        "UPDATE exchanges SET tokens = 'many'",
        "UPDATE sessions SET system = x'00'",
        "DROP TABLE exchanges",
    ],
)
def test_what_no_streamcli_wrote_is_an_error_and_no_crash(damage, run_warm: Run, server: FakeServer, home: Path):
    begin(run_warm, server, "work", ("1", "A"))
    db = sqlite3.connect(database(home), isolation_level=None)
    db.execute(damage)
    db.close()
    result = run_warm("chat", "--session", "work", "2")
    assert (result.status, len(server.requests)) == (66, 1), result
    assert "session work cannot be read or kept: " in result.stderr


def test_a_turn_that_cannot_be_kept_is_an_error_once_it_is_answered(spawn: Spawn, server: FakeServer, home: Path):
    server.enqueue(Reply(steps=[*opening(), text("Hello, wor"), wait("more"), text("ld"), *closing()]))
    process = spawn("chat", "--session", "work", "--coalesce", "0", "hi")
    process.read_until(b"Hello, wor")
    db = sqlite3.connect(database(home), isolation_level=None)
    db.execute("CREATE TRIGGER full BEFORE UPDATE ON exchanges BEGIN SELECT RAISE(ABORT, 'no room'); END")
    db.close()
    server.release("more")
    result = process.finish()
    assert (result.status, result.text) == (74, "Hello, world")
    assert result.stderr == "streamcli: session work cannot be kept: no room\n"


def test_a_turn_that_cannot_be_begun_is_not_asked(run_warm: Run, server: FakeServer, home: Path):
    begin(run_warm, server, "work", ("1", "A"))
    db = sqlite3.connect(database(home), isolation_level=None)
    db.execute("CREATE TRIGGER full BEFORE INSERT ON exchanges BEGIN SELECT RAISE(ABORT, 'no room'); END")
    db.close()
    result = run_warm("chat", "--session", "work", "2")
    assert (result.status, len(server.requests)) == (66, 1), result
    assert result.stderr.startswith("streamcli: session work cannot be read or kept: no room\nhint: ")


def test_without_a_state_directory_there_is_no_session_but_there_are_answers(run_warm: Run, server: FakeServer):
    result = run_warm("chat", "--session", "work", "hi", env={"STREAMCLI_STATE_DIR": "/dev/null/x"})
    assert (result.status, len(server.requests)) == (66, 0)
    assert "cannot be read or kept: Not a directory" in result.stderr
    assert run_warm("chat", "hi", env={"STREAMCLI_STATE_DIR": "/dev/null/x"}).status == 0


# --- secrets ---


def test_what_is_kept_is_masked_as_what_is_sent_is(run_warm: Run, server: FakeServer, home: Path):
    secret = "hunter2hunter2xyz"
    options = ["--redact", "-s", f"The system has password={secret}."]
    run_warm("chat", "--session", "work", *options, f"login with password={secret} please")
    run_warm("chat", "-c", "--redact", "and again?")
    assert "login with password=<PASSWORD:" in json.dumps(server.requests[0].body)
    sent = [json.dumps(request.body) for request in server.requests]
    assert not any(secret in body for body in sent)
    first, again = (request.body["messages"][0]["content"] for request in server.requests)
    assert first == again  # masked once: the server's cache finds it
    assert server.requests[0].body["system"] == server.requests[1].body["system"]
    data = b"".join(path.read_bytes() for path in database(home).parent.iterdir())
    assert secret.encode() not in data
    assert b"PASSWORD" in data


def test_a_full_disk_is_an_error_before_any_request(run: Run, server: FakeServer, home: Path):
    """A limit on the size of files is as near as a test comes to it."""
    assert run("chat", "--session", "work", "1").status == 0
    result = run("chat", "-c", "x" * 10_000, wrap='ulimit -f 8; exec "$@"')
    assert (result.status, len(server.requests)) == (66, 1), result
    assert "cannot be read or kept: " in result.stderr
    assert run("chat", "-c", "2").status == 0
    assert [message["content"] for message in server.requests[-1].body["messages"]] == ["1", "ok", "2"]
