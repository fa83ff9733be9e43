"""The user's own command (--check) on a candidate: run it, bounded in time and output, and leave nothing of it behind.

A plain Popen that the loop polls, not asyncio's own: its `wait` ends, depending on Python's version, only when every
grandchild has closed the pipe.
"""

import asyncio
import contextlib
import os
import shlex
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from streamcli.edge.secrets import SECRET_VARIABLES
from streamcli.errors import UsageError

PLACE = "{}"
OUTPUT_BYTES = 64 * 1024
"""How much of a command's output is kept: its end, where the verdict stands."""
_STOP_LIMIT = 1.0  # seconds between the polite signal and the other one
_POLL = 0.02  # seconds between two looks at the command
_LONGEST_CUT_LINE = 4096  # bytes of a line that lost its beginning, up to which the rest is dropped too


@dataclass(frozen=True)
class CheckResult:
    """`status` is as in subprocess: negative for a signal, None if the time limit ended the command.

    `output` is stdout and stderr as they came, undecodable bytes as \\xNN; it may hold terminal escapes.
    """

    status: int | None
    output: str
    timed_out: bool

    @property
    def passed(self) -> bool:
        return self.status == 0


def check_command(command: str, *, shell: bool) -> None:
    """Raises UsageError for what `run_check` could not run, before any request is paid for."""
    if not command.strip():
        raise UsageError("--check: the command is empty")
    if shell:
        if _is_quoted_somewhere(command):
            raise UsageError(f"--check: {PLACE} stands in quotes", "leave them out: it is quoted already")
        return
    program = _split(command)[0]
    if PLACE not in program and shutil.which(program) is None:
        hint = "it is run without a shell" if "=" in program or program in ("cd", "if", "!") else None
        raise UsageError(f"--check: {program}: no such command", hint or "is it installed, and in PATH?")


async def run_check(
    command: str, path: Path, *, shell: bool, time_limit: float, cwd: str | os.PathLike[str] | None = None
) -> CheckResult:
    """Runs `command` on `path`, for at most `time_limit` seconds (0: as long as it takes).

    Its stdin is empty, and it has no terminal. It leads a group of its own; what is left of that is killed when the
    command ends, passes its limit (first asked to, then killed a second later) or is cancelled.
    """
    child = _spawn(_arguments(command, path, shell=shell), cwd)
    assert child.stdout
    tail = _Tail(child.stdout)
    loop = asyncio.get_running_loop()
    loop.add_reader(child.stdout, tail.take)
    try:
        ended = await _ends_within(child, time_limit or None)
        if not ended:
            await _ask_to_stop(child)
    except asyncio.CancelledError:
        await _ask_to_stop(child)
        raise
    finally:
        loop.remove_reader(child.stdout)
        _kill(child)
        tail.drain()
        child.stdout.close()
    return CheckResult(child.returncode if ended else None, tail.text(), not ended)


def _arguments(command: str, path: Path, *, shell: bool) -> list[str]:
    if shell:
        filled = command if PLACE in command else f"{command.rstrip()} {PLACE}"
        # As a parameter: whatever the name is, no shell reads it as a command.
        return ["/bin/sh", "-c", filled.replace(PLACE, '"$1"'), "sh", str(path)]
    words = _split(command)
    if PLACE not in command:
        words.append(PLACE)
    return [word.replace(PLACE, str(path)) for word in words]


def _is_quoted_somewhere(command: str) -> bool:
    """Whether the shell would see the path's place within quotes, or after a backslash."""
    quote = ""
    position = 0
    while position < len(command):
        char = command[position]
        if command.startswith(PLACE, position) and quote:
            return True
        if char == "\\" and quote != "'":
            if command.startswith(PLACE, position + 1):
                return True
            position += 1
        elif char in "'\"" and quote in ("", char):
            quote = "" if quote else char
        position += 1
    return False


def _split(command: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UsageError(f"--check: {str(error)[:1].lower()}{str(error)[1:]}: {command}") from error
    if not words or not words[0]:
        raise UsageError("--check: the command is empty")
    return words


def _spawn(arguments: list[str], cwd: str | os.PathLike[str] | None) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            cwd=cwd,
            # It may well run what the model wrote.
            env={name: value for name, value in os.environ.items() if name not in SECRET_VARIABLES},
            start_new_session=True,
        )
    except OSError as error:
        raise UsageError(f"--check: {arguments[0]}: {error.strerror or error}") from error


class _Tail:
    """The end of what comes out of a pipe."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._fd = pipe.fileno()
        os.set_blocking(self._fd, False)
        self._kept = bytearray()
        self._lost = 0
        self._open = True

    def take(self) -> None:
        """What is there now, up to 64 KiB."""
        try:
            data = os.read(self._fd, OUTPUT_BYTES)
        except BlockingIOError:
            return
        if not data:
            self._open = False
            asyncio.get_running_loop().remove_reader(self._fd)  # or it would be called without pause
        self._kept += data
        surplus = max(0, len(self._kept) - OUTPUT_BYTES)
        del self._kept[:surplus]
        self._lost += surplus

    def drain(self) -> None:
        """What is in the pipe still: not what a survivor goes on writing."""
        for _ in range(1 + (1 << 20) // OUTPUT_BYTES):  # the largest pipe that an ordinary user may have
            if self._open:
                self.take()

    def text(self) -> str:
        kept = bytes(self._kept)
        if not self._lost:
            return kept.decode("utf-8", "backslashreplace")
        begun, newline, rest = kept.partition(b"\n")
        if newline and len(begun) <= _LONGEST_CUT_LINE:
            kept = rest
        lost = self._lost + len(self._kept) - len(kept)
        return f"(the first {lost} bytes of the output are left out)\n" + kept.decode("utf-8", "backslashreplace")


async def _ends_within(child: subprocess.Popen[bytes], seconds: float | None) -> bool:
    try:
        async with asyncio.timeout(seconds):
            while True:
                if child.poll() is not None:
                    return True
                await asyncio.sleep(_POLL)
    except TimeoutError:
        return False


async def _ask_to_stop(child: subprocess.Popen[bytes]) -> None:
    _signal(child, signal.SIGTERM)
    await _ends_within(child, _STOP_LIMIT)


def _kill(child: subprocess.Popen[bytes]) -> None:
    """Ends all of the group, also after its leader: its number is not given away while the group lives."""
    _signal(child, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):  # sudo, for instance, is not ours to kill
        child.wait(_STOP_LIMIT)


def _signal(child: subprocess.Popen[bytes], signum: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signum)
