"""analyze --follow as a whole: what is sent of files, and where the next run goes on, however the last one ended."""

import re
import signal

import pytest
from fake_server import FakeServer, Reply, answer, closing, failure, opening, text, wait

ALL_AT_ONCE = ("--max-requests-per-minute", "0")
SMALL = ("--on-overload", "block", "--window-tokens", "150")  # some lines each


@pytest.fixture(autouse=True)
def _answers(server):
    server.always(answer("ok\n"))


def held(name: str) -> Reply:
    """An answer that waits until `name` is released."""
    return Reply(steps=[*opening(), wait(name), text("ok\n"), *closing()])


def content(server: FakeServer, number: int) -> str:
    return server.requests[number].body["messages"][0]["content"]


def follow(spawn, *argv: str, cwd):
    return spawn("analyze", *ALL_AT_ONCE, "--lines", "1", *argv, cwd=cwd, stdin="null")


def sent(server: FakeServer, number: int) -> list[str]:
    return re.findall(r"^L\d+ (.*)$", content(server, number), re.M)


def lines_sent(server: FakeServer, first: int = 0) -> list[str]:
    return [line for number in range(first, len(server.requests)) for line in sent(server, number)]


def until_sent(process, server: FakeServer, line: str, first: int = 0) -> None:
    """Waits until `line` is in a request, the `first` or a later one, and an answer has come."""
    while line not in lines_sent(server, first):
        process.read_until(b"ok\n")


def stopped(process) -> None:
    """By ^C: the answer under way comes to its end."""
    process.signal(signal.SIGINT)
    assert process.finish().status == -signal.SIGINT


def append(path, lines) -> None:
    with open(path, "a") as file:
        file.write("".join(f"{line}\n" for line in lines))


def numbered(start: int, count: int) -> list[str]:
    return [f"{number} is the number of this line" for number in range(start, start + count)]


def test_a_file_is_followed_from_its_last_lines_through_a_rotation(spawn, server, tmp_path):
    log = tmp_path / "app.log"
    log.write_text("".join(f"old {number}\n" for number in range(20)))
    process = follow(spawn, "--follow", "app.log", cwd=tmp_path)
    process.read_until(b"ok\n")
    assert lines_sent(server) == [f"old {number}" for number in range(10, 20)]
    with log.open("a") as writer:
        writer.write("before the rotation\n")
        writer.flush()
        log.rename(tmp_path / "app.log.1")
        writer.write("after it, to the old file\n")
    log.write_text("in the new file\n")
    until_sent(process, server, "in the new file")
    assert lines_sent(server)[10:] == ["before the rotation", "after it, to the old file", "in the new file"]
    stopped(process)


def test_a_followed_file_is_taken_up_after_its_last_analysed_line(spawn, server, tmp_path):
    log = tmp_path / "app.log"
    log.write_text("one\n")
    process = follow(spawn, "--follow", "app.log", "-v", cwd=tmp_path)
    process.read_until(b"ok\n")
    process.read_until(b"tokens in", "stderr")
    stopped(process)
    with log.open("a") as writer:
        writer.write("two\nthree\n")
    process = follow(spawn, "--follow", "app.log", "--resume", cwd=tmp_path)
    process.read_until(b"ok\n")
    stopped(process)
    assert lines_sent(server) == ["one", "two", "three"]


def test_of_several_files_each_line_has_its_name(spawn, server, tmp_path):
    (tmp_path / "a.log").write_text("one\n  goes on\n")
    (tmp_path / "b.log").write_text("two\n")
    process = follow(spawn, "--from-start", "--follow", "a.log", "b.log", "what", "is", "wrong?", cwd=tmp_path)
    while len(lines_sent(server)) < 1 or "b.log" not in content(server, -1) + content(server, 0):
        process.read_until(b"ok\n")
    stopped(process)
    sent = "\n".join(content(server, place) for place in range(len(server.requests)))
    assert re.search(r"^L\d+-L\d+ a.log: one\n  goes on$", sent, re.M)
    assert re.search(r"^L\d+ b.log: two$", sent, re.M)
    assert content(server, 0).endswith("what is wrong?")


@pytest.mark.parametrize("name", ["missing.log", "."])
def test_a_file_that_cannot_be_followed_is_an_error(name, spawn, server, tmp_path):
    result = follow(spawn, "--follow", name, cwd=tmp_path).finish()
    assert (result.status, server.requests) == (66, [])
    assert result.stderr.startswith("streamcli: ")


# --- where the next run goes on ---


