"""A conversation on a terminal, as a person has it: keys go in, and what the screen shows is looked at."""

import os
import re
import signal
import sqlite3
import termios
import time

import pytest
from fake_server import Deltas, End, Reply, answer, closing, failure, opening, text, wait
from glass import Glass
from harness import PROGRAM

FIRST = "the first words of an answer that goes on for a while"
REST = "and the rest of it"
ALT_ENTER = "\x1b\r"
UP = "\x1b[A"


def held(name="more"):
    """An answer whose first words come at once, and the rest when the test says so."""
    return Reply(steps=[*opening(), text(f"{FIRST}\n"), wait(name), text(f"{REST}\n"), *closing()])


def pasted(content):
    return f"\x1b[200~{content}\x1b[201~"


def usual_modes():
    ours, theirs = os.openpty()
    modes = termios.tcgetattr(theirs)
    os.close(ours)
    os.close(theirs)
    return modes


def messages(server, place=-1):
    return [(message["role"], message["content"]) for message in server.requests[place].body["messages"]]


@pytest.fixture
def talk(spawn):
    """Begins a conversation: `talk("--quiet")`. It is at its prompt."""

    def talk(*options, prompt="> ", size=(24, 80), **streams):
        process = spawn("chat", *options, stdin="tty", stdout="tty", stderr="tty", size=size, **streams)
        glass = Glass(process, size)
        if prompt is not None:
            glass.wait_prompt(prompt=prompt)
        return glass

    return talk


def leave(glass):
    glass.type("\x04")
    assert glass.process.wait() == 0
    glass.process.drain()
    assert glass.modes() == usual_modes()
    return glass.lines()


@pytest.mark.parametrize("arguments", [["chat", "hi"], ["gen", "hi"], ["analyze"]])
def test_nothing_else_imports_what_a_prompt_needs(arguments, run):
    result = run(*arguments, stdin=b"a line\n", env={"PYTHONPROFILEIMPORTTIME": "1"})
    assert result.status in (0, 65)
    assert " streamcli.commands.asking\n" in result.stderr
    for module in ("prompt_toolkit", "streamcli.commands.talk", "streamcli.edge.terminal"):
        assert f" {module}\n" not in result.stderr


# A conversation


def test_a_conversation(talk, server):
    server.enqueue(answer("Hello"), answer("It is **fine**.\n"))
    glass = talk()
    glass.type("hi there\r")
    glass.wait_for("Hello")
    glass.wait_prompt()
    glass.type("how is it?\r")
    glass.wait_for("fine")
    glass.wait_prompt()
    assert messages(server) == [("user", "hi there"), ("assistant", "Hello"), ("user", "how is it?")]
    lines = leave(glass)
    assert lines[:3] == ["streamcli: /help tells what can be typed, ^D ends it", "> hi there", "Hello"]
    assert lines[3] == "> how is it?"
    assert lines[-1] == ">"


def test_the_answer_streams_and_is_not_drawn_over(talk, server):
    server.enqueue(held())
    glass = talk("-q", "-f", "text")
    glass.type("go\r")
    glass.wait_for(FIRST)
    assert glass.lines() == ["> go", FIRST]
    assert glass.cursor() == (2, 0)
    server.release("more")
    glass.wait_prompt()
    assert leave(glass) == ["> go", FIRST, REST, ">"]
    shown = glass.process.captured("tty")
    begin = shown.rindex(b"\x1b[?2004h", 0, shown.index(FIRST.encode())) + len(b"\x1b[?2004h")
    assert shown[begin : shown.index(b"\x1b", begin)] == f"{FIRST}\r\n{REST}\r\n".encode()


def test_escapes_from_the_model_are_harmless(talk, server):
    server.enqueue(answer("a\x1b[2Jb"))
    glass = talk()
    glass.type("go\r")
    glass.wait_for("a␛[2Jb")
    glass.wait_prompt()
    leave(glass)


def test_an_empty_line_asks_nothing(talk, server):
    glass = talk("-q")
    glass.type("\r")
    glass.wait(lambda lines: lines == [">", ">"], "a second prompt")
    glass.type("   \r")
    glass.wait(lambda lines: lines == [">", ">", ">"], "a third prompt")
    leave(glass)
    assert server.requests == []


def test_a_notice_in_a_table_is_where_it_is_without_a_conversation(talk, spawn, server):
    """It stays above what is drawn, also after the first prompt."""
    broken = Reply(steps=[*opening(), text("Words.\n\n| a | b |\n|---|---|\n| 1 |"), End("fin")])
    rest = answer(" 2 |\n| 3 | 4 |\n")
    server.enqueue(broken, rest, answer("so\n"), broken, rest)
    once = spawn("chat", "hi", stdin="tty", stdout="tty", stderr="tty")
    assert once.wait() == 0
    once.drain()
    expected = Glass(once).lines()
    assert any("continued" in line or "resum" in line for line in expected), expected
    glass = talk()
    glass.type("so\r")
    glass.wait_prompt()
    glass.wait_for("so")
    glass.type("hi\r")
    glass.wait_for("3 │ 4")
    lines = glass.wait_prompt()
    leave(glass)
    varying = re.compile(r"req_test_\d|in \d\.\d s")
    shown = lines[lines.index("> hi") + 1 : -1]
    assert [varying.sub("", line) for line in shown] == [varying.sub("", line) for line in expected]


