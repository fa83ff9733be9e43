"""One attempt: a request -> lists of events, one list a chunk of the network's."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any

from streamcli.core.events import Event
from streamcli.core.retry import AttemptFailed
from streamcli.core.sanitize import one_line
from streamcli.core.sse import EventTooLarge, SseDecoder
from streamcli.core.turn import Turn
from streamcli.errors import StreamBroken
from streamcli.net import faults
from streamcli.net.client import Client

if TYPE_CHECKING:
    import httpx2

# Seconds that message_stop may take after a stop reason was seen: the answer is complete, so this is a courtesy.
LAST_EVENT_GRACE = 1.0
# Seconds that the end of the body may take after message_stop: nearly always it came with it.
LAST_CHUNK_GRACE = 0.1


async def stream(
    client: Client, params: dict[str, Any], accepted: Callable[[Mapping[str, str]], None]
) -> AsyncGenerator[list[Event], None]:
    """Yields events as they come, a Stop last. Raises AttemptFailed; what came before it was yielded.

    `accepted` is given the headers of the response, once it is there and no error.

    Closing the generator, or cancelling, closes the connection: the server sees it within milliseconds.
    """
    response = await client.open(params)
    request_id = response.headers.get("request-id")
    try:
        accepted(response.headers)
        _check_is_stream(response, request_id)
        turn = Turn(request_id)
        chunks = response.aiter_bytes()
        is_compressed = "content-encoding" in response.headers
        async with aclosing(_events(chunks, turn, client.idle_timeout, request_id, is_compressed)) as lists:
            async for events in lists:
                yield events
        yield [turn.end()]
        if client.asks_again and turn.finished:
            await _read_to_the_end(chunks)
    finally:
        await response.aclose()


async def _events(
    chunks: AsyncIterator[bytes], turn: Turn, idle_timeout: float, request_id: str | None, is_compressed: bool
) -> AsyncGenerator[list[Event], None]:
    import httpx2

    decoder = SseDecoder()
    clock = asyncio.get_running_loop().time
    give_up_at: float | None = None
    while not turn.finished:
        failure: AttemptFailed | None = None
        if turn.complete and give_up_at is None:
            give_up_at = clock() + LAST_EVENT_GRACE
        try:
            async with asyncio.timeout_at(give_up_at):
                chunk = await anext(chunks, b"")
        except (httpx2.HTTPError, httpx2.StreamError, OSError) as error:  # TimeoutError is an OSError
            if turn.complete:
                return
            raise faults.in_the_stream(error, idle_timeout, request_id) from error
        if not chunk:
            return
        events: list[Event] = []
        try:
            for server_event in decoder.feed(chunk):
                events += turn.feed(server_event)
        except AttemptFailed as error:
            failure = error
        except EventTooLarge:
            failure = _broken("the stream broke: an event without end", request_id)
        if events:
            yield events
        if failure is not None:
            if turn.complete:
                return
            raise failure
        if is_compressed:  # chunks made of one small packet come without a pause: let signals and timers in
            await asyncio.sleep(0)


async def _read_to_the_end(chunks: AsyncIterator[bytes]) -> None:
    """Only a connection whose response was read to its end can be used again: that saves the next one a handshake."""
    import httpx2

    with suppress(httpx2.HTTPError, httpx2.StreamError, OSError):  # TimeoutError is an OSError
        async with asyncio.timeout(LAST_CHUNK_GRACE):
            async for _ in chunks:
                pass


def _check_is_stream(response: "httpx2.Response", request_id: str | None) -> None:
    content_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "text/event-stream":
        kind = one_line(content_type, 60) or "no content type"
        error = StreamBroken(
            f"the server's answer is no event stream ({response.status_code}, {kind})",
            "check --base-url: is there a proxy, or a login page, in between?",
            request_id=request_id,
        )
        raise AttemptFailed(error, retryable=True)


def _broken(what: str, request_id: str | None) -> AttemptFailed:
    return AttemptFailed(StreamBroken(what, request_id=request_id), retryable=True)
