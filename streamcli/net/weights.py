"""The embedded models' weights: found in the cache directory, or put there at their first use.

Only a whole file, with the pinned sha256, gets its name there.
"""

import asyncio
import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from streamcli.errors import ConfigError, InputError, Unavailable
from streamcli.net.catalogue import CATALOGUE, Weights
from streamcli.net.downloads import OTHER_FOLDER, Progress, check_space, first_source, megabytes
from streamcli.net.locks import Note, hold

_SMALLEST = 1 << 16  # bytes; a GGUF file with a usable model in it is larger than this
_WORK_PREFIX = ".fetch-"


def cache_dir() -> Path:
    """The directory of weights and locks (it may not exist yet): "models" in the user's cache directory.

    STREAMCLI_CACHE_DIR, an absolute path, stands in for the user's cache directory of streamcli.
    Raises ConfigError where that is relative, Unavailable where the user has no home directory.
    """
    import platformdirs

    base = os.environ.get("STREAMCLI_CACHE_DIR")
    if base and not os.path.isabs(base):
        raise ConfigError("STREAMCLI_CACHE_DIR is not an absolute path")
    base = base or platformdirs.user_cache_dir("streamcli")
    if not os.path.isabs(base):
        raise Unavailable("there is no home directory to cache models in", "set STREAMCLI_CACHE_DIR")
    return Path(base) / "models"


async def locate(model: str, note: Note, progress: Progress) -> Path:
    """The weights of `model`: a name in CATALOGUE, fetched first if missing, or "local:FILE.gguf".

    Raises InputError for a file that is no model, Unavailable where the weights cannot be had. The hash is
    checked when weights are fetched; later only their size is: hashing 491 MB would cost each start a second.
    """
    weights = CATALOGUE.get(model)
    if weights is None:
        return _own_file(model)
    target = cache_dir() / weights.filename
    if not _is_whole(target, weights.size):
        await _fetch(weights, target, note, progress)
    return target


def _own_file(model: str) -> Path:
    name = model.removeprefix("local:")
    hint = f"the embedded models are {', '.join(CATALOGUE)}, and local:FILE.gguf for a file of your own"
    path = Path(os.path.expanduser(name))
    try:
        path = path.absolute()
        name.encode()  # llama.cpp takes file names as UTF-8
        fault = _fault_of(path) if name else "no file is named"
    except FileNotFoundError:
        fault = "no such file"
    except OSError as error:
        fault = error.strerror or str(error)
    except ValueError:
        fault = "the file's name is not UTF-8, or has a NUL"
    if fault:
        raise InputError(f"{model}: {fault}", hint)
    return path


def _fault_of(path: Path) -> str | None:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        return "not a regular file"
    with path.open("rb") as file:
        magic = file.read(4)
    if magic != b"GGUF":
        return "not a GGUF model file"
    return "too small to be a model" if status.st_size < _SMALLEST else None


def _is_whole(path: Path, size: int) -> bool:
    try:
        status = path.stat()
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and status.st_size == size


async def _fetch(weights: Weights, target: Path, note: Note, progress: Progress) -> None:
    """Put `weights` at `target`, whole or not at all; nothing else is left behind, however this ends."""
    folder = target.parent
    with _disk_errors(folder):
        make_private(folder)
    async with hold(folder / "fetch.lock", "the embedded model is being fetched", note) as alone:
        if _is_whole(target, weights.size):
            return
        if alone:
            _sweep(folder)
        with _disk_errors(folder):
            check_space(folder, weights.size)
            work = tempfile.mkdtemp(prefix=_WORK_PREFIX, dir=folder)
            try:
                note(f"fetching {weights.title} ({megabytes(weights.size)}) into {folder}")
                partial = await first_source(weights, Path(work), note, progress)
                await asyncio.to_thread(_sync, partial)
                os.replace(partial, target)
                with contextlib.suppress(OSError):  # not every file system can; the file itself is safe
                    await asyncio.to_thread(_sync, folder)
            finally:
                shutil.rmtree(work, ignore_errors=True)
    progress(weights.size, weights.size)


def make_private(folder: Path) -> None:
    """Make `folder`, and the one above it, for this user only; OSError where that cannot be."""
    folder.parent.mkdir(0o700, parents=True, exist_ok=True)
    folder.mkdir(0o700, exist_ok=True)


def _sweep(folder: Path) -> None:
    """Remove what killed fetches have left: whoever holds the lock is the only live one."""
    for left in folder.glob(_WORK_PREFIX + "*"):
        shutil.rmtree(left, ignore_errors=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        message = f"cannot keep the model in {folder}: {error.strerror or error}"
        raise Unavailable(message, OTHER_FOLDER) from error