# Lines


def test_a_message_of_several_lines(talk, server):
    glass = talk("-q")
    glass.type(f"one{ALT_ENTER}two")
    glass.wait(lambda lines: lines == ["> one", "  two"], "two lines")
    glass.type("\\\rthree\r")
    glass.wait_for("ok")
    glass.wait_prompt()
    assert messages(server) == [("user", "one\ntwo\nthree")]
    assert leave(glass)[:4] == ["> one", "  two", "  three", "ok"]


def test_a_paste_is_one_message_and_not_sent_by_itself(talk, server):
    glass = talk("-q")
    glass.type(pasted("def f():\r\tpass\r\r# end\r"))
    glass.wait(lambda lines: lines[-1:] == ["  # end"] and glass.cursor() == (4, 2), "all that was pasted")
    assert server.requests == []
    glass.type("what is it?\r")
    glass.wait_for("ok")
    assert messages(server) == [("user", "def f():\n\tpass\n\n# end\nwhat is it?")]
    glass.wait_prompt()
    leave(glass)


def test_a_line_longer_than_the_screen_is_wide_and_a_resize(talk, server):
    glass = talk("-q", size=(12, 40))
    glass.type("word " * 10 + "end")
    glass.wait(lambda lines: len(lines) == 2 and lines[1].endswith("end"), "two lines")
    glass.resize(12, 100)
    glass.wait(lambda lines: lines == ["> " + "word " * 10 + "end"], "one line")
    glass.type("\r")
    glass.wait_for("ok")
    glass.resize(12, 30)
    glass.type("and now?\r")
    glass.wait(lambda lines: lines[-2:] == ["ok", ">"] and len(server.requests) == 2, "an answer")
    assert messages(server)[0] == ("user", "word " * 10 + "end")
    leave(glass)


def test_the_users_own_editor(talk, server, tmp_path):
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nprintf "written\\nelsewhere" > "$1"\n')
    editor.chmod(0o700)
    glass = talk("-q", env={"VISUAL": str(editor)})
    glass.type("x\x18\x05")
    glass.wait_for("elsewhere")
    glass.type("\r")
    glass.wait_for("ok")
    assert messages(server) == [("user", "written\nelsewhere")]
    glass.wait_prompt()
    leave(glass)


# ^C and ^D


def test_control_c_stops_the_answer_and_keeps_the_conversation(talk, server):
    server.enqueue(held())
    glass = talk()
    glass.type("go\r")
    glass.wait_for(FIRST)
    server.wait_reached("more")
    at = time.monotonic()
    glass.type("\x03")
    glass.wait_for("streamcli: interrupted: the answer is kept as far as it came")
    assert server.wait_closed()[0].closed_at - at < 5.0
    glass.wait_prompt()
    glass.type("go on\r")
    glass.wait_for("ok")
    kept = messages(server)
    assert kept[0] == ("user", "go")
    assert kept[1][0] == "assistant"
    assert kept[1][1].startswith(FIRST)
    assert REST not in kept[1][1]
    assert kept[2] == ("user", "go on")
    glass.wait_prompt()
    leave(glass)


def test_a_line_that_was_cut_off_ends_before_what_is_said_about_it(talk, server):
    server.enqueue(Reply(steps=[*opening(), text("no newline here, and so on"), wait("more")]))
    glass = talk("-q", "--coalesce", "0")
    glass.type("go\r")
    glass.wait_for("so on")
    glass.type("\x03")
    glass.wait_prompt()
    assert glass.lines() == ["> go", "no newline here, and so on", ">"]
    leave(glass)


def test_control_c_before_any_text(talk, server):
    server.enqueue(Reply(before=[wait("headers")]))
    glass = talk()
    glass.type("go\r")
    server.wait_reached("headers")
    glass.type("\x03")
    glass.wait_for("interrupted: there is no answer")
    glass.wait_prompt()
    leave(glass)


def test_control_c_at_the_prompt_clears_the_line(talk, server):
    glass = talk("-q")
    glass.type("never mind")
    glass.wait_prompt("never mind")
    glass.type("\x03")
    glass.wait_prompt()
    glass.type("this\r")
    glass.wait_for("ok")
    assert messages(server) == [("user", "this")]
    glass.wait_prompt()
    leave(glass)


def test_control_c_on_an_empty_line_tells_how_to_leave(talk, server):
    glass = talk()
    glass.type("\x03")
    glass.wait_for("streamcli: ^D ends the conversation")
    glass.wait_prompt()
    leave(glass)


def test_control_d_in_a_line_is_not_the_end(talk, server):
    glass = talk()
    glass.type("ab\x01\x04")
    glass.wait(lambda lines: lines[-1] == "> b", "a deleted character")
    glass.type("\x04\x04")
    assert glass.process.wait() == 0


