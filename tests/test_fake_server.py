"""The scripted server does break the wire, as the SDK and plain sockets see it; and the harness can be trusted.

The table of faults is what was measured of the SDK: which exception, from which cause, after which text.
"""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import json
import os
import re
import signal
import socket
import ssl
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anthropic
import httpx2
import pytest
from conftest import Run, Spawn, Start
from fake_server import (
    BAD_CHUNK,
    BEFORE_FIN,
    BEFORE_GARBAGE,
    BEFORE_RST,
    COMMENT,
    FIN,
    HALF_CHUNK,
    HANG,
    HTML,
    MESSAGE_STOP,
    NEVER,
    PING,
    RST,
    Deltas,
    Event,
    FakeServer,
    Pause,
    Raw,
    Reply,
    answer,
    block_start,
    block_stop,
    closing,
    delta,
    dripped,
    empty,
    error_event,
    event,
    failure,
    message_delta,
    message_start,
    opening,
    page,
    redirect,
    reply_from,
    text,
    text_json,
    wait,
)
from harness import Nursery, hermetic, screen, self_signed

PYTHON = [sys.executable, "-c"]
BROKEN_UTF8 = Raw(
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,'
    b'"delta":{"type":"text_delta","text":"\xff"}}\n\n'
)


# --- as plain sockets see it ------------------------------------------------------------------------------


class Wire:
    """A client of bytes."""

    def __init__(self, server: FakeServer, timeout: float = 5.0) -> None:
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout)
        self.taken = b""

    def ask(self, path: str = "/v1/messages", body: bytes = b"{}") -> None:
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
        self.socket.sendall(head.encode() + body)

    def read_until(self, mark: bytes) -> bytes:
        while mark not in self.taken:
            data = self.socket.recv(1 << 16)
            assert data, f"closed before {mark!r}: {self.taken!r}"
            self.taken += data
        return self.taken

    def read_all(self) -> bytes:
        """All up to the end of file; a reset is raised."""
        while data := self.socket.recv(1 << 16):
            self.taken += data
        return self.taken


@pytest.fixture
def wire(server: FakeServer) -> Iterator[Wire]:
    wire = Wire(server)
    yield wire
    wire.socket.close()


def test_chunked_reply_is_well_formed_to_the_byte(server: FakeServer, wire: Wire) -> None:
    """A chunk for each step, the final chunk, and the connection lives on."""
    server.enqueue(Reply(steps=[Event("a", {"n": 1}), Raw(b"xyz")]))
    wire.ask()
    head, _, body = wire.read_until(b"0\r\n\r\n").partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert b"transfer-encoding: chunked" in head
    assert body == b'19\r\nevent: a\ndata: {"n": 1}\n\n\r\n3\r\nxyz\r\n0\r\n\r\n'
    wire.taken = b""
    wire.ask()
    assert b"message_stop" in wire.read_until(b"0\r\n\r\n")
    assert len(server.connections) == 1
    assert server.connections[0].requests == 2


def test_drip_puts_each_byte_in_a_chunk(server: FakeServer, wire: Wire) -> None:
    server.enqueue(dripped(Reply(steps=[Raw("é".encode())])))
    wire.ask()
    assert wire.read_until(b"0\r\n\r\n").endswith(b"\r\n\r\n1\r\n\xc3\r\n1\r\n\xa9\r\n0\r\n\r\n")


def test_body_with_a_length(server: FakeServer, wire: Wire) -> None:
    server.enqueue(page("four"), page({"a": 1}, 400), empty(204))
    wire.ask()
    assert b"content-length: 4\r\n" in wire.read_until(b"\r\n\r\nfour")
    wire.ask()
    assert b"application/json" in wire.read_until(b'{"a": 1}')
    wire.taken = b""
    wire.ask()
    assert b"content-length" not in wire.read_until(b"\r\n\r\n")


def test_close_framing_ends_with_the_connection(server: FakeServer, wire: Wire) -> None:
    server.enqueue(Reply(steps=[Raw(b"all")], framing="close"))
    wire.ask()
    assert wire.read_all().endswith(b"connection: close\r\n\r\nall")


