"""The text within a block: emphasis, code, links; and how it is broken into rows."""

import pytest

from streamcli.core.markdown import inline
from streamcli.core.markdown.theme import CODE, DIM, EMPHASIS, LINK, STRIKE, STRONG
from streamcli.core.markdown.widths import columns, most_columns
from streamcli.core.markdown.wrap import fold, rows

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("plain", [("plain", 0)]),
        ("a *b* c", [("a ", 0), ("b", EMPHASIS), (" c", 0)]),
        ("**a *b***", [("a ", STRONG), ("b", STRONG | EMPHASIS)]),
        ("~~a~~ ~b~", [("a", STRIKE), (" ~b~", 0)]),
        ("**`a*`**", [("a*", STRONG | CODE)]),
        ("`` a`b ``", [("a`b", CODE)]),
        ("[a *b*](c)", [("a ", LINK), ("b", LINK | EMPHASIS), (" (c)", DIM)]),
        ("[https://a.b](https://a.b)", [("https://a.b", LINK)]),
        (
            "[https://bank.example](https://evil.example)",
            [("https://bank.example", LINK), (" (https://evil.example)", DIM)],
        ),
        ("![alt](a.png)", [("alt", 0), (" (a.png)", DIM)]),
        ("see https://a.b/c_d_e.", [("see ", 0), ("https://a.b/c_d_e", LINK), (".", 0)]),
        ("**https://a.b/c**", [("https://a.b/c", STRONG | LINK)]),
        ("(https://a.b/c_(d))", [("(", 0), ("https://a.b/c_(d)", LINK), (")", 0)]),
        ("<me@a.example>", [("me@a.example", LINK)]),
        ("a <b c='*'> *d*", [("a <b c='*'> ", 0), ("d", EMPHASIS)]),
        ("&lt;&copy;&nosuch;&#10;", [("<\u00a9&nosuch; ", 0)]),
        (
            "call(&timestamp;) &copy &notit; &#x1b;[2J &#x202e;",
            [("call(&timestamp;) &copy &notit; \ufffd[2J \\u202e", 0)],
        ),
        ("[a](/?a=1&region=x&copy=2&amp;b=3)", [("a", LINK), (" (/?a=1&region=x&copy=2&b=3)", DIM)]),
        ("[a](/b&#10;&#9;&timestamp;c&#27;d)", [("a", LINK), (" (/b  &timestamp;c\ufffdd)", DIM)]),
        ("\\*a\\* \\\\", [("*a* \\", 0)]),
        ("\u3042**\u300c\u3044\u300d**\u3046", [("\u3042", 0), ("\u300c\u3044\u300d", STRONG), ("\u3046", 0)]),
        ("**bold**text and re**do**ing", [("bold", STRONG), ("text and re", 0), ("do", STRONG), ("ing", 0)]),
        ("\u4e2d**\u6587 \u5b57**\u4e2d", [("\u4e2d", 0), ("\u6587 \u5b57", STRONG), ("\u4e2d", 0)]),
        ("*[a]*(b) **(c)**(d)", [("[a]", EMPHASIS), ("(b) ", 0), ("(c)", STRONG), ("(d)", 0)]),
        ("a *b\nc* d", [("a ", 0), ("b\nc", EMPHASIS), (" d", 0)]),
    ],
)
def test_segments(text, segments):
    assert inline.parse(text) == segments


@pytest.mark.parametrize(
    "text",
    [
        "snake_case_names and _private, __init__.py and __all__",
        "2 * 3 * 4 and 2*3*4 and a*b*c",
        "x**2 + y**2",
        "2**n + 3**m",
        "x**y*z**w",
        "src/**/test/**/*.js",
        "[a-z]*[0-9]* and (a|b)*(c|d)* and [a-z]*\\w*",
        "*args, **kwargs",
        "f(*args, **kwargs)",
        "*.py and *.js, **/*.py, src/*/foo/*.py",
        "$a_b * c_d * e$ and $$x_1^2 * y_1 * z$$",
        r"\(x_1 * y_1 * z\) and \[ a = b_1 * c * d \]",
        r"\(x\) and \( n! \) and \[2\]",
        "a ` b and [c] and ](d) and ![e",
        "AT&T & co; 5 < 6 > 4",
        "~/bin and ~100 or ~200",
    ],
)
def test_what_is_meant_as_it_is_stays_so(text):
    assert inline.parse(text) == [(text, 0)]


