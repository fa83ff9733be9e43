"""Run the program as a user does: real processes, real pipes, real terminals, real signals.

    process = Process([...argv...], env=hermetic(home, url), stdin="pipe", stdout="tty")
    process.read_until(b"some text")
    process.signal(signal.SIGINT)
    result = process.finish()

Each of stdin, stdout and stderr is "pipe", "tty", "null", "closed" (as after `>&-`), a path to open, or a
file descriptor.  Those that are "tty" share one new terminal, which is also the controlling one; what it
shows is read as the stream "tty" and `screen` draws it.  Each process leads its own session, so that killing
its group reaches what it started and nothing else.  Waiting is done by select and by a thread that reaps:
there is no polling.  A NursedProcess is the same, started another way.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import importlib
import json
import os
import re
import runpy
import select
import shlex
import signal as signals
import socket
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NoReturn

import pyte

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = [sys.executable, "-m", "streamcli"]
ADOPT_TERMINAL = (
    "import fcntl, os, sys, termios;"
    "fcntl.ioctl(int(sys.argv[1]), termios.TIOCSCTTY, 0);"
    "os.execvp(sys.argv[2], sys.argv[2:])"
)
KEPT = ("PATH", "SYSTEMROOT", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "COVERAGE_PROCESS_START")

Stream = Literal["stdout", "stderr", "tty"]
NAMES: tuple[Literal["stdin", "stdout", "stderr"], ...] = ("stdin", "stdout", "stderr")


def hermetic(home: Path, url: str | None = None, changes: Mapping[str, str | None] | None = None) -> dict[str, str]:
    """An environment with nothing of the user's in it; `changes` come last, and None removes a name."""
    env: dict[str, str | None] = {name: os.environ.get(name) for name in KEPT}
    env |= {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_STATE_HOME": str(home / "state"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_RUNTIME_DIR": str(home / "run"),
        "ANTHROPIC_API_KEY": "test-key",
        "ANTHROPIC_BASE_URL": url,
        "PYTHONPATH": str(ROOT),
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "NO_PROXY": "*",
    }
    env |= changes or {}
    return {name: value for name, value in env.items() if value is not None}


@dataclass(frozen=True)
class Result:
    """How a process ended.  A negative status is death by that signal, as in subprocess.

    `peak_kb` is its largest resident size; or, on Linux and not out of a Nursery, that of the test process.
    """

    argv: Sequence[str]
    status: int
    stdout: bytes
    stderr: str
    tty: bytes
    seconds: float
    exited_at: float
    peak_kb: int

    @property
    def text(self) -> str:
        return self.stdout.decode()

    def __str__(self) -> str:
        return (
            f"$ {shlex.join(self.argv)}\nstatus {self.status} in {self.seconds:.2f} s\n"
            f"--- stdout ---\n{_shown(self.stdout)}\n--- stderr ---\n{_shown(self.stderr.encode())}"
        )


def _shown(data: bytes, limit: int = 4000) -> str:
    text = data.decode(errors="backslashreplace")
    return text if len(text) <= limit else f"{text[:limit]}... ({len(data)} bytes)"


@dataclass
class _Ends:
    """Our ends of the child's streams, and the child's, which are closed once it has them."""

    child: dict[str, int] = field(default_factory=dict)
    theirs: list[int] = field(default_factory=list)
    readable: dict[str, int] = field(default_factory=dict)
    stdin: int | None = None
    terminal: int | None = None