def test_the_second_control_c_ends_what_hangs(talk, server):
    """^S: nothing more gets to the terminal, so that an answer which was stopped cannot come to its end."""
    server.enqueue(Reply(steps=[*opening(), wait("stopped"), Deltas("x" * 79 + "\n", 5_000), wait("more")]))
    glass = talk("-q")
    glass.type("go\r")
    server.wait_reached("stopped")
    glass.type("\x13")
    server.release("stopped")
    server.wait_reached("more")
    glass.type("\x03")
    server.wait_closed()
    while glass.process.status is None:  # two that come at once are one
        glass.type("\x03")
        glass.process._reaped.wait(0.2)
    assert glass.process.wait() == -signal.SIGINT
    assert glass.modes() == usual_modes()


# What is typed meanwhile


def test_what_is_typed_during_an_answer_waits_unseen_for_the_prompt(talk, server):
    server.enqueue(held())
    glass = talk("-q")
    glass.type("go\r")
    glass.wait_for(FIRST)
    glass.type("then this\rand that")
    server.release("more")
    glass.wait_prompt("and that")
    assert glass.lines() == ["> go", FIRST, REST, "> then this", "ok", "> and that"]
    assert [content for role, content in messages(server) if role == "user"] == ["go", "then this"]
    glass.type("\x15")
    glass.wait_prompt()
    leave(glass)


def test_what_is_pasted_during_an_answer_is_one_message(talk, server):
    server.enqueue(held())
    glass = talk("-q")
    glass.type("go\r")
    glass.wait_for(FIRST)
    assert glass.process.captured("tty").rstrip(b"\r\n").endswith(FIRST.encode())
    assert glass.process.captured("tty").rfind(b"\x1b[?2004h") > glass.process.captured("tty").rfind(b"\x1b[?2004l")
    glass.type(pasted("one\rtwo\r"))
    server.release("more")
    glass.wait(lambda lines: lines[-2:] == ["> one", "  two"], "what was pasted")
    assert len(server.requests) == 1
    glass.type("\r")
    glass.wait_for("ok")
    assert messages(server)[-1] == ("user", "one\ntwo\n")
    glass.wait_prompt()
    leave(glass)


def test_what_was_typed_before_control_c_is_gone(talk, server):
    server.enqueue(held())
    glass = talk()
    glass.type("go\r")
    glass.wait_for(FIRST)
    glass.type("not this\r\x03")
    glass.wait_for("interrupted")
    glass.wait_prompt()
    leave(glass)
    assert len(server.requests) == 1


# Commands


def test_help_and_completion(talk):
    glass = talk("-q")
    glass.type("/\t")
    lines = glass.wait_for("/export")
    assert any("write the conversation to a new file" in line for line in lines)
    glass.type("\x03")
    glass.wait_prompt()
    glass.type("/he\t")
    glass.wait_prompt("/help")
    glass.type("\r")
    lines = glass.wait_for("/usage")
    glass.wait_prompt()
    assert all(len(line) < 80 for line in lines)
    glass.type("hello\t")
    glass.wait_prompt("hello")
    glass.type("\x15/exit\r")
    assert glass.process.wait() == 0


def test_an_unknown_command_is_not_sent(talk, server):
    glass = talk()
    glass.type("/hlep\r")
    glass.wait_for("streamcli: there is no command /hlep")
    glass.wait_for("hint: did you mean /help?")
    glass.wait_prompt()
    glass.type("/foo\r")
    glass.wait_for("hint: /help lists them; //foo sends it as it is")
    glass.wait_prompt()
    assert server.requests == []
    glass.type("//foo\r")
    glass.wait_for("ok")
    glass.wait_prompt()
    glass.type("/etc/passwd what is this\r")
    glass.wait(lambda lines: lines.count("ok") == 2, "an answer")
    assert [content for role, content in messages(server) if role == "user"] == ["/foo", "/etc/passwd what is this"]
    glass.wait_prompt()
    leave(glass)


def test_model_and_system(talk, server, tmp_path):
    (tmp_path / "prompt").write_text("from a file")
    glass = talk("-m", "claude-one", "-s", "be brief")
    glass.type("/model\r")
    glass.wait(lambda lines: lines[-2:] == ["claude-one", ">"], "the model")
    glass.type("/system\r")
    glass.wait(lambda lines: lines[-2:] == ["be brief", ">"], "the system prompt")
    glass.type(f"/model claude-two\r/system @{tmp_path}/prompt\rgo\r")
    glass.wait(lambda lines: lines[-2:] == ["ok", ">"], "an answer")
    assert (server.requests[-1].body["model"], server.requests[-1].body["system"]) == ("claude-two", "from a file")
    glass.type("/system -\rgo\r")
    glass.wait(lambda lines: lines[-2:] == ["ok", ">"] and len(server.requests) == 2, "an answer")
    assert server.requests[-1].body["system"].startswith("You answer")
    glass.type(f"/system @{tmp_path}/missing\r")
    glass.wait_for("streamcli: cannot read the system prompt")
    glass.wait_prompt()
    leave(glass)


