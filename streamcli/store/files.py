"""The user's file, whole or not at all: written beside the target (see temps.py), synced, then given its name."""

import contextlib
import errno
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from streamcli.core.models import MAX_MESSAGE_BYTES
from streamcli.errors import CannotCreate, InputError, OutputError
from streamcli.store.attributes import dress
from streamcli.store.temps import Temp, opened, private_folder, status_of, sweep

_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG)
_HINTS = {
    errno.ENOENT: "make its folder first, or use --parents",
    errno.EACCES: "choose a folder that you may write to",
    errno.EPERM: "choose a folder that you may write to",
    errno.EROFS: "choose a folder that you may write to",
}
_OTHER_KINDS = {stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket"}


class Target:
    """The user's FILE; a link stands for what it leads to. Nothing is touched before `commit`.

    What was not there when it was looked for is never replaced. `force` allows it to exist, `parents` allows its folder
    to be missing. Its methods raise CannotCreate.
    """

    def __init__(self, path: str | bytes, *, force: bool, parents: bool) -> None:
        self._path = os.fsdecode(path)
        self._force = force
        self._parents = parents
        self._real: str | None = None
        self._read: tuple[int, ...] | None = None  # what `old_text` saw
        self._was_absent = False  # when it was looked for

    def check(self) -> None:
        """Raises CannotCreate for whatever can be known to be in the way, before anything is paid for."""
        with self._reporting():
            real = self._resolved()
            old = status_of(real)
            self._was_absent = old is None
            self._check_replaceable(old)
            with opened(self._nearest_folder()) as folder:
                sweep(folder, os.path.basename(real))
                _check_names(folder, os.path.relpath(real, self._nearest_folder()))
                if os.path.lexists(real):
                    _check_removable(folder, os.path.basename(real))
                Temp(folder, os.path.basename(real), 0o600).close()

    def old_text(self) -> bytes | None:
        """What the file holds, None if there is none. `commit` then refuses to undo what others write meanwhile.

        Raises InputError if it cannot be read, or is larger than any message.
        """
        with self._reporting():
            real = self._resolved()
        try:
            fd = os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
        except FileNotFoundError:
            self._was_absent = True
            return None
        except OSError as error:
            raise InputError(f"cannot read {self._path}: {error.strerror}") from error
        with open(fd, "rb") as file:
            status = os.fstat(fd)
            self._check_kind(status)
            data = file.read(MAX_MESSAGE_BYTES + 1)
        if len(data) > MAX_MESSAGE_BYTES:
            raise InputError(f"{self._path} is larger than {MAX_MESSAGE_BYTES // 1_000_000} MB")
        self._read, self._was_absent = _version(status), False
        return data

    def candidate(self, data: bytes) -> "Candidate":
        """`data` as a file of the target's name, in a folder of its own beside the target."""
        with self._reporting():
            old = status_of(self._resolved())
            executable = old is not None and bool(old.st_mode & stat.S_IXUSR)
            return Candidate(data, os.path.basename(self._path), self._nearest_folder(), executable=executable)

    def commit(self, data: bytes) -> None:
        """The file holds `data` from now on; its mode, owner, group and attributes stay, as far as they may be given.

        Raises OutputError if the disk fails or is full. After any error the old file is there, untouched, and no
        other - but for an error of the last sync, which says so.
        """
        with self._reporting(_DISK_ERRORS):
            folder_path, name = os.path.split(self._resolved())
            with self._made_folders(folder_path), opened(folder_path) as folder:
                sweep(folder, name)
                old = status_of(name, folder)
                self._check_replaceable(old)
                with closing(Temp(folder, name, 0o600 if old else 0o666)) as temp:
                    _write(temp.fd, data)
                    dress(temp.fd, folder, name, old)
                    _sync(temp.fd)
                    temp.become(name, replace=self._force and not self._was_absent)
                    self._read, self._was_absent = self._read and _version(os.fstat(temp.fd)), False
                self._sync_folder(folder)

    def _resolved(self) -> str:
        """The file's own path: found out once, so that no link can lead elsewhere later."""
        if self._real is None:
            if not self._path:
                raise CannotCreate("the output file has no name")
            if os.path.basename(self._path) in ("", ".", ".."):
                raise CannotCreate(f"{self._path} is a folder")
            with contextlib.suppress(FileNotFoundError):
                self._check_kind(os.stat(self._path))  # finds loops, and pipes below /dev/fd, as realpath does not
            self._real = os.path.realpath(self._path)
        return self._real

    def _nearest_folder(self) -> str:
        """The file's folder; with --parents, the nearest above it that exists."""
        folder = os.path.dirname(self._resolved())
        while self._parents and status_of(folder) is None:
            folder = os.path.dirname(folder)
        return folder

    @contextmanager
    def _made_folders(self, folder: str) -> Iterator[None]:
        """The block may use `folder`, which is made if it is missing and may be, and unmade if the block fails."""
        made: list[str] = []
        try:
            while self._parents and status_of(folder) is None:
                made.insert(0, folder)
                folder = os.path.dirname(folder)
            for each in made:
                os.makedirs(each, exist_ok=True)  # another process may have been faster
                with opened(os.path.dirname(each)) as above:
                    _sync(above)
            yield
        except BaseException:
            for each in reversed(made):
                with contextlib.suppress(OSError):  # not empty, or not there
                    os.rmdir(each)
            raise

    def _check_replaceable(self, old: os.stat_result | None) -> None:
        if old is not None:
            self._check_kind(old)
            if not self._force:
                raise self.exists()
            if self._was_absent:
                raise self._changed()
        if self._read and self._read != (_version(old) if old else None):
            raise self._changed()

    def _check_kind(self, status: os.stat_result) -> None:
        kind = stat.S_IFMT(status.st_mode)
        if kind == stat.S_IFDIR:
            raise CannotCreate(f"{self._path} is a folder")
        if kind != stat.S_IFREG:
            what = _OTHER_KINDS.get(kind, "a device" if kind != stat.S_IFLNK else "a link that leads nowhere")
            raise CannotCreate(f"{self._path} is {what}", "leave -o out to write to standard output")

    def exists(self) -> CannotCreate:
        """What there is to say of a file that must not be there."""
        return CannotCreate(f"{self._path} exists already", "use --force to replace it")

    def _changed(self) -> CannotCreate:
        return CannotCreate(f"{self._path} was changed by somebody else meanwhile", "look at it, and run this again")

    @contextmanager
    def _reporting(self, write_failures: tuple[int, ...] = ()) -> Iterator[None]:
        try:
            yield
        except FileExistsError as error:
            raise (self._changed() if self._force else self.exists()) from error
        except OSError as error:
            what = error.strerror or str(error)
            if error.errno in write_failures:
                raise OutputError(f"cannot write {self._path}: {what}") from error
            raise CannotCreate(f"cannot create {self._path}: {what}", _HINTS.get(error.errno or 0)) from error
        except ValueError as error:  # a NUL, or half a surrogate pair
            raise CannotCreate(f"cannot create {self._path}: no file can have such a name") from error

    def _sync_folder(self, folder: int) -> None:
        try:
            _sync(folder)
        except OSError as error:
            what = f"{self._path} is written, but may not outlive a power cut: {error.strerror}"
            raise OutputError(what) from error


class Candidate:
    """A context manager: its path is a file `name` with `data`, alone in a private folder below `folder`.

    Without `folder` that is the system's temporary one. All of it is gone afterwards, whatever was added to it.
    """

    def __init__(self, data: bytes, name: str, folder: str | None = None, *, executable: bool = False) -> None:
        self._data = data
        self._name = name
        self._above = folder
        self._mode = 0o700 if executable else 0o600
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Path:
        with contextlib.ExitStack() as stack:
            try:
                above = self._above or tempfile.gettempdir()
                path = Path(above) / stack.enter_context(private_folder(above, self._name)) / self._name
                fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, self._mode)
                try:
                    _write(fd, self._data)
                finally:
                    os.close(fd)  # a file that is open for writing cannot be run
            except OSError as error:
                kind = OutputError if error.errno in _DISK_ERRORS else CannotCreate
                raise kind(f"cannot write {self._name} for --check: {error.strerror or error}") from error
            self._open = stack.pop_all()
        return path

    def __exit__(self, *_: object) -> None:
        self._open.close()


