"""However a stream is cut into chunks, the same comes out."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamcli.core.coalesce import Coalescer
from streamcli.core.events import Delta, Started, Stop, Usage
from streamcli.core.fences import Extractor, FenceFilter
from streamcli.core.formats import TextFormat
from streamcli.core.lines import LineSplitter, decode
from streamcli.core.pipeline import Pipeline
from streamcli.core.retry import AttemptFailed
from streamcli.core.sanitize import Sanitizer, sanitize
from streamcli.core.sse import SseDecoder
from streamcli.core.surrogates import SurrogateMender
from streamcli.core.turn import Turn

many = settings(max_examples=200, deadline=None)
some = settings(max_examples=100, deadline=None)

LINE_ENDS = ["\n", "\r\n", "\r"]
HIGH, LOW = "\ud83d", "\ude00"


@st.composite
def chunked(draw, wholes):
    """Something whole, and the same in chunks: each element alone, or cut anywhere, with empty chunks too."""
    whole = draw(wholes)
    if draw(st.booleans()):
        return whole, [whole[at : at + 1] for at in range(len(whole))]
    cuts = sorted(draw(st.lists(st.integers(0, len(whole)), max_size=12)))
    return whole, [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]


def run(stage, chunks):
    """All that a filter of core's shape gives out."""
    return [piece for chunk in chunks for piece in stage.feed(chunk, 0.0)] + stage.flush()


# --- server-sent events ---


def events_of(body):
    """The whole body at once, by the letter of the standard."""
    name, data, events = "", [], []
    for line in re.split(rb"\r\n|\n|\r", body.removeprefix(b"\xef\xbb\xbf"))[:-1]:
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if not line:
            if data:
                events.append((name or "message", b"\n".join(data)))
            name, data = "", []
        elif field == b"data":
            data.append(value)
        elif field == b"event":
            name = value.decode(errors="replace")
    return events


SSE_LINES = ["data: x", "data:", "data", "data:  é😀 ", ": comment", "event: ping", "event", "id: 7", "future: z", ""]
bodies = st.lists(st.tuples(st.sampled_from([*SSE_LINES, "", ""]), st.sampled_from(LINE_ENDS))).map(
    lambda lines: "".join(line + end for line, end in lines).encode()
)
endings = st.sampled_from([b"", b"d", b"data: cut", b"\r"])
beginnings = st.sampled_from([b"", b"\xef\xbb\xbf", b"\xef\xbb", b"\xef\xbb\xbf\xef\xbb\xbf"])


@many
@given(chunked(st.tuples(beginnings, st.one_of(bodies, st.binary(max_size=40)), endings).map(b"".join)))
def test_bytes_to_server_events(split):
    body, chunks = split
    decoder = SseDecoder()
    assert [event for chunk in chunks for event in decoder.feed(chunk)] == events_of(body)


# --- the stream of an answer ---

PING = ("ping", {"type": "ping"})
FUTURE = ("an_event_from_the_future", {"type": "an_event_from_the_future", "text": "no"})
OPENS = (None, {"type": "content_block_start", "index": 5, "content_block": {"type": "thinking", "thinking": ""}})
HIDDEN = (None, {"type": "content_block_delta", "index": 5, "delta": {"type": "text_delta", "text": "hidden"}})
CLOSES = ("content_block_stop", {"type": "content_block_stop", "index": 5})
texts = st.text(
    alphabet=st.sampled_from(["a", " ", "\n", "\r", "é", "漢", "😀", "\x00", "\u2028", HIGH, LOW]), max_size=6
)


def text_delta(text):
    return {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}


@st.composite
def answers(draw):
    """An answer on the wire, with noise between its events; and the texts of its deltas."""
    deltas = draw(st.lists(texts, max_size=8))
    script = [("message_start", {"type": "message_start", "message": {"id": "msg_1", "model": "m"}})]
    script += [("content_block_delta", text_delta(text)) for text in deltas]
    script += [("message_delta", {"type": "message_delta", "delta": {"stop_reason": "end_turn"}})]
    script += [("message_stop", {"type": "message_stop"})]
    body = b""
    for name, payload in script:
        # Deltas of the thinking block are hidden only while it is open.
        for noise in draw(st.sampled_from([[], [], [PING], [FUTURE], [OPENS, HIDDEN, CLOSES], [OPENS, PING, HIDDEN]])):
            body += wire(draw, *noise)
        body += wire(draw, name, payload)
    # JSON joins a pair that stands in one string.
    return body, [json.loads(json.dumps(text)) for text in deltas if text]


