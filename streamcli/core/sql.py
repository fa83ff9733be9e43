"""Is this text valid SQL, in some dialect? By sqlglot, which comes with the extra `code`.

There is no one SQL: a text is valid when one of the dialects takes it whole. (tree-sitter's grammar was tried: it
refused much that is ordinary.) Of the rest, the error is told of the dialect that got furthest.

What is let through: what sqlglot keeps as a "command" it does not look into (`CREATE TABEL ...`, procedures), a comma
before FROM (BigQuery and DuckDB allow it), and texts with the constructs of _BEYOND, which are no SQL of any server's
but their client's, or templates.
"""

import logging
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from streamcli.core.sanitize import one_line
from streamcli.core.validate import NoValidator, Problem, problem_at

if TYPE_CHECKING:
    from sqlglot.errors import ParseError
    from sqlglot.expressions import Expr

# Tried in this order; "" is sqlglot's own, a wide one.
DIALECTS = ("", "postgres", "mysql", "sqlite", "tsql", "bigquery", "snowflake", "oracle", "duckdb")

# Characters; a dialect takes about 5 seconds for a million.
MAX_SQL_CHARS = 500_000

# psql's `\echo`, mysql's DELIMITER, SQL*Plus's `/` and PL/SQL's blocks, rows after COPY FROM stdin, templates (dbt).
_BEYOND = re.compile(
    r"^[ \t]*(?:\\|DELIMITER\b|/[ \t]*$|COPY\b[^;]*\bSTDIN\b|(?:DECLARE|BEGIN)[ \t]*$|<<\w+>>|@@?\w+\.sql)"
    r"|\bCREATE\b[^;]*\b(?:PROCEDURE|FUNCTION|TRIGGER|PACKAGE|EVENT)\b|\{\{|\{%",
    re.IGNORECASE | re.MULTILINE,
)
# Statements that run a server, not a query: sqlglot knows few of them.
_UTILITY = re.compile(
    r"(?:^|;)\s*(?:ABORT|ATTACH|AUDIT|CHECKPOINT|CLUSTER|DBCC|DEALLOCATE|DETACH|DISCARD|END|EXEC|EXECUTE|FETCH|FLUSH|"
    r"HANDLER|IMPORT|INSTALL|LISTEN|LOAD|LOCK|NOTIFY|OPEN|PREPARE|PRINT|RAISE|REASSIGN|REFRESH|REINDEX|RELEASE|RENAME|"
    r"REPAIR|RESET|RESTORE|BACKUP|SAVEPOINT|SECURITY|SIGNAL|SPOOL|START|STOP|UNLISTEN|UNLOCK|WAITFOR|XA)\b",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"(?:\s|--[^\n]*|/\*.*?\*/)*", re.DOTALL)
_QUOTED = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^'\\]|\\.|'')*'|\"[^\"]*\"|`[^`]*`|\$(\w*)\$.*?\$\1\$", re.DOTALL)
_NUMBERED = re.compile(r"\?\d+")  # SQLite's ?1, to sqlglot a ? and a number
_QUOTE = re.compile(r"['\"`]|/\*")
_CLASS = re.compile(r" for <class '[\w.]*?(\w+)'>")


def find_problem(text: str, is_late: Callable[[], bool] = lambda: False) -> Problem | None:
    """The first syntax error of a text that is not empty. `is_late` is asked before each dialect but the first.

    Raises NoValidator without sqlglot, and for a text that is large or takes too long.
    """
    try:
        import sqlglot
        from sqlglot import errors
    except ImportError as error:
        raise NoValidator.not_installed("SQL") from error
    if len(text) > MAX_SQL_CHARS:
        raise NoValidator(f"the code is too large to check as SQL ({len(text):,} characters)")
    _silence()
    readable = _NUMBERED.sub(lambda found: "?" + " " * (len(found[0]) - 1), text)
    furthest: tuple[int, str] = (-1, "")
    for dialect in DIALECTS:
        if dialect and is_late():
            raise NoValidator("the code takes too long to check as SQL")
        try:
            return _prose(text, sqlglot.parse(readable, dialect=dialect or None))
        except errors.ParseError as error:
            furthest = max(furthest, _of_parser(text, error), key=lambda place: place[0])
        except errors.TokenError:
            furthest = max(
                furthest, (_open_quote(text), "a string or comment is never closed"), key=lambda place: place[0]
            )
        except RecursionError:
            return Problem("SQL: nested too deeply", None, None, None)
        except Exception as error:  # a bug of sqlglot's is no error of the text
            raise NoValidator(f"the code cannot be checked as SQL ({type(error).__name__} in sqlglot)") from error
    return (
        None
        if _BEYOND.search(text) or _UTILITY.search(_COMMENT.sub(" ", text))
        else problem_at(text, furthest[0], f"SQL: {furthest[1]}")
    )


def _silence() -> None:
    """sqlglot says by a warning what it does not look into; without a handler, logging would print that."""
    logger = logging.getLogger("sqlglot")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())


def _prose(text: str, statements: "list[Expr | None]") -> Problem | None:
    """sqlglot takes "hello world" for an expression with an alias: no server takes that for a statement."""
    from sqlglot import exp

    begin = _COMMENT.match(text)
    start = begin.end() if begin else 0
    is_statement = not statements or not isinstance(statements[0], exp.Alias | exp.Column | exp.Literal)
    if is_statement or _UTILITY.match(text[start:]) or _BEYOND.search(text):
        return None
    return problem_at(text, start, "SQL: this is no statement")


def _of_parser(text: str, error: "ParseError") -> tuple[int, str]:
    """(character, message). The parser's column is that of a token's end."""
    first = error.errors[0] if error.errors else {}
    message = one_line(_CLASS.sub(r" of \1", str(first.get("description") or "syntax error")), 80).rstrip(".")
    message = message[:1].lower() + message[1:]
    line, column, token = first.get("line"), first.get("col"), str(first.get("highlight") or "")
    if not isinstance(line, int) or not isinstance(column, int):
        return 0, message
    start = 0
    for _ in range(line - 1):
        start = text.find("\n", start) + 1
    near = f" near `{one_line(token, 40)}`" if token.strip() else ""
    return max(start, start + column - max(1, len(token))), message + near


def _open_quote(text: str) -> int:
    """Where the quote or comment begins that has no end."""
    without = _QUOTED.sub(lambda found: " " * len(found[0]), text)
    quote = _QUOTE.search(without)
    return quote.start() if quote else 0
