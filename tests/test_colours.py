"""Coloured lines: what is secret in the plain line is masked in the coloured one, and no colour around it is lost."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamcli.core.redact import Redactor
from streamcli.core.secrets.colours import Uncoloured, is_coloured, without_colours

KEY = bytes(32)
FORMS = ("\x1b[{}m", "\\u001b[{}m", "\\x1b[{}m", "\\\\u001B[{}m", "#033[{}m", "\\033[{}m", "^[[{}m")
PLACEHOLDER = r"<[A-Z_]+:[0-9a-f]{6}>"


def redacted(line: str) -> str:
    return Redactor(KEY).text(line)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "line",
    [
        "[36]password[0]=[33]{}[0] user=bob",
        "[2]password=[0]{} [2]user=[0]bob",
        "INFO [3]api_key[0][2]=[0]{}",
        '[36;1]"token"[0]: [38;2;1;2;3]"{}"[0]',
        "[31]pass[0]word: {}",
        "[36]authorization[0]: [33]Bearer {}[0]",
        "[0]postgres://app:[1]{}[0]@db/shop",
    ],
)
def test_colours_around_a_name_and_its_value_hide_nothing(form, line):
    coloured = re.sub(r"\[([0-9;]+)\]", lambda found: form.format(found[1]), line)
    before, after = (re.escape(part) for part in coloured.split("{}"))
    out = redacted(coloured.format("hunter2Secret99xK4"))
    assert re.fullmatch(before + PLACEHOLDER + after, out)
    assert redacted(out) == out


def test_colours_within_a_value_go_with_it_and_its_hash_is_that_of_the_plain_one():
    one, other = redacted("password=\x1b[31mhunt\x1b[32mer2\x1b[0m"), redacted("password=\x1b[31mhunter2\x1b[0m")
    assert one == other


def test_other_lines_of_the_batch_keep_their_colours():
    lines = [b"\x1b[32mok\x1b[0m", b"password=\x1b[1mhunter2\x1b[0m", b"\x1b[0mdone\x1b(B"]
    out = Redactor(KEY).feed(lines, 0.0)
    assert [out[0], out[2]] == [lines[0], lines[2]]
    assert b"hunter2" not in out[1]


def test_a_coloured_private_key_is_masked():
    marks = "-----{} PRIVATE" + " KEY-----"
    secret = "\x1b[33mQm9" + "aB3d" * 8 + "\x1b[0m" + "E5fG" * 7 + "\x1b[0m"
    lines = ["\x1b[1m" + marks.format("BEGIN"), secret, secret, marks.format("END") + "\x1b[0m"]
    out = redacted("\n".join(lines)).split("\n")
    assert [out[0], out[3]] == [lines[0], lines[3]]
    assert all(re.fullmatch(PLACEHOLDER, line) for line in out[1:3])


pieces = st.lists(st.sampled_from(["\x1b[0m", "\x1b[38;5;1m", "a", "bc", "\n", "\x1b", "[", "#033[1m", "\x1b(B"]))


@given(pieces.map(lambda some: "".join(some).encode()), st.data())
def test_every_span_of_the_plain_text_is_found_in_the_coloured_one(coloured, data):
    plain = Uncoloured(coloured)
    assert plain.text == without_colours(coloured)
    if not is_coloured(coloured):
        assert plain.text == coloured
    if plain.text:
        start = data.draw(st.integers(0, len(plain.text) - 1))
        end = data.draw(st.integers(start + 1, len(plain.text)))
        first, last = plain.origin(start, end)
        assert without_colours(coloured[:first]) == plain.text[:start] or not is_coloured(coloured)
        assert coloured[first] == plain.text[start]
        assert coloured[last - 1] == plain.text[end - 1]