def wire(draw, name, payload):
    """An event with or without its name, in JSON with or without escapes, with any line ends."""
    raw = json.dumps(payload, ensure_ascii=False)
    data = raw if draw(st.booleans()) and not re.search("[\ud800-\udfff]", raw) else json.dumps(payload)
    head = f"event: {name}" if name and draw(st.booleans()) else ": no name"
    end = draw(st.sampled_from(LINE_ENDS))
    return f"{head}{end}data: {data}{end}{end}".encode()


@st.composite
def chunked_answers(draw):
    body, deltas = draw(answers())
    _, chunks = draw(chunked(st.just(body)))
    return body, chunks, deltas


def receive(chunks):
    """The events of an answer as far as they came, and its turn; a failure ends it, as it does in net/stream.py."""
    decoder, turn, events = SseDecoder(), Turn("req_1"), []
    try:
        for chunk in chunks:
            for event in decoder.feed(chunk):
                events += turn.feed(event)
    except AttemptFailed:
        return events, turn
    return events, turn


@many
@given(chunked_answers())
def test_bytes_to_events_of_an_answer(answer):
    _, chunks, deltas = answer
    events, turn = receive(chunks)
    assert events[0] == Started("msg_1", "m", "req_1")
    assert "".join(event.text for event in events[1:]) == mended("".join(deltas))
    assert turn.end() == Stop("end_turn")


@some
@given(chunked_answers(), st.sampled_from([0, 1, 3, 32]))
def test_bytes_from_the_server_to_bytes_on_stdout(answer, chars):
    _, chunks, deltas = answer
    coalescer, text = Coalescer(chars, 1.0), TextFormat(terminal=False)
    written = run(coalescer, [event.text for event in receive(chunks)[0] if isinstance(event, Delta)])
    out = b"".join(piece for part in written for piece in text.feed(Delta(part), 0.0))
    assert out == mended("".join(deltas)).encode()


@some
@given(chunked_answers(), st.data())
def test_an_answer_that_is_cut_off_anywhere_is_a_beginning_and_never_passes_for_complete(answer, data):
    body, _, _ = answer
    cut = body[: data.draw(st.integers(0, len(body)))]
    events, turn = receive([cut])
    assert receive([body])[0][: len(events)] == events
    stops = [event for event in events_of(cut) if b'"message_delta"' in event[1] or b'"message_stop"' in event[1]]
    assert turn.complete == bool(stops)
    if not stops:
        with pytest.raises(AttemptFailed):
            turn.end()


@some
@given(chunked_answers(), st.data())
def test_a_damaged_answer_fails_as_an_attempt_and_in_no_other_way(answer, data):
    body, _, _ = answer
    at = data.draw(st.integers(0, len(body)))
    damage = data.draw(
        st.one_of(st.binary(max_size=4), st.sampled_from([b'"', b"\n\n", b"null", b"\xff", b"-1", b"["]))
    )
    events, turn = receive([body[:at], damage, body[at + data.draw(st.integers(0, 4)) :]])
    assert all(isinstance(event, Started | Delta | Usage) for event in events)
    if turn.complete:
        assert isinstance(turn.end(), Stop)


# --- text ---


def mended(text):
    """Pairs joined, halves replaced: the long way."""
    paired = re.sub(
        "([\ud800-\udbff])([\udc00-\udfff])",
        lambda pair: chr(0x10000 + ((ord(pair[1]) - 0xD800) << 10) + (ord(pair[2]) - 0xDC00)),
        text,
    )
    return re.sub("[\ud800-\udfff]", "\ufffd", paired)


pieces = st.text(alphabet=st.sampled_from(["a", "b", "\n", "é", "😀", HIGH, HIGH, LOW, LOW]), max_size=6)


@many
@given(st.lists(pieces), st.integers(0, 12))
def test_mended_deltas_join_to_the_text_and_each_is_utf_8(deltas, chars):
    whole = run(SurrogateMender(), deltas)
    assert "".join(delta.encode().decode() for delta in whole) == mended("".join(deltas))
    writes = run(Coalescer(chars, 1.0), whole)
    assert "".join(writes) == "".join(whole)
    assert "" not in [*whole, *writes]