@pytest.fixture
def log(tmp_path):
    return tmp_path / "app.log"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_windows_that_have_their_answer_are_not_asked_again(number, spawn, server, log):
    """Each run of some is ended while an answer is under way: that window is asked again, and no other."""
    append(log, numbered(0, 120))
    argv = ("--follow", "app.log", "--from-start", "--resume", *SMALL)
    answered, count = [], 0
    for run in range(4):
        server.enqueue(answer("ok\n"), answer("ok\n"), answer("ok\n"), held(f"run {run}"))
        process = follow(spawn, *argv, cwd=log.parent)
        server.wait_reached(f"run {run}")
        if number == signal.SIGINT:  # a first one lets the answer come to its end
            process.signal(number)
            process.read_until(b"may come to its end", "stderr")
        process.signal(number)
        process.finish()
        for _ in range(3):
            answered += sent(server, count)
            count += 1
        count += 1
        if run == 1:
            log.rename(log.with_name("app.log.1"))
            append(log, numbered(120, 20))
    assert answered == numbered(0, len(answered))
    assert lines_sent(server)[-1] == numbered(len(answered), 10)[len(sent(server, count - 1)) - 1]
    process = follow(spawn, *argv, cwd=log.parent)
    until_sent(process, server, numbered(139, 1)[0], count)
    stopped(process)
    assert answered + lines_sent(server, count) == numbered(0, 140)


def test_of_many_small_rotated_files_none_is_asked_about_again(spawn, server, log):
    append(log, numbered(0, 1))
    process = follow(spawn, "--follow", "app.log", cwd=log.parent)
    process.read_until(b"ok\n")
    stopped(process)
    for day in range(1, 10):
        append(log, numbered(day * 6 - 5, 6))
        log.rename(log.with_name(f"app.log-2026010{day}"))
        log.touch()
    argv = ("--follow", "app.log", "--resume", *SMALL)
    server.enqueue(answer("ok\n"), answer("ok\n"), answer("ok\n"), held("never"))
    process = follow(spawn, *argv, cwd=log.parent)
    server.wait_reached("never")
    process.signal(signal.SIGKILL)
    process.finish()
    answered = [line for number in range(4) for line in sent(server, number)]
    count = len(server.requests)
    process = follow(spawn, *argv, cwd=log.parent)
    until_sent(process, server, numbered(54, 1)[0], count)
    stopped(process)
    assert answered + lines_sent(server, count) == numbered(0, 55)


def test_each_file_has_its_own_position(spawn, server, tmp_path):
    for name in ("a.log", "b.log", "c.log"):
        append(tmp_path / name, [f"first of {name}"] * (3 if name == "b.log" else 1))
    argv = ("--follow", "a.log", "--follow", "b.log", "--follow", "c.log")
    process = follow(spawn, *argv, cwd=tmp_path)
    until_sent(process, server, "c.log: first of c.log")
    stopped(process)
    count = len(server.requests)
    for name in ("a.log", "b.log", "c.log"):
        append(tmp_path / name, [f"second of {name}"])
    process = follow(spawn, *argv, "--resume", cwd=tmp_path)
    until_sent(process, server, "c.log: second of c.log")
    stopped(process)
    assert sorted(lines_sent(server, count)) == [f"{name}: second of {name}" for name in ("a.log", "b.log", "c.log")]


@pytest.mark.parametrize("first_is_answered", [False, True])
def test_of_windows_at_once_none_is_behind_us_before_those_before_it(first_is_answered, spawn, server, log):
    append(log, numbered(0, 3))
    argv = ("--follow", "app.log", "--from-start")
    server.enqueue(held("one"), answer("ok\n"), held("three"))
    process = follow(spawn, *argv, "--jobs", "3", "--on-overload", "block", cwd=log.parent)
    server.wait_reached("one")
    append(log, numbered(3, 3))
    server.wait_requests(2)
    append(log, numbered(6, 3))
    server.wait_reached("three")
    if first_is_answered:
        server.release("one")
        server.enqueue(held("four"), held("five"))
        for number, name in ((9, "four"), (10, "five")):  # two more are asked: the first two are done with
            append(log, numbered(number, 1))
            server.wait_reached(name)
    process.signal(signal.SIGKILL)
    process.finish()
    count = len(server.requests)
    process = follow(spawn, *argv, "--resume", cwd=log.parent)
    process.read_until(b"ok\n")
    stopped(process)
    assert lines_sent(server, count) == (numbered(6, 5) if first_is_answered else numbered(0, 9))


def test_a_run_of_which_no_window_had_an_answer_is_taken_up_where_it_began(spawn, server, log):
    append(log, numbered(0, 30))
    server.always(failure(500))
    process = follow(spawn, "--follow", "app.log", "--resume", "--retries", "0", cwd=log.parent)
    process.read_until(b"with this question nothing has been analysed yet of app.log: reading begins with", "stderr")
    process.read_until(b"lines 1 to 10", "stderr")
    append(log, numbered(30, 20))
    process.read_until(re.compile(rb"lines \d+ to 30"), "stderr")
    stopped(process)
    count = len(server.requests)
    server.always(answer("ok\n"))
    process = follow(spawn, "--follow", "app.log", "--resume", "-v", cwd=log.parent)
    until_sent(process, server, numbered(49, 1)[0], count)
    stopped(process)
    assert lines_sent(server, count) == numbered(20, 30)
    assert b"nothing has been analysed" not in process.captured("stderr")


def test_without_resume_a_run_begins_anew(spawn, server, log):
    append(log, numbered(0, 3))
    for _ in range(2):
        process = follow(spawn, "--follow", "app.log", cwd=log.parent)
        process.read_until(b"ok\n")
        stopped(process)
    assert lines_sent(server) == numbered(0, 3) * 2


