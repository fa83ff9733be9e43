"""Private keys: whatever a logger puts around their lines, no line of a body is left."""

import base64
import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamcli.core.redact import Redactor
from streamcli.core.secrets.private_keys import MAX_KEY_LINES, MAX_OTHER_LINES

KEY = bytes(32)
# Never whole in this file, so that no scanner takes it for a leak.
BEGIN, END = "-----" + "BEGIN {}PRIVATE" + " KEY-----", "-----" + "END {}PRIVATE" + " KEY-----"
NAMES = ("", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED ")


def body(lines: int = 6, width: int = 64, seed: int = 1) -> list[str]:
    """Of a key that is none: lines of base64, the last one shorter."""
    text = base64.b64encode(random.Random(seed).randbytes(lines * width * 3 // 4 - 20)).decode()
    return [text[start : start + width] for start in range(0, len(text), width)]


def fed(lines: list[str]) -> list[str]:
    return [line.decode() for line in Redactor(KEY).feed([line.encode() for line in lines], 0.0)]


def assert_gone(secret: list[str], out: list[str]) -> None:
    left = [piece for piece in secret if any(piece[:12] in line for line in out)]
    assert not left, out


AROUND = {
    "nothing": lambda line, n: line,
    "an indentation": lambda line, n: f"    {line}",
    "a quote mark": lambda line, n: f"> {line}",
    "a time": lambda line, n: f"2031-05-04T12:00:{n:02}.{n * 37:03}Z app[{n}]: {line}",
    "syslog": lambda line, n: f"May  4 12:00:0{n % 10} host app: {line}",
    "JSON of docker": lambda line, n: json.dumps(
        {"log": line + "\n", "stream": "stdout", "time": f"2031-05-04T12:00:{n}.{n * 7919}Z"}
    ),
    "code": lambda line, n: f'  "{line}\\n" +',
    "a CR": lambda line, n: f"{line}\r",
}


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("name", NAMES)
def test_every_line_of_a_body_is_masked_and_the_others_stay(around, name):
    secret = body()
    key = [BEGIN.format(name), *secret, END.format(name)]
    lines = ["before", *(AROUND[around](line, n) for n, line in enumerate(key)), "after all"]
    out = fed(lines)
    assert_gone(secret, out)
    assert len(out) == len(lines)
    assert [out[0], out[1], out[-2], out[-1]] == [lines[0], lines[1], lines[-2], lines[-1]]
    assert all("<PRIVATE_KEY:" in line for line in out[2:-2])


@pytest.mark.parametrize("newline", ["\\n", "\\\\n", "\\r\\n", "#012", " "])
@pytest.mark.parametrize(
    "context", ["{}", '{{"private_key": "{}", "client_id": "7"}}', "private_key={}", 'credential":"{}']
)
def test_a_key_in_one_line_is_masked(newline, context):
    secret = body()
    line = context.format(newline.join([BEGIN.format(""), *secret, END.format(""), ""]))
    (out,) = fed([line])
    assert_gone(secret, [out])
    assert "<PRIVATE_KEY:" in out


def test_a_key_in_one_line_may_be_cut():
    secret = body()
    lines = ["key: " + "\\n".join([BEGIN.format("RSA "), *secret[:4]]), "all is well"]
    out = fed(lines)
    assert_gone(secret[:4], out)
    assert out[1] == lines[1]


def test_two_keys_in_a_line_are_two():
    redactor = Redactor(KEY)
    line = " ".join("\\n".join([BEGIN.format(""), *body(seed=seed), END.format("")]) for seed in (1, 2))
    (out,) = redactor.feed([line.encode()], 0.0)
    assert_gone([*body(seed=1), *body(seed=2)], [out.decode()])
    assert redactor.counts == {"PRIVATE_KEY": 2}


def test_a_key_may_begin_where_the_last_one_has_no_end():
    first, second = body(seed=1), body(seed=2)
    out = fed([BEGIN.format(""), *first[:2], BEGIN.format("RSA ") + "\\n" + second[0], *second[1:], END.format("RSA ")])
    assert_gone([*first[:2], *second], out)


def test_headers_of_pem_and_the_check_sum_of_openpgp_do_not_end_it():
    secret = body()
    armour = "-----{} PGP PRIVATE" + " KEY BLOCK-----"
    lines = [armour.format("BEGIN"), "Version: X 1.0", "", *secret, "=a1B2", armour.format("END"), "=a1B2"]
    out = fed(lines)
    assert_gone(secret, out)
    assert [out[1], out[2], out[-1]] == ["Version: X 1.0", "", "=a1B2"]
    assert "a1B2" not in out[-3]


def test_a_key_of_putty_is_masked():
    secret = body(4)
    lines = ["PuTTY-User-Key-File-3: ssh-rsa", "Private-Lines: 4", *secret, "Private-MAC: 00"]
    out = fed(lines)
    assert_gone(secret, out)


def test_lines_of_other_writers_between_stay():
    secret = body(8)
    lines = [BEGIN.format("")]
    for line in secret:
        lines += [line, "GET /health 200"]
    out = fed([*lines, END.format("")])
    assert_gone(secret[:-1], out)
    assert out[2::2] == lines[2::2]


def test_a_key_without_an_end_does_not_mask_the_rest_of_the_log():
    """After some other lines only what looks random, and after many nothing."""
    digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    after = [f"all is well, {n}" for n in range(MAX_OTHER_LINES)]
    lines = [BEGIN.format(""), *body(2)[:1], *after, "word", f"digest {digest}", "/usr/lib/python3/LibCrypto9/x"]
    assert fed(lines)[2:] == lines[2:]
    long = body(1, 64)[0]
    many = ["all is well"] * MAX_KEY_LINES
    assert fed([*lines[:2], *many, long])[-1] == long


VARYING = {
    "workers": lambda line, n: f"[{'abc'[n % 3] * (n % 3 + 1)}] {line}",
    "levels": lambda line, n: f"{['INFO', 'DEBUG', 'warn'][n % 3]}: {line}",
    "levels and times": lambda line, n: f"2031-05-04T12:00:{n:02}Z {['INFO', 'DEBUG'][n % 2]} app: {line}",
}


@pytest.mark.parametrize("around", VARYING)
def test_words_around_the_lines_may_vary(around):
    secret = body()
    key = [BEGIN.format(""), *secret, END.format("")]
    lines = [VARYING[around](line, n) for n, line in enumerate(key)]
    assert_gone(secret, fed(lines))


@pytest.mark.parametrize("others", [1, MAX_OTHER_LINES, MAX_OTHER_LINES + 1, 30])
def test_many_lines_of_others_between_do_not_end_it(others):
    secret = body(30)
    lines = [BEGIN.format("")]
    for line in secret:
        lines += [f"app: {line}", *(f"other: GET /x {n}" for n in range(others))]
    out = fed(lines)
    assert_gone(secret[:-1], out)
    assert [line for line in out if line.startswith("other")] == [line for line in lines if line.startswith("other")]


def test_a_key_of_narrow_lines_is_masked():
    secret = body(8, 32)
    assert_gone(secret, fed([BEGIN.format(""), *(f"x {line}" for line in secret), END.format("")]))


def test_after_the_last_line_of_a_key_a_word_is_a_word():
    lines = [BEGIN.format(""), *body(3), "done", "ok"]
    assert fed(lines)[-2:] == ["done", "ok"]


def test_what_only_names_a_key_masks_nothing():
    lines = [f"expected {BEGIN.format('')} but got x", "done", "ok"]
    assert fed(lines) == lines


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(sorted(AROUND)), st.integers(1, 8), st.lists(st.integers(0, 14), max_size=5), st.booleans())
def test_however_its_lines_are_fed(around, size, cuts, has_end):
    key = [BEGIN.format(""), *body(size), *([END.format("")] if has_end else []), "after all"]
    lines = [AROUND[around](line, n).encode() for n, line in enumerate(key)]
    ends = sorted({min(cut, len(lines)) for cut in cuts} | {len(lines)})
    redactor = Redactor(KEY)
    pieces = [redactor.feed(lines[start:end], 0.0) for start, end in zip([0, *ends], ends, strict=False)]
    once = Redactor(KEY).feed(lines, 0.0)
    assert [line for piece in pieces for line in piece] == once
    assert Redactor(KEY).feed(once, 0.0) == once