@many
@given(
    st.lists(st.tuples(st.sampled_from([0.0, 0.25, 1.0, 3.0]), st.text(alphabet="ab\né", max_size=6))),
    st.integers(0, 12),
    st.sampled_from([0.0, 0.5, 2.0]),
)
def test_text_is_held_until_there_is_enough_of_it_or_its_deadline_comes_and_no_longer(steps, chars, delay):
    coalescer = Coalescer(chars, delay)
    now, since = 0.0, []  # when each character that is held came

    def feed(text):
        since.extend([now] * len(text))
        is_due = bool(since) and (len(since) >= chars or now >= since[0] + delay)
        writes = coalescer.feed(text, now)
        assert [len(write) for write in writes] == ([len(since)] if is_due else [])
        if writes:
            since.clear()
        assert coalescer.deadline() == (since[0] + delay if since else None)

    for wait, text in steps:
        then = now + wait
        while (deadline := coalescer.deadline()) is not None and deadline <= then:
            now = deadline
            feed("")
            assert since == []
        now = then
        feed(text)


@many
@given(chunked(st.text(alphabet=st.sampled_from("ab\r\n\t\x1b\x9b\x7f\u202eé"))))
def test_sanitized_text(split):
    text, chunks = split
    shown = run(Sanitizer(), chunks)
    assert "".join(shown) == sanitize(text.replace("\r\n", "\n"))
    assert "" not in shown


@some
@given(st.lists(st.binary(max_size=12)).map(b"\n".join) | st.text().map(str.encode), st.data())
def test_utf_8_is_never_split_by_a_chunk(data, draw):
    whole, chunks = draw.draw(chunked(st.just(data)))
    lines = [decode(line) for line in run(LineSplitter(), chunks)]
    assert lines == [decode(line) for line in lines_of(whole)]


# --- lines ---


def lines_of(data, cap=1 << 16):
    """All lines at once."""
    *lines, last = data.split(b"\n")
    for line in [*lines, last] if last else lines:
        if len(line) > cap:
            yield line[:cap] + b" [%d more bytes of this line cut]" % (len(line) - cap)
        else:
            yield line.removesuffix(b"\r")


@many
@given(chunked(st.lists(st.sampled_from([b"a", b"bc", b"\n", b"\r", b"\r\n", b"\x00", b"\xc3"])).map(b"".join)))
def test_bytes_to_lines(split):
    data, chunks = split
    assert run(LineSplitter(), chunks) == list(lines_of(data))


@many
@given(chunked(st.lists(st.sampled_from([b"a", b"bcd", b"\n", b"\r\n"])).map(b"".join)), st.integers(1, 8))
def test_bytes_to_lines_with_a_cap(split, cap):
    data, chunks = split
    lines = run(LineSplitter(cap), chunks)
    assert run(LineSplitter(cap), [data[at : at + 1] for at in range(len(data))]) == lines
    if b"\r" not in data:
        assert list(lines_of(data, cap)) == lines


# --- code fences ---


def code_of(answer):
    """The code of a whole answer: its first fence, or else all of it."""
    lines = answer.splitlines(keepends=True) if "\r" not in answer else re.findall(r"[^\n]*\n|[^\n]+", answer)
    openings = [(at, opening) for at, line in enumerate(lines) if (opening := opened_by(line))]
    if not openings:
        return answer
    at, (indent, fence) = openings[0]
    code = []
    for line in lines[at + 1 :]:
        if closes(line, fence):
            break
        spaces = len(line) - len(line.lstrip(" "))
        code.append(line[min(spaces, indent) :])
    return "".join(code)


def opened_by(line):
    """A fence's indentation and its run of characters; None for any other line."""
    content = line.rstrip("\r\n")
    bare = content.lstrip(" ")
    indent = len(content) - len(bare)
    for char in "`~":
        run_of = bare[: len(bare) - len(bare.lstrip(char))]
        if indent <= 3 and len(run_of) >= 3 and not (char == "`" and "`" in bare[len(run_of) :]):
            return indent, run_of
    return None


def closes(line, fence):
    bare = line.rstrip("\n").rstrip(" \t\r")
    content = bare.lstrip(" ")
    return len(bare) - len(content) <= 3 and len(content) >= len(fence) and set(content) == {fence[0]}


FENCE_PARTS = [
    "```",
    "````",
    "~~~",
    "``",
    "`",
    "~",
    "python",
    " ",
    "   ",
    "\t",
    "x = 1",
    "\n",
    "\n",
    "\n",
    "\r\n",
    "é😀",
]
marked_up = st.lists(st.sampled_from(FENCE_PARTS)).map("".join)


@many
@given(
    chunked(st.one_of(marked_up, marked_up.map(lambda text: "Sure:\n```py\n" + text), marked_up.map(" ~~~~\n".__add__)))
)
def test_an_answer_to_its_code(split):
    answer, chunks = split
    assert "".join(run(FenceFilter(), chunks)) == code_of(answer)