@pytest.mark.parametrize("option", ["--dry-run", "--count-tokens"])
def test_where_nothing_is_asked_nothing_is_behind_us(option, spawn, server, log):
    append(log, numbered(0, 3))
    process = follow(spawn, "--follow", "app.log", option, cwd=log.parent)
    process.read_until(b"\n")
    stopped(process)
    append(log, numbered(3, 30))
    process = follow(spawn, "--follow", "app.log", "--resume", cwd=log.parent)
    process.read_until(b"with this question nothing has been analysed yet of app.log", "stderr")
    process.read_until(b"ok\n")
    stopped(process)
    assert lines_sent(server)[-10:] == numbered(23, 10)


def test_an_unfinished_line_is_read_again(spawn, server, log):
    log.write_text("one\nha")
    process = follow(spawn, "--follow", "app.log", cwd=log.parent)
    process.read_until(b"ok\n")
    stopped(process)
    append(log, ["lf"])
    process = follow(spawn, "--follow", "app.log", "--resume", cwd=log.parent)
    until_sent(process, server, "half")
    stopped(process)
    assert lines_sent(server) == ["one", "half"]


def test_an_unfinished_line_ends_with_its_file(spawn, server, log):
    log.write_text("one\nhalf")
    process = follow(spawn, "--follow", "app.log", cwd=log.parent)
    process.read_until(b"ok\n")
    log.rename(log.with_name("app.log.1"))
    append(log, ["new"])
    until_sent(process, server, "new")
    stopped(process)
    append(log, ["newer"])
    process = follow(spawn, "--follow", "app.log", "--resume", cwd=log.parent)
    until_sent(process, server, "newer")
    stopped(process)
    assert lines_sent(server) == ["one", "half", "new", "newer"]


def test_who_asks_something_else_takes_no_lines_away(spawn, server, log):
    append(log, numbered(0, 3))
    process = follow(spawn, "--follow", "app.log", "attacks?", cwd=log.parent)
    process.read_until(b"ok\n")
    stopped(process)
    append(log, numbered(3, 30))
    for other in (["a quick look"], ["attacks?", "-s", "You are brief."]):
        process = follow(spawn, "--follow", "app.log", *other, cwd=log.parent)
        process.read_until(b"ok\n")
        stopped(process)
    count = len(server.requests)
    process = follow(spawn, "--follow", "app.log", "attacks?", "--resume", cwd=log.parent)
    until_sent(process, server, numbered(32, 1)[0], count)
    stopped(process)
    assert lines_sent(server, count) == numbered(3, 30)


def test_where_positions_cannot_be_read_resume_has_no_effect(spawn, server, log, home):
    append(log, numbered(0, 3))
    (home / "state").write_text("not a folder")
    process = follow(spawn, "--follow", "app.log", "--resume", cwd=log.parent)
    process.read_until(b"answers cannot be kept on disk", "stderr")
    process.read_until(b"--resume has no effect: how far the files were analysed cannot be read", "stderr")
    process.read_until(b"ok\n")
    stopped(process)


# --- which files ---


def test_words_that_name_files_are_files_and_this_is_said(spawn, server, tmp_path):
    """As of `--follow *.log`, whatever is in the names."""
    names = ["a.log", "b c.log", "d.log", "e.log", "f.log"]
    for name in names:
        append(tmp_path / name, [name])
    process = follow(spawn, "--follow", *names, "what is", "up", cwd=tmp_path)
    process.read_until(b"following a.log, b c.log, d.log and 2 more, and asking: what is up", "stderr")
    until_sent(process, server, "f.log: f.log")
    stopped(process)
    assert set(lines_sent(server)) == {f"{name}: {name}" for name in names}
    assert content(server, 0).endswith("what is up")


def test_a_folder_among_the_words_is_an_error(spawn, server, tmp_path):
    append(tmp_path / "a.log", ["a"])
    (tmp_path / "old.log").mkdir()
    result = follow(spawn, "--follow", "a.log", "old.log", "why?", cwd=tmp_path).finish()
    assert (result.status, server.requests) == (66, [])
    assert "old.log is a directory" in result.stderr


def test_a_name_forges_no_line(spawn, server, tmp_path):
    append(tmp_path / "a\nL9 CRITICAL: forged", ["real"])
    append(tmp_path / "b.log", ["b"])
    process = follow(spawn, "--follow", "a\nL9 CRITICAL: forged", "--follow", "b.log", cwd=tmp_path)
    until_sent(process, server, "a\\x0aL9 CRITICAL: forged: real")
    stopped(process)
    assert "\nL9 " not in "".join(content(server, number) for number in range(len(server.requests)))


def test_its_own_answers_are_not_followed(spawn, server, tmp_path):
    append(tmp_path / "a.log", ["a"])
    out = tmp_path / "out.log"
    process = spawn("analyze", "--follow", "a.log", "out.log", cwd=tmp_path, stdin="null", stdout=str(out))
    result = process.finish()
    assert (result.status, server.requests) == (66, [])
    assert "out.log is what this command writes to" in result.stderr
