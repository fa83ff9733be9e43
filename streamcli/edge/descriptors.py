"""Raw file descriptors: what may be wrong with those that a process inherits."""

import fcntl
import os
import select

from streamcli.errors import OutputError


def guard_descriptors() -> None:
    """Occupies 0, 1 and 2 where the parent closed them: else a socket would become stdout.

    As gnulib's stdopen does, so that using them is still an error: stdin cannot be read, stdout cannot be written.
    """
    for fd, mode in ((0, os.O_WRONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, mode)  # the lowest number that is free, which is fd


def check_writable(fd: int = 1) -> None:
    """Raises OutputError if fd was closed or is read-only, before anything is paid for."""
    try:
        mode = fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE
    except OSError as error:
        raise OutputError(f"cannot write to standard output: {error.strerror}") from error
    if mode == os.O_RDONLY:
        raise OutputError("cannot write to standard output: it is closed, or open only for reading")


def write_all(fd: int, data: bytes) -> None:
    """Writes everything, whatever the descriptor's mode. Blocks; raises OSError."""
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(fd, rest) :]
        except BlockingIOError:  # somebody else made it non-blocking
            poll = select.poll()
            poll.register(fd, select.POLLOUT)
            poll.poll()


def is_in_foreground(fd: int) -> bool:
    """Whether the terminal on fd listens to this process; of one that does not control us, nobody knows."""
    try:
        return os.tcgetpgrp(fd) == os.getpgrp()
    except OSError:
        return True