def test_retry_undo_and_clear(talk, server):
    server.enqueue(answer("first\n"), answer("second\n"), answer("third\n"), answer("fourth\n"))
    glass = talk()
    glass.type("/retry\r")
    glass.wait_for("there is no question yet")
    glass.type("/undo\r")
    glass.wait_for("there is nothing to take back")
    glass.type("one\r")
    glass.wait_for("first")
    glass.type("/retry\r")
    glass.wait_for("second")
    assert messages(server) == [("user", "one")]
    glass.type("two\r")
    glass.wait_for("third")
    assert messages(server) == [("user", "one"), ("assistant", "second\n"), ("user", "two")]
    glass.type("/undo\r")
    glass.wait_for("streamcli: taken back: two")
    glass.type("/clear\r")
    glass.wait_for("the conversation begins anew")
    glass.type("/reset is not meant\r")
    glass.wait_for("streamcli: /reset takes nothing: it was not carried out")
    glass.wait_for("hint: //reset ... sends it as a message")
    glass.type("three\r")
    glass.wait_for("fourth")
    assert messages(server) == [("user", "three")]
    glass.wait_prompt()
    leave(glass)


def test_retry_asks_the_question_that_failed_with_its_files(talk, server, tmp_path):
    (tmp_path / "notes.txt").write_text("words\n")
    glass = talk("--retries", "0", cwd=tmp_path)
    server.enqueue(failure(503), failure(503), answer("first"), answer("second"), failure(400), answer("third"))
    glass.type("/attach notes.txt\r")
    glass.wait_for("goes along")
    glass.wait_prompt()
    for typed, count in (("one", 1), ("/retry", 2), ("/retry", 3), ("two", 4), ("three", 5), ("/retry", 6)):
        glass.type(f"{typed}\r")
        glass.wait(lambda lines, count=count: len(server.requests) == count and lines[-1] == ">", "a prompt")
        glass.wait_prompt()
    leave(glass)
    asked = [[content for role, content in messages(server, place) if role == "user"] for place in range(6)]
    for place in (0, 1, 2):
        (blocks,) = asked[place]
        assert [block["text"] for block in blocks] == ['<file name="notes.txt">\nwords\n</file>', "one"]
    assert asked[3][1:] == ["two"]
    assert asked[4][1:] == ["two", "three"]
    assert asked[5] == asked[4]


def test_a_retry_that_fails_loses_nothing_of_a_session(talk, run, server):
    server.enqueue(answer("A1"), answer("A2"), failure(503), failure(503), Reply(before=[wait("headers")]))
    run("chat", "-n", "--session", "work", "Q1")
    run("chat", "-n", "--session", "work", "Q2")
    glass = talk("--session", "work", "--retries", "0", prompt="work> ")
    for count in (3, 4):
        glass.type("/retry\r")
        glass.wait(lambda lines, count=count: sum("503" in line for line in lines) == count - 2, "an error")
        glass.wait_prompt(prompt="work> ")
    glass.type("/retry\r")
    server.wait_reached("headers")
    glass.type("\x03")
    glass.wait_for("interrupted: there is no answer")
    glass.wait_prompt(prompt="work> ")
    leave(glass)
    server.enqueue(answer("A3"))
    run("chat", "-n", "--session", "work", "Q3")
    assert [content for _, content in messages(server)] == ["Q1", "A1", "Q2", "A2", "Q3"]


def test_a_retry_that_is_killed_loses_neither_answer(talk, run, server):
    server.enqueue(answer("A1"), held())
    run("chat", "-n", "--session", "work", "Q1")
    glass = talk("--session", "work", prompt="work> ")
    glass.type("/retry\r")
    glass.wait_for(FIRST)
    glass.process.signal(signal.SIGKILL)
    glass.process.wait()
    run("chat", "-n", "--session", "work", "Q2")
    said = [content for _, content in messages(server)]
    assert said[:3] == ["Q1", "A1", "Q1"]
    assert said[3].startswith(FIRST)


def test_usage(talk, server):
    server.enqueue(answer("a", input_tokens=1000, output_tokens=50), answer("b", input_tokens=2000, output_tokens=50))
    glass = talk("-m", "claude-sonnet-4-5")
    glass.type("one\rtwo\r")
    glass.wait(lambda lines: lines[-2:] == ["b", ">"], "two answers")
    glass.type("/usage\r")
    glass.wait_for("3,000 tokens in, 100 out, $0.0105")
    glass.wait_prompt()
    leave(glass)


def test_export(talk, server, tmp_path):
    server.enqueue(answer("# An answer\n\nwith words"), held())
    glass = talk("-q", cwd=tmp_path)
    glass.type(f"one{ALT_ENTER}{ALT_ENTER}line\rtwo\r")
    glass.wait_for(FIRST)
    glass.type("\x03")
    glass.wait_prompt()
    glass.type("/export talk.md\r")
    glass.wait(lambda lines: lines[-2:] == ["> /export talk.md", ">"], "the prompt")
    assert (tmp_path / "talk.md").read_text() == (
        "## You\n\none\n\nline\n\n## Answer\n\n# An answer\n\nwith words\n\n"
        f"## You\n\ntwo\n\n## Answer\n\n{FIRST}\n\n*[cut off]*\n"
    )
    glass.type("/export talk.md\r")
    glass.wait_for("streamcli: talk.md exists")
    glass.wait_for("hint: give another name, or remove it first")
    glass.wait_prompt()
    glass.type("/export\r")
    glass.wait_for("/export needs the name of a file")
    glass.wait_prompt()
    leave(glass)


