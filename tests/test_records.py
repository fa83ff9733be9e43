"""stdin -> records, each a prompt of its own."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamcli.core.records import Prompt, Record, RecordSplitter, read_record
from streamcli.errors import InputError

many = settings(max_examples=300, deadline=None)


def split(form, *chunks, limit=1000):
    splitter = RecordSplitter(form, limit)
    return [record for chunk in chunks for record in splitter.feed(chunk, 0.0)] + splitter.flush()


@pytest.mark.parametrize(
    ("form", "data", "expected"),
    [
        ("lines", b"", []),
        ("lines", b"a", [(1, b"a")]),
        ("lines", b"a\n", [(1, b"a")]),
        ("lines", b"a\n\n \t\nb\r\n", [(1, b"a"), (4, b"b\r")]),
        ("lines", b"\0\n", [(1, b"\0")]),
        ("nul", b"a\nb\0c\0\0d", [(1, b"a\nb"), (2, b"c"), (4, b"d")]),
        ("jsonl", b"{}\n\n1", [(1, b"{}"), (3, b"1")]),
    ],
)
def test_records_are_numbered_with_the_empty_ones_and_those_are_left_out(form, data, expected):
    assert split(form, data) == [Record(number, record) for number, record in expected]


@many
@given(
    st.lists(st.sampled_from([b"a", b"bc", b"\n", b"\n", b"\0", b"\r", b" "])),
    st.sampled_from(["lines", "nul"]),
    st.data(),
)
def test_any_chunks_give_the_same_records(parts, form, data):
    whole = b"".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=8)))
    chunks = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    separator = b"\0" if form == "nul" else b"\n"
    expected = [Record(number, piece) for number, piece in enumerate(whole.split(separator), 1) if piece.strip()]
    assert split(form, *chunks) == expected
    assert split(form, *[whole[at : at + 1] for at in range(len(whole))]) == expected


@pytest.mark.parametrize("chunk", [1, 3, 1000])
def test_of_a_record_that_is_too_large_nothing_is_kept(chunk):
    data = b"a\n" + b"x" * 11 + b"\n" + b"y" * 10 + b"\n" + b"z" * 99
    chunks = [data[at : at + chunk] for at in range(0, len(data), chunk)]
    assert split("lines", *chunks, limit=10) == [
        Record(1, b"a"),
        Record(2, b"", is_too_large=True),
        Record(3, b"y" * 10),
        Record(4, b"", is_too_large=True),
    ]


def test_a_record_without_end_takes_no_memory():
    splitter = RecordSplitter("lines", limit=100)
    for _ in range(1000):
        splitter.feed(b"x" * 60, 0.0)
    assert sum(map(len, splitter._partial)) <= 100
    assert splitter.deadline() is None


@pytest.mark.parametrize(
    ("form", "data", "expected"),
    [
        ("lines", b" a \r", Prompt(" a ")),
        ("nul", b"a\r", Prompt("a\r")),
        ("lines", b"\xff", Prompt("\\xff")),
        ("lines", b'{"prompt": "a"}', Prompt('{"prompt": "a"}')),
        ("jsonl", b'"a\\nb"\r', Prompt("a\nb")),
        ("jsonl", b'{"prompt": "a", "other": 1}', Prompt("a")),
        ("jsonl", b'{"prompt": "a", "system": "", "id": 0}', Prompt("a", "", 0)),
        ("jsonl", b'{"prompt": "a", "system": null, "id": {"x": []}}', Prompt("a", None, {"x": []})),
        ("jsonl", b' {"prompt": "\\u00e9"}', Prompt("é")),
        ("jsonl", b'\xef\xbb\xbf{"prompt": "a"}', Prompt("a")),
    ],
)
def test_what_a_record_asks(form, data, expected):
    assert read_record(Record(1, data), form) == expected


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"nul",
        b"[]",
        b"1",
        b'{"prompt": " "}',
        b'{"prompt": "a", "system": []}',
        b'{"prompt": "a", "id": NaN}',
        b'{"prompt": "a", "id": 1e999}',
        b'{"prompt": "a", "output": ""}',
        b'{"prompt": "a", "output": 1}',
    ],
)
def test_what_asks_nothing(data):
    with pytest.raises(InputError):
        read_record(Record(1, data), "jsonl")


@pytest.mark.parametrize("form", ["lines", "nul", "jsonl"])
def test_what_is_too_large(form):
    with pytest.raises(InputError, match="larger than 32 MB"):
        read_record(Record(1, b"", is_too_large=True), form)


def test_half_a_character_of_json_is_still_sendable():
    text = read_record(Record(1, json.dumps("a\ud83d").encode()), "jsonl").text
    assert text.encode() == "a\ufffd".encode()
