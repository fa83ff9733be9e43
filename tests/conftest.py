"""Fixtures: a scripted server, and the program as a real process in an empty home."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import pytest
from fake_server import FakeServer
from harness import PROGRAM, NursedProcess, Nursery, Process, Result, hermetic


class Start(Protocol):
    def __call__(self, nursery: Nursery | None, argv: list[str], env: dict[str, str], **streams: Any) -> Process: ...


# A job in the background of a script has SIGINT and SIGQUIT ignored, and so would every program that the tests start.
for _number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, signal.default_int_handler if _number == signal.SIGINT else signal.SIG_DFL)


def pytest_xdist_auto_num_workers() -> int:
    """Most tests wait for a process more than they compute: on two cores three at a time take less than two."""
    return max(3, os.cpu_count() or 1)


class Spawn(Protocol):
    def __call__(
        self,
        *argv: str,
        env: Mapping[str, str | None] | None = None,
        program: Sequence[str] = PROGRAM,
        **streams: Any,
    ) -> Process: ...


class Run(Protocol):
    def __call__(
        self,
        *argv: str,
        stdin: bytes | None = None,
        env: Mapping[str, str | None] | None = None,
        timeout: float = 60.0,
        **streams: Any,
    ) -> Result: ...


@pytest.fixture(scope="session")
def processes() -> Iterator[list[Process]]:
    """All processes the tests started; what is left of them at the end is killed, and nothing else."""
    started: list[Process] = []
    yield started
    for process in started:
        process.kill()


@pytest.fixture(scope="session")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery | None]:
    """It starts all processes, so that their peak memory is their own; None where there is no such thing."""
    yield from _nursery(tmp_path_factory.mktemp("nursery"))


@pytest.fixture(scope="session")
def warm_nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery | None]:
    """It runs the program where its start is not what is tested; None where there is no such thing."""
    yield from _nursery(tmp_path_factory.mktemp("nursery"), Nursery.LIBRARIES)


def _nursery(home: Path, libraries: Sequence[str] = ()) -> Iterator[Nursery | None]:
    if sys.platform != "linux":
        yield None
        return
    nursery = Nursery(hermetic(home), libraries)
    yield nursery
    nursery.stop()


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer() as server:
        yield server


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def start(processes: list[Process]) -> Iterator[Start]:
    """Start any process; it is killed at the end of the test if it still runs."""
    mine: list[Process] = []

    def start(nursery: Nursery | None, argv: list[str], env: dict[str, str], **streams: Any) -> Process:
        process = NursedProcess(nursery, argv, env, **streams) if nursery else Process(argv, env, **streams)
        mine.append(process)
        processes.append(process)
        return process

    yield start
    for process in mine:
        process.kill()
        processes.remove(process)


@pytest.fixture
def spawn(server: FakeServer, home: Path, start: Start, nursery: Nursery | None) -> Spawn:
    """Start the program and return at once: `spawn("chat", "hi", stdin="pipe", stdout="tty")`.

    Its environment is hermetic and leads to `server`; `env` changes it.  `program` runs something else.
    """

    def spawn(
        *argv: str,
        env: Mapping[str, str | None] | None = None,
        program: Sequence[str] = PROGRAM,
        **streams: Any,
    ) -> Process:
        return start(nursery, [*program, *argv], hermetic(home, server.url, env), **streams)

    return spawn


@pytest.fixture
def run(spawn: Spawn) -> Run:
    """Run the program to its end: `run("chat", "hi", stdin=b"...")`.  Without `stdin` it is /dev/null."""

    def run(
        *argv: str,
        stdin: bytes | None = None,
        env: Mapping[str, str | None] | None = None,
        timeout: float = 60.0,
        **streams: Any,
    ) -> Result:
        streams.setdefault("stdin", "null" if stdin is None else "pipe")
        return spawn(*argv, env=env, **streams).finish(timeout, stdin or b"")

    return run


@pytest.fixture
def run_warm(run: Run, server: FakeServer, home: Path, start: Start, warm_nursery: Nursery | None) -> Run:
    """The same as `run` for the program, a second faster where the environment allows it (see Nursery)."""

    def run_warm(
        *argv: str,
        stdin: bytes | None = None,
        env: Mapping[str, str | None] | None = None,
        timeout: float = 60.0,
        **streams: Any,
    ) -> Result:
        if warm_nursery is None or any(not name.startswith(("STREAMCLI_", "ANTHROPIC_")) for name in env or {}):
            return run(*argv, stdin=stdin, env=env, timeout=timeout, **streams)
        streams.setdefault("stdin", "null" if stdin is None else "pipe")
        process = start(warm_nursery, [*PROGRAM, *argv], hermetic(home, server.url, env), **streams)
        return process.finish(timeout, stdin or b"")

    return run_warm