def test_files_go_along_with_the_next_message(talk, server, tmp_path):
    (tmp_path / "first.txt").write_text("of the start\n")
    (tmp_path / "later.txt").write_text("of later\n")
    glass = talk("-q", "-a", "first.txt", cwd=tmp_path)
    for typed in ("one", "/attach later.txt", "/attach nowhere.txt", "two", "three"):
        glass.type(f"{typed}\r")
        glass.wait_for(f"> {typed}")
        glass.wait_prompt()
    assert "streamcli: cannot read nowhere.txt: No such file or directory" in leave(glass)
    one, _, two, _, three = (content for _, content in messages(server))
    assert [block["text"] for block in one] == ['<file name="first.txt">\nof the start\n</file>', "one"]
    assert [block["text"] for block in two] == ['<file name="later.txt">\nof later\n</file>', "two"]
    assert three == "three"


# Sessions


def test_a_conversation_that_is_saved_goes_on(talk, server):
    server.enqueue(answer("first\n"), answer("second\n"), held(), answer("fourth\n"))
    glass = talk()
    glass.type("one\r")
    glass.wait_for("first")
    glass.wait_prompt()
    glass.type("/save work\r")
    glass.wait_for("streamcli: kept from now on: streamcli chat --session work goes on")
    glass.wait_prompt(prompt="work> ")
    glass.type(f"two{ALT_ENTER}lines\r")
    glass.wait_for("second")
    assert "      lines" in glass.wait_prompt(prompt="work> ")
    glass.type("three\r")
    glass.wait_for(FIRST)
    glass.type("\x03")
    glass.wait_for("interrupted: the answer is kept")
    glass.wait_prompt(prompt="work> ")
    glass.type("/save other\r")
    glass.wait_for("the conversation is session work already")
    glass.wait_prompt(prompt="work> ")
    leave(glass)
    glass = talk("-c", prompt="work> ")
    glass.type("four\r")
    glass.wait_for("fourth")
    said = messages(server)
    assert [content for role, content in said if role == "user"] == ["one", "two\nlines", "three", "four"]
    assert said[5][1].startswith(FIRST)
    glass.wait_prompt(prompt="work> ")
    glass.type("/undo\r")
    glass.wait_for("taken back: four")
    glass.wait_prompt(prompt="work> ")
    leave(glass)


def test_waiting_for_a_session_that_is_in_use_can_be_stopped(talk, spawn, server):
    server.enqueue(held())
    other = spawn("chat", "-n", "--session", "work", "one")
    other.read_until(FIRST.encode())
    glass = talk("--session", "work", prompt="work> ")
    for command, said in (("/undo", "interrupted: nothing was changed"), ("two", "interrupted: there is no answer")):
        glass.type(f"{command}\r")
        glass.wait(lambda lines: lines[-1].endswith("waiting"), "a notice that it is waited")
        glass.type("\x03")
        glass.wait_for(said)
        glass.wait_prompt(prompt="work> ")
    server.release("more")
    assert other.finish().status == 0
    glass.type("two\r")
    glass.wait_for("ok")
    assert [content for role, content in messages(server) if role == "user"] == ["one", "two"]
    glass.wait_prompt(prompt="work> ")
    leave(glass)


def test_the_export_of_a_session_has_all_of_it(talk, run, server, tmp_path):
    for question in ("one", "two", "three"):
        assert run("chat", "-n", "--session", "work", question).status == 0
    glass = talk("--session", "work", "--max-history", "1", prompt="work> ", cwd=tmp_path)
    glass.type("/export talk.md\r")
    glass.wait(lambda lines: lines[-1] == "work>" and "streamcli: exported to talk.md" in lines, "the prompt")
    leave(glass)
    exported = (tmp_path / "talk.md").read_text()
    assert re.findall("one|two|three|ok", exported) == ["one", "ok", "two", "ok", "three", "ok"]


def test_a_name_that_is_taken_is_refused_and_the_conversation_goes_on(talk, run, server):
    assert run("chat", "-n", "--session", "work", "one").status == 0
    glass = talk()
    glass.type("/save work\r")
    glass.wait_for("streamcli: there is a session work already")
    glass.wait_prompt()
    glass.type("/save a/b\r")
    glass.wait_for("is no name for a session")
    glass.wait_prompt()
    glass.type("/save\r")
    glass.wait_for("kept from now on: streamcli chat --session 2")
    glass.type("\x04")
    assert glass.process.wait() == 0


def test_the_turn_of_another_process_is_not_taken_back_unseen(talk, run, server):
    server.enqueue(answer("A1"), answer("A2"), answer("A3"), answer("A4"), answer("A5"))
    run("chat", "-n", "--session", "work", "Q1")
    glass = talk("--session", "work", prompt="work> ")
    glass.type("Q2\r")
    glass.wait_for("A2")
    for question, command in (("Q3", "/undo"), ("Q4", "/retry")):
        glass.wait_prompt(prompt="work> ")
        run("chat", "-n", "--session", "work", question)
        glass.type(f"{command}\r")
        glass.wait_for(f"hint: its last question is now: {question}")
        glass.wait_prompt(prompt="work> ")
    assert len(server.requests) == 4
    for question in ("Q4", "Q3", "Q2", "Q1"):
        glass.type("/undo\r")
        glass.wait_for(f"taken back: {question}")
        glass.wait_prompt(prompt="work> ")
    leave(glass)


