"""One run: a loop, the process's ends, and how the run may end."""

import asyncio
import contextlib
import errno
import os
import signal
from collections.abc import Callable, Coroutine
from typing import Any

from streamcli.edge.clock import StopAwareLoop
from streamcli.edge.descriptors import check_writable
from streamcli.edge.notes import Notes
from streamcli.edge.signals import DeathBySignal, release, take_over
from streamcli.edge.sink import Sink
from streamcli.edge.sources import StdinSource
from streamcli.errors import OutputError, StreamcliError

# Seconds for what was received already to reach stdout after a signal; a reader that dawdles longer loses it.
LAST_WRITES = 0.1


class Runtime:
    """What a command works with. Made inside the loop, by `run`."""

    def __init__(self, notes: Notes) -> None:
        self.notes = notes
        self.sink = Sink(self._stdout_failed)
        self.stdin = StdinSource()
        self.stdin_is_terminal = os.isatty(0)
        self.stdout_is_terminal = os.isatty(1)
        self.ending: StreamcliError | DeathBySignal | None = None
        """Why the run was cancelled: a signal, or stdout."""
        self.task: asyncio.Task[int] | None = None
        self._is_winding_down = False
        self.wind_down: Callable[[], None] | None = None
        """Set by a command that ends by itself, and soon, when it is asked to by ^C or SIGTERM."""
        self.interrupt: Callable[[], bool] | None = None
        """Set by a command that ^C is to stop something of, and not the run; False where there is nothing to stop."""

    def end(self, reason: StreamcliError | DeathBySignal) -> None:
        """Cancels the command, or has it end by itself; `run` raises `reason` when it has come to rest."""
        first, self.ending = self.ending is None, self.ending or reason
        asks = isinstance(reason, DeathBySignal) and reason.signum in (signal.SIGINT, signal.SIGTERM)
        if first and asks and self.wind_down is not None:
            self._is_winding_down = True
            self.wind_down()
        elif (first or self._is_winding_down) and self.task is not None:
            self._is_winding_down = False
            self.task.cancel()

    def signalled(self, signum: int) -> bool:
        """A signal came; returns whether the next one is to be heard too."""
        if signum == signal.SIGINT and self.interrupt is not None and self.ending is None and self.interrupt():
            return True
        self.end(DeathBySignal(signum))
        return False

    def _stdout_failed(self, error: OSError) -> None:
        if error.errno == errno.EPIPE:
            self.end(DeathBySignal(signal.SIGPIPE))
        else:
            self.end(OutputError(f"cannot write to standard output: {os.strerror(error.errno or errno.EIO)}"))


Command = Callable[[Runtime], Coroutine[Any, Any, int]]


def run(command: Command, notes: Notes) -> int:
    """Runs a command to its exit status. Raises StreamcliError, or DeathBySignal after a signal or a closed pipe."""
    check_writable()
    loop = StopAwareLoop()
    asyncio.set_event_loop(loop)
    # What asyncio would log, with a traceback: it concerns tasks that nobody waits for any more.
    loop.set_exception_handler(lambda _, context: notes.detail(f"asyncio: {context['message']}"))
    # The loop is never closed, nor its executor joined: that would wait for a name look-up that hangs. The process
    # ends right after this, and takes its threads and sockets along.
    try:
        return loop.run_until_complete(_supervise(command, notes))
    finally:
        release()


async def _supervise(command: Command, notes: Notes) -> int:
    runtime = Runtime(notes)
    task = runtime.task = asyncio.create_task(_to_the_last_byte(command, runtime))
    take_over(asyncio.get_running_loop(), runtime.signalled)
    status = 0
    try:
        status = await task
    except (asyncio.CancelledError, StreamcliError):
        if runtime.ending is None:
            raise
    if runtime.ending is None:
        return status
    if isinstance(runtime.ending, DeathBySignal):
        await _last_writes(runtime.sink)
    raise runtime.ending


async def _to_the_last_byte(command: Command, runtime: Runtime) -> int:
    """The command, and then its output: a run has not come to its end before the last byte is written."""
    try:
        return await command(runtime)
    finally:
        if runtime.ending is None:
            await runtime.sink.drain()


async def _last_writes(sink: Sink) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LAST_WRITES):
            await sink.drain()