def blocks_of(answer):
    """(info, code, whether it was closed) of every block of an answer without lists."""
    blocks, inside = [], None
    for line in re.findall(r"[^\n]*\n|[^\n]+", answer):
        if inside and closes(line, inside[1]):
            inside = None
            blocks[-1][2] = True
        elif inside:
            spaces = len(line) - len(line.lstrip(" "))
            blocks[-1][1] += line[min(spaces, inside[0]) :]
        elif inside := opened_by(line):
            blocks.append([line.strip(" \t\r\n").lstrip(inside[1][0]).strip(" \t"), "", False])
    return blocks


def wanted_of(answer, options):
    """The blocks of a whole answer that are wanted."""
    blocks = blocks_of(answer) or [["", answer, True]]
    match options:
        case {"block": "all"}:
            return blocks
        case {"block": "last"}:
            return blocks[-1:]
        case {"block": int(number)}:
            return blocks[number - 1 : number]
        case {"language": languages}:
            return [*(block for block in blocks if block[0].split(" ")[0] in languages), blocks[0]][:1]
    return blocks[:1]


CHOICES = [
    {},
    {"block": 1},
    {"block": 2},
    {"block": 3},
    {"block": "last"},
    {"block": "all"},
    {"language": {"py", "c++"}},
]
LINES = [
    "```\n",
    "```\r\n",
    "~~~~\n",
    "```py\n",
    "  ~~~ c++ x\n",
    "   ````\n",
    "x = 1\n",
    "  y\n",
    "\n",
    "z\r",
    "``` x\n",
]
by_lines = st.lists(st.sampled_from(LINES)).map("".join)


@many
@given(chunked(st.one_of(by_lines, st.tuples(by_lines, marked_up).map("".join))), st.sampled_from(CHOICES))
def test_an_answer_to_the_blocks_that_are_wanted(split, options):
    answer, chunks = split
    extractor = Extractor(**options)
    wanted = wanted_of(answer, options)
    assert "".join(run(extractor, chunks)) == "".join(code for _, code, _ in wanted)
    assert extractor.blocks == len(blocks_of(answer))
    assert extractor.info == (wanted[0][0] if wanted else "")
    assert extractor.is_closed == all(is_closed for _, _, is_closed in wanted)
    assert (extractor.problem is None) == bool(wanted)


in_lists = st.lists(st.sampled_from([*FENCE_PARTS, "- ", "1. ", "  2) ", "* ", "    ", "\n\n", "---", "# ", "> "])).map(
    "".join
)


@many
@given(chunked(in_lists), st.sampled_from(CHOICES), st.sampled_from([None, 0, 9]))
def test_an_answer_with_lists_to_its_code(split, options, max_held):
    answer, chunks = split
    whole, cut = (Extractor(**options, max_held=max_held) for _ in range(2))
    assert "".join(run(cut, chunks)) == "".join(run(whole, [answer]))
    if max_held is None:  # or else what comes later is not looked at
        assert (cut.info, cut.blocks, cut.is_closed) == (whole.info, whole.blocks, whole.is_closed)


# --- filters in a row ---


@many
@given(chunked(st.lists(st.sampled_from([*FENCE_PARTS, "\r", "\x1b[2J", HIGH, LOW])).map("".join)), st.integers(0, 12))
def test_an_answer_to_what_a_terminal_shows_of_its_code(split, chars):
    answer, chunks = split
    pipeline = Pipeline([SurrogateMender(), FenceFilter(), Coalescer(chars, 2.0), Sanitizer()])
    shown = []
    for now, chunk in enumerate(chunks):
        shown += [*pipeline.tick(now), *pipeline.feed(chunk, now)]
    shown += pipeline.flush(len(chunks))
    assert "".join(shown) == sanitize(code_of(mended(answer)).replace("\r\n", "\n"))
    assert pipeline.flush(len(chunks)) == []


def test_filters_in_a_row_have_the_deadline_of_the_one_that_waits():
    pipeline = Pipeline([FenceFilter(), Coalescer(100, 2.0), Sanitizer()])
    assert (pipeline.feed("```\nx\x1b\r", 1.0), pipeline.deadline()) == ([], 3.0)
    assert (pipeline.tick(2.9), pipeline.deadline()) == ([], 3.0)
    assert (pipeline.tick(3.0), pipeline.deadline(), pipeline.tick(9.0)) == (["x␛"], None, [])
    assert (pipeline.feed("\ny", 9.0), pipeline.deadline(), pipeline.flush(9.0)) == ([], 11.0, ["\ny"])


def test_without_filters_everything_passes():
    pipeline = Pipeline([])
    assert (pipeline.feed("a", 0.0), pipeline.deadline()) == (["a"], None)
    assert (pipeline.tick(9.0), pipeline.flush(9.0)) == ([], [])