def test_money_is_no_mathematics():
    assert inline.parse("$5 and **$10**, $HOME and *$PATH*") == [
        ("$5 and ", 0),
        ("$10", STRONG),
        (", $HOME and ", 0),
        ("$PATH", EMPHASIS),
    ]


def test_strong_money_is_no_mathematics_either():
    assert inline.parse("**$5** versus **10$**") == [("$5", STRONG), (" versus ", 0), ("10$", STRONG)]
    assert inline.parse("**$5 off** or **10$**") == [("$5 off", STRONG), (" or ", 0), ("10$", STRONG)]


def test_without_colour_the_signs_of_emphasis_and_code_stay():
    text = "**a** *b* ~~c~~ `d` ``e ` f``"
    assert inline.parse(text, colour=False) == [(text, 0)]
    assert inline.parse("[*a*](b) &amp;", colour=False) == [("*a* (b) &", 0)]


def test_strong_text_and_code_are_shown_before_they_are_closed():
    assert inline.parse("a **b", is_open=True) == [("a ", 0), ("b", STRONG)]
    assert inline.parse("a `b *c", is_open=True) == [("a ", 0), ("b *c", CODE)]
    assert inline.parse("a *b 2 ** 3", is_open=True) == [("a *b 2 ** 3", 0)]


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("", 5, [""]),
        ("a b", 5, ["a b"]),
        ("aa bb cc", 5, ["aa bb", "cc"]),
        ("aa  bb", 3, ["aa", "bb"]),
        ("aaaa bb", 3, ["aaa", "a", "bb"]),
        ("a bbbbb", 3, ["a", "bbb", "bb"]),
        ("a\n\nb", 5, ["a", "", "b"]),
        ("\u6f22\u5b57\u6f22\u5b57", 5, ["\u6f22\u5b57", "\u6f22\u5b57"]),
        ("\u6f22\u5b57\u3002", 4, ["\u6f22", "\u5b57\u3002"]),
        ("a \u6f22\u5b57 b", 6, ["a \u6f22\u5b57", "b"]),
        ("caf\u00e9 na\u00efve", 5, ["caf\u00e9", "na\u00efve"]),
        (f"{FAMILY}{FAMILY}", 6, [FAMILY, FAMILY]),
        ("e\u0301e\u0301e\u0301", 2, ["e\u0301e\u0301", "e\u0301"]),
        ("\u6f22", 1, ["\u6f22"]),
    ],
)
def test_rows(text, width, expected):
    assert ["".join(text for text, _ in row) for row in rows([(text, 0)], width)] == expected


def test_a_row_keeps_its_styles():
    assert rows([("aa ", 0), ("bb cc", STRONG), (" dd", 0)], 5) == [
        [("aa ", 0), ("bb", STRONG)],
        [("cc", STRONG), (" dd", 0)],
    ]


def test_a_line_is_folded_as_a_terminal_does_it():
    assert fold("ab\x1b[1mcde\x1b[0mf", 3) == ["ab\x1b[1mc\x1b[0m", "\x1b[1mde\x1b[0mf"]
    assert fold("a\u6f22\u5b57", 4) == ["a\u6f22", "\u5b57"]
    assert fold("abc", 3) == ["abc"]


@pytest.mark.parametrize(
    ("text", "narrow", "wide"),
    [
        ("abc", 3, 3),
        ("\u00e9\u2013\u201c", 3, 3),
        ("\u6f22", 2, 2),
        (FAMILY, 2, 6),
        ("\u2764\ufe0f", 2, 2),
        ("e\u0301", 1, 1),
    ],
)
def test_columns(text, narrow, wide):
    assert (columns(text), most_columns(text)) == (narrow, wide)