@pytest.mark.parametrize(
    ("end", "tail"),
    [
        (FIN, b"3\r\nxyz\r\n"),
        (HALF_CHUNK, b"3\r\nxyz\r\n400\r\nevent: content_block_del"),
        (BAD_CHUNK, b"3\r\nxyz\r\noops\r\nthis is no chunk\r\n"),
    ],
    ids=lambda value: getattr(value, "how", ""),
)
def test_broken_ends(server: FakeServer, wire: Wire, end: Any, tail: bytes) -> None:
    """An orderly close, but not of a whole body."""
    server.enqueue(Reply(steps=[Raw(b"xyz"), end]))
    wire.ask()
    assert wire.read_all().partition(b"\r\n\r\n")[2] == tail


def test_reset_after_text_is_a_reset_and_the_text_arrives(server: FakeServer, wire: Wire) -> None:
    server.enqueue(Reply(steps=[Raw(b"xyz"), RST]))
    wire.ask()
    with pytest.raises(ConnectionResetError):
        wire.read_all()
    if sys.platform == "linux":  # which keeps what came before a reset
        assert wire.taken.endswith(b"xyz\r\n")


def test_before_the_headers(server: FakeServer) -> None:
    """Reset, close, garbage and silence, each instead of an answer."""
    server.enqueue(BEFORE_RST, BEFORE_FIN, BEFORE_GARBAGE, NEVER)
    wire = Wire(server)
    wire.ask()
    with pytest.raises(ConnectionResetError):
        wire.read_all()
    wire.socket.close()
    for expected in (b"", b"\x16\x03\x01 this is not HTTP\r\n\r\n"):
        wire = Wire(server)
        wire.ask()
        assert wire.read_all() == expected
        wire.socket.close()
    wire = Wire(server, timeout=0.2)
    wire.ask()
    with pytest.raises(TimeoutError):
        wire.socket.recv(1)
    wire.socket.close()


def test_refuse_and_deaf() -> None:
    """A port where nobody listens, and one where nobody accepts."""
    with FakeServer("refuse") as server, pytest.raises(ConnectionRefusedError):
        Wire(server)
    with FakeServer("deaf") as server, pytest.raises(TimeoutError):
        _ask_in_vain(server)


def _ask_in_vain(server: FakeServer) -> None:
    wire = Wire(server, timeout=0.3)
    with contextlib.closing(wire.socket):  # where the queue is never full
        wire.ask()
        wire.socket.recv(1)


def test_wait_holds_the_reply_until_it_is_released(server: FakeServer, wire: Wire) -> None:
    server.enqueue(Reply(steps=[Raw(b"before"), wait("go"), Raw(b"after")]))
    wire.ask()
    server.wait_reached("go")
    assert b"after" not in wire.read_until(b"before")
    server.release("go")
    wire.read_until(b"after")
    wire.taken = b""
    server.enqueue(Reply(before=[wait("go")], steps=[Raw(b"at once")]))
    wire.ask()
    wire.read_until(b"at once")


def test_pause_is_as_long_as_it_says(server: FakeServer, wire: Wire) -> None:
    server.enqueue(Reply(steps=[Raw(b"a"), Pause(0.1), Raw(b"b")]))
    start = time.monotonic()
    wire.ask()
    wire.read_until(b"\r\nb\r\n")
    assert time.monotonic() - start >= 0.1


@pytest.mark.parametrize("how", ["fin", "rst"])
@pytest.mark.parametrize("step", [wait("never"), HANG, Pause(30), Deltas("x" * 1000, 10**9)])
def test_sees_the_client_go_at_once(server: FakeServer, wire: Wire, step: Any, how: str) -> None:
    """In whatever it is doing: waiting, hanging, pausing, or writing more than anybody reads."""
    server.enqueue(Reply(steps=[text("hello"), step]))
    wire.ask()
    wire.read_until(b"hello" if not isinstance(step, Deltas) else b"xxx")
    if how == "rst":
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    at = time.monotonic()
    wire.socket.close()
    (connection,) = server.wait_closed(1)
    assert connection.closed_at is not None
    assert 0 <= connection.closed_at - at < 0.1
    if not isinstance(step, Deltas):  # closing with unread bytes is a reset anyway
        assert connection.closed_how == how


def test_a_close_of_its_own_is_not_the_clients(server: FakeServer) -> None:
    server.enqueue(Reply(steps=[FIN]), answer("x", framing="close"))
    for _ in range(2):
        wire = Wire(server)
        wire.ask()
        wire.read_all()
        wire.socket.close()
    assert [c.closed_at for c in server.connections] == [None, None]
    with pytest.raises(TimeoutError, match="2 connections"):
        server.wait_closed(1, timeout=0.01)


