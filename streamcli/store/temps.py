"""Files on their way to their name: without one while they are written, or with one that the next run knows as ours.

On Linux a new file has no name while it is written, and so vanishes with the process. Elsewhere, and for the moment
before a rename, it is called `.NAME.streamcli-XXXXXXXX.tmp`. Whoever writes it holds its flock: one that can be
locked is a dead process's, and the next run for the same target removes it. Raises OSError throughout.
"""

import contextlib
import errno
import fcntl
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager


class Temp:
    """A new file in `folder` for the target `name`, held until it is closed. Then it is gone, but for what it became.

    `mode` is narrowed by the umask, as the kernel does it.
    """

    def __init__(self, folder: int, name: str, mode: int) -> None:
        self._folder = folder
        self._stem = "." + _stem(name)
        self._name: str | None = None  # None for a file that has none (yet)
        self.fd = -1
        try:
            self.fd = self._open_unnamed(mode)
            while self.fd < 0:
                self.fd = self._open_named(mode)
        except BaseException:
            self.close()
            raise

    def become(self, name: str, *, replace: bool) -> None:
        """Gives the file its name, instead of whatever has it now. Raises FileExistsError if it must not `replace`."""
        if replace or not self._take_free(name):
            if self._name is None:
                source, self._name = self._source(), self._fresh()
                self._link(source, self._name)
            os.rename(self._name, name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
            self._name = None

    def close(self) -> None:
        if self._name is not None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._name, dir_fd=self._folder)
        if self.fd >= 0:
            os.close(self.fd)

    def _take_free(self, name: str) -> bool:
        """Whether the file has `name` now; False on file systems where that takes a rename (FAT, some networks')."""
        try:
            self._link(self._source(), name)
        except FileExistsError:
            raise
        except OSError:
            if status_of(name, self._folder) is not None:
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from None
            return False
        return True

    def _source(self) -> str:
        return self._name or f"/proc/self/fd/{self.fd}"

    def _link(self, source: str, name: str) -> None:
        # The folders are given also where they say nothing: without them Python does not follow the link in /proc.
        os.link(source, name, src_dir_fd=self._folder, dst_dir_fd=self._folder)

    def _open_unnamed(self, mode: int) -> int:
        """-1 where there is no such thing. What else may be wrong, a file with a name will say."""
        if not hasattr(os, "O_TMPFILE"):
            return -1
        try:
            fd = os.open(".", os.O_TMPFILE | os.O_RDWR, mode, dir_fd=self._folder)
        except OSError:
            return -1
        if not os.path.exists(f"/proc/self/fd/{fd}"):  # it could never get a name
            os.close(fd)
            return -1
        lock(fd)
        return fd

    def _open_named(self, mode: int) -> int:
        self._name = self._fresh()
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        return _held(os.open(self._name, flags, mode, dir_fd=self._folder), self._name, self._folder)

    def _fresh(self) -> str:
        return f"{self._stem}{secrets.token_hex(4)}.tmp"


def sweep(folder: int, name: str) -> None:
    """Removes what runs that were killed have left in `folder` for the target `name`."""
    ours = re.compile(rf"\.?{re.escape(_stem(name))}[0-9a-f]{{8}}\.(tmp|check)")
    with contextlib.suppress(OSError):
        for found in filter(ours.fullmatch, os.listdir(folder)):
            with contextlib.suppress(OSError):
                _remove_stale(found, folder)


def _remove_stale(name: str, folder: int) -> None:
    fd = _open_to_lock(name, folder)
    try:
        status = os.fstat(fd)
        if not lock(fd):
            return
        if stat.S_ISREG(status.st_mode):
            os.unlink(name, dir_fd=folder)
        elif stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid():
            remove_folder(name, folder)
    finally:
        os.close(fd)


def _open_to_lock(name: str, folder: int) -> int:
    flags = os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        return os.open(name, os.O_RDWR | flags, dir_fd=folder)  # NFS locks no other
    except OSError:  # a folder, or read-only
        return os.open(name, os.O_RDONLY | flags, dir_fd=folder)


def lock(fd: int) -> bool:
    """Whether it is held by us alone now; not if another process holds it, or where the file system has no locks."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _held(fd: int, name: str, folder: int) -> int:
    """`fd`, just made as `name`, locked; -1, and closed, if another run took it for a dead one's before it was."""
    is_ours = lock(fd) or not _is_locked_by_another(fd)
    status = status_of(name, folder)
    if is_ours and status is not None and os.path.samestat(status, os.fstat(fd)):
        return fd
    os.close(fd)
    return -1


def _is_locked_by_another(fd: int) -> bool:
    """Not where the file system has no locks at all."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in (errno.EWOULDBLOCK, errno.EACCES)
    return False


def remove_folder(name: str, above: int) -> None:
    shutil.rmtree(name, ignore_errors=True, dir_fd=above)
    if status_of(name, above) is not None:  # it has folders that may not be written to
        with contextlib.suppress(OSError):
            for _, folders, _, fd in os.fwalk(name, dir_fd=above):
                for each in folders:
                    os.chmod(each, 0o700, dir_fd=fd)
        shutil.rmtree(name, ignore_errors=True, dir_fd=above)


def _stem(name: str) -> str:
    """What names of ours begin with. Cut, so that they fit wherever the target's does; others' are locked anyway."""
    return os.fsencode(name)[:100].decode("utf-8", "ignore") + ".streamcli-"


@contextmanager
def opened(folder: str) -> Iterator[int]:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield fd
    finally:
        os.close(fd)


def status_of(path: str, folder: int | None = None) -> os.stat_result | None:
    """What is there, links not followed; None if nothing is."""
    try:
        return os.stat(path, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


@contextmanager
def private_folder(above: str, name: str) -> Iterator[str]:
    """The name of a new folder in `above`, held while the block runs, and removed after it."""
    with opened(above) as parent:
        sweep(parent, name)
        folder, held = "", -1
        try:
            while held < 0:
                folder = f"{_stem(name)}{secrets.token_hex(4)}.check"  # no dot in front: some checkers skip such
                os.mkdir(folder, 0o700, dir_fd=parent)
                with contextlib.suppress(FileNotFoundError):  # swept by another run before it was held
                    held = _held(os.open(folder, os.O_RDONLY | os.O_DIRECTORY, dir_fd=parent), folder, parent)
            yield folder
        finally:
            remove_folder(folder, parent)
            if held >= 0:
                os.close(held)
