"""gen: code that is whole and valid, or not there."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import Run, Spawn
from fake_server import FIN, Deltas, FakeServer, Reply, Request, answer, closing, failure, opening, text, wait

OLD = "print('old')\n"


def code(*lines: str, word: str = "python") -> Any:
    return answer(f"Here it is:\n```{word}\n" + "".join(f"{line}\n" for line in lines) + "```\nDone.")


GOOD, BAD, BAD_TOO = code("x = 1"), code("x = ("), code("x = )")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    work = tmp_path / "work"
    work.mkdir()
    return work


@pytest.fixture
def gen(run_warm: Run, folder: Path):
    def gen(*argv: str, **streams: Any):
        return run_warm("gen", *argv, cwd=folder, **streams)

    return gen


def files(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def said(request: Request) -> list[tuple[str, str]]:
    return [(message["role"], message["content"]) for message in request.body["messages"]]


# --- blocks ---

BLOCKS = "First:\n```sh\npip install x\n```\nThen:\n~~~~python title=a.py\nx = 1\n~~~~\nAnd:\n```\nlast\n"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], "pip install x\n"),
        (["--block", "2"], "x = 1\n"),
        (["--block", "last"], "last\n"),
        (["--block", "all"], "pip install x\nx = 1\nlast\n"),
        (["--lang", "py"], "x = 1\n"),
        (["--lang", "bash"], "pip install x\n"),
        (["--lang", "text", "--block", "3"], "last\n"),
        (["--raw"], BLOCKS),
    ],
)
@pytest.mark.parametrize("chunk", [0, 1])
def test_a_block_is_chosen_by_number_place_or_language(options, expected, chunk, gen, server: FakeServer):
    server.enqueue(answer(BLOCKS, chunk=chunk))
    result = gen(*options, "x")
    assert (result.status, result.text) == (0, expected), result


def test_a_block_that_is_not_there(gen, server: FakeServer):
    server.enqueue(answer(BLOCKS))
    result = gen("--block", "7", "x")
    assert (result.status, result.text) == (65, ""), result
    assert "the answer has 3 code blocks, not 7" in result.stderr


def test_code_flows_while_it_is_written(spawn: Spawn, server: FakeServer):
    server.enqueue(Reply(steps=[*opening(), text("Hm.\n```py\nx = 1\n"), wait("go"), text("y = 2\n```"), *closing()]))
    process = spawn("gen", "--coalesce", "0", "x")
    process.read_until(b"x = 1\n")
    server.release("go")
    assert process.finish().stdout == b"x = 1\ny = 2\n"


def test_much_text_before_a_fence_is_held_on_disk(run: Run, server: FakeServer):
    server.enqueue(Reply(steps=[*opening(), Deltas("prose " * 100, 50_000), text("\n```\nx\n```"), *closing()]))
    result = run("gen", "x", timeout=120)
    assert (result.status, result.stdout) == (0, b"x\n")
    assert result.peak_kb < 125_000 or sys.platform != "linux"


def test_much_code_without_a_fence_comes_out_whole(run: Run, server: FakeServer):
    server.enqueue(Reply(steps=[*opening(), Deltas("x = 1\n" * 100, 20_000), *closing()]))
    result = run("gen", "x", timeout=120)
    assert (result.status, result.stdout) == (0, b"x = 1\n" * 2_000_000)
    assert result.peak_kb < 160_000 or sys.platform != "linux"


# --- what is valid ---


def test_code_that_streams_and_of_which_nothing_is_said_is_not_looked_at(gen, server: FakeServer):
    server.enqueue(BAD)
    result = gen("x")
    assert (result.status, result.text, result.stderr) == (0, "x = (\n", ""), result


def test_of_code_that_is_out_already_the_status_says_that_it_is_not_valid(gen, server: FakeServer):
    server.enqueue(BAD)
    result = gen("--lang", "python", "x")
    assert (result.status, result.text) == (65, "x = (\n"), result
    assert f"Python {sys.version_info.major}.{sys.version_info.minor}" in result.stderr
    assert ":1:5: " in result.stderr
    assert "x = (" in result.stderr


SAMPLES = {
    "a.py": ("def f():\n    return 1", "def f(:\n    return 1"),
    "a.json": ('{"a": [1, 2]}', '{"a": [1, 2}'),
    "a.toml": ('[a]\nb = "c"', '[a\nb = "c"'),
    "a.yaml": ("a:\n  - b\n  - c", "a: [b\nc: d"),
    "a.js": ("const f = () => ({ a: 1 });", "const f = () => ({ a: 1 ;"),
    "a.ts": ("const x: number = 1;", "const x: = 1;"),
    "a.go": ("package main\n\nfunc main() {}", "package main\n\nfunc main( {}"),
    "a.rs": ('fn main() { println!("x"); }', 'fn main() { println!("x"; }'),
    "A.java": ("class A { int x = 1; }", "class A { int x = ; }"),
    "a.c": ("int main(void) { return 0; }", "int main(void) { return 0; "),
    "a.rb": ("def f\n  1\nend", "def f(\n  1\nend"),
    "a.sh": ("if true; then echo x; fi", "if true; then echo x"),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_file_gets_what_is_valid_in_its_language_and_nothing_else(name, gen, folder, server: FakeServer):
    good, bad = SAMPLES[name]
    server.enqueue(answer(f"```\n{bad}\n```"))
    refused = gen("--attempts", "1", "-o", name, "x")
    assert (refused.status, files(folder)) == (65, {}), refused
    server.enqueue(answer(f"```\n{bad}\n```"), answer(f"```\n{good}\n```"))
    result = gen("-o", name, "x")
    assert (result.status, result.text, files(folder)) == (0, "", {name: good + "\n"}), result


@pytest.mark.parametrize("reply", [answer(""), answer("```py\n```"), answer(" \n")])
def test_no_code_is_no_code(reply, gen, folder, server: FakeServer):
    server.always(reply)
    assert (gen("-o", "a.py", "x").status, files(folder)) == (65, {})


# --- attempts ---


def test_what_is_not_valid_goes_back_with_the_error_and_the_code(gen, folder, server: FakeServer):
    server.enqueue(BAD, GOOD)
    result = gen("-o", "a.py", "make it")
    assert (result.status, files(folder)) == (0, {"a.py": "x = 1\n"}), result
    assert "attempt 2 of 2" in result.stderr
    (first, asked), (role, own), (last, complaint) = said(server.requests[-1])
    assert (first, asked, role, last) == ("user", "make it", "assistant", "user")
    assert own.startswith("Here it is:\n```python\nx = (")
    assert "a.py:1:5" in complaint


@pytest.mark.parametrize(("options", "attempts"), [([], 2), (["--attempts", "3"], 3), (["--attempts", "1"], 1)])
def test_after_the_last_attempt_there_is_no_file(options, attempts, gen, folder, server: FakeServer):
    server.always(BAD)
    result = gen("-o", "a.py", *options, "x")
    assert (result.status, files(folder), len(server.requests)) == (65, {}, attempts), result


def test_stdout_too_gets_whole_code_or_nothing(gen, server: FakeServer):
    server.enqueue(BAD, BAD_TOO)
    refused = gen("--attempts", "2", "x")
    assert (refused.status, refused.text) == (65, ""), refused
    server.enqueue(BAD, GOOD)
    assert gen("--attempts", "2", "x").text == "x = 1\n"


def test_a_broken_answer_that_was_not_shown_begins_anew(gen, folder, server: FakeServer):
    server.enqueue(Reply(steps=[*opening(), text("```py\nx = 1"), FIN]), GOOD)
    assert (gen("-o", "a.py", "x").status, files(folder)) == (0, {"a.py": "x = 1\n"})
    assert [len(said(request)) for request in server.requests] == [1, 1]


# --- checks ---


def test_code_must_pass_the_check(gen, folder, server: FakeServer):
    server.enqueue(code("x = 1"), code("x = 5"))
    result = gen("-o", "a.py", "--check", "grep -n 5 {}", "x")
    assert (result.status, files(folder)) == (0, {"a.py": "x = 5\n"}), result
    assert "grep -n 5" in said(server.requests[-1])[-1][1]


def test_a_check_sees_the_files_name_beside_it_and_no_key(gen, folder, server: FakeServer):
    (folder / "look").write_text(
        "import os, sys\n"
        "path = sys.argv[1]\n"
        "print(os.path.basename(path), os.path.dirname(os.path.dirname(path)), 'KEY' in str(os.environ))\n"
        "sys.exit(1)\n"
    )
    server.always(GOOD)
    result = gen("-o", "a.py", "--attempts", "1", "--check", f"{sys.executable} look", "x")
    assert result.status == 65
    assert f"  | a.py {folder.resolve()} False" in result.stderr
    assert list(files(folder)) == ["look"]


def test_what_a_check_prints_cannot_pass_for_a_workflow_command(gen, server: FakeServer):
    server.always(GOOD)
    result = gen("--attempts", "1", "--check-shell", "--check", "echo '::add-path::/evil'; false", "x")
    assert "\n::add-path" not in "\n" + result.stderr
    assert (result.status, result.text) == (65, "")


def test_a_check_that_mends_is_taken_at_its_word(gen, folder, server: FakeServer):
    server.enqueue(code("x   =   1"))
    result = gen("-o", "a.py", "--check-shell", "--check", "echo 'x = 2' > {}", "x")
    assert (result.status, files(folder)) == (0, {"a.py": "x = 2\n"}), result


@pytest.mark.parametrize(
    "check", ["rm {}", "rm {}; mkdir {}", "rm {}; mkfifo {}", "rm {}; ln -s /etc/passwd {}", "printf '\\377' > {}"]
)
def test_a_check_that_takes_the_code_away_has_not_passed_it(check, gen, folder, server: FakeServer):
    server.always(GOOD)
    result = gen("-o", "a.py", "--attempts", "1", "--check-shell", "--check", check, "x")
    assert (result.status, files(folder)) == (65, {}), result


def test_a_dash_is_standard_output(gen, folder, server: FakeServer):
    server.always(GOOD)
    result = gen("-o", "-", "x")
    assert (result.status, result.text, files(folder)) == (0, "x = 1\n", {}), result


@pytest.mark.parametrize("check", ["echo 'x = (' > {}", ": > {}", "echo > {}"])
def test_what_a_check_makes_of_the_code_must_be_valid_too(check, gen, folder, server: FakeServer):
    server.always(GOOD)
    result = gen("-o", "a.py", "--attempts", "1", "--check-shell", "--check", check, "x")
    assert (result.status, files(folder)) == (65, {}), result


def test_a_files_name_is_no_command(gen, folder, server: FakeServer):
    server.always(GOOD)
    for name in ("a;touch pwned;.py", "$(touch pwned).py", "it's.py", 'a"b.py'):
        result = gen("--check-shell", "--check", "cat {} && true", "-o", name, "x")
        assert (result.status, sorted(files(folder))) == (0, [name]), result
        (folder / name).unlink()
    before = len(server.requests)
    for check in ("cat '{}'", 'sh -c "cat {}"', "cat \\{}"):
        assert gen("--check-shell", "--check", check, "-o", "a.py", "x").status == 2
    assert len(server.requests) == before


def test_a_check_may_be_the_code_itself(gen, folder, server: FakeServer):
    server.always(code("#!/bin/sh", "exit 0", word="sh"))
    assert gen("-o", "a.sh", "--check", "{}", "x").status == 0
    server.always(code("echo no shebang", word="sh"))
    result = gen("-o", "b.sh", "--check", "{}", "x")
    assert (result.status, sorted(files(folder))) == (65, ["a.sh"]), result


def test_no_key_goes_back_to_the_model(gen, folder, server: FakeServer):
    server.always(GOOD)
    gen("-o", "a.py", "--check-shell", "--check", "echo the test-key; test ! -e {}", "x")
    assert "the <secret>" in said(server.requests[-1])[-1][1]


def test_no_runner_takes_what_is_quoted_for_a_command(gen, folder, server: FakeServer):
    server.always(code("'##[add-mask]e' ("))
    result = gen("-o", "a.py", "--check-shell", "--check", "echo '##vso[x]'; false", "x")
    assert result.status == 65
    assert "##[" not in result.stderr
    server.always(GOOD)
    result = gen("-o", "a.py", "--check-shell", "--check", "echo '##vso[x] ##[y]'; test ! -e {}", "x")
    assert "## vso[x] ## [y]" in result.stderr


def test_much_output_that_nobody_reads_does_not_hold_up_control_c(spawn: Spawn, folder, server: FakeServer):
    server.enqueue(GOOD)
    server.always(Reply(steps=[wait("second")]))
    check = "yes '' | head -100000; test ! -e {}"
    process = spawn("gen", "-o", "a.py", "--check-shell", "--check", check, "x", cwd=folder)
    server.wait_reached("second")
    process.signal(signal.SIGINT)
    assert process.wait(5) == -signal.SIGINT


def test_a_check_has_a_time_limit(gen, folder, server: FakeServer):
    server.always(GOOD)
    result = gen(
        "-o", "a.py", "--attempts", "1", "--check-shell", "--check", "sleep 100; true {}", "--check-timeout", "0.2", "x"
    )
    assert (result.status, files(folder)) == (65, {}), result
    assert "took more than 0.2 s" in result.stderr


def test_a_check_that_cannot_be_run_is_found_out_first(gen, server: FakeServer):
    result = gen("--check", "no-such-command {}", "x")
    assert (result.status, len(server.requests)) == (2, 0), result


# --- the file ---


@pytest.mark.parametrize("target", ["there.py", ".", "/dev/null", "missing/a.py", "x" * 300])
def test_what_cannot_be_written_is_found_out_before_anything_is_paid_for(target, gen, folder, server: FakeServer):
    (folder / "there.py").write_text(OLD)
    result = gen("-o", target, "x")
    assert (result.status, len(server.requests), files(folder)) == (73, 0, {"there.py": OLD}), result


def test_a_missing_folder_can_be_made(gen, folder, server: FakeServer):
    server.enqueue(GOOD)
    assert gen("-o", "a/b/c.py", "--parents", "x").status == 0
    assert files(folder) == {"a/b/c.py": "x = 1\n"}


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        (answer("```py\nx = 1\n```", stop_reason="max_tokens"), 5),
        (answer("```py\nx = 1\n```", stop_reason="refusal"), 4),
        (Reply(steps=[*opening(), text("```py\nx = 1\n"), FIN]), 76),
        (failure(400), 1),
    ],
)
def test_whatever_fails_leaves_the_old_file(reply, status, gen, folder, server: FakeServer):
    (folder / "a.py").write_text(OLD)
    server.always(reply)
    result = gen("-o", "a.py", "--force", "--retries", "0", "x")
    assert (result.status, files(folder)) == (status, {"a.py": OLD}), result


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_leaves_the_old_file_and_a_clean_folder(number, spawn: Spawn, folder, server: FakeServer):
    (folder / "a.py").write_text(OLD)
    server.enqueue(Reply(steps=[*opening(), text("```py\nx = 1\n"), wait("never")]))
    process = spawn("gen", "-o", "a.py", "--force", "x", cwd=folder)
    server.wait_reached("never")
    process.signal(number)
    assert process.finish().status == -number
    assert files(folder) == {"a.py": OLD}


@pytest.mark.parametrize("seed", range(6))
def test_a_run_that_is_killed_at_any_moment_leaves_the_old_file_or_the_new(
    seed, spawn: Spawn, run_warm, folder, server
):
    """The answer is large, so that the moment may well be in the midst of writing it."""
    new = "x = 1\n" * 400_000
    (folder / "a.py").write_text(OLD)
    server.always(Reply(steps=[*opening(), text("```\n"), Deltas("x = 1\n" * 4000, 100), text("```"), *closing()]))
    process = spawn("gen", "-o", "a.py", "--force", "--check", "true", "x", cwd=folder)
    server.wait_requests(1)
    try:
        process.wait(random.Random(seed).random() * 1.2)
    except TimeoutError:
        process.signal(signal.SIGKILL)
    process.finish()
    assert (folder / "a.py").read_text() in (OLD, new)
    server.always(GOOD)
    assert run_warm("gen", "-o", "a.py", "--force", "x", cwd=folder).status == 0
    assert list(files(folder)) == ["a.py"]
    assert [path.name for path in folder.iterdir()] == ["a.py"]


def test_a_link_stays_a_link_and_a_mode_a_mode(gen, folder, server: FakeServer):
    real = folder / "real.sh"
    real.write_text("echo old\n")
    real.chmod(0o751)
    (folder / "link.sh").symlink_to("real.sh")
    server.enqueue(code("echo new", word="sh"))
    assert gen("-o", "link.sh", "--force", "x").status == 0
    assert (real.read_text(), real.stat().st_mode & 0o777) == ("echo new\n", 0o751)
    assert (folder / "link.sh").is_symlink()


# --- editing ---


@pytest.mark.parametrize("options", [["--edit", "a.py"], ["-o", "a.py", "--force"]])
def test_the_files_text_goes_along_and_the_answer_replaces_it(options, gen, folder, server: FakeServer):
    (folder / "a.py").write_text(OLD)
    server.enqueue(GOOD)
    assert gen(*options, "add types", stdin=b"more\n").status == 0
    message = said(server.requests[-1])[0][1]
    assert message == f'<file name="a.py">\n{OLD}</file>\n\n<stdin>\nmore\n</stdin>\n\nadd types'
    assert files(folder) == {"a.py": "x = 1\n"}


def test_only_what_is_there_and_text_can_be_edited(gen, folder, server: FakeServer):
    (folder / "b.bin").write_bytes(b"\xff\xfe")
    assert [gen("--edit", name, "x").status for name in ("none.py", "b.bin", ".")] == [66, 66, 73]
    assert gen("--edit", "b.bin", "-o", "c", "x").status == 2
    assert not server.requests


def test_what_others_wrote_meanwhile_is_not_undone(spawn: Spawn, folder, server: FakeServer):
    (folder / "a.py").write_text(OLD)
    server.enqueue(Reply(steps=[*opening(), text("```py\nx = 1\n"), wait("go"), text("```"), *closing()]))
    process = spawn("gen", "--edit", "a.py", "x", cwd=folder)
    server.wait_reached("go")
    (folder / "a.py").write_text("theirs\n")
    server.release("go")
    assert process.finish().status == 73
    assert files(folder) == {"a.py": "theirs\n"}


@pytest.mark.parametrize("options", [[], ["--force"]])
def test_a_file_that_appears_meanwhile_is_not_replaced(options, spawn: Spawn, folder, server: FakeServer):
    server.enqueue(Reply(steps=[*opening(), text("```py\nx = 1\n"), wait("go"), text("```"), *closing()]))
    process = spawn("gen", "-o", "a.py", *options, "x", cwd=folder)
    server.wait_reached("go")
    (folder / "a.py").write_text("theirs\n")
    server.release("go")
    assert process.finish().status == 73
    assert files(folder) == {"a.py": "theirs\n"}


@pytest.mark.parametrize("content", [b"\xff\xfeold", b"x = 2\n", b""])
def test_to_resume_is_no_leave_to_replace_what_is_there(content, gen, folder, server: FakeServer):
    (folder / "b.bin").write_bytes(content)
    result = gen("--each", "jsonl", "--resume", stdin=b'{"prompt":"a","output":"b.bin"}')
    assert (result.status, len(server.requests)) == (73, 0), result
    assert (folder / "b.bin").read_bytes() == content


@pytest.mark.parametrize("options", [[], ["--resume"], ["--force"]])
def test_two_records_cannot_have_one_file(options, gen, folder, server: FakeServer):
    server.always(GOOD)
    stdin = b'{"prompt":"a","output":"b.py"}\n{"prompt":"b","output":"./b.py"}\n'
    result = gen("--each", "jsonl", *options, stdin=stdin)
    assert [json.loads(line)["status"] for line in result.text.splitlines()] == [0, 73], result
    assert len(server.requests) == 1


def test_a_name_that_no_file_can_have_fails_alone(gen, folder, server: FakeServer):
    server.always(GOOD)
    stdin = b'{"prompt":"a","output":"a\\ud800.py"}\n{"prompt":"b","output":"b.py"}\n{"prompt":"c","output":"c\\u0000"}'
    result = gen("--each", "jsonl", stdin=stdin)
    assert [json.loads(line)["status"] for line in result.text.splitlines()] == [66, 0, 73], result
    assert files(folder) == {"b.py": "x = 1\n"}


# --- diffs ---


def test_a_diff_shows_what_changes(gen, folder, server: FakeServer):
    (folder / "a.py").write_text(OLD)
    server.enqueue(GOOD, GOOD)
    shown = gen("--edit", "a.py", "--diff", "--dry-run", "x")
    assert (shown.status, files(folder)) == (0, {"a.py": OLD})
    result = gen("--edit", "a.py", "--diff", "x")
    assert (result.status, result.text, files(folder)) == (0, shown.text, {"a.py": "x = 1\n"})
    (folder / "a.py").write_text(OLD)
    patch = subprocess.run(["git", "apply", "-"], input=shown.stdout, cwd=folder, capture_output=True, check=False)
    assert (patch.returncode, files(folder)) == (0, {"a.py": "x = 1\n"}), patch


def test_a_diff_that_is_empty_writes_nothing(gen, folder, server: FakeServer):
    (folder / "a.py").write_text("x = 1\n")
    server.enqueue(GOOD)
    result = gen("--edit", "a.py", "--diff", "x")
    assert (result.status, result.text) == (0, ""), result


@pytest.mark.parametrize(("key", "content"), [("y", "x = 1\n"), ("n", OLD), ("", OLD)])
def test_on_a_terminal_a_diff_asks(key, content, spawn: Spawn, folder, server: FakeServer):
    (folder / "a.py").write_text(OLD)
    server.enqueue(GOOD)
    process = spawn("gen", "--edit", "a.py", "--diff", "x", cwd=folder, stdin="tty", stdout="tty", stderr="tty")
    process.read_until(b"Write a.py? [y/N] ", "tty")
    process.type(f"{key}\r")
    result = process.finish()
    assert (result.status, files(folder)) == (0, {"a.py": content}), result.tty
    assert b"\x1b[3" in result.tty


# --- CI ---


def test_a_failed_validation_is_a_workflow_annotation(gen, server: FakeServer):
    server.always(code("x = 1", "y = 'a,b:%'("))
    result = gen("-o", "a.py", "--annotate", "github", "x")
    line = next(line for line in result.stderr.splitlines() if line.startswith("::error "))
    assert line.startswith("::error file=a.py,line=2,col=")
    assert "%25" in line
    assert result.stderr.count("::error") == 1


def test_each_record_writes_its_file(gen, folder, server: FakeServer):
    (folder / "there.py").write_text(OLD)

    def reply(request: Request) -> Reply:
        return BAD if "bad" in said(request)[0][1] else GOOD

    server.always(reply)
    records = [
        {"prompt": "a", "output": "a.py"},
        {"prompt": "bad", "output": "b.py"},
        {"prompt": "c", "output": "there.py"},
        {"prompt": "d"},
        {"prompt": "e", "output": "no/e.py", "id": 7},
    ]
    stdin = "\n".join(map(json.dumps, records)).encode()
    result = gen("--each", "jsonl", "--attempts", "2", stdin=stdin)
    lines = [json.loads(line) for line in result.text.splitlines()]
    assert [(line["status"], line.get("output")) for line in lines] == [
        (0, "a.py"),
        (65, "b.py"),
        (73, "there.py"),
        (0, None),
        (73, "no/e.py"),
    ], result
    assert (result.status, files(folder)) == (73, {"a.py": "x = 1\n", "there.py": OLD})
    server.always(GOOD)
    before = len(server.requests)
    again = gen("--each", "jsonl", "--resume", "--parents", stdin=stdin)
    assert [json.loads(line)["status"] for line in again.text.splitlines()] == [0, 0, 73, 0, 0], again
    assert files(folder) == {"a.py": "x = 1\n", "b.py": "x = 1\n", "no/e.py": "x = 1\n", "there.py": OLD}
    assert len(server.requests) - before <= 4


@pytest.mark.parametrize("options", [["-o", "x"], ["--edit", "x"], ["--diff"]])
def test_with_each_the_records_say_where_the_code_goes(options, gen, server: FakeServer):
    assert (gen("--each", "jsonl", *options, stdin=b'"x"\n').status, len(server.requests)) == (2, 0)


@pytest.mark.parametrize(
    "options",
    [
        ["--diff"],
        ["--diff", "-o", "a", "-f", "json"],
        ["--redact", "-o", "a", "--force"],
        ["--lang", "klingon"],
        ["--raw", "--block", "2"],
        ["--block", "0"],
        ["--block", "x"],
    ],
)
def test_options_that_make_no_sense(options, gen, server: FakeServer):
    assert (gen(*options, "x").status, len(server.requests)) == (2, 0)


@pytest.mark.parametrize("options", [["-o", "a.py"], ["--attempts", "2", "--lang", "py"]])
def test_as_json_there_is_one_result_whatever_becomes_of_it(options, gen, folder, server: FakeServer):
    server.enqueue(BAD, GOOD)
    line = json.loads(gen(*options, "-f", "json", "x").text)
    assert (line["status"], line["text"], line["stop_reason"]) == (0, "x = 1\n", "end_turn")
    assert (line.get("output"), line["usage"]["input_tokens"]) == ("a.py" if "-o" in options else None, 20)
    server.always(BAD)
    line = json.loads(gen(*options, "--force", "-f", "json", "x").text)
    assert (line["status"], line["text"]) == (65, "x = (\n")
    assert "never closed" in line["error"]["message"]
    server.always(failure(400))
    assert json.loads(gen(*options, "--force", "-f", "json", "x").text)["status"] == 1


def test_streamed_code_that_is_not_valid_says_so_as_json_and_is_not_kept(gen, server: FakeServer):
    server.enqueue(BAD, GOOD)
    asked = ("--lang", "py", "--cache", "-f", "json", "x")
    last = json.loads(gen(*asked).text.splitlines()[-1])
    assert (last["type"], last["status"]) == ("error", 65)
    assert (gen(*asked).status, len(server.requests)) == (0, 2)


def test_a_request_for_a_file_can_be_looked_at(gen, folder, server: FakeServer):
    result = gen("-o", "a.py", "--dry-run", "x")
    assert (result.status, len(server.requests), files(folder)) == (0, 0, {})
    assert "The language is Python" in json.loads(result.text)["system"]
