"""Code in colour, line by line, in the renderer and in the filter that leaves all else as it is."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamcli.core.markdown import grammars
from streamcli.core.markdown.grammar import Highlighter
from streamcli.core.markdown.highlight_stream import DELAY, MAX_LINE, CodeHighlighter
from streamcli.core.markdown.theme import COMMENT, HEAD, KEYWORD, NAME, NUMBER, REMOVED, RESET, STRING

SGR = re.compile(r"\x1b\[[0-9;]*m")
EVERY_GRAMMAR = {**grammars._BY_NAME, **grammars._BY_WORD}
ANSWER = 'Text `a`:\n\n```python\ndef f(x):\n    """a\n    b"""\n    return "c"  # d\n```\nand\n~~~\nx = 1\n~~~\n'


def coloured(info, code):
    highlighter = Highlighter(grammars.grammar_of(info))
    return "\n".join(highlighter.line(line) for line in code.split("\n"))


def paint(sgr, text):
    return f"{sgr}{text}{RESET}"


@pytest.mark.parametrize(
    ("info", "code", "expected"),
    [
        ("python", "return 1", f"{paint(KEYWORD, 'return')} {paint(NUMBER, '1')}"),
        ("py", "x # y", f"x {paint(COMMENT, '# y')}"),
        ("python", "returned", "returned"),
        ("python", "'''a\nb''' c", f"{paint(STRING, chr(39) * 3 + 'a')}\n{paint(STRING, 'b' + chr(39) * 3)} c"),
        ("python", "f(x)", f"{paint(NAME, 'f')}(x)"),
        ("c", "/* a\nb\nc */ d", f"{paint(COMMENT, '/* a')}\n{paint(COMMENT, 'b')}\n{paint(COMMENT, 'c */')} d"),
        ("c++ title=x", 'a("//")', f"{paint(NAME, 'a')}({paint(STRING, chr(34) + '//' + chr(34))})"),
        ("rust", "'a' 'b", f"{paint(STRING, chr(39) + 'a' + chr(39))} 'b"),
        ("sql", "Select 1", f"{paint(KEYWORD, 'Select')} {paint(NUMBER, '1')}"),
        ("json", '{"a": "b"}', f"{{{paint(NAME, chr(34) + 'a' + chr(34))}: {paint(STRING, chr(34) + 'b' + chr(34))}}}"),
        ("yaml", "a: b # c", f"{paint(NAME, 'a')}: b {paint(COMMENT, '# c')}"),
        ("diff", "-a\n b", f"{paint(REMOVED, '-a')}\n b"),
        ("console", "$ ls\nx", f"{paint(HEAD, '$ ls')}\nx"),
        ("js", "(/[\"']/g) + b", f"({paint(STRING, '/[' + chr(34) + chr(39) + ']/g')}) + b"),
        ("js", "a / b / c", "a / b / c"),
        ("js", "return /a/", f"{paint(KEYWORD, 'return')} {paint(STRING, '/a/')}"),
        ("js", "x = /[/]/u // y", f"x = {paint(STRING, '/[/]/u')} {paint(COMMENT, '// y')}"),
        ("c", "'\\'' x", paint(STRING, "'\\''") + " x"),
        ("perl", "my $x", f"{paint(KEYWORD, 'my')} {paint(NAME, '$x')}"),
        ("powershell", "If $x", f"{paint(KEYWORD, 'If')} {paint(NAME, '$x')}"),
        ("html", "<a>", f"{paint(KEYWORD, '<a')}{paint(KEYWORD, '>')}"),
    ],
)
def test_tokens(info, code, expected):
    assert coloured(info, code) == expected


@pytest.mark.parametrize("info", ["", "text", "nosuchlanguage", "{"])
def test_what_is_unknown_stays_plain(info):
    assert grammars.grammar_of(info) is None


@given(
    st.sampled_from(sorted(EVERY_GRAMMAR)), st.lists(st.text("ab1 \"'`/*-#<>[](){}\\=:.@$!", max_size=30), max_size=5)
)
@settings(max_examples=300, deadline=None)
def test_colours_change_no_character(name, lines):
    highlighter = Highlighter(EVERY_GRAMMAR[name])
    for line in lines:
        out = highlighter.line(line)
        assert SGR.sub("", out) == line
        assert out.count("\x1b") == 2 * out.count(RESET)


@given(st.lists(st.integers(1, 40), min_size=1), st.sampled_from((0.0, 0.04, 0.2)))
def test_the_text_comes_through_however_it_comes(steps, wait):
    highlighter = CodeHighlighter()
    out = []
    position = now = 0
    while position < len(ANSWER):
        for step in steps:
            out += highlighter.feed(ANSWER[position : position + step], now)
            position += step
            now += wait
    text = "".join(out + highlighter.flush())
    assert SGR.sub("", text) == ANSWER
    if wait == 0:
        assert text == "".join(highlighter.feed(ANSWER, 0.0) + highlighter.flush())


def test_only_code_is_coloured_and_only_of_languages_that_are_known():
    highlighter = CodeHighlighter()
    out = "".join(highlighter.feed(ANSWER, 0.0) + highlighter.flush())
    before, code, after = re.split("```.*\n", out)
    assert before == "Text `a`:\n\n"
    assert after == "and\n~~~\nx = 1\n~~~\n"
    assert code.startswith(f"{KEYWORD}def{RESET} ")
    assert f"{STRING}    b" in code


def test_a_line_of_code_waits_for_its_end_but_not_for_long():
    highlighter = CodeHighlighter()
    assert highlighter.feed("```c\nint", 1.0) == ["```c\n"]
    assert highlighter.deadline() == 1.0 + DELAY
    assert highlighter.feed("", 1.0 + DELAY / 2) == []
    assert highlighter.feed("", 1.0 + DELAY) == [paint(KEYWORD, "int")]
    assert highlighter.deadline() is None
    assert highlighter.feed(" x;\n", 9.0) == [" x;\n"]
    assert highlighter.flush() == []


def test_a_long_line_of_code_does_not_wait():
    highlighter = CodeHighlighter()
    highlighter.feed("```c\n", 0.0)
    assert highlighter.feed("x" * MAX_LINE, 0.0) == ["x" * MAX_LINE]
