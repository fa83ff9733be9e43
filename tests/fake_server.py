"""A scripted Messages API that breaks the wire for real.

An HTTP/1.1 server on raw asyncio streams, in a background thread, so that tests can run the program as a
subprocess against it.  The test says beforehand, as data, what each request gets:

    with FakeServer() as server:
        server.enqueue(failure(529), Reply(steps=[*opening(), text("Hel"), RST]))
        ...
        assert len(server.wait_requests(2)) == 2

Each request takes the next reply of its route's queue; when the queue is empty it gets the route's default (a
complete answer, "ok"), which `server.always(reply)` replaces.  A reply that does not say how it ends, ends
well: a final chunk, and the connection is kept alive.  `wait("name")` holds a reply until
`server.release("name")`; `server.wait_reached("name")` tells that all before it was handed to the kernel.
Every moment (`at`, `opened_at`, `closed_at`) is time.monotonic(), which on Linux is the same clock in all
processes.  `reply_from` and `step_from` read the same things from TOML; tests/golden/ shows them in use.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Literal, Self

HOST = "127.0.0.1"
BLOCK = 1 << 16
LARGEST_HEAD = 1 << 20
NO_LINGER = struct.pack("ii", 1, 0)
ROUTES = {
    ("POST", "/v1/messages"): "messages",
    ("POST", "/v1/messages/count_tokens"): "count_tokens",
    ("GET", "/v1/models"): "models",
}
ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    409: "conflict_error",
    413: "request_too_large",
    422: "invalid_request_error",
    429: "rate_limit_error",
    500: "api_error",
    503: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}
HTML = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Welcome to the WiFi</body></html>\n"

Json = Mapping[str, Any]
Framing = Literal["chunked", "close", "length"]
Mode = Literal["serve", "refuse", "deaf"]
How = Literal["clean", "fin", "rst", "half_chunk", "bad_chunk", "hang"]


# --- steps: what a reply does, in order -------------------------------------------------------------------


@dataclass(frozen=True)
class Event:
    """One server-sent event.  `name` None leaves out the event line; a str as `data` goes out as it is."""

    name: str | None
    data: Any = None


@dataclass(frozen=True)
class Raw:
    """Bytes as they are (one chunk, when chunked), `repeat` times over in large blocks."""

    data: bytes
    repeat: int = 1


@dataclass(frozen=True)
class Deltas:
    """`count` text deltas, made while they are sent; `{n}` in the text is the number of the delta, from 0.

    `batch` events share one chunk.
    """

    text: str
    count: int
    index: int = 0
    batch: int = 1


@dataclass(frozen=True)
class Wait:
    """Hold the reply until the test calls `server.release(name)`."""

    name: str


@dataclass(frozen=True)
class Pause:
    """Silence.  For timeouts only: to hold a reply until something happened, use Wait."""

    seconds: float


@dataclass(frozen=True)
class End:
    """How the reply ends.

    clean: the final chunk; fin: an orderly close without it; rst: a reset; half_chunk: a chunk shorter than
    announced, then a close; bad_chunk: garbage for a chunk size, then a close; hang: silence until the client
    goes.
    """

    how: How


Step = Event | Raw | Deltas | Wait | Pause | End

CLEAN, FIN, RST, HANG = End("clean"), End("fin"), End("rst"), End("hang")
HALF_CHUNK, BAD_CHUNK = End("half_chunk"), End("bad_chunk")
PING = Event("ping", {"type": "ping"})
COMMENT = Raw(b": keep-alive\n\n")
MESSAGE_STOP = Event("message_stop", {"type": "message_stop"})


def wait(name: str) -> Wait:
    return Wait(name)


def event(name: str, /, **fields: Any) -> Event:
    """An event whose type is its name, as the API sends them."""
    return Event(name, {"type": name, **fields})


def message_start(model: str = "claude-test", input_tokens: int = 10, **usage: int) -> Event:
    message: dict[str, Any] = {
        "id": "msg_test",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": input_tokens, "output_tokens": 1, **usage},
    }
    return event("message_start", message=message)


def block_start(index: int = 0, block: Json | None = None) -> Event:
    return event("content_block_start", index=index, content_block=block or {"type": "text", "text": ""})


def text(value: str, index: int = 0) -> Event:
    return delta({"type": "text_delta", "text": value}, index)


def text_json(literal: str, index: int = 0) -> Event:
    r"""A text delta whose text is this JSON literal, sent as written: `text_json(r'"\ud83d"')`."""
    change = f'{{"type":"text_delta","text":{literal}}}'
    return Event("content_block_delta", f'{{"type":"content_block_delta","index":{index},"delta":{change}}}')


def delta(value: Json, index: int = 0) -> Event:
    return event("content_block_delta", index=index, delta=dict(value))


def block_stop(index: int = 0) -> Event:
    return event("content_block_stop", index=index)


def message_delta(
    stop_reason: str | None = "end_turn", output_tokens: int = 5, stop_details: Json | None = None
) -> Event:
    change: dict[str, Any] = {"stop_reason": stop_reason, "stop_sequence": None}
    if stop_details is not None:
        change["stop_details"] = dict(stop_details)
    return event("message_delta", delta=change, usage={"output_tokens": output_tokens})


def error_event(kind: str = "overloaded_error", message: str = "Overloaded") -> Event:
    return event("error", error={"type": kind, "message": message}, request_id="req_in_stream")


def opening(index: int = 0) -> list[Step]:
    return [message_start(), block_start(index)]


def closing(stop_reason: str = "end_turn", index: int = 0) -> list[Step]:
    return [block_stop(index), message_delta(stop_reason), MESSAGE_STOP]


# --- replies ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reply:
    """What one request gets.

    `before` runs before the headers: bytes go out bare, and an End there is all the client sees.  `headers`
    are added to the usual ones or replace them; None removes one, `{url}` in a value is the server's address.
    `newline` ends the lines of events.  `chunk` cuts everything into chunks of so many bytes; 1 is a drip.
    """

    steps: Sequence[Step] = ()
    status: int = 200
    headers: Mapping[str, str | None] = field(default_factory=dict)
    before: Sequence[Step] = ()
    framing: Framing = "chunked"
    newline: str = "\n"
    chunk: int = 0


def answer(
    *texts: str,
    stop_reason: str = "end_turn",
    stop_details: Json | None = None,
    input_tokens: int = 10,
    output_tokens: int = 5,
    without: Sequence[str] = (),
    end: End = CLEAN,
    **reply: Any,
) -> Reply:
    """A well-formed message of one text block, a delta for each text; `without` leaves out events by name."""
    steps: list[Step] = [
        message_start(input_tokens=input_tokens),
        block_start(),
        PING,
        *(text(piece) for piece in texts),
        block_stop(),
        message_delta(stop_reason, output_tokens, stop_details),
        MESSAGE_STOP,
    ]
    kept = [step for step in steps if not (isinstance(step, Event) and step.name in without)]
    return Reply(steps=[*kept, end], **reply)


def page(body: str | bytes | Json, status: int = 200, **reply: Any) -> Reply:
    """A body that is no stream: HTML, plain text, or JSON when it is a mapping."""
    if isinstance(body, Mapping):
        kind, data = "application/json", json.dumps(body).encode()
    else:
        kind, data = "text/html; charset=utf-8", body.encode() if isinstance(body, str) else body
    headers = {"content-type": kind, **reply.pop("headers", {})}
    return Reply(steps=[Raw(data)], status=status, headers=headers, **{"framing": "length", **reply})


def failure(
    status: int,
    message: str = "",
    *,
    kind: str | None = None,
    error_code: str | None = None,
    headers: Mapping[str, str | None] | None = None,
    **reply: Any,
) -> Reply:
    """An HTTP error with the API's JSON body."""
    kind = kind or ERROR_TYPES.get(status, "api_error" if status >= 500 else "invalid_request_error")
    error: dict[str, Any] = {"type": kind, "message": message or f"scripted {status}"}
    if error_code:
        error["details"] = {"error_code": error_code}
    body = {"type": "error", "error": error, "request_id": f"req_status_{status}"}
    headers = {"request-id": f"req_status_{status}", **(headers or {})}
    return page(body, status, headers=headers, **reply)


