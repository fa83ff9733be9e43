"""chat -a as a user runs it: pipes as files, files that never come, files that are too large."""

import json
import os
import signal
from pathlib import Path

import pytest
from conftest import Run, Spawn
from fake_server import FakeServer, answer
from harness import PROGRAM

PNG = b"\x89PNG\r\n\x1a\n\x00"


def sent(server: FakeServer) -> list[dict[str, str]]:
    """The blocks of the last message that was sent."""
    return server.requests[-1].body["messages"][-1]["content"]


def test_what_other_programs_write_can_be_attached(spawn: Spawn, server: FakeServer):
    command = f"{' '.join(PROGRAM)} chat -n -a <(sleep 0.3; echo one; sleep 0.3; echo two) -a <(echo three) 'why?'"
    result = spawn(program=["bash", "-c", command]).finish()
    assert (result.status, result.stderr) == (0, ""), result
    one, two, words = (block["text"] for block in sent(server))
    assert one.startswith('<file name="/dev/fd/')
    assert one.endswith('">\none\ntwo\n</file>')
    assert two.endswith('">\nthree\n</file>')
    assert words == "why?"


@pytest.mark.parametrize("path", ["/dev/stdin", "/dev/fd/0", "file"])
def test_a_file_is_not_sent_twice(path, spawn: Spawn, server: FakeServer, tmp_path: Path):
    (tmp_path / "file").write_bytes(b"hello")
    result = spawn("chat", "-a", path, "hi", stdin=str(tmp_path / "file"), cwd=tmp_path).finish()
    assert (result.status, server.requests) == (2, []), result
    assert "standard input is the message already" in result.stderr


@pytest.mark.parametrize("path", ["/dev/stdin", "-"])
def test_stdin_can_be_attached(path, run_warm: Run, server: FakeServer):
    assert run_warm("chat", "-n", "-a", path, "hi", stdin=b"hello").status == 0
    assert sent(server)[0]["text"] == '<file name="/dev/stdin">\nhello\n</file>'


@pytest.mark.parametrize("opened", [False, True])
def test_interrupt_does_not_wait_for_a_file_that_never_comes(opened, spawn: Spawn, server: FakeServer, tmp_path: Path):
    os.mkfifo(tmp_path / "fifo")
    process = spawn("chat", "-a", "fifo", "hi", stderr="tty", cwd=tmp_path)
    writer = os.open(tmp_path / "fifo", os.O_WRONLY) if opened else None
    process.read_until(b"streamcli: waiting for fifo", "tty")
    at = process.signal(signal.SIGINT)
    assert process.wait() == -signal.SIGINT
    assert process.exited_at - at < 2.0
    assert not server.requests
    if writer is not None:
        os.close(writer)


def test_what_fails_meanwhile_does_not_wait_for_the_file(spawn: Spawn, tmp_path: Path):
    """The file is read while the client is made: a key that is missing is told at once."""
    os.mkfifo(tmp_path / "fifo")
    result = spawn("chat", "-a", "fifo", "hi", env={"ANTHROPIC_API_KEY": None}, cwd=tmp_path).finish()
    assert result.status == 77, result


def test_a_file_that_cannot_be_read_does_not_wait_for_stdin(spawn: Spawn, server: FakeServer):
    process = spawn("chat", "-a", "/nowhere", "hi", stdin="pipe")
    assert process.wait() == 66
    assert not server.requests


@pytest.mark.parametrize("path", ["/dev/zero", "one.txt", "one.png"])
def test_a_file_that_is_too_large_is_read_no_further(path, run: Run, server: FakeServer, tmp_path: Path):
    """16 MB of an image are 21 MB as they are sent; a hole of a gigabyte takes no place on the disk."""
    for name, content in (("one.txt", b"x"), ("one.png", PNG)):
        (tmp_path / name).write_bytes(content)
        os.truncate(tmp_path / name, 1 << 30)
    result = run("chat", "-a", path, "hi", cwd=tmp_path)
    assert (result.status, server.requests) == (66, []), result
    assert result.stderr.startswith(f"streamcli: {path} is larger than 32 MB\nhint: ")
    assert result.peak_kb < 200_000


def test_files_are_too_large_together(run: Run, server: FakeServer, tmp_path: Path):
    """An image of 12 MB is sent as 16 MB of base64: two are too much, one goes, and leaves place for 15 MB of text."""
    (tmp_path / "a.png").write_bytes(PNG + bytes(12_000_000))
    (tmp_path / "a.txt").write_bytes(b"x" * 15_000_000)
    for files in (["a.png", "a.png"], ["a.png", "a.txt", "a.txt"]):
        result = run("chat", *(word for file in files for word in ("-a", file)), "hi", cwd=tmp_path)
        assert result.status == 66, result
        assert result.stderr.startswith("streamcli: what is attached is larger than 32 MB\n")
    result = run("chat", "-a", "a.png", "-a", "a.txt", stdin=b"y" * 2_000_000, cwd=tmp_path)
    assert result.status == 66, result
    assert result.stderr.startswith("streamcli: the message is larger than 32 MB\n")
    assert not server.requests
    assert run("chat", "-a", "a.png", "-a", "a.txt", "hi", cwd=tmp_path).status == 0


def test_with_each_a_record_that_is_too_large_with_the_files_fails_alone(run: Run, server: FakeServer, tmp_path: Path):
    (tmp_path / "a.png").write_bytes(PNG + bytes(22_000_000))
    result = run("chat", "--each", "lines", "-a", "a.png", stdin=b"a\n" + b"x" * 3_000_000 + b"\nb\n", cwd=tmp_path)
    assert result.status == 66, result
    assert [json.loads(line)["status"] for line in result.text.splitlines()] == [0, 66, 0]
    assert len(server.requests) == 2


def test_of_images_it_is_said_once_a_run_that_they_are_not_masked(run_warm: Run, server: FakeServer, tmp_path: Path):
    (tmp_path / "a.png").write_bytes(PNG)
    result = run_warm("chat", "--each", "lines", "--redact", "-a", "a.png", stdin=b"a\nb\n", cwd=tmp_path)
    assert result.stderr == "streamcli: --redact cannot look into images and PDF: sent as they are: a.png\n"
    assert len(server.requests) == 2


def test_an_answer_is_kept_for_the_same_files_only(run_warm: Run, server: FakeServer, tmp_path: Path):
    server.enqueue(answer("one"), answer("two"))
    for content, text in ((PNG, "one"), (PNG + b"\x01", "two"), (PNG, "one")):
        (tmp_path / "a.png").write_bytes(content)
        assert run_warm("chat", "--cache", "-a", "a.png", "hi", cwd=tmp_path).text == text
    assert len(server.requests) == 2
