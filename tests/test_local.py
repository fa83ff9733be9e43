"""The embedded model for real: SmolLM2 in a child process, which must be gone within a second of its parent."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from streamcli.errors import InputError, Unavailable
from streamcli.net import local
from streamcli.net.catalogue import CATALOGUE
from streamcli.net.local import Endpoint, serve
from streamcli.net.weights import cache_dir

ROOT = str(Path(local.__file__).parents[2])
# One process at a time uses a model.
pytestmark = pytest.mark.xdist_group("model")

MODEL = "local:smollm2"
FETCH = f"""
import asyncio
from streamcli.net.weights import locate
print(asyncio.run(locate("{MODEL}", lambda text: None, lambda done, total: None)))
"""
SERVE = f"""
import asyncio
from streamcli.net.local import serve
async def main():
    async with serve("{MODEL}", lambda text: None, lambda done, total: None):
        print("ready", flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""


def python(code: str, **options: Any) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": ROOT}
    return subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True, **options)


@pytest.fixture(scope="session")
def smollm2() -> Path:
    """The weights, fetched into this user's cache the first time."""
    with python(FETCH) as fetch:
        assert fetch.stdout is not None
        path = fetch.stdout.read().strip()
    assert fetch.returncode == 0
    return Path(path)


@pytest.fixture(autouse=True)
def cache(smollm2: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache directory, and so a lock, of the test's own: it is not held up by other uses of the model."""
    base = tmp_path_factory.mktemp("cache")
    (base / "models").mkdir()
    (base / "models" / smollm2.name).symlink_to(smollm2)
    monkeypatch.setenv("STREAMCLI_CACHE_DIR", str(base))


def table() -> list[tuple[int, int, int]]:
    """(pid, parent's pid, process group) of every process that has not ended."""
    listing = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,pgid=,stat="], capture_output=True, check=True)
    rows = [line.split() for line in listing.stdout.splitlines()]
    return [(int(pid), int(parent), int(group)) for pid, parent, group, *stat in rows if stat[0][:1] != b"Z"]


def servers(parent: int) -> list[int]:
    """The pids of the servers that `parent` runs: children with a session, and so a group, of their own."""
    return [pid for pid, above, group in table() if above == parent and pid == group]


def command_line(pid: int) -> str:
    return subprocess.check_output(["ps", "-ww", "-o", "args=", "-p", str(pid)], text=True)


def eventually(true: Callable[[], Any], seconds: float = 20.0) -> Any:
    """The first true value of `true()`; an AssertionError after so many seconds."""
    deadline = time.monotonic() + seconds
    while not (value := true()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.01)
    return value


def assert_gone(group: int) -> None:
    """Neither the server nor its watcher is there a second from now."""
    eventually(lambda: not [pid for pid, _, its_group in table() if its_group == group], 1.0)


def free(path: Path) -> bool:
    """Whether nobody holds the lock file `path`."""
    with path.open("rb") as lock, contextlib.suppress(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def quiet(*_: object) -> None:
    pass


async def ask(endpoint: Endpoint, key: str | None = None) -> httpx2.Response:
    body = {"model": "local", "max_tokens": 8, "messages": [{"role": "user", "content": "Say hello."}]}
    headers = {"x-api-key": key or endpoint.api_key, "Connection": "close"}
    async with httpx2.AsyncClient(trust_env=False, timeout=60) as client:
        return await client.post(f"{endpoint.base_url}/v1/messages", json=body, headers=headers)


async def test_it_answers_and_is_gone(capfd: pytest.CaptureFixture[str]) -> None:
    """A message gets an answer, a wrong key does not; then no process is left, and nothing was printed."""
    async with serve(MODEL, quiet, quiet) as endpoint:
        (server,) = servers(os.getpid())
        answer = await ask(endpoint)
        refused = await ask(endpoint, "wrong")

    assert_gone(server)
    assert answer.json()["content"][0]["text"]
    assert answer.json()["usage"]["output_tokens"] <= 8
    assert refused.status_code == 401
    assert endpoint.base_url.startswith("http://127.0.0.1:")
    assert capfd.readouterr() == ("", "")


async def test_the_key_is_no_argument() -> None:
    """Other users can read a command line."""
    async with serve(MODEL, quiet, quiet) as endpoint:
        (server,) = servers(os.getpid())
        command = command_line(server)

    assert "local_child" in command
    assert endpoint.api_key not in command
    assert len(endpoint.api_key) >= 32


async def test_it_is_gone_after_an_exception() -> None:
    """An error of the block ends the child too, and reaches the caller."""
    running: list[int] = []

    async def fail() -> None:
        async with serve(MODEL, quiet, quiet):
            running.extend(servers(os.getpid()))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert_gone(running[0])


async def test_it_is_gone_when_it_does_not_listen() -> None:
    """A child that is stopped, or hangs, is killed after a second, and its watcher with it."""
    async with serve(MODEL, quiet, quiet):
        (server,) = servers(os.getpid())
        os.killpg(server, signal.SIGSTOP)
    assert_gone(server)


def test_kill_9_of_the_parent() -> None:
    """The child goes with its parent, and so does the lock."""
    with python(SERVE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "ready\n"
        (server,) = servers(parent.pid)
        assert not free(cache_dir() / "run.lock")

        parent.kill()

        assert_gone(server)
    assert free(cache_dir() / "run.lock")


def test_kill_9_of_the_parent_of_a_new_child() -> None:
    """As soon as there is a child, it goes with its parent."""
    with python(SERVE) as parent:
        (server,) = eventually(lambda: servers(parent.pid))

        parent.kill()

        assert_gone(server)


@pytest.fixture
def loading(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[], bool]]:
    """A cache whose model cannot be opened for now; tells whether someone is trying to.

    We hold a lease on the file (Linux): the kernel tells us of whoever opens it, and lets them wait for us. The
    file has the right size, and nothing in it.
    """
    path = tmp_path / "models" / CATALOGUE[MODEL].filename
    path.parent.mkdir()
    path.touch()
    os.truncate(path, CATALOGUE[MODEL].size)
    monkeypatch.setenv("STREAMCLI_CACHE_DIR", str(tmp_path))
    opened = threading.Event()
    before = signal.signal(signal.SIGIO, lambda *_: opened.set())
    with path.open("rb") as file:
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        yield opened.is_set
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    signal.signal(signal.SIGIO, before)


def test_kill_9_of_the_parent_while_the_model_is_loaded(loading: Callable[[], bool]) -> None:
    """The library holds the interpreter's lock then, and still the child goes at once."""
    with python(SERVE) as parent:
        eventually(loading)
        (server,) = servers(parent.pid)

        parent.kill()

        assert_gone(server)
    assert free(cache_dir() / "run.lock")


def test_a_terminal_s_interrupt_while_the_model_is_loaded(loading: Callable[[], bool]) -> None:
    """^C is for the parent, whatever the child does."""
    with python(SERVE, stderr=subprocess.DEVNULL) as parent:
        eventually(loading)
        (server,) = servers(parent.pid)

        parent.send_signal(signal.SIGINT)

        assert_gone(server)
        assert parent.wait(5) == -signal.SIGINT


async def test_processes_take_turns() -> None:
    """The second says whom it waits for, and starts when that one has gone."""
    notes: list[str] = []
    waiting = asyncio.Event()

    def note(text: str) -> None:
        notes.append(text)
        waiting.set()

    async def second() -> None:
        async with serve(MODEL, note, quiet) as endpoint:
            assert (await ask(endpoint)).status_code == 200

    with python(SERVE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "ready\n"
        turn = asyncio.create_task(second())
        await asyncio.wait_for(waiting.wait(), 20)
        assert notes == [f"the embedded model is busy (process {parent.pid}): waiting for it"]
        assert servers(os.getpid()) == []

        parent.kill()

    await turn
    assert len(notes) == 1


async def test_cancelled_while_it_waits() -> None:
    """A cancel ends the wait at once and leaves the other's lock alone."""
    waiting = asyncio.Event()

    async def second() -> None:
        async with serve(MODEL, lambda text: waiting.set(), quiet):
            pass

    async with serve(MODEL, quiet, quiet):
        turn = asyncio.create_task(second())
        await asyncio.wait_for(waiting.wait(), 20)
        turn.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(turn, 0.5)
        assert not free(cache_dir() / "run.lock")


async def started(task: asyncio.Task[None], loading: Callable[[], bool] = lambda: True) -> int:
    """The server that `task` has begun to start, and that has begun to load."""
    while not (loading() and (found := servers(os.getpid()))):
        assert not task.done()
        await asyncio.sleep(0)
    return found[0]


async def test_cancelled_while_it_starts() -> None:
    """A cancel during the start leaves no child and no lock."""

    async def start() -> None:
        async with serve(MODEL, quiet, quiet):
            raise AssertionError("it was cancelled before")

    task = asyncio.create_task(start())
    server = await started(task)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert_gone(server)
    assert free(cache_dir() / "run.lock")


async def test_killed_while_it_starts(loading: Callable[[], bool]) -> None:
    """A child that dies at its start, for want of memory perhaps, is a clear error, and its watcher goes too."""

    async def start() -> None:
        async with serve(MODEL, quiet, quiet):
            raise AssertionError("it was killed before")

    task = asyncio.create_task(start())
    server = await started(task, loading)
    os.kill(server, signal.SIGKILL)

    with pytest.raises(Unavailable, match=r"^the embedded model does not start: killed by SIGKILL$") as caught:
        await asyncio.wait_for(task, 5)
    assert_gone(server)
    assert caught.value.hint is not None
    assert "memory" in caught.value.hint


async def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    """What only looks like a model is one line, with llama.cpp's reason, and a hint."""
    junk = tmp_path / "junk.gguf"
    junk.write_bytes(b"GGUF" + b"\xff" * 100_000)

    with pytest.raises(Unavailable, match=r"does not start: gguf_init\w*: .*version") as caught:
        async with serve(f"local:{junk}", quiet, quiet):
            pass

    assert "\n" not in caught.value.message
    assert caught.value.hint == f"is {junk} whole, a model that llama.cpp knows, and not too large for the memory?"


async def test_a_file_that_is_not_there() -> None:
    """The child is not even tried."""
    with pytest.raises(InputError, match=r"local:absent\.gguf: no such file"):
        async with serve("local:absent.gguf", quiet, quiet):
            pass


async def test_a_file_of_ones_own_without_a_cache(smollm2: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no lock can be had, the model runs all the same."""
    monkeypatch.setenv("STREAMCLI_CACHE_DIR", "/dev/null/cache")

    async with serve(f"local:{smollm2}", quiet, quiet) as endpoint:
        assert (await ask(endpoint)).status_code == 200


async def test_nothing_is_imported_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither we nor the child import a module from the current directory, nor the child from PYTHONPATH.

    Where xllamacpp comes from may hold other modules, too: they do not stand before the standard library.
    """
    evil, packages = tmp_path / "evil", tmp_path / "packages"
    (evil / "xllamacpp").mkdir(parents=True)
    packages.mkdir()
    (packages / "xllamacpp").symlink_to(Path(local._packages()) / "xllamacpp")
    modules = ("evil/json.py", "evil/sitecustomize.py", "evil/xllamacpp/__init__.py", "packages/logging.py")
    for module in modules:
        (tmp_path / module).write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nraise SystemExit(1)\n")
    monkeypatch.chdir(evil)
    monkeypatch.setenv("PYTHONPATH", str(evil))
    monkeypatch.setenv("PYTHONHOME", str(evil))
    for here in (str(packages), "", ".", str(evil)):
        monkeypatch.syspath_prepend(here)

    async with serve(MODEL, quiet, quiet) as endpoint:
        assert (await ask(endpoint)).status_code == 200

    assert set(os.listdir(tmp_path)) == {"evil", "packages"}


async def test_a_deleted_current_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no reason not to answer."""
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    monkeypatch.syspath_prepend("")
    (tmp_path / "gone").rmdir()

    async with serve(MODEL, quiet, quiet) as endpoint:
        assert (await ask(endpoint)).status_code == 200

    with pytest.raises(InputError, match="no such file"):
        async with serve("local:here.gguf", quiet, quiet):
            pass


async def test_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra, the error says how to get it."""
    monkeypatch.setattr(sys, "path", [])

    with pytest.raises(Unavailable, match="the embedded model is not installed") as caught:
        async with serve(MODEL, quiet, quiet):
            pass

    assert caught.value.hint == "pip install 'streamcli[local]'"
