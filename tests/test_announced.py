"""Values that the line above announces: YAML, indented JSON, forms, lines that go on, questions for a password."""

import base64
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamcli.core.redact import Redactor

KEY = bytes(32)
PLACEHOLDER = r"<[A-Z_]+:[0-9a-f]{6}>"
ENCODED = base64.b64encode(b"hunter2 of bob's").decode()


def redacted(text: str) -> str:
    return Redactor(KEY).text(text)


ANNOUNCED = (
    *("- name: DB_PASSWORD\n  value: {}", 'env:\n- name: API_TOKEN\n  value: "{}"', "- key: app_secret\n  value: '{}'"),
    '      "name": "DB_PASSWORD",\n      "value": "{}"',
    "<name>fs.s3a.secret.key</name>\n  <value>{}</value>",
    '<property name="password">\n<value>{}</value>',
    *("password: |\n  {}", "password: >-\n    {}\nuser: bob", "client_secret: |-\n  {}", "db-password:\n  {}"),
    *('"password":\n  "{}"', '"password" :\n\t"{}"', "'password':\n '{}',"),
    *("password=\\\n{}", "export TOKEN = \\\n  {}"),
    'Content-Disposition: form-data; name="password"\r\n\r\n{}\r\n--x',
    'name="token"\nContent-Type: text/plain\n\n{}',
)


@pytest.mark.parametrize("value", ["hunter2Zx", "Zx81Secret77"])
@pytest.mark.parametrize("text", ANNOUNCED)
def test_a_value_is_masked_by_the_line_above(text, value):
    before, after = (re.escape(part) for part in text.split("{}"))
    out = redacted(text.replace("{}", value))
    assert re.fullmatch(before + PLACEHOLDER + after, out), out
    assert redacted(out) == out


@pytest.mark.parametrize(
    "text",
    [
        *("< 334 UGFzc3dvcmQ6\n> {}", "send: 'AUTH LOGIN\\r\\n'\nreply: 334 UGFzc3dvcmQ6\nsend: '{}\\r\\n'"),
        *("C: AUTH PLAIN\nS: 334\nC: {}", "334 \n{}"),
        *("data:\n  tls.crt: {}", 'data:\n  "user": "{}"\n', "kind: Secret\nstringData:\n  user: null\n  blob: {}"),
    ],
)
def test_what_is_in_base64_is_masked_where_it_is_expected(text):
    out = redacted(text.replace("{}", ENCODED))
    assert ENCODED not in out
    assert re.sub(PLACEHOLDER, "{}", out) == text


@pytest.mark.parametrize(
    "text",
    [
        *("password:\nLogin incorrect", "Password: \n  all is well", '"password":\n  "is required"', "token: |\nnext"),
        *("- name: LOG_LEVEL\n  value: debug42x", "- name: DB_PASSWORD\n  valueFrom:\n    key: x1234567"),
        *("- name: DB_PASSWORD\nother: 1\n  value: hunter22", "334 items\nabcd1234", "took: 334\nAbcd1234x"),
        *("data:\n  level: debug\n  replicas: 12345678\n  mode: standard", "password: |\n\n\n  hunter22"),
        *(
            'name="comment"\n\nhello42',
            '"password": {\n  "type": "string"',
            "tls-key: |\n  -----BEGIN CERTIFICATE-----",
        ),
        *("- name: TOKEN\n  value: ${TOKEN}", "< 334 UGFzc3dvcmQ6\n< 235 Authentication successful"),
    ],
)
def test_what_announces_nothing_leaves_the_line_below(text):
    assert redacted(text) == text


lines = st.lists(
    st.sampled_from(
        [line for text in ANNOUNCED for line in text.replace("{}", "Zx81Secret77").split("\n")] + ["", "x"]
    ),
    max_size=12,
).map(lambda some: [line.encode() for line in some])


@settings(max_examples=150, deadline=None)
@given(lines, st.lists(st.integers(0, 12), max_size=6))
def test_however_the_lines_are_fed(lines, cuts):
    ends = sorted({min(cut, len(lines)) for cut in cuts} | {len(lines)})
    split = Redactor(KEY)
    pieces = [split.feed(lines[start:end], 0.0) for start, end in zip([0, *ends], ends, strict=False)]
    once = Redactor(KEY).feed(lines, 0.0)
    assert [line for piece in pieces for line in piece] == once
    assert len(once) == len(lines)
    assert Redactor(KEY).feed(once, 0.0) == once


def test_what_one_input_announces_is_of_no_concern_to_another():
    redactor = Redactor(KEY)
    one, other = redactor.apart(), redactor.apart()
    one.feed([b"- name: DB_PASSWORD"], 0.0)
    assert other.feed([b"  value: hunter2"], 0.0) == [b"  value: hunter2"]
    assert b"hunter2" not in one.feed([b"  value: hunter2"], 0.0)[0]
