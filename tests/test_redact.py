"""Secrets in lines: what is masked, what is not, and that it does not matter how the lines come."""

import re
import sys
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redact_samples import (
    ALNUM,
    BY_FORM,
    FORM_CONTEXTS,
    HARMLESS,
    HEX,
    PASSWORD_CONTEXTS,
    PASSWORDS,
    SENTENCES,
    TOKEN_CONTEXTS,
    URL_PASSWORD_CONTEXTS,
    some,
)

from streamcli.core import redact_stream
from streamcli.core.redact import BUILT_IN, Redactor, summary
from streamcli.core.redact_stream import RedactStream
from streamcli.core.secrets.rules import Rule

KEY = bytes(range(32))
REDACTOR = Redactor(KEY)
TOKENS = (some(ALNUM, 20, 1), some(HEX, 32, 2), some(ALNUM + "+/", 44, 3) + "==", f"{some(HEX, 8, 4)}-4a1b-8c2d-9e3f")
PLACEHOLDER = r"<[A-Z][A-Z0-9_]*:[0-9a-f]{6}>"

some_examples = settings(max_examples=60, deadline=None)


def redacted(line: str, redactor: Redactor = REDACTOR) -> str:
    (out,) = redactor.feed([line.encode()], 0.0)
    return out.decode()


@pytest.fixture
def without_re2(monkeypatch):
    """As where google-re2 is not installed: importing it fails."""
    monkeypatch.setitem(sys.modules, "re2", None)


# --- what is masked ---


@pytest.mark.parametrize("kind", BY_FORM)
@pytest.mark.parametrize("context", FORM_CONTEXTS)
def test_a_key_that_has_a_form_is_masked_wherever_it_stands(kind, context):
    for seed in range(5):
        secret = BY_FORM[kind](seed)
        line = context.format(secret)
        assert re.fullmatch(".*".join(map(re.escape, context.format("\0").split("\0"))), line)
        out = redacted(line)
        assert secret not in out
        assert re.search(PLACEHOLDER, out)


@pytest.mark.parametrize("kind", BY_FORM)
def test_its_placeholder_says_what_it_was(kind):
    assert re.fullmatch(rf"it was <{kind}:[0-9a-f]{{6}}> once", redacted(f"it was {BY_FORM[kind](3)} once"))


WITH_VALUES = [
    *((context, PASSWORDS) for context in (*PASSWORD_CONTEXTS, *URL_PASSWORD_CONTEXTS)),
    *((context, [word for word in PASSWORDS if re.search("[0-9]", word)]) for context in SENTENCES),
    *((context, TOKENS) for context in TOKEN_CONTEXTS),
]


