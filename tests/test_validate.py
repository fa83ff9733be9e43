"""Generated text against the languages' parsers: good code passes, broken code is told of by line and column."""

import builtins
import contextlib
import subprocess
import sys
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from validate_samples import BROKEN, VALID

from streamcli.core import grammars, sql, validate
from streamcli.core.languages import NAMES, can_validate
from streamcli.core.sanitize import sanitize
from streamcli.core.validate import MAX_CHARS, NoValidator, Problem

CHECKED = sorted(name for name in NAMES if can_validate(name))


def check(text, language):
    return validate.validate(text, language, python_version="3.11")


@pytest.mark.parametrize(("language", "text"), VALID)
def test_good_code_passes(language, text):
    assert check(text, language) is None
    assert check(text.replace("\n", "\r\n"), language) is None or language == "bash"


@pytest.mark.parametrize(("language", "text", "line", "column", "message"), BROKEN)
def test_broken_code_is_told_of_by_its_place(language, text, line, column, message):
    problem = check(text, language)
    assert problem is not None
    assert (problem.line, problem.column) == (line, column)
    assert message in problem.message
    assert problem.shown == text.split("\n")[line - 1].rstrip("\r")


def test_every_language_has_samples_of_both_kinds():
    assert {language for language, _ in VALID} == set(CHECKED)
    assert {row[0] for row in BROKEN} == set(CHECKED)


@pytest.mark.parametrize("language", CHECKED)
@pytest.mark.parametrize("text", ["", " \n\t\r\n", "\ufeff\n"])
def test_nothing_is_no_code(language, text):
    problem = check(text, language)
    assert problem is not None
    assert problem.message.endswith("the code is empty")
    assert problem.line is None


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("python", "# later\n"),
        ("toml", "# later\n"),
        ("yaml", "# later\n"),
        ("javascript", "// later\n"),
        ("go", "// later\n"),
        ("sql", "-- later\n"),
        ("bash", "# later\n"),
        ("css", "/* later */\n"),
        ("html", "<!-- later -->\n"),
    ],
)
def test_comments_alone_are_fine(language, text):
    assert check(text, language) is None


@pytest.mark.parametrize("language", CHECKED)
def test_what_no_language_allows(language):
    assert check("a\n \0", language).line == 2
    assert check("a\n \0", language).column == 2
    assert "surrogate" in check("a\n'\ud83d'", language).message
    assert check("a\n'\ud83d'", language).column == 2
    with pytest.raises(NoValidator, match="too large to check"):
        check("x" * (MAX_CHARS + 1), language)


@pytest.mark.parametrize("language", sorted(NAMES - set(CHECKED)))
def test_a_language_without_a_validator_takes_all(language):
    assert check("\0 ((", language) is None


@pytest.mark.parametrize(
    "text",
    [
        *("-" * 100_000 + "1", "a." * 100_000 + "a", "lambda:" * 50_000 + "1", "(" * 1000, "[" * 100_000, "1" * 6000),
        *("if x: pass\n" + "elif y: pass\n" * 5000, "x = 1 +", "f'{", "\x0c(", "'''"),
    ],
)
def test_python_that_its_parser_chokes_on(text):
    assert check(text, "python").message.startswith("Python 3.11: ")
    assert validate.validate(text, "python").message.startswith("Python: ")


def test_python_s_warnings_are_neither_printed_nor_raised(capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert check("x = '\\d'\nassert (x, 'y')\nx is 1\n", "python") is None
        assert validate.validate("from __future__ import annotations\n", "python") is None
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("language", ["json", "jsonl", "yaml", "toml", "javascript", "html", "ruby", "sql", "lua"])
@pytest.mark.parametrize("unit", ["[", "{", "- ", "a: &a [*a]\n", '{"a":'])
def test_deep_nesting_is_no_crash(language, unit):
    with contextlib.suppress(NoValidator):
        assert isinstance(check(unit * 2_000, language), Problem | None)


def test_numbers_of_json_may_be_long():
    assert check("[" + "9" * 100_000 + ", 1e999999]", "json") is None


def test_yaml_is_neither_built_nor_expanded():
    bomb = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 40))
    assert check(bomb, "yaml") is None
    assert check("x: !!python/object/apply:os.system ['exit 1']\ny: !Ref z\n--- \n- 2\n", "yaml") is None


