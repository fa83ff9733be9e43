"""The process: file descriptors guarded, the app run, and an end that the shell can trust."""

import contextlib
import io
import os
import signal
import sys
import warnings
from typing import TYPE_CHECKING, NoReturn

from streamcli.edge.descriptors import guard_descriptors, write_all
from streamcli.edge.signals import DeathBySignal, die_at_once, die_by
from streamcli.errors import OutputError, StreamcliError

if TYPE_CHECKING:
    from streamcli.edge.notes import Notes
    from streamcli.invocation import Invocation


def main() -> NoReturn:
    """The entry point. Does not return: exits with a status of README.md's table, or dies by a signal."""
    die_at_once()
    warnings.simplefilter("ignore")  # they are for programmers, and stderr is the user's
    guard_descriptors()
    try:
        status = _run(sys.argv[1:])
    except BaseException as error:  # not even a report could be made: no memory, or no file descriptors
        os.write(2, f"streamcli: a bug in streamcli: {type(error).__name__}\n".encode())
        status = 70
    # Not sys.exit: tearing the interpreter down takes a while, and would wait for threads that wait for others.
    os._exit(status)


def _run(arguments: list[str]) -> int:
    from streamcli.edge.notes import Notes

    notes = Notes()
    try:
        invocation = _parse(arguments)
        if isinstance(invocation, int):
            return invocation
        notes = Notes(quiet=invocation.settings.quiet, verbose=invocation.settings.verbose)
        return _invoke(invocation, notes)
    except StreamcliError as error:
        notes.error(error)
        return error.status
    except Exception as error:
        from streamcli.edge.crash import report

        crash = report(error)
        notes.error(crash)
        return crash.status


def _parse(arguments: list[str]) -> "Invocation | int":
    """What the command line asks for; help and the like are printed here, where a failed write is noticed."""
    from streamcli.cli import parse

    with contextlib.redirect_stdout(io.StringIO()) as printed:
        result = parse(arguments)
    if text := printed.getvalue():
        _print(text, 2 if result else 1)
    return result


def _print(text: str, fd: int) -> None:
    try:
        write_all(fd, text.encode())
    except BrokenPipeError:  # --help | true
        die_by(signal.SIGPIPE)
    except OSError as error:
        raise OutputError(f"cannot write to standard output: {error.strerror}") from error


def _invoke(invocation: "Invocation", notes: "Notes") -> int:
    from streamcli.commands.runtime import run

    command = invocation.load()
    try:
        return run(lambda runtime: command(runtime, invocation.settings), notes)
    except DeathBySignal as death:
        die_by(death.signum)


if __name__ == "__main__":
    main()