def test_clear_says_what_is_gone(talk, run):
    for question in ("Q1", "Q2", "Q3"):
        run("chat", "-n", "--session", "work", question)
    glass = talk("--session", "work", "--max-history", "1", prompt="work> ")
    glass.type("/clear\r")
    glass.wait_for("the conversation begins anew: 3 exchanges removed from session work")
    glass.wait_prompt(prompt="work> ")
    leave(glass)


def test_a_session_that_is_removed_elsewhere_goes_on_in_memory(talk, run, server):
    server.enqueue(answer("A1"), answer("A2"), answer("A3"))
    run("chat", "-n", "--session", "work", "Q1")
    glass = talk("--session", "work", prompt="work> ")
    assert run("sessions", "rm", "work").status == 0
    glass.type("Q2\r")
    glass.wait_for("A2")
    glass.wait_prompt()
    assert sum("was removed meanwhile" in line for line in glass.lines()) == 1
    glass.type("/save work\r")
    glass.wait_prompt(prompt="work> ")
    leave(glass)
    run("chat", "-n", "-c", "Q3")
    assert [content for _, content in messages(server)] == ["Q1", "A1", "Q2", "A2", "Q3"]


def test_a_long_name_of_wide_characters_leaves_room_to_type(talk, server):
    glass = talk("--session", "\u6f22" * 100, prompt=None)
    glass.wait(lambda lines: lines[-1:] and lines[-1].endswith("...>"), "the prompt")
    glass.type("hello there\r")
    glass.wait_for("ok")
    assert messages(server) == [("user", "hello there")]
    glass.type("\x04")
    assert glass.process.wait() == 0


def test_what_goes_along_is_listed_and_taken_back(talk, server, tmp_path):
    (tmp_path / "my notes.txt").write_text("SECRET\n")
    glass = talk(cwd=tmp_path)
    glass.type("/export x.md\r")
    glass.wait_for("there is nothing to export yet")
    glass.type("/attach 'my notes.txt'\r/attach\r")
    glass.wait_for("streamcli: going along with the next message: my notes.txt")
    glass.type("/attach -\r")
    glass.wait_for("not going along with the next message: my notes.txt")
    glass.type("/attach my\\ notes.txt\rone\r")
    glass.wait_for("ok")
    glass.wait_prompt()
    assert len(messages(server)[0][1]) == 2
    glass.type("/undo\r")
    lines = glass.wait_for("taken back: [my notes.txt] one")
    assert not any("SECRET" in line for line in lines)
    glass.wait_prompt()
    leave(glass)


# What was typed before


def test_history_across_runs(talk, server, home):
    glass = talk()
    glass.type("first question\r")
    glass.wait_for("ok")
    glass.wait_prompt()
    glass.type(" a secret\r")
    glass.wait(lambda lines: lines.count("ok") == 2, "an answer")
    glass.wait_prompt()
    glass.type("/usage\r")
    glass.wait_for("tokens in")
    glass.wait_prompt()
    leave(glass)
    (database,) = home.glob("state/**/streamcli.db")
    assert database.stat().st_mode & 0o777 == 0o600
    glass = talk()
    glass.type(UP)
    glass.wait_prompt("/usage")
    glass.type(UP)
    glass.wait_prompt("first question")
    glass.type("\x03\x12first\r")
    glass.wait_prompt("first question")
    glass.type("\x15")
    glass.wait_prompt()
    leave(glass)
    with sqlite3.connect(database) as db:
        assert db.execute("SELECT text FROM typed ORDER BY id").fetchall() == [("first question",), ("/usage",)]
    db.close()


def test_two_at_once_keep_what_both_have_typed(talk, server):
    one, two = talk(), talk()
    one.type("from one\r")
    one.wait_for("ok")
    one.wait_prompt()
    two.type("from two\r")
    two.wait_for("ok")
    two.wait_prompt()
    leave(one)
    leave(two)
    glass = talk()
    glass.type(UP)
    glass.wait_prompt("from two")
    glass.type(UP)
    glass.wait_prompt("from one")
    glass.type("\x15")
    glass.wait_prompt()
    leave(glass)


def test_with_redact_nothing_that_is_typed_is_kept(talk, server, home):
    glass = talk("--redact")
    glass.type("password=hunter2\r")
    glass.wait_for("ok")
    glass.wait_prompt()
    glass.type(UP)
    glass.wait_prompt("password=hunter2")
    glass.type("\x15")
    glass.wait_prompt()
    leave(glass)
    assert messages(server)[0][1].startswith("password=<PASSWORD:")
    assert not any(b"hunter2" in file.read_bytes() for file in home.rglob("*") if file.is_file())


def test_a_history_that_cannot_be_kept_is_said_and_does_without(talk, server, home):
    (home / "state").touch()
    glass = talk()
    glass.wait_for("streamcli: what is typed cannot be kept for the next conversation")
    glass.type("go\r")
    glass.wait_for("ok")
    glass.wait_prompt()
    glass.type(UP)
    glass.wait_prompt("go")
    glass.type("\x15")
    glass.wait_prompt()
    leave(glass)


