"""Which files can be followed, as far as can be told before one is."""

import contextlib
import os
import resource
import stat
from collections.abc import Mapping, Sequence

from streamcli.core.position import Kept
from streamcli.edge import siblings
from streamcli.edge.logfile import Identity
from streamcli.errors import InputError

# Descriptors that a run needs besides those of the files: connections, the journal, what is being looked at.
_OTHERS = 40


def position_key(path: str) -> str:
    """The name under which a file's position is kept: absolute, its folder without links.

    The last part may be a link: that it leads to another file one day is a rotation.
    """
    folder, name = os.path.split(os.path.abspath(path))
    return os.path.join(os.path.realpath(folder), name)


def distinct(paths: Sequence[str], kept: Mapping[str, Kept]) -> list[int]:
    """The indices of those that are to be followed: each file once, by a link if one leads to it.

    A link tells where to go on one day, and another name of the same file does not. Raises InputError for what cannot
    be followed; one that is missing can, where a position is `kept` and rotated files are there.
    """
    chosen: dict[Identity | str, int] = {}
    for index, path in enumerate(paths):
        key = position_key(path)
        identity = key if key in kept and _is_rotated_away(path) else _identity(path)
        if identity not in chosen or (os.path.islink(path) and not os.path.islink(paths[chosen[identity]])):
            chosen[identity] = index
    return sorted(chosen.values())


def make_room(files: int) -> None:
    """Lets the process open so many files at once. Raises InputError where it may not."""
    wanted = files + _OTHERS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError) as error:
        raise InputError(f"{files} files cannot be open at once: {hard} may", "ulimit -n, or follow fewer") from error


def _is_rotated_away(path: str) -> bool:
    """Whether the file is missing, and was there."""
    if os.path.lexists(path):
        return False
    with contextlib.suppress(OSError):
        return any(not each.is_compressed for each in siblings.look(os.path.realpath(path)) or ())
    return False


def _identity(path: str) -> Identity:
    """The file's device and inode. Raises InputError."""
    try:
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            raise InputError(f"{path} is a directory", "name the files in it")
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"{path} is not a regular file", "pipe it into streamcli instead")
        if _is_our_output(status):
            raise InputError(f"{path} is what this command writes to", "it would read its own answers, for ever")
        os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC))
    except (OSError, ValueError) as error:
        what = error.strerror if isinstance(error, OSError) else str(error)
        raise InputError(f"cannot read {path}: {what}") from error
    return status.st_dev, status.st_ino


def _is_our_output(status: os.stat_result) -> bool:
    for fd in (1, 2):
        try:
            output = os.fstat(fd)
        except OSError:  # closed
            continue
        if os.path.samestat(status, output):
            return True
    return False