def redirect(location: str = "{url}/v1/messages", status: int = 307) -> Reply:
    return Reply(status=status, headers={"location": location}, framing="length")


BEFORE_RST = Reply(before=[RST])
BEFORE_FIN = Reply(before=[FIN])
BEFORE_GARBAGE = Reply(before=[Raw(b"\x16\x03\x01 this is not HTTP\r\n\r\n"), FIN])
NEVER = Reply(before=[HANG])


# --- the same from TOML -----------------------------------------------------------------------------------

WORDS: dict[str, Step] = {
    "start": message_start(),
    "block": block_start(),
    "block_stop": block_stop(),
    "end_turn": message_delta(),
    "stop": MESSAGE_STOP,
    "ping": PING,
    "comment": COMMENT,
    "clean": CLEAN,
    "fin": FIN,
    "rst": RST,
    "hang": HANG,
    "half_chunk": HALF_CHUNK,
    "bad_chunk": BAD_CHUNK,
}


def _text_step(table: dict[str, Any]) -> Step:
    if "deltas" in table:
        return Deltas(table["text"], table["deltas"], table.get("index", 0), table.get("batch", 1))
    return text(table["text"] * table.get("repeat", 1), table.get("index", 0))


def _event_step(table: dict[str, Any]) -> Step:
    data = table.get("data", {} if table["event"] else None)
    if isinstance(data, dict) and table["event"]:
        data = {"type": table["event"], **data}
    return Event(table["event"] or None, data)