# Errors


def test_an_answer_that_fails_does_not_end_the_conversation(talk, server):
    server.enqueue(failure(401), Reply(steps=[*opening(), text("half a line"), End("fin")]))
    glass = talk("--on-break", "fail", "--retries", "0")
    glass.type("one\r")
    glass.wait_for("request req_status_401")
    glass.wait_prompt()
    glass.type("two\r")
    glass.wait_for("streamcli: the stream broke")
    assert "half a line" in glass.lines()
    assert not any("--resume" in line for line in glass.lines())
    glass.wait_prompt()
    glass.type("three\r")
    glass.wait_for("ok")
    glass.wait_prompt()
    leave(glass)


def test_without_a_key_it_ends_at_once(spawn):
    process = spawn("chat", stdin="tty", stdout="tty", stderr="tty", env={"ANTHROPIC_API_KEY": None})
    assert process.wait() == 77
    process.drain()
    glass = Glass(process)
    assert any(line.startswith("hint: ") for line in glass.lines())
    assert glass.modes() == usual_modes()


def test_json_is_not_for_a_terminal(spawn):
    process = spawn("chat", "-f", "json", stdin="tty", stdout="tty")
    assert process.finish().status == 2


@pytest.mark.parametrize("options", [["-n"], ["--dry-run"], ["--count-tokens"]])
def test_where_there_is_no_conversation_a_prompt_is_asked_for(spawn, options):
    process = spawn("chat", *options, stdin="tty", stdout="tty")
    assert process.finish().status == 2


# The terminal


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT])
def test_a_signal_at_the_prompt_ends_it_and_restores_the_terminal(number, talk):
    glass = talk()
    glass.type("half a li")
    glass.wait_prompt("half a li")
    glass.process.signal(number)
    assert glass.process.wait() == -number
    assert glass.modes() == usual_modes()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_during_an_answer_ends_it_and_restores_the_terminal(number, talk, server):
    server.enqueue(held())
    glass = talk()
    glass.type("go\r")
    glass.wait_for(FIRST)
    glass.process.signal(number)
    assert glass.process.wait() == -number
    glass.process.drain()
    assert glass.modes() == usual_modes()
    assert glass.process.captured("tty").rfind(b"\x1b[?2004l") > glass.process.captured("tty").rfind(b"\x1b[?2004h")
    server.wait_closed()


def test_a_terminal_that_goes_away_ends_it(talk):
    glass = talk()
    glass.process.close("tty")
    assert glass.process.wait() in (-signal.SIGHUP, 74, 0)


def test_a_crash_restores_the_terminal(talk, tmp_path):
    broken = tmp_path / "sitecustomize.py"
    broken.write_text(
        "import streamcli.commands.turns as t\nasync def ask(*_): raise RuntimeError('oh')\nt.Turns.ask_typed = ask\n"
    )
    path = f"{tmp_path}{os.pathsep}{os.path.dirname(os.path.dirname(os.path.abspath(__file__)))}"
    glass = talk(env={"PYTHONPATH": path, "TMPDIR": str(tmp_path)})
    glass.type("go\r")
    glass.wait_for("streamcli: a bug in streamcli: RuntimeError")
    assert glass.process.wait() == 70
    assert glass.modes() == usual_modes()


def test_a_terminal_that_only_prints(talk, server):
    server.enqueue(answer("one\n"), held())
    glass = talk("-q", env={"TERM": "dumb"})
    glass.type("hello\\\r")
    glass.wait(lambda lines: lines == ["> hello\\"] and glass.cursor() == (1, 2), "another line")
    glass.type("there\r")
    glass.wait_for("one")
    glass.wait_prompt()
    assert messages(server) == [("user", "hello\nthere")]
    glass.type("never mind")
    glass.wait_prompt("never mind")
    glass.type("\x03")
    glass.wait(lambda lines: lines[-2:] == ["> never mind^C", ">"], "another prompt")
    glass.type("again\r")
    glass.wait_for(FIRST)
    glass.type("\x03")
    glass.wait(lambda lines: lines[-2:] == ["^C", ">"], "another prompt")
    assert messages(server)[-1] == ("user", "again")
    leave(glass)
    assert b"\x1b" not in glass.process.captured("tty")


def test_no_color(talk):
    glass = talk(env={"NO_COLOR": "1"})
    glass.type("/\t")
    glass.wait_for("/export")
    glass.type("\x03")
    glass.wait_prompt()
    leave(glass)
    codes = {
        code
        for sequence in re.findall(rb"\x1b\[([\d;]*)m", glass.process.captured("tty"))
        for code in sequence.split(b";")
    }
    assert codes <= {b"0", b"1", b"4", b"7"}


@pytest.fixture
def shell(spawn, tmp_path):
    """A shell with job control."""
    process = spawn(
        program=["bash", "--norc", "--noprofile", "-i"],
        stdin="tty",
        stdout="tty",
        stderr="tty",
        env={"PS1": "sh$ ", "HISTFILE": None},
        cwd=tmp_path,
    )
    glass = Glass(process)
    glass.wait_prompt(prompt="sh$ ")
    yield glass
    os.killpg(process.pid, signal.SIGHUP)


