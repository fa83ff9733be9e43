"""The terminal while a conversation is held on it.

Between two prompts what is typed waits, unseen, for the next one; ^C, ^Z and ^S stay what they are. However the
conversation ends or pauses, the terminal is left as it was found.
"""

import asyncio
import contextlib
import os
import select
import signal
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Self

from streamcli.edge.clock import stopping
from streamcli.edge.descriptors import is_in_foreground, write_all
from streamcli.edge.notes import Bar
from streamcli.edge.screen import is_dumb
from streamcli.edge.signals import die_by
from streamcli.errors import InputError

_IFLAG, _LFLAG, _CC = 0, 3, 6  # places in what tcgetattr gives
# With these a terminal marks what is pasted, so that its lines are not taken for messages of their own.
_PASTE_ON, _PASTE_OFF = b"\x1b[?2004h", b"\x1b[?2004l"

Attributes = list[Any]


class Terminal:
    """As a context it has the terminal on fds 0 and 1 until its end. Made and entered inside a running loop."""

    def __init__(self, fd: int = 0, output: int = 1) -> None:
        self._fd = fd
        self._output = output
        self._loop = asyncio.get_running_loop()
        self._usual: Attributes = []
        self._is_given_back = False
        self._marks_pastes = False
        self._stops = True  # unless the parent had ^Z ignored
        self.before_stop: Callable[[], None] | None = None
        self.after_stop: Callable[[], None] | None = None
        """Set while something is drawn: called before it stops by ^Z, and when it goes on, also after a SIGSTOP."""
        self.is_prompting = False
        """Whether there is a prompt, which must not go on in the background."""
        self.is_lent: Callable[[], bool] | None = None
        """Tells whether another program has it for a while, which minds its modes itself."""

    def __enter__(self) -> Self:
        """Raises InputError. In the background this stops the process, as a read would."""
        self._is_given_back = True
        self.claim()
        self._stops = signal.getsignal(signal.SIGTSTP) is not signal.SIG_IGN
        self._listen(True)
        if signal.getsignal(signal.SIGQUIT) is not signal.SIG_IGN:
            signal.signal(signal.SIGQUIT, self._quit)  # not by the loop: it is the last resort
        return self

    def __exit__(self, *_: object) -> None:
        self._listen(False)
        self.give_back()
        if signal.getsignal(signal.SIGQUIT) == self._quit:
            signal.signal(signal.SIGQUIT, signal.SIG_DFL)

    def claim(self) -> None:
        """For a prompt: in the background this stops the process, until it is called. Raises InputError."""
        try:
            termios.tcflow(self._fd, termios.TCOON)  # it changes nothing; what would be read before it is the shell's
        except termios.error as error:
            raise InputError(f"cannot use the terminal: {error.args[-1]}") from error
        self.take_again()

    @contextmanager
    def between_prompts(self, bar: Bar | None = None) -> Iterator[None]:
        """While an answer is written, a paste is marked as such for the next prompt. Nobody else may be writing.

        What is drawn by `bar` makes room for the shell.
        """
        self._marks_pastes = not is_dumb()
        self.take_again()
        if bar is not None:
            self.before_stop, self.after_stop = bar.hide, bar.show
        try:
            yield
        finally:
            self.before_stop = self.after_stop = None
            if self._marks_pastes and not self._is_given_back:
                self._write(_PASTE_OFF)
            self._marks_pastes = False

    def forget_typed(self) -> None:
        """What was typed and not read is gone, as at any ^C."""
        with contextlib.suppress(termios.error):
            termios.tcflush(self._fd, termios.TCIFLUSH)

    def give_back(self) -> None:
        """Leaves it as it was found, or alone where it is another's now, in the background. May be called again."""
        if not is_in_foreground(self._fd):
            return
        if self._marks_pastes:
            self._write(_PASTE_OFF)
        with contextlib.suppress(termios.error):
            termios.tcsetattr(self._fd, termios.TCSANOW, self._usual)  # TCSADRAIN would wait for a ^Q
        self._is_given_back = True

    def stop(self) -> None:
        """Stops the job until the shell continues it, with the terminal as the shell wants it meanwhile."""
        if not self._stops:
            return
        if self.before_stop is not None:
            self.before_stop()
        if self.is_lent is None or not self.is_lent():
            self.give_back()
        self._listen(False)
        with stopping(self._loop):
            os.kill(0, signal.SIGTSTP)  # not only us: a shell waits for all of a job
        self._listen(True)
        self.take_again()

    def take_again(self) -> None:
        """When it goes on. After `bg` the terminal is not ours, and left alone until it is; a prompt waits for that."""
        if not is_in_foreground(self._fd):
            if self.is_prompting:
                os.kill(0, signal.SIGTTIN)
            return
        if self.is_lent is not None and self.is_lent():
            return
        with contextlib.suppress(termios.error):
            if self._is_given_back:
                self._usual = termios.tcgetattr(self._fd)  # `stty` may have been what it was stopped for
                self._is_given_back = False
            self._take()
        if self._marks_pastes:
            self._write(_PASTE_ON)
        if self.after_stop is not None:
            self.after_stop()

    def _listen(self, yes: bool) -> None:
        """To ^Z, and to being continued."""
        for signum, action in ((signal.SIGTSTP, self.stop), (signal.SIGCONT, self.take_again)):
            if signum == signal.SIGTSTP and not self._stops:
                continue
            if yes:
                self._loop.add_signal_handler(signum, action)
            else:
                self._loop.remove_signal_handler(signum)

    def _take(self) -> None:
        if is_dumb():  # it may be no terminal at all but a window of an editor, which sends whole lines
            return
        attributes = termios.tcgetattr(self._fd)
        attributes[_IFLAG] &= ~(termios.ICRNL | termios.INLCR | termios.IGNCR)
        attributes[_LFLAG] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN)
        # ^C is not to throw away what of an answer is on its way to the screen.
        attributes[_LFLAG] |= termios.ISIG | termios.NOFLSH
        attributes[_CC][termios.VMIN], attributes[_CC][termios.VTIME] = 1, 0
        termios.tcsetattr(self._fd, termios.TCSANOW, attributes)

    def _write(self, sequence: bytes) -> None:
        """To a terminal that takes it: one that ^S has stopped must not stop us."""
        poll = select.poll()
        poll.register(self._output, select.POLLOUT)
        with contextlib.suppress(OSError):
            if any(event & select.POLLOUT for _, event in poll.poll(0)):
                write_all(self._output, sequence)

    def _quit(self, signum: int, _frame: FrameType | None) -> None:
        self.give_back()
        die_by(signum)