STEPS: dict[str, Callable[[dict[str, Any]], Step]] = {
    "event": _event_step,
    "text": _text_step,
    "text_json": lambda t: text_json(t["text_json"], t.get("index", 0)),
    "thinking": lambda t: delta({"type": "thinking_delta", "thinking": t["thinking"]}, t.get("index", 0)),
    "delta": lambda t: delta(t["delta"], t.get("index", 0)),
    "block": lambda t: block_start(t.get("index", 0), t["block"]),
    "block_stop": lambda t: block_stop(t["block_stop"]),
    "stop_reason": lambda t: message_delta(**t),
    "error": lambda t: error_event(t["error"], t.get("message", "scripted")),
    "raw": lambda t: Raw(t["raw"].encode(), t.get("repeat", 1)),
    "raw_hex": lambda t: Raw(bytes.fromhex(t["raw_hex"]), t.get("repeat", 1)),
    "wait": lambda t: Wait(t["wait"]),
    "pause": lambda t: Pause(t["pause"]),
}


def step_from(item: str | dict[str, Any]) -> Step:
    """A step from TOML: a word of WORDS, or a table whose first known key of STEPS says its kind."""
    if isinstance(item, str):
        return WORDS[item]
    for kind, build in STEPS.items():
        if kind in item:
            return build(item)
    raise ValueError(f"no such step: {item!r}")


def reply_from(table: dict[str, Any]) -> Reply:
    """A reply from TOML.

    `text` (or a list of them) is a whole answer, `steps` any other stream, `failure = true` an API error of
    that `status`, `body` or `json` a page; the other keys are those of Reply and of these helpers.
    """
    table = dict(table)
    if "before" in table:
        before = table["before"]
        table["before"] = [step_from(s) for s in ([before] if isinstance(before, str) else before)]
    if "end" in table:
        table["end"] = End(table["end"])
    if "text" in table:
        texts = table.pop("text")
        return answer(*([texts] if isinstance(texts, str) else texts), **table)
    if table.pop("failure", False):
        return failure(table.pop("status"), **table)
    for key in ("body", "json"):
        if key in table:
            return page(table.pop(key), table.pop("status", 200), **table)
    table["steps"] = [step_from(step) for step in table.get("steps", [])]
    return Reply(**table)