def in_shell(*options):
    return " ".join([*PROGRAM, "chat", "-q", *options]) + "\r"


def test_it_is_stopped_at_the_prompt_and_goes_on(shell, server):
    shell.type("stty -a > before; " + in_shell())
    shell.wait_prompt()
    shell.type("half a ")
    shell.wait_prompt("half a ")
    shell.type("\x1a")
    shell.wait_for("Stopped")
    shell.wait_prompt(prompt="sh$ ")
    shell.type("stty -a > meanwhile; echo mean''while\r")
    shell.wait_for("meanwhile")
    shell.type("fg\r")
    shell.wait_prompt("half a ")
    shell.type("line\r")
    shell.wait_for("ok")
    assert messages(server) == [("user", "half a line")]
    shell.wait_prompt()
    shell.type("\x04")
    shell.wait_prompt(prompt="sh$ ")
    shell.type("stty -a > after; cmp before meanwhile && cmp before after && echo the''same\r")
    shell.wait_for("thesame")


def test_it_is_stopped_during_an_answer_and_goes_on(shell, server):
    server.enqueue(held())
    shell.type("stty -a > before; " + in_shell())
    shell.wait_prompt()
    shell.type("go\r")
    shell.wait_for(FIRST)
    shell.type("\x1a")
    shell.wait_for("Stopped")
    shell.wait_prompt(prompt="sh$ ")
    shell.type("stty -a > meanwhile; cmp before meanwhile && echo the''same\r")
    shell.wait_for("thesame")
    shell.type("fg\r")
    # The program's path may be longer than a row.
    shell.wait(lambda lines: "".join(lines).count("-m streamcli") >= 3, "the job in the foreground")
    shell.type("then this")
    server.release("more")
    shell.wait_for(REST)
    shell.wait_prompt("then this")
    assert not any(line.startswith("then") for line in shell.lines())  # it was not echoed
    shell.type("\r")
    shell.wait_for("ok")
    shell.wait_prompt()
    shell.type("\x04")
    shell.wait_prompt(prompt="sh$ ")
    shell.type("stty -a > after; cmp before after && echo all''same\r")
    shell.wait_for("allsame")


@pytest.mark.parametrize("streams", ["", " 2>notes"])
def test_what_is_drawn_makes_room_for_the_shell(streams, shell, server):
    server.enqueue(Reply(steps=[*opening(), text("Done.\n\none\ntwo"), wait("more"), text(" three\n"), *closing()]))
    shell.type(in_shell().rstrip("\r") + streams + "\r")
    shell.wait_prompt()
    shell.type("go\r")
    shell.wait_for("two")
    shell.type("\x1a")
    shell.wait_for("Stopped")
    shell.wait_prompt(prompt="sh$ ")
    shell.type("echo mean''while; echo and th''is\r")
    shell.wait_for("and this")
    shell.type("fg\r")
    shell.wait(lambda lines: lines[-2:] == ["one", "two"], "what had been drawn")
    server.release("more")
    lines = shell.wait_prompt()
    assert lines[-3:] == ["one", "two three", ">"]
    assert lines.count("one") == 1
    assert lines[lines.index("meanwhile") :][:2] == ["meanwhile", "and this"]
    shell.type("\x04")
    shell.wait_prompt(prompt="sh$ ")


def test_a_process_that_was_stopped_otherwise_has_its_prompt_again(talk, server):
    """By SIGSTOP, after which a shell has the terminal as it likes it."""
    glass = talk("-q")
    glass.type("half a ")
    glass.wait_prompt("half a ")
    glass.process.signal(signal.SIGSTOP)
    glass.process.wait_stopped()
    termios.tcsetattr(glass.process._terminal, termios.TCSANOW, usual_modes())
    shown = len(glass.process.captured("tty"))
    glass.process.signal(signal.SIGCONT)
    glass.wait(lambda _: b"half a" in glass.process.captured("tty")[shown:], "the prompt drawn again")
    glass.type("line\r")
    glass.wait_for("ok")
    assert messages(server) == [("user", "half a line")]
    assert glass.wait_prompt() == ["> half a line", "ok", ">"]
    leave(glass)


def test_in_the_background_it_waits_until_it_is_called(shell, server):
    shell.type(in_shell().rstrip("\r") + " &\r")
    shell.wait_prompt(prompt="sh$ ")
    shell.type("wait -n; jobs\r")
    shell.wait_for("Stopped")
    shell.wait_prompt(prompt="sh$ ")
    shell.type("stty -a > before; fg\r")
    shell.wait_prompt()
    shell.type("\x1a")
    shell.wait_prompt(prompt="sh$ ")
    shell.type("bg\r")
    shell.wait(lambda lines: lines[-1] == "sh$", "a prompt")
    shell.type("wait -n; jobs\r")
    shell.wait(lambda lines: sum("Stopped" in line for line in lines) >= 3, "a job that was stopped again")
    shell.type("fg\r")
    shell.wait_prompt()
    shell.type("hello\r")
    shell.wait_for("ok")
    shell.wait_prompt()
    shell.type("\x04")
    shell.wait_prompt(prompt="sh$ ")
    shell.type("stty -a > after; cmp before after && echo the''same\r")
    shell.wait_for("thesame")