class Process:
    """A running program.  See the top of this file."""

    def __init__(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        *,
        stdin: str | int = "null",
        stdout: str | int = "pipe",
        stderr: str | int = "pipe",
        size: tuple[int, int] = (24, 80),
        cwd: str | os.PathLike[str] | None = None,
        wrap: str = "",
    ) -> None:
        """`wrap` is shell code around the command, as in `trap '' INT; exec "$@"`."""
        self.argv = list(argv)
        self.exited_at = 0.0
        self.peak_kb = 0
        self.status: int | None = None
        self._captured: dict[str, bytearray] = {
            "stdout": bytearray(),
            "stderr": bytearray(),
            "tty": bytearray(),
        }
        self._marks = dict.fromkeys(self._captured, 0)
        self._reaping, self._reaped, self._stopped = threading.Lock(), threading.Event(), threading.Event()
        ends = _Ends()
        spec: dict[str, str | int] = {"stdin": stdin, "stdout": stdout, "stderr": stderr}
        if "tty" in spec.values():
            self._open_terminal(ends, size)
        for name in NAMES:
            self._open(ends, name, spec[name])
        command = self._command(ends, spec, wrap)
        self.started_at = time.monotonic()
        try:
            self.pid = self._start(command, dict(env), cwd, [ends.child[name] for name in NAMES])
        except BaseException:
            for fd in (*ends.readable.values(), ends.stdin):
                if fd is not None and fd != ends.terminal:
                    os.close(fd)
            raise
        finally:
            for fd in ends.theirs:
                os.close(fd)
        self._readable, self._stdin, self._terminal = ends.readable, ends.stdin, ends.terminal
        threading.Thread(target=self._reap, name=f"reap-{self.pid}", daemon=True).start()

    # making it

    @staticmethod
    def _open_terminal(ends: _Ends, size: tuple[int, int]) -> None:
        ours, theirs = os.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
        ends.terminal, ends.readable["tty"] = ours, ours
        ends.child["tty"] = theirs
        ends.theirs.append(theirs)

    @staticmethod
    def _open(ends: _Ends, name: Literal["stdin", "stdout", "stderr"], spec: str | int) -> None:
        if isinstance(spec, int):
            ends.child[name] = spec
        elif spec == "tty":
            ends.child[name] = ends.child["tty"]
        elif spec == "pipe":
            read, write = os.pipe()
            ends.child[name] = read if name == "stdin" else write
            ends.theirs.append(ends.child[name])
            if name == "stdin":
                ends.stdin = write
            else:
                ends.readable[name] = read
        else:
            path = os.devnull if spec in ("null", "closed") else spec
            flags = os.O_RDONLY if name == "stdin" else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
            ends.child[name] = os.open(path, flags, 0o600)
            ends.theirs.append(ends.child[name])

    def _command(self, ends: _Ends, spec: Mapping[str, str | int], wrap: str) -> list[str]:
        command = list(self.argv)
        closed = {"stdin": "<&-", "stdout": ">&-", "stderr": "2>&-"}
        shut = [closed[name] for name in NAMES if spec[name] == "closed"]
        if shut:
            command = ["/bin/sh", "-c", f'exec "$@" {" ".join(shut)}', "sh", *command]
        if wrap:
            command = ["/bin/sh", "-c", wrap, "sh", *command]
        if ends.terminal is not None:
            fd = next(number for number, name in enumerate(NAMES) if spec[name] == "tty")
            command = [sys.executable, "-I", "-S", "-c", ADOPT_TERMINAL, str(fd), *command]
        return command

    def _start(
        self, command: list[str], env: dict[str, str], cwd: str | os.PathLike[str] | None, fds: list[int]
    ) -> int:
        stdin, stdout, stderr = fds
        self._popen = subprocess.Popen(
            command, env=env, cwd=cwd, stdin=stdin, stdout=stdout, stderr=stderr, start_new_session=True
        )
        return self._popen.pid

    def _reap(self) -> None:
        self._await_end()
        exited_at = time.monotonic()
        with self._reaping:
            status, self.peak_kb = self._collect()
            self.exited_at, self.status = exited_at, status
        self._reaped.set()

    def _await_end(self) -> None:
        """Wait until it has ended, but keep its pid from being used anew: somebody may be about to signal it."""
        if hasattr(os, "waitid"):
            _await_end(self.pid, self._stopped.set)

    def _collect(self) -> tuple[int, int]:
        """Its status and its peak memory in kB."""
        _, status, usage = os.wait4(self.pid, 0)
        self._popen.returncode = os.waitstatus_to_exitcode(status)
        return self._popen.returncode, usage.ru_maxrss // (1024 if sys.platform == "darwin" else 1)

    # its input

    def write(self, data: bytes, timeout: float = 10.0) -> None:
        """Write to its stdin (or type on its terminal), reading meanwhile what it says."""
        fd = self._stdin if self._stdin is not None else self._terminal
        assert fd is not None, "stdin is neither a pipe nor a terminal"
        deadline = time.monotonic() + timeout
        view = memoryview(data)
        os.set_blocking(fd, False)
        while view:
            ready = self._wait_ready([fd], list(self._readable), deadline, f"{len(view)} bytes to be taken")
            if fd in ready:
                with contextlib.suppress(BlockingIOError):
                    view = view[os.write(fd, view) :]

    def type(self, keys: str) -> None:
        """Press keys on the terminal: "\\x03" is ^C."""
        assert self._terminal is not None, "there is no terminal"
        os.write(self._terminal, keys.encode())

    def resize(self, rows: int, columns: int) -> None:
        """Make the terminal larger or smaller."""
        assert self._terminal is not None, "there is no terminal"
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def close_stdin(self) -> None:
        if self._stdin is not None:
            os.close(self._stdin)
            self._stdin = None

    # its output

    def read_until(self, pattern: bytes | re.Pattern[bytes], stream: Stream = "stdout", timeout: float = 20.0) -> bytes:
        """Read until `pattern` occurs after what earlier calls matched; return all up to its end."""
        search = re.compile(re.escape(pattern)) if isinstance(pattern, bytes) else pattern
        deadline = time.monotonic() + timeout
        while not (found := search.search(self._captured[stream], self._marks[stream])):
            if stream not in self._readable:
                raise AssertionError(f"{stream} ended without {search.pattern!r}\n{self}")
            self._wait_ready([], list(self._readable), deadline, repr(search.pattern))
        start, self._marks[stream] = self._marks[stream], found.end()
        return bytes(self._captured[stream][start : found.end()])

    def captured(self, stream: Stream = "stdout") -> bytes:
        """What was read so far; nothing is read now."""
        return bytes(self._captured[stream])

    def close(self, stream: Stream) -> float:
        """Close our end: the reader is gone.  Return the moment."""
        at = time.monotonic()
        fd = self._readable.pop(stream)
        os.close(fd)
        if fd == self._terminal:
            self._terminal = None
        return at

    def drain(self, timeout: float = 20.0) -> None:
        """Read until every stream has ended."""
        deadline = time.monotonic() + timeout
        while self._readable:
            self._wait_ready([], list(self._readable), deadline, "the end of its output")

    def _wait_ready(self, writing: list[int], names: list[str], deadline: float, what: str) -> list[int]:
        """Sleep in select until something moves; take in what can be read; return what can be written."""
        reading = {self._readable[name]: name for name in names}
        left = deadline - time.monotonic()
        ready, writable, _ = select.select(list(reading), writing, [], max(0.0, left))
        if not ready and not writable and left <= 0:
            raise TimeoutError(f"waited in vain for {what}\n{self}")
        for fd in ready:
            try:
                data = os.read(fd, 1 << 16)
            except OSError:  # Linux says EIO when the last process has left the terminal
                data = b""
            self._captured[reading[fd]] += data
            if not data:
                del self._readable[reading[fd]]
                if fd != self._terminal:
                    os.close(fd)
        return writable

    # its end

    def signal(self, number: int) -> float:
        """Signal the process itself (not its group); return the moment."""
        with self._reaping:
            at = time.monotonic()
            if self.status is None:
                os.kill(self.pid, number)
        return at

    def wait(self, timeout: float = 20.0) -> int:
        """Wait for its end without reading; return the status."""
        if not self._reaped.wait(timeout):
            raise TimeoutError(f"did not end within {timeout} s\n{self}")
        assert self.status is not None
        return self.status

    def wait_stopped(self, timeout: float = 20.0) -> None:
        """Wait until it is stopped, as by SIGSTOP or SIGTSTP."""
        if not self._stopped.wait(timeout):
            raise TimeoutError(f"was not stopped within {timeout} s\n{self}")
        self._stopped.clear()

    def finish(self, timeout: float = 20.0, stdin: bytes = b"") -> Result:
        """Write `stdin`, close it, read all there is, wait for the end.  Kill it when it takes too long."""
        deadline = time.monotonic() + timeout
        try:
            if stdin:
                with contextlib.suppress(BrokenPipeError):
                    self.write(stdin, timeout)
            self.close_stdin()
            self.drain(max(0.0, deadline - time.monotonic()))
            self.wait(max(0.0, deadline - time.monotonic()))
        except TimeoutError:
            self.kill()
            raise
        return self.result()

    def result(self) -> Result:
        assert self.status is not None, "it still runs"
        return Result(
            argv=self.argv,
            status=self.status,
            stdout=self.captured("stdout"),
            stderr=self.captured("stderr").decode(errors="backslashreplace"),
            tty=self.captured("tty"),
            seconds=self.exited_at - self.started_at,
            exited_at=self.exited_at,
            peak_kb=self.peak_kb,
        )

    def kill(self) -> None:
        """End it and its group for certain, and free everything."""
        with self._reaping:
            if self.status is None:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(self.pid, signals.SIGKILL)
        self._reaped.wait(10)
        self.close_stdin()
        for fd in {*self._readable.values(), self._terminal}:
            if fd is not None:
                os.close(fd)
        self._readable, self._terminal = {}, None

    def memory_kb(self) -> int:
        """Its resident size now (Linux)."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(r"^VmRSS:\s+(\d+) kB", status, re.M)
        return int(found[1]) if found else 0

    def __str__(self) -> str:
        shown = "".join(f"--- {name} ---\n{_shown(bytes(data))}\n" for name, data in self._captured.items() if data)
        return f"$ {shlex.join(self.argv)}\nstatus {self.status}\n{shown}"


class Nursery:
    """A small process that forks one for each job, in place of this large one.

    On Linux what wait4 calls the peak memory of a child is never less than the size of the process that forked
    it; out of a nursery it is the child's own.

    With `libraries`, the job is the program, which begins with those imported and saves a second of CPU: a run as
    real as any other (its own process, session, streams, environment and end) for the many whose start is not what
    is tested.  The program's own modules are imported anew in each.

    Linux only: macOS does not like processes that go on after a fork.
    """

    LIBRARIES = ("anthropic", "anyio", "asyncio", "h11", "httpcore2", "httpx2", "tenacity", "typer")

    def __init__(self, env: Mapping[str, str], libraries: Sequence[str] = ()) -> None:
        self.libraries = libraries
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._popen = subprocess.Popen(
                [sys.executable, __file__, str(theirs.fileno()), *libraries],
                env=dict(env),
                pass_fds=[theirs.fileno()],
            )

    def start(self, job: dict[str, Any], fds: list[int]) -> None:
        socket.send_fds(self._ours, [json.dumps(job).encode()], fds)

    def stop(self) -> None:
        self._ours.close()
        self._popen.wait(10)


class NursedProcess(Process):
    """A Process that a Nursery starts."""

    def __init__(self, nursery: Nursery, argv: Sequence[str], env: Mapping[str, str], **streams: Any) -> None:
        self._nursery = nursery
        super().__init__(argv, env, **streams)

    def _start(
        self, command: list[str], env: dict[str, str], cwd: str | os.PathLike[str] | None, fds: list[int]
    ) -> int:
        job = {"argv": command, "env": env, "cwd": os.fspath(cwd or os.getcwd()), "module": None}
        if self._nursery.libraries:
            assert command[: len(PROGRAM)] == PROGRAM, "only the program itself, without terminal or wrapping"
            job |= {"argv": ["streamcli", *command[len(PROGRAM) :]], "module": "streamcli"}
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._nursery.start(job, [*fds, theirs.fileno()])
        return int(self._control.recv(64))

    def _await_end(self) -> None:
        while self._control.recv(64) == b"stopped":
            self._stopped.set()

    def _collect(self) -> tuple[int, int]:
        with self._control:
            self._control.send(b"collect")
            status, peak = json.loads(self._control.recv(64))
        return os.waitstatus_to_exitcode(status), peak


def _nurse(channel: socket.socket, libraries: list[str]) -> None:
    """The other side of Nursery: for each job a fork that minds a fork that becomes the job."""
    for name in libraries:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    signals.signal(signals.SIGCHLD, signals.SIG_IGN)
    while True:
        data, fds, _, _ = socket.recv_fds(channel, 1 << 17, 4)
        if not data:
            return
        if os.fork() == 0:
            channel.close()
            signals.signal(signals.SIGCHLD, signals.SIG_DFL)
            _mind(json.loads(data), fds)
        for fd in fds:
            os.close(fd)


def _await_end(pid: int, stopped: Callable[[], object]) -> None:
    """Wait for the end of a child, without reaping it, and tell when it is stopped meanwhile."""
    while True:
        seen = os.waitid(os.P_PID, pid, os.WEXITED | os.WSTOPPED | os.WNOWAIT)
        if seen is None or seen.si_code != os.CLD_STOPPED:
            return
        os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOHANG)
        stopped()


def _mind(job: dict[str, Any], fds: list[int]) -> NoReturn:
    ready, begun = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setsid()
        os.close(ready)
        os.close(begun)
        _become(job, fds)
    os.close(begun)
    os.read(ready, 1)  # now its group can be killed
    os.close(ready)
    with socket.socket(fileno=fds.pop()) as control:
        for fd in fds:
            os.close(fd)
        control.send(b"%d" % pid)
        _await_end(pid, lambda: control.send(b"stopped"))
        control.send(b"ended")
        control.recv(64)
        _, status, usage = os.wait4(pid, 0)
        control.send(json.dumps([status, usage.ru_maxrss]).encode())
    os._exit(0)


def _become(job: dict[str, Any], fds: list[int]) -> NoReturn:
    for number, fd in enumerate(fds[:3]):
        os.dup2(fd, number)
    for fd in fds:
        os.close(fd)
    os.environ.clear()
    os.environ.update(job["env"])
    os.chdir(job["cwd"])
    if job["module"] is None:
        for ignored in (signals.SIGPIPE, signals.SIGXFSZ):  # by Python itself
            signals.signal(ignored, signals.SIG_DFL)
        os.execvp(job["argv"][0], job["argv"])
    sys.argv[:] = job["argv"]
    runpy.run_module(job["module"], run_name="__main__", alter_sys=True)
    sys.exit()


def screen(data: bytes, size: tuple[int, int] = (24, 80)) -> list[str]:
    """What a terminal shows after these bytes: its lines, without the blanks at their ends and at the end."""
    rows, columns = size
    terminal = pyte.Screen(columns, rows)
    pyte.ByteStream(terminal).feed(data)
    lines = [line.rstrip() for line in terminal.display]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def self_signed(folder: Path) -> tuple[Path, Path] | None:
    """A certificate nobody trusts and its key, for 127.0.0.1; None where there is no openssl."""
    certificate, key = folder / "cert.pem", folder / "key.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "1",
        "-subj",
        "/CN=127.0.0.1",
    ]
    try:
        subprocess.run(
            [*command, "-keyout", str(key), "-out", str(certificate)],
            check=True,
            capture_output=True,
            timeout=30,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return certificate, key


if __name__ == "__main__":
    _nurse(socket.socket(fileno=int(sys.argv[1])), sys.argv[2:])
