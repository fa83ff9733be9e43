"""Signals: the first one ends the run in order, the second at once; either way we die by it.

A shell tells `exit(130)` from death by SIGINT: only the second one ends its loop.
"""

import os
import signal
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    import asyncio

# Seconds in which a loop that is only busy will have heard of a signal; and people press ^C twice.
PATIENCE = 0.5
HANDLED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class DeathBySignal(BaseException):
    """The run ends by this signal, once everything is in order."""

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.signum = signum

    def is_broken_pipe(self) -> bool:
        """Nobody reads any more: there is nothing to say, and nobody to say it to."""
        return self.signum == signal.SIGPIPE


def die_at_once() -> None:
    """Before there is a loop, ^C ends the process as it ends any other: without Python's traceback."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def take_over(loop: "asyncio.AbstractEventLoop", on_signal: Callable[[int], bool]) -> None:
    """Calls `on_signal` in the loop for each signal until it returns False; from then on they are the kernel's.

    A loop that is stuck (in a plug-in, say) hears nothing: then the next signal ends the process. What the parent had
    ignored (nohup, `trap '' INT`) stays ignored.
    """
    unheard_since: float | None = None

    def hear(signum: int) -> None:
        nonlocal unheard_since
        unheard_since = None
        if not on_signal(signum):
            release()

    def arrived(signum: int, _frame: object) -> None:
        """Wherever the interpreter is."""
        nonlocal unheard_since
        now = time.monotonic()
        if unheard_since is not None and now > unheard_since + PATIENCE:
            die_by(signum)
        unheard_since = unheard_since or now
        loop.call_soon_threadsafe(hear, signum)

    for signum in HANDLED:
        if signal.getsignal(signum) is not signal.SIG_IGN:
            loop.add_signal_handler(signum, _nothing)  # whichever thread the kernel gives it to, the loop wakes up
            signal.signal(signum, arrived)
            signal.siginterrupt(signum, False)


def _nothing() -> None:
    pass


def release() -> None:
    """Leaves the signals to the kernel again: one that comes now works whatever this process is doing."""
    for signum in HANDLED:
        if signal.getsignal(signum) is not signal.SIG_IGN:
            signal.signal(signum, signal.SIG_DFL)


def die_by(signum: int) -> NoReturn:
    """Ends this process as the signal would have."""
    signal.signal(signum, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signum})
    os.kill(os.getpid(), signum)
    os._exit(128 + signum)  # not reached, unless the signal is one that does not kill
