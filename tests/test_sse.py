"""Bytes -> server-sent events. That chunks do not matter is in test_splits.py."""

import tracemalloc

import pytest

from streamcli.core.sse import MAX_EVENT_BYTES, EventTooLarge, ServerEvent, SseDecoder

BLOCK = 1 << 16
# More wire bytes than any event of MAX_EVENT_BYTES can take.
ENDLESS = 8 * MAX_EVENT_BYTES


def decode(*chunks):
    decoder = SseDecoder()
    return [event for chunk in chunks for event in decoder.feed(chunk)]


@pytest.mark.parametrize(
    ("body", "name", "data"),
    [
        (b"data: x\n\n", "message", b"x"),
        (b"data:x\n\n", "message", b"x"),
        (b"data:  x \n\n", "message", b" x "),
        (b"data: a:b\n\n", "message", b"a:b"),
        (b"event: ping\ndata: {}\n\n", "ping", b"{}"),
        (b"data: {}\nevent: ping\n\n", "ping", b"{}"),
        (b"event: a\nevent: b\ndata: x\n\n", "b", b"x"),
        (b"event\ndata: x\n\n", "message", b"x"),
        (b"event:\ndata: x\n\n", "message", b"x"),
        (b"data: 1\ndata: 2\ndata: 3\n\n", "message", b"1\n2\n3"),
        (b"data\n\n", "message", b""),
        (b"data:\ndata:\n\n", "message", b"\n"),
        (b": a comment\nid: 7\nretry: 10\nfuture: y\n\xff\xfe\ndata: x\n\n", "message", b"x"),
        (b" data: no\nDATA: no\ndata: x\n\n", "message", b"x"),
        (b"data: x\r\n\r\n", "message", b"x"),
        (b"data: x\r\r", "message", b"x"),
        (b"data: x\r\n\n", "message", b"x"),
        (b"data: \x0b\x0c\x1c\xc2\x85\xe2\x80\xa8\n\n", "message", b"\x0b\x0c\x1c\xc2\x85\xe2\x80\xa8"),
        (b"data: \xff\xc3\n\n", "message", b"\xff\xc3"),
        (b"event: \xff\ndata: x\n\n", "\ufffd", b"x"),
        (b"\xef\xbb\xbfdata: x\n\n", "message", b"x"),
        (
            b"\xef\xbb\xbf\xef\xbb\xbfdata: no\n\xef\xbb\xbfdata: no\ndata: \xef\xbb\xbfx\n\n",
            "message",
            b"\xef\xbb\xbfx",
        ),
    ],
)
def test_one_event(body, name, data):
    assert decode(body) == [ServerEvent(name, data)]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\n\n\n",
        b"\r\n\r\n",
        b": ping\n\n",
        b"event: ping\n\n",
        b"id: 1\n\n",
        b"data: x",
        b"data: x\n",
        b"data: x\r\n",
        b"event: message_stop\ndata: {}\n",
    ],
)
def test_what_has_no_data_or_no_blank_line_is_no_event(body):
    assert decode(body) == []


def test_a_name_does_not_outlive_its_event():
    events = decode(b"event: ping\n\ndata: 1\n\nevent: b\ndata: 2\n\ndata: 3\n\n")
    assert events == [("message", b"1"), ("b", b"2"), ("message", b"3")]


def test_an_event_is_given_out_with_the_chunk_that_ends_it():
    decoder = SseDecoder()
    assert decoder.feed(b"data: x\n") == []
    assert decoder.feed(b"\ndata: y") == [("message", b"x")]
    assert decoder.feed(b"") == []
    assert decoder.feed(b"\r\r") == [("message", b"y")]


def test_a_cr_ends_a_line_at_once_and_the_lf_after_it_is_not_another_end():
    decoder = SseDecoder()
    assert decoder.feed(b"data: x\r") == []
    assert decoder.feed(b"\n") == []
    assert decoder.feed(b"\r") == [("message", b"x")]
    assert decoder.feed(b"") == []
    assert decoder.feed(b"\ndata: y\n") == []
    assert decoder.feed(b"\n") == [("message", b"y")]


@pytest.mark.parametrize("lines", [1, 2, 5])
def test_an_event_of_the_largest_size_passes(lines):
    line = b"x" * (MAX_EVENT_BYTES // lines - 100)
    body = b"event: big\n" + (b"data: " + line + b"\n") * lines + b"\n"
    chunks = [body[start : start + BLOCK] for start in range(0, len(body), BLOCK)]
    assert decode(*chunks) == [("big", b"\n".join([line] * lines))]


def test_many_events_are_not_one_large_one():
    chunk = b"data: " + b"x" * 1000 + b"\n\n"
    decoder = SseDecoder()
    assert sum(len(decoder.feed(chunk)) for _ in range(3000)) == 3000


def test_endless_comments_are_no_event():
    decoder = SseDecoder()
    chunk = b"-alive\n" + b": keep-alive\n" * 100 + b": keep"
    assert [event for _ in range(4 * MAX_EVENT_BYTES // len(chunk)) for event in decoder.feed(chunk)] == []
    long = b":" + b"x" * BLOCK
    assert [event for _ in range(100) for event in decoder.feed(long) + decoder.feed(b"\n")] == []


def feed_endlessly(chunk):
    decoder = SseDecoder()
    for _ in range(ENDLESS // len(chunk)):
        decoder.feed(chunk)


@pytest.mark.parametrize(
    "chunk",
    [
        b"x" * BLOCK,
        b"data: " + b"x" * BLOCK,
        b": " + b"x" * BLOCK,
        b"data: xy\n" * (BLOCK // 9),
        b"data:\n" * (BLOCK // 6),
        b"event: " + b"x" * BLOCK,
    ],
    ids=["one line", "one data line", "one comment", "data lines", "empty data lines", "one name"],
)
def test_an_event_without_end_is_refused(chunk):
    with pytest.raises(EventTooLarge):
        feed_endlessly(chunk)


@pytest.mark.parametrize("chunk", [b"x" * BLOCK, (b"data: " + b"x" * 500 + b"\n") * 128], ids=["line", "data lines"])
def test_an_event_without_end_takes_bounded_memory(chunk):
    tracemalloc.start()
    try:
        with pytest.raises(EventTooLarge):
            feed_endlessly(chunk)
        assert tracemalloc.get_traced_memory()[1] < 2 * MAX_EVENT_BYTES
    finally:
        tracemalloc.stop()


def test_what_was_whole_before_an_event_that_is_too_large_is_not_lost_with_it():
    decoder = SseDecoder()
    assert decoder.feed(b"data: 1\n\ndata: " + b"x" * (MAX_EVENT_BYTES + 1)) == [("message", b"1")]
    with pytest.raises(EventTooLarge):
        decoder.feed(b"x")