def _version(status: os.stat_result) -> tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _check_names(folder: int, relative: str) -> None:
    """Raises OSError for a name that is too long; to look for it would not, where its folder is missing."""
    longest = os.fpathconf(folder, "PC_NAME_MAX")
    if any(len(os.fsencode(name)) > longest for name in relative.split(os.sep)):
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))


def _check_removable(folder: int, name: str) -> None:
    """Raises OSError if `name` cannot be replaced although its folder may be written to."""
    above, status = os.fstat(folder), os.stat(name, dir_fd=folder, follow_symlinks=False)
    if above.st_mode & stat.S_ISVTX and os.geteuid() not in (0, above.st_uid, status.st_uid):
        raise OSError(errno.EPERM, "it belongs to another user, in a folder where only its owner may replace it")
    if sys.platform == "linux":
        fd = os.open(name, os.O_PATH | os.O_NOFOLLOW, dir_fd=folder)
        try:
            if _mount(fd) != _mount(folder):  # as containers do with single files
                raise OSError(errno.EBUSY, "it is mounted there by itself, and cannot be replaced")
        finally:
            os.close(fd)


def _mount(fd: int) -> str | None:
    """The number of the mount that the file is on, where the kernel says it."""
    with contextlib.suppress(OSError), open(f"/proc/self/fdinfo/{fd}") as info:
        return next((line for line in info if line.startswith("mnt_id:")), None)
    return None


def _write(fd: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]


def _sync(fd: int) -> None:
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno in _DISK_ERRORS:  # else the file system has no such thing, for folders at least
            raise
