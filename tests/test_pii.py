"""What tells of people: masked on demand, and put back into the answer."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamcli.core.redact import Redactor
from streamcli.core.secrets import pii
from streamcli.core.secrets.pii import Pseudonyms, Restorer

KEY = bytes(32)
CARD = "4111 1111" + " 1111 1111"

PERSONAL = [
    (
        "IP",
        "from {} port 22",
        ["10.0.0.1", "255.255.255.255", "2001:db8::1", "::1", "fe80::1:2:3:4", "::ffff:10.0.0.1"],
    ),
    ("IP", "peer={}:8080", ["192.168.1.7"]),
    ("IP", "[{}]:443", ["2001:db8:0:0:0:0:0:1"]),
    ("IP", "src: /{}", ["10.250.19.102"]),
    ("EMAIL", "to=<{}>, relay=x", ["bob@example.com", "a.b+c@mail.example.co.uk"]),
    ("MAC", "eth0 {} up", ["00:1a:2b:3c:4d:5e", "00-1A-2B-3C-4D-5E"]),
    ("CARD", "paid by {}.", [CARD, CARD.replace(" ", ""), CARD.replace(" ", "-"), "3782 822463" + " 10005"]),
    ("IBAN", "to {} today", ["DE89 3704 0044 0532 0130 00", "GB82WEST12345698765432", "NO93 8601 1117 947"]),
    ("PHONE", "call {} now", ["+41 44 668 18 00", "+1-202-555-0123", "(202) 555-0123", "+442079460123"]),
]
IMPERSONAL = [
    "at 12:34:56 and 2031-05-04T12:00:00+02:00",
    "version 1.2.3 and 1.2.3.4.5",
    "300.1.1.1",
    "std::string::npos and a::b",
    "block blk_-1608999687919862906",
    "id 4111111111111112 is no card, nor is 1700000000000",
    "user@host and @scope/pkg",
    "DE89 3704 0044 0532 0130 01",
    "sha 3f786850e387550fdab836ed7e6dc881de23001b",
    "0b51e3f2-7c5f-4f0e-9c1e-8d2b7a6f5e4d",
    "+12 points, +0200",
]


def redactor() -> Redactor:
    return Redactor(KEY, pii=True)


@pytest.mark.parametrize(("kind", "context", "values"), PERSONAL)
def test_it_is_masked_with_pii_and_put_back(kind, context, values):
    for value in values:
        mine = redactor()
        line = context.format(value)
        masked = mine.text(line)
        before, after = context.split("{}")
        assert masked.startswith(f"{before}<{kind}:")
        assert masked.endswith(f">{after}")
        assert len(masked) == len(before) + len(kind) + 9 + len(after)
        assert "".join(Restorer(mine.pseudonyms).feed(masked, 0.0)) == line
        assert Redactor(KEY).text(line) == line


@pytest.mark.parametrize("line", IMPERSONAL)
def test_what_only_looks_like_it_stays(line):
    assert redactor().text(line) == line


def test_secrets_are_never_put_back():
    mine = redactor()
    masked = mine.text("password=hunter2 from 10.0.0.1")
    restored = "".join(Restorer(mine.pseudonyms).feed(masked, 0.0))
    assert restored.endswith("from 10.0.0.1")
    assert "hunter2" not in restored


def test_an_address_within_a_secret_is_part_of_it():
    mine = redactor()
    assert mine.text("postgres://u:10.0.0.1@db").startswith("postgres://u:<PASSWORD:")
    assert mine.counts == {"PASSWORD": 1}


texts = st.lists(
    st.sampled_from(
        [
            "<IP:3f9a1c>",
            "<IP:3f9a1cdd>",
            "<IP:",
            "<",
            ">",
            "IP",
            ":3f9a1c>",
            "<EMAIL:aaaaaa>",
            "<PASSWORD:3f9a1c>",
            "a",
            "é",
            "\n",
        ]
    )
).map("".join)


@settings(max_examples=200, deadline=None)
@given(texts, st.lists(st.integers(0, 80), max_size=10), st.booleans())
def test_any_chunking_of_an_answer_restores_the_same(text, cuts, singly):
    known = Pseudonyms(lambda value: {b"10.0.0.1": "3f9a1cdd00", b"10.0.0.2": "3f9a1cdd11"}[value])
    assert [known.of("IP", b"10.0.0.1"), known.of("IP", b"10.0.0.2")] == [b"<IP:3f9a1c>", b"<IP:3f9a1cdd>"]
    ends = range(1, len(text) + 1) if singly else sorted({min(cut, len(text)) for cut in cuts} | {len(text)})
    restorer = Restorer(known)
    pieces = [restorer.feed(text[start:end], 0.0) for start, end in zip([0, *ends], ends, strict=False)]
    out = "".join(part for piece in pieces for part in piece) + "".join(restorer.flush())
    assert out == text.replace("<IP:3f9a1cdd>", "10.0.0.2").replace("<IP:3f9a1c>", "10.0.0.1")
    assert restorer.flush() == []


def test_only_what_may_become_a_placeholder_waits():
    restorer = Restorer(redactor().pseudonyms)
    assert restorer.feed("a < b, <p>, <IPX", 0.0) == ["a < b, <p>, <IPX"]
    assert restorer.feed("x <I", 0.0) == ["x "]
    assert restorer.feed("t", 0.0) == ["<It"]
    assert restorer.deadline() is None


def test_two_values_never_share_a_pseudonym():
    known = Pseudonyms(lambda value: "abcdef" + value.hex().rjust(10, "0"))
    placeholders = [known.of("IP", value) for value in (b"1", b"2", b"3", b"1")]
    assert placeholders[0] == placeholders[3]
    assert len(set(placeholders)) == 3
    assert [known.value(placeholder.decode()) for placeholder in placeholders[:3]] == ["1", "2", "3"]


def test_of_too_many_values_the_later_ones_are_masked_and_not_kept(monkeypatch):
    monkeypatch.setattr(pii, "MAX_PSEUDONYMS", 2)
    mine = redactor()
    masked = mine.text("10.0.0.1 10.0.0.2 10.0.0.3")
    assert "10.0" not in masked
    assert "".join(Restorer(mine.pseudonyms).feed(masked, 0.0)).startswith("10.0.0.1 10.0.0.2 <IP:")
    assert mine.pseudonyms.forgotten == 1


def test_the_bytes_that_are_kept_are_bounded(monkeypatch):
    monkeypatch.setattr(pii, "MAX_PSEUDONYM_BYTES", 20)
    mine = redactor()
    mine.text("10.10.10.10 10.10.10.11")
    assert mine.pseudonyms.forgotten == 1