@pytest.mark.parametrize(("context", "values"), WITH_VALUES)
def test_a_value_is_masked_by_what_stands_around_it_and_only_the_value(context, values):
    before, after = (
        re.escape(part).replace("dark", ".*").replace("de", ".*") for part in context.format("\0").split("\0")
    )
    for value in values:
        assert re.fullmatch(before + PLACEHOLDER + after, redacted(context.format(value))), value


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Authorization: Basic dXNlcjpodW50ZXIy", "Authorization: Basic <BASIC>"),
        ('"Proxy-Authorization":["Basic dXNlcjpodW50ZXIy"]', '"Proxy-Authorization":["Basic <BASIC>"]'),
        ("proxy said Basic dXNlcjpodW50ZXIy", "proxy said Basic <BASIC>"),
        ("Cookie: a=1; b=2", "Cookie: a=<COOKIE>; b=<COOKIE>"),
        ('"cookie":"sid=abc; theme=dark"', '"cookie":"sid=<COOKIE>; theme=<COOKIE>"'),
        (
            "Set-Cookie: a=xyz; Expires=Wed, 09 Jun 2032 10:18:14 GMT; Path=/; Secure",
            "Set-Cookie: a=<COOKIE>; Expires=Wed, 09 Jun 2032 10:18:14 GMT; Path=/; Secure",
        ),
        ("cb?code=" + "c0de" * 6 + "&state=x", "cb?code=<TOKEN>&state=x"),
        (
            "POST https://hooks.slack" + ".com/services/T0/B0/abcdef12",
            "POST https://hooks.slack.com/services/<WEBHOOK>",
        ),
        ("https://discord.com/api/web" + "hooks/12345678/abc-DEF_ghi", "https://discord.com/api/webhooks/<WEBHOOK>"),
        ("bob:$6$saltsalt$" + "h4sh" * 8 + ":19000:0", "bob:$6$<PASSWORD_HASH>:19000:0"),
        ("your verification code is 483920", "your verification code is <CODE>"),
        ("db.example.com:5432:shop:bob:hunter2", "db.example.com:5432:shop:bob:<PASSWORD>"),
        ("sqlplus scott/tiger@orcl", "sqlplus scott/<PASSWORD>"),
        ("jdbc:oracle:thin:scott/tiger@//h/x", "jdbc:oracle:thin:scott/<PASSWORD>@//h/x"),
        ("passphrase='it''s 4 words'", "passphrase='<PASSWORD>'"),
        (r'"a":"{\"b\":\"{\\\"pwd\\\":\\\"x1y2\\\"}\"}"', r'"a":"{\"b\":\"{\\\"pwd\\\":\\\"<PASSWORD>\\\"}\"}"'),
        ("(password=abc1)", "(password=<PASSWORD>)"),
        ("{a=b, password=abc1, c=d}", "{a=b, password=<PASSWORD>, c=d}"),
        ("userPassword: {SSHA}abc1def2", "userPassword: <PASSWORD>"),
        ("curl -H 'X-Api-Key: abc123def456' -u bob:pw1 x", "curl -H 'X-Api-Key: <API_KEY>' -u bob:<PASSWORD> x"),
        ("password=abc1 password=abc1", "password=<PASSWORD> password=<PASSWORD>"),
        ('password="cut in the mid', 'password="<PASSWORD>'),
        ("password=ab\xff", "password=<PASSWORD>"),
        ("password=abc1<IP:3f9a1c>", "password=<PASSWORD><IP>"),
    ],
)
def test_some_that_are_special(line, expected):
    assert re.sub(":[0-9a-f]{6}>", ">", redacted(line)) == expected


def test_equal_values_have_equal_hashes_in_a_run_and_others_in_the_next():
    first, second = redacted("password=hunter2"), redacted("PGPASSWORD=hunter2 psql")
    assert re.search(r":\w{6}>", first)[0] == re.search(r":\w{6}>", second)[0]
    assert redacted("password=hunter2", Redactor(bytes(32))) != first
    assert redacted("password=hunter3") != first


@pytest.mark.parametrize("line", HARMLESS)
def test_what_only_speaks_of_secrets_stays(line):
    assert redacted(line) == line


def test_without_google_re2_the_same_is_masked(without_re2):
    slow = Redactor(KEY, pii=True)
    fast_lines = [
        *HARMLESS,
        *(context.format(values[0]) for context, values in WITH_VALUES),
        *(context.format(make(1)) for make in BY_FORM.values() for context in FORM_CONTEXTS[:2]),
        "10.0.0.1 bob@example.com",
    ]
    lines = [line.encode() for line in fast_lines]
    assert slow.feed(lines, 0.0) == WITH_RE2.feed(lines, 0.0)


WITH_RE2 = Redactor(KEY, pii=True)


# --- however the lines come ---

PIECES = [
    *(
        "password=",
        "token: ",
        '"secret":"',
        "Bearer ",
        "://u:",
        "@",
        "Cookie: ",
        "; ",
        "=",
        ":",
        " ",
        '"',
        "'",
        "\\",
        ",",
    ),
    *(
        "hunter2",
        "abc123DEF456ghi789",
        "10.0.0.1",
        "null",
        "<PASSWORD:3f9a1c>",
        "<IP:",
        "curl -u a:",
        "word",
        "&x=",
        "{",
    ),
    *("\r", "\xff", "é", "-p", "mysql ", "eyJ", "key=", "--token ", "[", "</", "%22", "bob@example.com", "::1"),
    *("-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", "QUJD" * 16, "\\n"),
]
log_lines = st.lists(st.lists(st.sampled_from(PIECES), max_size=8).map("".join), max_size=12).map(
    lambda lines: [line.encode("latin-1") for line in lines]
)