def test_backpressure_bounds_what_it_sends(server: FakeServer, wire: Wire) -> None:
    """An endless reply to a reader that stops is a few megabytes of kernel buffers, and resumes."""
    server.enqueue(Reply(steps=[Deltas("x" * 1000, 10**9)]))
    wire.ask()
    wire.read_until(b"xxx")
    for _ in range(20):
        wire.socket.recv(1 << 16)
    assert server.connections[0].sent < 64 << 20


def test_many_deltas_are_numbered_and_whole(server: FakeServer, wire: Wire) -> None:
    server.enqueue(Reply(steps=[Deltas("<{n}>", 20_000, batch=7)]))
    wire.ask()
    body = wire.read_until(b"\r\n0\r\n\r\n")
    assert [int(n) for n in re.findall(rb"<(\d+)>", body)] == list(range(20_000))


def test_requests_are_recorded(server: FakeServer, wire: Wire) -> None:
    wire.ask("/v1/messages?beta=true", b'{"stream": true}')
    (request,) = server.wait_requests(1)
    assert (request.method, request.path) == ("POST", "/v1/messages?beta=true")
    assert request.body == {"stream": True}
    assert request.headers["content-length"] == "16"
    assert request.connection.opened_at <= request.at <= time.monotonic()
    with pytest.raises(TimeoutError, match="2 requests"):
        server.wait_requests(2, timeout=0.01)


def test_routes_and_queues(server: FakeServer) -> None:
    """Each route has its own queue and its default; an unknown one is 404."""
    server.enqueue(failure(529), route="count_tokens")
    server.enqueue(failure(500), times=2)
    server.always(failure(503))
    assert server.pending == 3
    with httpx2.Client(base_url=server.url, trust_env=False) as client:
        counts = [client.post("/v1/messages/count_tokens", json={}) for _ in range(2)]
        assert [r.status_code for r in counts] == [529, 200]
        assert counts[1].json() == {"input_tokens": 42}
        assert [client.post("/v1/messages", json={}).status_code for _ in range(4)] == [500, 500, 503, 503]
        assert client.get("/v1/models?limit=1").json()["data"][0]["id"] == "claude-test"
        assert client.get("/v1/nothing").status_code == 404


def test_a_fault_of_the_script_is_the_tests_failure() -> None:
    server = FakeServer()
    server.start()
    server.enqueue(Reply(steps=[Event("x", {1, 2})]))
    wire = Wire(server)
    wire.ask()
    wire.read_all()
    wire.socket.close()
    with pytest.raises(TypeError, match="set"):
        server.stop()


def test_stops_cleanly_whatever_is_open() -> None:
    """Connections just made, half a request, a reply in the middle: all closed, nothing left to complain of."""
    for _ in range(20):
        with FakeServer() as server:
            server.enqueue(Reply(steps=[Raw(b"x"), HANG]))
            wires = [Wire(server) for _ in range(4)]
            wires[0].ask()
            wires[1].socket.sendall(b"POST /v1/mess")
        for wire in wires:
            wire.socket.close()
    gc.collect()


# --- as the SDK sees it -----------------------------------------------------------------------------------


@dataclass
class Seen:
    """What one `create(stream=True)` came to."""

    text: str = ""
    events: list[str] = field(default_factory=list)
    error: Any = None

    @property
    def causes(self) -> tuple[str, ...]:
        chain, error = [], self.error
        while error is not None:
            chain.append(type(error).__name__)
            error = error.__cause__
        return tuple(chain)


@pytest.fixture(scope="module")
def client() -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(
        api_key="test-key",
        base_url="http://127.0.0.1:1",
        max_retries=0,
        http_client=anthropic.DefaultHttpxClient(trust_env=False),
    ) as client:
        yield client


def see(client: anthropic.Anthropic, server: FakeServer, read: float = 5.0, connect: float = 5.0) -> Seen:
    seen = Seen()
    timeout = httpx2.Timeout(5, read=read, connect=connect)
    try:
        with client.with_options(base_url=server.url, timeout=timeout).messages.create(
            model="m", max_tokens=9, messages=[{"role": "user", "content": "hi"}], stream=True
        ) as stream:
            for item in stream:
                seen.events.append(item.type)
                if item.type == "content_block_delta" and item.delta.type == "text_delta":
                    seen.text += item.delta.text
    except Exception as error:
        seen.error = error
    return seen