def test_a_long_line_is_shown_around_its_column():
    far = check('{"a": "' + "x" * 1000 + '" 1}', "json")
    assert far.column == 1010
    assert len(far.shown) <= 206
    assert far.shown.startswith("...xxx")
    assert far.shown.endswith('x" 1}')
    near = check("{1" + "x" * 1000, "json")
    assert near.shown == "{1" + "x" * 198 + "..."


def test_what_is_shown_is_harmless_for_a_terminal():
    problem = check('{"a": \x1b[2J}', "json")
    assert problem.shown == '{"a": ␛[2J}'
    assert "\x1b" not in check("x := \x1b[2J ===", "go").message


def test_sql_s_parser_says_nothing_by_itself(capfd):
    assert check("CREATE TABEL t (id int);", "sql") is None  # a command to sqlglot, which it does not look into
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("language", "text"), [("bash", "<a>" * 20_000), ("html", "<a>" * 20_000), ("sql", "SELECT FROM FROM 1 1")]
)
def test_a_check_that_takes_too_long_is_given_up(language, text):
    with pytest.raises(NoValidator, match="too long to check"):
        validate.validate(text, language, is_late=lambda: True)


def test_a_text_that_can_be_read_in_very_many_ways_is_given_up():
    with pytest.raises(NoValidator, match="too long to check as C"):
        check("$(" * 100_000, "c")


@pytest.mark.parametrize("language", sorted({*grammars._GRAMMARS, "sql"}))
def test_what_is_not_installed_is_said_with_a_hint(language, monkeypatch):
    real = builtins.__import__
    absent = ("sqlglot", "tree_sitter")

    def refuse(name, *rest):
        if name.startswith(absent):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(NoValidator) as caught:
        check("x", language) if language != "php" else check("<?php x", language)
    assert caught.value.hint == "pip install 'streamcli[code]'"
    assert check("x = 1\n", "python") is None
    assert can_validate(language)


def test_nothing_is_downloaded(monkeypatch):
    script = (
        "import socket, sys\n"
        "def refuse(*_): raise AssertionError('network')\n"
        "socket.socket.connect = socket.getaddrinfo = socket.create_connection = refuse\n"
        "sys.path.insert(0, 'tests')\n"
        "from validate_samples import VALID\n"
        "from streamcli.core.validate import validate\n"
        "assert all(validate(text, language) is None for language, text in VALID)\n"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, timeout=120)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


def test_importing_it_costs_no_parser():
    script = (
        "import sys, streamcli.core.validate\n"
        "print([name for name in sys.modules if name.startswith(('yaml', 'tree_sitter', 'sqlglot'))])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stdout == "[]\n"


MARKS = (
    """ ( ) { } [ ] " ' ` < > </ /> <?php ?> $ # ; if fi end def SELECT FROM &a *a - : = <<EOF /* */ \\ -- 1 NaN é"""
)
ODD = ["\n", "\r", " ", "\U0001f600", "\u2028", "\x85", "\ufeff", "\0", "\ud800", "\x1b"]
pieces = st.lists(st.text(max_size=5) | st.sampled_from([*MARKS.split(" "), *ODD]), max_size=30).map("".join)


@pytest.mark.parametrize("language", sorted(NAMES))
@settings(max_examples=80, deadline=None)
@given(text=pieces)
def test_any_text_is_valid_or_has_a_problem_in_it(language, text):
    problem = check(text, language)
    if problem is None or problem.line is None:
        return
    lines = text.replace("\r", "\n").split("\n") if language == "python" else text.split("\n")
    assert 1 <= problem.line <= max(len(lines), len(text.splitlines()))
    if problem.column is not None:
        assert 1 <= problem.column <= max(map(len, text.split("\n"))) + 1
    assert sanitize(problem.message) == problem.message


def test_the_dialects_are_known_to_sqlglot():
    import sqlglot

    assert all(sqlglot.parse("SELECT 1", dialect=dialect or None) for dialect in sql.DIALECTS)