# --- what the server saw ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Request:
    """One request, complete; `body` is the parsed JSON (None when it is none), `raw` its bytes."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any
    raw: bytes
    at: float
    connection: Connection


@dataclass
class Connection:
    """One connection; `closed_at` is when the *client* closed or reset it (None when it did not)."""

    number: int
    opened_at: float
    requests: int = 0
    sent: int = 0
    closed_at: float | None = None
    closed_how: Literal["fin", "rst", None] = None
    ended: bool = False


class _Gate:
    def __init__(self) -> None:
        self.reached = threading.Event()
        self.opened = asyncio.Event()


# --- one connection's writing side ------------------------------------------------------------------------


class _Wire:
    """Writes one reply; nothing stays in user space, so that what follows (a reset) follows what was sent."""

    def __init__(self, writer: asyncio.StreamWriter, connection: Connection, reply: Reply) -> None:
        self.writer, self.connection, self.reply = writer, connection, reply
        self.framed = False

    async def bare(self, data: bytes) -> None:
        self.writer.write(data)
        if self.writer.transport.get_write_buffer_size() or self.writer.is_closing():
            await self.writer.drain()
        self.connection.sent += len(data)

    async def put(self, data: bytes) -> None:
        size = self.reply.chunk or len(data) or 1
        for start in range(0, len(data), size):
            piece = data[start : start + size]
            if self.framed and self.reply.framing == "chunked":
                piece = b"%x\r\n%b\r\n" % (len(piece), piece)
            await self.bare(piece)
            if self.reply.chunk:
                await asyncio.sleep(0)

    def render(self, step: Event) -> bytes:
        lines = [] if step.name is None else [f"event: {step.name}"]
        if step.data is not None:
            data = step.data if isinstance(step.data, str) else json.dumps(step.data)
            lines += [f"data: {line}" for line in data.split("\n")]
        return self.reply.newline.join([*lines, "", ""]).encode()

    def blocks(self, step: Event | Raw | Deltas) -> Iterator[bytes]:
        """The bytes of a step, a block at a time, however long it is."""
        if isinstance(step, Event):
            yield self.render(step)
        elif isinstance(step, Raw):
            times = max(1, BLOCK // max(1, len(step.data)))
            whole, rest = divmod(step.repeat, times)
            block = step.data * times if whole else b""
            for _ in range(whole):
                yield block
            if rest:
                yield step.data * rest
        else:
            before, mark, after = self.render(text(step.text, step.index)).partition(b"{n}")
            for start in range(0, step.count, step.batch):
                numbers = range(start, min(start + step.batch, step.count))
                yield b"".join(before + (b"%d" % n if mark else b"") + after for n in numbers)

    async def send(self, step: Event | Raw | Deltas) -> None:
        for number, block in enumerate(self.blocks(step)):
            await self.put(block)
            if number % 64 == 63:
                await asyncio.sleep(0)  # let the reading side notice a client that left

    async def end(self, how: How) -> bool:
        """End the reply; whether the connection can take another request."""
        match how:
            case "clean":
                if self.reply.framing == "chunked" and self.reply.status != 204:
                    await self.bare(b"0\r\n\r\n")
                return self.reply.framing != "close"
            case "hang":
                await asyncio.Event().wait()
            case "half_chunk":
                await self.bare(b"400\r\nevent: content_block_del")
            case "bad_chunk":
                await self.bare(b"oops\r\nthis is no chunk\r\n")
            case "rst":
                sock = self.writer.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
                self.writer.transport.abort()
        return False


# --- the server -------------------------------------------------------------------------------------------


class FakeServer:
    """See the top of this file.

    `mode`: "serve"; "refuse" keeps a port on which nobody listens (connection refused); "deaf" listens but
    never accepts, with its queue full, so that a connection is never made (Linux) or never answered.  `tls`
    makes it an https server.
    """

    def __init__(self, mode: Mode = "serve", tls: ssl.SSLContext | None = None) -> None:
        self.mode, self.tls = mode, tls
        self.requests: list[Request] = []
        self.connections: list[Connection] = []
        self._queues: dict[str, deque[Reply]] = {route: deque() for route in ROUTES.values()}
        self._defaults: dict[str, Reply | Callable[[Request], Reply]] = dict(_defaults())
        self._gates: dict[str, _Gate] = {}
        self._changed = threading.Condition()
        self._failures: list[BaseException] = []
        self._fillers: list[socket.socket] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread: threading.Thread | None = None
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind((HOST, 0))
        self.port: int = self._socket.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://{HOST}:{self.port}"

    # the test's side

    def enqueue(self, *replies: Reply, times: int = 1, route: str = "messages") -> None:
        """Queue replies for a route: "messages", "count_tokens" or "models"."""
        with self._changed:
            for _ in range(times):
                self._queues[route].extend(replies)

    def always(self, reply: Reply | Callable[[Request], Reply], route: str = "messages") -> None:
        """What a request gets when the queue is empty: a reply, or what a function makes of the request."""
        with self._changed:
            self._defaults[route] = reply

    def load(self, tables: Sequence[dict[str, Any]]) -> None:
        """Queue replies written in TOML; `times = N` repeats one, `always = true` makes it the default."""
        for table in tables:
            fields = dict(table)
            times, always = fields.pop("times", 1), fields.pop("always", False)
            route = fields.pop("route", "messages")
            if always:
                self.always(reply_from(fields), route)
            else:
                self.enqueue(reply_from(fields), times=times, route=route)

    @property
    def pending(self) -> int:
        """Replies queued and not taken."""
        with self._changed:
            return sum(len(queue) for queue in self._queues.values())

    def release(self, name: str) -> None:
        """Let every reply that waits for `name` go on, now and later."""
        assert self._loop is not None, "the server is not running"
        self._loop.call_soon_threadsafe(self._gate(name).opened.set)

    def wait_reached(self, name: str, timeout: float = 10.0) -> None:
        """Return when a reply stands at `wait(name)`: the kernel has all that was sent before."""
        if not self._gate(name).reached.wait(timeout):
            raise TimeoutError(f"no reply reached wait({name!r}) within {timeout} s")

    def wait_requests(self, count: int, timeout: float = 10.0) -> list[Request]:
        self._wait(lambda: len(self.requests) >= count, f"{count} requests", timeout)
        return self.requests

    def wait_closed(self, count: int = 1, timeout: float = 10.0) -> list[Connection]:
        """Return the connections the client closed, in the order of closing, when there are `count`."""

        def closed() -> list[Connection]:
            return [c for c in self.connections if c.closed_at is not None]

        self._wait(lambda: len(closed()) >= count, f"{count} connections closed by the client", timeout)
        return sorted(closed(), key=lambda c: c.closed_at or 0.0)

    def _wait(self, true: Callable[[], bool], what: str, timeout: float) -> None:
        with self._changed:
            if not self._changed.wait_for(true, timeout):
                raise TimeoutError(
                    f"not within {timeout} s: {what}; there were {len(self.requests)} requests"
                    f" on {len(self.connections)} connections"
                )

    def _gate(self, name: str) -> _Gate:
        with self._changed:
            return self._gates.setdefault(name, _Gate())

    # start and stop

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        if self.mode == "serve":
            ready = threading.Event()
            self._thread = threading.Thread(target=self._run, args=(ready,), name="fake-server", daemon=True)
            self._thread.start()
            ready.wait()
        elif self.mode == "deaf":
            self._socket.listen(0)
            for _ in range(4):
                filler = socket.socket()
                filler.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    filler.connect((HOST, self.port))
                self._fillers.append(filler)

    def stop(self) -> None:
        """Drop all connections; raise what went wrong inside the server (never the client's fault)."""
        if self._thread is not None and self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()
            self._thread = None
        for sock in (*self._fillers, self._socket):
            sock.close()
        if self._failures:
            raise self._failures[0]

    def _run(self, ready: threading.Event) -> None:
        try:
            asyncio.run(self._main(ready))
        except BaseException as error:  # handed to the test by stop()
            self._failures.append(error)
        finally:
            ready.set()

    async def _main(self, ready: threading.Event) -> None:
        loop = self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        connected: dict[asyncio.Task[None], socket.socket] = {}

        def accept() -> None:  # asyncio's own server can lose a connection that is made while it stops
            with contextlib.suppress(BlockingIOError):
                sock, _ = self._socket.accept()
                task = loop.create_task(self._connection(sock))
                connected[task] = sock
                task.add_done_callback(connected.pop)

        self._socket.setblocking(False)
        self._socket.listen(1024)
        loop.add_reader(self._socket, accept)
        ready.set()
        await self._stop.wait()
        loop.remove_reader(self._socket)
        left = dict(connected)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        for sock in left.values():  # of a task that was cancelled before it began
            sock.close()

    # one connection

    async def _connection(self, sock: socket.socket) -> None:
        with self._changed:
            connection = Connection(len(self.connections), time.monotonic())
            self.connections.append(connection)
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=LARGEST_HEAD)
        protocol = asyncio.StreamReaderProtocol(reader)
        try:
            transport, _ = await loop.connect_accepted_socket(lambda: protocol, sock, ssl=self.tls)
        except OSError:  # no TLS, or a client that does not trust the certificate
            sock.close()
            return
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        writer.transport.set_write_buffer_limits(high=0)
        inbox: asyncio.Queue[tuple[Reply, bool]] = asyncio.Queue()
        serving = asyncio.create_task(self._serve(connection, writer, inbox))
        try:
            how = await self._receive(connection, reader, inbox)
            with self._changed:
                if not connection.ended:
                    connection.closed_at, connection.closed_how = time.monotonic(), how
                self._changed.notify_all()
        finally:
            if not connection.ended:
                writer.transport.abort()
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _receive(
        self, connection: Connection, reader: asyncio.StreamReader, inbox: asyncio.Queue[tuple[Reply, bool]]
    ) -> Literal["fin", "rst"]:
        """Read requests until the client is gone; runs beside the serving, so that it notices at once."""
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                request = await self._request(connection, head, reader)
                route = ROUTES.get((request.method, request.path.partition("?")[0]))
                with self._changed:
                    connection.requests += 1
                    self.requests.append(request)
                    reply = self._reply(route, request)
                    self._changed.notify_all()
                inbox.put_nowait((reply, request.headers.get("connection", "").lower() == "close"))
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return "fin"
        except OSError:
            return "rst"

    async def _request(self, connection: Connection, head: bytes, reader: asyncio.StreamReader) -> Request:
        first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
        method, path, _ = (first + "  ").split(" ", 2)
        headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
        raw = await reader.readexactly(int(headers.get("content-length", "0")))
        body = None
        with contextlib.suppress(ValueError):
            body = json.loads(raw)
        return Request(method, path, headers, body, raw, time.monotonic(), connection)

    def _reply(self, route: str | None, request: Request) -> Reply:
        if route is None:
            return failure(404, f"Not found: {request.method} {request.path}")
        queue = self._queues[route]
        if queue:
            return queue.popleft()
        default = self._defaults[route]
        return default(request) if callable(default) else default

    async def _serve(
        self, connection: Connection, writer: asyncio.StreamWriter, inbox: asyncio.Queue[tuple[Reply, bool]]
    ) -> None:
        try:
            more = True
            while more:
                reply, last = await inbox.get()
                more = await self._play(_Wire(writer, connection, reply)) and not last
        except OSError:
            return  # the client is gone; the receiving side sees it too and says when
        except Exception as error:
            self._failures.append(error)
        connection.ended = True
        writer.close()

    async def _play(self, wire: _Wire) -> bool:
        for step in wire.reply.before:
            if isinstance(step, End):
                return await self._end(wire, step)
            await self._do(wire, step)
        steps = wire.reply.steps
        await wire.bare(self._head(wire))
        wire.framed = True
        for step in steps:
            if isinstance(step, End):
                return await self._end(wire, step)
            await self._do(wire, step)
        return await self._end(wire, CLEAN)

    async def _end(self, wire: _Wire, step: End) -> bool:
        if step.how in ("fin", "rst", "half_chunk", "bad_chunk"):
            wire.connection.ended = True
        return await wire.end(step.how)

    async def _do(self, wire: _Wire, step: Event | Raw | Deltas | Wait | Pause) -> None:
        if isinstance(step, Wait):
            gate = self._gate(step.name)
            gate.reached.set()
            await gate.opened.wait()
        elif isinstance(step, Pause):
            await asyncio.sleep(step.seconds)
        else:
            await wire.send(step)

    def _head(self, wire: _Wire) -> bytes:
        reply = wire.reply
        headers: dict[str, str | None] = {
            "content-type": "text/event-stream; charset=utf-8",
            "cache-control": "no-cache",
            "request-id": f"req_test_{len(self.requests)}",
        }
        if reply.framing == "length":
            blocks = (wire.blocks(step) for step in reply.steps if isinstance(step, Event | Raw | Deltas))
            headers["content-length"] = str(sum(len(block) for step in blocks for block in step))
        elif reply.framing == "close":
            headers["connection"] = "close"
        elif reply.status != 204:
            headers["transfer-encoding"] = "chunked"
        headers |= reply.headers
        lines = [f"{name}: {value}" for name, value in headers.items() if value is not None]
        head = "\r\n".join([f"HTTP/1.1 {reply.status} Scripted", *lines, "", ""])
        return head.replace("{url}", self.url).encode("latin-1")


def _defaults() -> Iterator[tuple[str, Reply]]:
    born = "2026-01-01T00:00:00Z"
    model = {"type": "model", "id": "claude-test", "display_name": "Claude Test", "created_at": born}
    listing = {"data": [model], "has_more": False, "first_id": "claude-test", "last_id": "claude-test"}
    yield "messages", answer("ok")
    yield "count_tokens", page({"input_tokens": 42})
    yield "models", page(listing)


def empty(status: int = 200) -> Reply:
    """A status and not a byte more."""
    return Reply(status=status, framing="length", headers={"content-length": None} if status == 204 else {})


def dripped(reply: Reply, size: int = 1) -> Reply:
    """The same reply in chunks of `size` bytes."""
    return replace(reply, chunk=size)