@some_examples
@given(log_lines, st.lists(st.integers(0, 12), max_size=6), st.booleans())
def test_any_split_into_feeds_gives_the_same_lines(lines, cuts, pii):
    whole = Redactor(KEY, pii=pii)
    split = Redactor(KEY, pii=pii)
    ends = sorted({min(cut, len(lines)) for cut in cuts} | {len(lines)})
    pieces = [lines[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    expected = whole.feed(lines, 0.0) + whole.flush()
    assert [line for piece in pieces for line in split.feed(piece, 0.0)] + split.flush() == expected
    assert len(expected) == len(lines)
    assert split.counts == whole.counts


@settings(max_examples=300, deadline=None, derandomize=True)
@given(log_lines, st.booleans())
def test_redacting_twice_is_redacting_once(lines, pii):
    once = Redactor(KEY, pii=pii).feed(lines, 0.0)
    assert Redactor(KEY, pii=pii).feed(once, 0.0) == once


# White space, quotes and brackets end a value, and so do the separators of fields.
password_characters = st.characters(
    codec="ascii", exclude_categories=["C", "Z"], exclude_characters="\"'`<>&,;%\\|{}[]()=:@/$*#"
)


@some_examples
@given(
    st.sampled_from([context for context, values in WITH_VALUES if values is PASSWORDS]),
    st.text(password_characters, min_size=6),
)
def test_nothing_of_a_planted_secret_survives(context, middle):
    value = f"Zq8{middle}x7"
    before, after = context.split("{}")
    out = redacted(context.format(value))
    assert re.fullmatch(re.escape(before.format()) + PLACEHOLDER + re.escape(after.format()), out)


def test_a_text_is_masked_like_its_lines_and_has_its_own_state():
    redactor = Redactor(KEY)
    assert redactor.text("a\r\npassword=hunter2\n") == f"a\r\n{redacted('password=hunter2')}\n"
    assert redactor.text("-----BEGIN PRIVATE KEY-----") == "-----BEGIN PRIVATE KEY-----"
    assert redactor.text("QUJD" * 16) == "QUJD" * 16
    assert redactor.text("\ud800 é") == "\ud800 é"


def test_nothing_is_found_for_nothing():
    redactor = Redactor(KEY)
    assert (redactor.feed([], 0.0), redactor.flush(), redactor.deadline(), redactor.text("")) == ([], [], None, "")
    assert summary(redactor.counts, redactor.nouns) is None


def test_what_was_masked_is_counted_and_told():
    redactor = Redactor(KEY, pii=True)
    redactor.feed([b"password=a1b2 password=c3d4", b"id " + BY_FORM["AWS_KEY"](1).encode(), b"from 10.0.0.1"], 0.0)
    assert redactor.counts == {"PASSWORD": 2, "AWS_KEY": 1, "IP": 1}
    told = summary(redactor.counts, redactor.nouns)
    assert told == "3 secrets were masked: 2 passwords, 1 AWS key; 1 personal detail was masked: 1 IP address"


# --- hostile lines ---

HOSTILE = [
    b"password=ok;" * 1250,
    b"password=" * 1750,
    b"token: " * 2250,
    b"curl " * 3000 + b"-u a:null",
    b'"' * 16250,
    b"\\" * 16250 + b'"',
    b'password="' + b"\\" * 16250,
    b"password=" + b")" * 16250,
    b"://u:" * 3250,
    b"eyJ" * 5000,
    b"Cookie: " + b"a=b;" * 4000,
    b"a:" * 8000,
    b"1." * 8000,
    b"<PASSWORD:3f9a1c>" * 950,
    b"password=<PASSWORD:3f9a1c>" * 625,
    b"-----BEGIN PRIVATE KEY-----" * 600,
    b"A" * 16250,
    b"a@" * 8000,
    b"x_key=" * 2700,
    b"/reset/" * 2300,
    b"a:bcde@f" * 2000,
    b"\x1b[0m" * 4000,
    b"password -> " * 1350,
    b"name: a_" * 2000,
    b"password |" * 1600,
]


@pytest.mark.parametrize("line", HOSTILE, ids=lambda line: repr(line[:12]))
def test_steps_grow_with_the_line_and_not_faster(line):
    """Counted are the searches that are made, of which each is linear."""
    redactor = Redactor(KEY, pii=True)
    calls = {}
    for part in (1, 2):
        count = 0

        def tracer(frame, event, argument):
            nonlocal count
            count += 1

        sys.setprofile(tracer)
        try:
            redactor.feed([line[: len(line) * part // 2]], 0.0)
        finally:
            sys.setprofile(None)
        calls[part] = count
    assert calls[2] < calls[1] * 3 + 1000


def test_memory_does_not_grow_with_the_stream():
    redactor = Redactor(KEY, pii=True)
    batch = [b"user%d password=pw%d from 10.0.%d.1" % (n, n, n % 100) for n in range(200)]
    redactor.feed(batch, 0.0)
    tracemalloc.start()
    for _ in range(3):
        redactor.feed(batch, 0.0)
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(20):
        redactor.feed(batch, 0.0)
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 50_000


# --- the rules themselves ---


def test_every_kind_can_be_a_placeholder_and_has_one_noun():
    for rule in BUILT_IN:
        assert re.fullmatch("[A-Z][A-Z0-9_]{1,40}", rule.kind)
        assert rule.keywords
        assert all(keyword == keyword.lower() for keyword in rule.keywords)


def test_where_one_rule_finds_nothing_the_next_is_tried():
    rules = (Rule("A", "a", b"k=", (b"k=",), find=lambda text, at: []), Rule("B", "b", rb"k=(\w+)", (b"k=",)))
    assert redacted("k=v", Redactor(KEY, rules)).startswith("k=<B:")


# --- bytes of a stream ---


STREAM_PIECES = [b"password=a1b2 ", b"x", b"\n", b"\r\n", b"\r", b"\xff\xfe", b"\x00", b" "]


@some_examples
@given(st.lists(st.sampled_from(STREAM_PIECES)), st.lists(st.integers(0, 200), max_size=8))
def test_a_stream_keeps_all_bytes_but_those_of_secrets(pieces, cuts):
    content = b"".join(pieces)
    ends = sorted({min(cut, len(content)) for cut in cuts} | {len(content)})
    stream = RedactStream(REDACTOR)
    chunks = [content[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    out = b"".join(piece for chunk in chunks for piece in stream.feed(chunk, 0.0)) + b"".join(stream.flush())
    assert out == content.replace(b"password=a1b2 ", redacted("password=a1b2 ").encode())


def test_a_line_is_out_when_its_end_is_in():
    stream = RedactStream(REDACTOR)
    assert stream.feed(b"one\ntw", 0.0) == [b"one\n"]
    assert stream.feed(b"o", 0.0) == []
    assert stream.feed(b"\n", 0.0) == [b"two\n"]
    assert stream.flush() == []


@pytest.mark.parametrize("name", [b"password=", b""])
@pytest.mark.parametrize("distance", [0, 1, 8, 30, 600, 2000])
def test_of_a_line_that_is_too_long_nothing_passes_unmasked(distance, name, monkeypatch):
    monkeypatch.setattr(redact_stream, "MAX_LINE_BYTES", 10_000)
    secret = BY_FORM["GITHUB_TOKEN"](1).encode()
    before = b"x" * (9_990 - distance) + b" "
    stream = RedactStream(REDACTOR)
    out = b"".join(stream.feed(before + name + secret + b" y" * 9000 + b"\nnext", 0.0) + stream.flush())
    assert secret[:8] not in out
    head, _, last = out.partition(b"\n")
    assert re.search(rb" \[[0-9]+ bytes of this line cut: it is too long to be masked\]\Z", head)
    assert (last, stream.cut_lines) == (b"next", 1)


def test_a_line_without_an_end_takes_no_more_memory_than_the_longest():
    stream = RedactStream(REDACTOR)
    tracemalloc.start()
    for _ in range(200):
        assert stream.feed(b"z" * 65_536, 0.0) == []
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * redact_stream.MAX_LINE_BYTES