COMPLETE = {
    "many deltas": (answer("Hel", "lo, ", "world"), "Hello, world"),
    "close framing": (answer("x", framing="close"), "x"),
    "length": (answer("x", framing="length"), "x"),
    "drip": (answer("é", "🦀", chunk=1), "é🦀"),
    "CRLF": (answer("x", newline="\r\n"), "x"),
    "CRLF in a drip": (answer("x", newline="\r\n", chunk=1), "x"),
    "20 MB line": (Reply(steps=[*opening(), text("x" * 20_000_000), *closing()]), "x" * 20_000_000),
    "UTF-8 split over chunks": (
        Reply(
            steps=[
                *opening(),
                Raw(b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,'),
                Raw(b'"delta":{"type":"text_delta","text":"\xc3'),
                Raw(b'\xa9"}}\n\n'),
                *closing(),
            ]
        ),
        "é",
    ),
    "pings and comments": (Reply(steps=[COMMENT, *opening(), PING, text("x"), COMMENT, *closing()]), "x"),
    "lone surrogate": (Reply(steps=[*opening(), text_json(r'"a\ud83d"'), *closing()]), "a\ud83d"),
    "surrogate pair over two deltas": (
        Reply(steps=[*opening(), text_json(r'"\ud83e"'), text_json(r'"\udd80"'), *closing()]),
        "\ud83e\udd80",
    ),
    "no message_start": (answer("x", without=["message_start"]), "x"),
    "orphan content_block_stop": (Reply(steps=[message_start(), block_stop(3), *opening()[1:], text("x")]), "x"),
    "thinking": (
        Reply(
            steps=[
                message_start(),
                block_start(0, {"type": "thinking", "thinking": "", "signature": ""}),
                delta({"type": "thinking_delta", "thinking": "hm"}),
                block_stop(),
                block_start(1),
                text("x", 1),
                *closing(index=1),
            ]
        ),
        "x",
    ),
    "tool_use": (
        Reply(
            steps=[
                *opening(),
                text("x"),
                block_stop(),
                block_start(1, {"type": "tool_use", "id": "t", "name": "n", "input": {}}),
                delta({"type": "input_json_delta", "partial_json": "{}"}, 1),
                *closing("tool_use", 1),
            ]
        ),
        "x",
    ),
    "events from the future": (
        Reply(steps=[event("weather", sky="blue"), *opening(), delta({"type": "echo"}), text("x"), *closing()]),
        "x",
    ),
    "without event lines, dropped by the SDK": (Reply(steps=[Event(None, {"type": "message_stop"})]), ""),
    "data-only error, dropped by the SDK": (
        Reply(steps=[Event(None, {"type": "error", "error": {"type": "api_error"}})]),
        "",
    ),
    "clean end without message_stop": (Reply(steps=[*opening(), text("x")]), "x"),
    "end by closing without message_stop": (Reply(steps=[*opening(), text("x")], framing="close"), "x"),
    "half an event": (Reply(steps=[*opening(), text("x"), Raw(b"event: content_block_delta\nda")]), "x"),
    "message_delta and no message_stop": (answer("x", without=["message_stop"]), "x"),
    "empty 200": (empty(), ""),
    "empty stream": (Reply(), ""),
    "204": (empty(204), ""),
    "HTML 200": (page(HTML), ""),
    "JSON 200": (page({"ok": True}), ""),
    "redirect": (redirect(), "ok"),
}


@pytest.mark.parametrize("name", COMPLETE)
def test_what_the_sdk_takes_for_complete(client: anthropic.Anthropic, server: FakeServer, name: str) -> None:
    """Which is more than is complete: that it raises nothing proves nothing."""
    reply, expected = COMPLETE[name]
    server.enqueue(reply)
    seen = see(client, server)
    assert seen.error is None
    assert seen.text == expected


AFTER = [*opening(), text("kept")]
BROKEN = {
    "reset before the headers": (BEFORE_RST, "", ("APIConnectionError", "ReadError")),
    "close before the headers": (BEFORE_FIN, "", ("APIConnectionError", "RemoteProtocolError")),
    "garbage before the headers": (BEFORE_GARBAGE, "", ("APIConnectionError", "RemoteProtocolError")),
    "headers never come": (NEVER, "", ("APITimeoutError", "ReadTimeout")),
    "reset after text": (Reply(steps=[*AFTER, RST]), "kept", ("ReadError",)),
    "reset after the headers": (Reply(steps=[RST]), "", ("ReadError",)),
    "stall": (Reply(steps=[*AFTER, HANG]), "kept", ("ReadTimeout",)),
    "close without the last chunk": (Reply(steps=[*AFTER, FIN]), "kept", ("RemoteProtocolError",)),
    "half a chunk": (Reply(steps=[*AFTER, HALF_CHUNK]), "kept", ("RemoteProtocolError",)),
    "garbage for a chunk": (Reply(steps=[*AFTER, BAD_CHUNK]), "kept", ("RemoteProtocolError",)),
    "shorter than its length": (
        Reply(steps=[*AFTER, FIN], framing="length", headers={"content-length": "9999"}),
        "kept",
        ("RemoteProtocolError",),
    ),
    "malformed JSON": (Reply(steps=[*AFTER, Event("message_delta", "{")]), "kept", ("JSONDecodeError",)),
    "bad UTF-8": (Reply(steps=[*AFTER, BROKEN_UTF8]), "kept", ("UnicodeDecodeError",)),
    "hang after message_stop": (Reply(steps=[*AFTER, *closing(), HANG]), "kept", ("ReadTimeout",)),
    "reset after message_stop": (Reply(steps=[*AFTER, *closing(), RST]), "kept", ("ReadError",)),
}


@pytest.mark.parametrize("name", BROKEN)
def test_breaks_as_the_sdk_sees_them(client: anthropic.Anthropic, server: FakeServer, name: str) -> None:
    """The very classes that were measured, with the text that came before."""
    reply, kept, causes = BROKEN[name]
    server.enqueue(reply)
    seen = see(client, server, read=0.3)
    assert seen.causes[: len(causes)] == causes
    assert seen.text == kept


def test_connections_that_are_never_made(client: anthropic.Anthropic, server: FakeServer) -> None:
    with FakeServer("refuse") as nobody:
        assert see(client, nobody).causes[:2] == ("APIConnectionError", "ConnectError")
    with FakeServer("deaf") as nobody:
        assert see(client, nobody, connect=0.3, read=0.3).causes[0] == "APITimeoutError"


def test_a_certificate_nobody_trusts(client: anthropic.Anthropic, tmp_path: Path) -> None:
    files = self_signed(tmp_path)
    if files is None:
        pytest.skip("there is no openssl")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    with FakeServer(tls=context) as server:
        assert see(client, server).causes[:2] == ("APIConnectionError", "ConnectError")
        trusting = ssl.create_default_context(cafile=str(files[0]))
        trusting.check_hostname = False
        with httpx2.Client(base_url=server.url, verify=trusting, trust_env=False) as trusted:
            assert trusted.get("/v1/models").status_code == 200


ERROR_EVENTS = ["overloaded_error", "rate_limit_error", "api_error", "invalid_request_error", "gravity_error"]


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("kind", ERROR_EVENTS)
def test_error_events(client: anthropic.Anthropic, server: FakeServer, kind: str, first: bool) -> None:
    """Status 200, and only the type tells what it is."""
    server.enqueue(Reply(steps=[*([] if first else AFTER), error_event(kind, "so it goes")]))
    seen = see(client, server)
    assert type(seen.error) is anthropic.APIStatusError
    assert (seen.error.status_code, seen.error.type) == (200, kind)
    assert seen.error.body == {**error_event(kind, "so it goes").data}
    assert seen.text == ("" if first else "kept")


def test_an_error_event_that_is_not_json(client: anthropic.Anthropic, server: FakeServer) -> None:
    server.enqueue(Reply(steps=[Event("error", "upstream gone")]))
    seen = see(client, server)
    assert isinstance(seen.error, anthropic.APIStatusError)
    assert seen.error.type is None
    assert "upstream gone" in str(seen.error)


STATUSES = {
    400: "BadRequestError",
    401: "AuthenticationError",
    402: "PaymentRequiredError",
    403: "PermissionDeniedError",
    404: "NotFoundError",
    408: "RequestTimeoutError",
    409: "ConflictError",
    413: "ContentTooLargeError",
    422: "UnprocessableEntityError",
    429: "RateLimitError",
    500: "InternalServerError",
    503: "ServiceUnavailableError",
    504: "GatewayTimeoutError",
    529: "OverloadedError",
}


@pytest.mark.parametrize("status", STATUSES)
def test_statuses(client: anthropic.Anthropic, server: FakeServer, status: int) -> None:
    server.enqueue(failure(status, "because"), page(HTML, status))
    error = see(client, server).error
    assert type(error).__name__ == STATUSES[status]
    assert (error.status_code, error.api_message) == (status, "because")
    assert error.request_id == f"req_status_{status}"
    error = see(client, server).error
    assert type(error).__name__ == STATUSES[status]
    assert (error.type, error.body) == (None, HTML.rstrip())


def test_rate_limits(client: anthropic.Anthropic, server: FakeServer) -> None:
    """retry-after, retry-after-ms and a spend limit's code arrive."""
    server.enqueue(
        failure(429, headers={"retry-after": "7", "retry-after-ms": "6500"}),
        failure(429, error_code="enforced_spend_limit_reached"),
    )
    headers = see(client, server).error.response.headers
    assert (headers["retry-after"], headers["retry-after-ms"]) == ("7", "6500")
    assert see(client, server).error.error_code == "enforced_spend_limit_reached"


def test_20_mb_without_a_newline(server: FakeServer) -> None:
    """All of it is sent, in blocks, and no newline is in it."""
    server.enqueue(Reply(steps=[Raw(b"x", 20_000_000)]))
    with httpx2.Client(trust_env=False) as client, client.stream("POST", f"{server.url}/v1/messages") as response:
        pieces = [len(piece) for piece in response.iter_bytes()]
    assert sum(pieces) == 20_000_000
    assert max(pieces) <= 1 << 17


# --- from TOML --------------------------------------------------------------------------------------------


def _same(one: Reply, other: Reply) -> None:
    def plain(reply: Reply) -> dict[str, Any]:
        return dataclasses.asdict(reply) | {"steps": list(reply.steps), "before": list(reply.before)}

    assert plain(one) == plain(other)


def test_replies_from_toml() -> None:
    """The same replies as the helpers make."""
    _same(reply_from({"text": ["a", "b"], "end": "hang"}), answer("a", "b", end=HANG))
    _same(reply_from({"text": "a", "stop_reason": "refusal"}), answer("a", stop_reason="refusal"))
    _same(reply_from({"failure": True, "status": 429}), failure(429))
    _same(reply_from({"body": HTML, "status": 404}), page(HTML, 404))
    _same(reply_from({"json": {"a": 1}}), page({"a": 1}))
    _same(reply_from({"before": "rst"}), BEFORE_RST)
    _same(reply_from({}), Reply())


def test_steps_from_toml() -> None:
    steps: list[Any] = [
        "start",
        {"block": {"type": "thinking"}, "index": 1},
        {"thinking": "hm", "index": 1},
        {"block_stop": 1},
        {"text": "x", "repeat": 3},
        {"text": "{n}", "deltas": 2, "batch": 2},
        {"text_json": r'"\ud83d"'},
        {"delta": {"type": "echo"}},
        {"event": "weather", "data": {"sky": "blue"}},
        {"event": "", "data": {"type": "message_stop"}},
        {"error": "api_error", "message": "m"},
        {"raw": "r", "repeat": 2},
        {"raw_hex": "ff00"},
        {"wait": "w"},
        {"pause": 0.5},
        {"stop_reason": "max_tokens", "output_tokens": 9},
        "stop",
        "rst",
    ]
    assert list(reply_from({"steps": steps}).steps) == [
        message_start(),
        block_start(1, {"type": "thinking"}),
        delta({"type": "thinking_delta", "thinking": "hm"}, 1),
        block_stop(1),
        text("xxx"),
        Deltas("{n}", 2, batch=2),
        text_json(r'"\ud83d"'),
        delta({"type": "echo"}),
        event("weather", sky="blue"),
        Event(None, {"type": "message_stop"}),
        error_event("api_error", "m"),
        Raw(b"r", 2),
        Raw(b"\xff\x00"),
        wait("w"),
        Pause(0.5),
        message_delta("max_tokens", 9),
        MESSAGE_STOP,
        RST,
    ]


def test_what_is_no_step_is_an_error() -> None:
    with pytest.raises(ValueError, match="no such step"):
        reply_from({"steps": [{"txet": "x"}]})
    with pytest.raises(TypeError):
        reply_from({"stauts": 200})


# --- the harness ------------------------------------------------------------------------------------------


def test_run_returns_what_a_process_did(run: Run) -> None:
    code = "import sys; d = sys.stdin.buffer.read(); sys.stdout.buffer.write(d[::-1]); print(len(d), file=sys.stderr)"
    data = os.urandom(1 << 20)
    result = run(code, program=PYTHON, stdin=data)
    assert (result.status, result.stdout, result.stderr) == (0, data[::-1], f"{len(data)}\n")
    assert 0 < result.seconds < 30


def test_the_environment_is_hermetic(run: Run, server: FakeServer, home: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("STREAMCLI_MODEL", "mine")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "secret")
    code = "import json, os; print(json.dumps(dict(os.environ)))"
    env = json.loads(run(code, program=PYTHON, env={"MORE": "1", "LANG": None}).stdout)
    assert not {"STREAMCLI_MODEL", "ANTHROPIC_AUTH_TOKEN", "LANG"} & env.keys()
    assert (env["HOME"], env["ANTHROPIC_BASE_URL"], env["MORE"]) == (str(home), server.url, "1")


def test_death_by_a_signal_is_a_negative_status(spawn: Spawn) -> None:
    process = spawn("import signal; print('up', flush=True); signal.pause()", program=PYTHON)
    process.read_until(b"up\n")
    at = process.signal(signal.SIGTERM)
    result = process.finish()
    assert result.status == -signal.SIGTERM
    assert at <= result.exited_at < at + 5


@pytest.mark.skipif(not hasattr(os, "waitid"), reason="there is no waitid")
@pytest.mark.parametrize("nursed", [True, False])
def test_stop_and_go_on(start: Start, home: Path, nursery: Nursery | None, nursed: bool) -> None:
    code = "for line in open(0): print('got', line, end='', flush=True)"
    process = start(nursery if nursed else None, [*PYTHON, code], hermetic(home), stdin="pipe")
    for line in (b"a\n", b"b\n"):
        process.signal(signal.SIGSTOP)
        process.wait_stopped()
        process.write(line)
        process.signal(signal.SIGCONT)
        process.read_until(line)
    assert process.finish().status == 0


def test_read_until_goes_on_where_it_stopped(spawn: Spawn) -> None:
    code = "for line in open(0): print('got', line, end='', flush=True)"
    process = spawn(code, program=PYTHON, stdin="pipe")
    process.write(b"a\n")
    assert process.read_until(b"\n") == b"got a\n"
    process.write(b"b\n")
    assert process.read_until(re.compile(rb"b\s")) == b"got b\n"
    with pytest.raises(TimeoutError, match="waited in vain"):
        process.read_until(b"c", timeout=0.05)
    assert process.finish().stdout == b"got a\ngot b\n"


def test_what_takes_too_long_is_killed(run: Run, spawn: Spawn) -> None:
    with pytest.raises(TimeoutError, match="waited in vain"):
        run("import signal; signal.pause()", program=PYTHON, timeout=0.5)


def test_killing_reaches_the_children_and_nothing_else(spawn: Spawn) -> None:
    code = "import subprocess; subprocess.run(['sleep', '60'])"
    bystander = spawn("import signal; signal.pause()", program=PYTHON)
    process = spawn(f"print('up', flush=True); {code}", program=PYTHON)
    process.read_until(b"up")
    process.kill()
    assert process.status == -signal.SIGKILL
    assert bystander.status is None


def test_the_reader_goes_away(spawn: Spawn) -> None:
    code = "import signal, os; signal.signal(13, signal.SIG_DFL)\nwhile True: os.write(1, b'y\\n')"
    process = spawn(code, program=PYTHON)
    process.read_until(b"y\n")
    at = process.close("stdout")
    assert process.wait() == -signal.SIGPIPE
    assert process.exited_at >= at


@pytest.mark.parametrize(
    ("streams", "expected"),
    [
        ({"stdin": "tty", "stdout": "tty", "stderr": "tty"}, [True, True, True]),
        ({"stdout": "tty"}, [False, True, False]),
        ({"stdin": "tty", "stdout": "pipe", "stderr": "tty"}, [True, False, True]),
    ],
)
def test_terminals(spawn: Spawn, tmp_path: Path, streams: dict[str, Any], expected: list[bool]) -> None:
    """Any of the three can be the terminal, which is the controlling one and in the foreground."""
    report = tmp_path / "report"
    code = (
        "import json, os, sys; tty = os.open('/dev/tty', os.O_RDWR);"
        "facts = [list(map(os.isatty, range(3))), os.tcgetpgrp(tty) == os.getpgrp(), os.get_terminal_size(tty)];"
        "open(sys.argv[1], 'w').write(json.dumps(facts))"
    )
    process = spawn(code, str(report), program=PYTHON, size=(11, 44), **streams)
    assert process.finish().status == 0, process
    assert json.loads(report.read_text()) == [expected, True, [44, 11]]


def test_keys_and_the_screen(spawn: Spawn) -> None:
    """^C on the terminal is a SIGINT; the screen shows what a person would see."""
    code = r"print('\033[2J\033[Hthe \033[1mname\033[0m?'); print('hello', input()); import signal; signal.pause()"
    process = spawn(code, program=PYTHON, stdin="tty", stdout="tty", stderr="null")
    process.read_until(b"?", "tty")
    process.type("you\r")
    process.read_until(b"hello you", "tty")
    process.type("\x03")
    result = process.finish()
    assert result.status == -signal.SIGINT
    assert screen(result.tty)[:3] == ["the name?", "you", "hello you"]


@pytest.mark.parametrize("name", ["stdin", "stdout", "stderr"])
def test_closed_streams(spawn: Spawn, tmp_path: Path, name: str) -> None:
    """As after `<&-`: the descriptor is not there."""
    fd = ("stdin", "stdout", "stderr").index(name)
    closed: dict[str, Any] = {name: "closed"}
    shell = spawn(f"true 9>&{fd} || exit 3; exit 7", program=["/bin/sh", "-c"], **closed)
    assert shell.finish().status in (2, 3)  # dash gives up, bash goes on


def test_wrapped_in_shell_code(spawn: Spawn) -> None:
    code = "import os; os.kill(os.getpid(), 2); print('alive')"
    process = spawn(code, program=PYTHON, wrap="trap '' INT; exec \"$@\"")
    assert process.finish().stdout == b"alive\n"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
def test_a_path_for_a_stream(spawn: Spawn, tmp_path: Path) -> None:
    process = spawn("import os; os.write(1, b'x')", program=PYTHON, stdout="/dev/full")
    assert "No space left" in process.finish().stderr
    spawn("print('hi')", program=PYTHON, stdout=str(tmp_path / "out")).finish()
    assert (tmp_path / "out").read_bytes() == b"hi\n"


def test_a_warm_start_is_a_run_like_any_other(run: Run, run_warm: Run) -> None:
    """The same output, status and messages as from a cold start."""
    for argv in (["--version"], ["chat", "--no-such-option"], ["chat", "hi"]):
        cold, warm = run(*argv), run_warm(*argv)
        assert (cold.status, cold.stdout, cold.stderr) == (warm.status, warm.stdout, warm.stderr)


@pytest.mark.parametrize("megabytes", [1, 60])
def test_peak_memory_is_the_childs_own(run: Run, nursery: Nursery | None, megabytes: int) -> None:
    """Not that of the test process, which wait4 would take for it."""
    if nursery is None:
        pytest.skip("only on Linux")
    ballast = b"x" * (100 << 20)
    result = run(f"import os; b'x' * ({megabytes} << 20)", program=PYTHON)
    assert result.status == 0
    assert megabytes << 10 < result.peak_kb < (megabytes + 40) << 10 < len(ballast)


def test_without_a_nursery(start: Start, home: Path) -> None:
    """Elsewhere than on Linux all processes start in the plain way."""
    code = "import os, sys; print(sys.stdin.read(), flush=True); os.kill(os.getpid(), 15)"
    process = start(None, [*PYTHON, code], hermetic(home), stdin="pipe", stderr="tty")
    result = process.finish(stdin=b"hello")
    assert (result.status, result.stdout) == (-signal.SIGTERM, b"hello\n")


def test_signals_are_at_their_defaults(run: Run) -> None:
    """No ignored SIGPIPE is handed down, as Python would."""
    result = run("kill -PIPE $$; echo survived", program=["/bin/sh", "-c"])
    assert result.status == -signal.SIGPIPE
