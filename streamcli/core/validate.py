"""Is this text valid in its language? The first error, with its line and column.

Python, JSON, TOML and YAML are read by their own parsers, SQL by sqlglot, the others by tree-sitter's grammars: those
two come with the extra `code`. Whatever the text is, it is read and never run or built into objects, and no error of
a parser gets out: it is a Problem.

What is decided here: an empty text (white space only) is a Problem in every language; one of comments only is fine
where the language has comments. NaN and Infinity are no JSON; a number of any length is, and so are duplicate keys.
Prose is a valid YAML scalar: nothing can be said against it.
"""

import json
import re
import tomllib
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NoReturn

from streamcli.core.languages import can_validate, title_of
from streamcli.core.sanitize import one_line, sanitize

__all__ = ["MAX_CHARS", "NoValidator", "Problem", "can_validate", "problem_at", "validate"]

# Characters; what is longer is not checked: no person reads it, and a parser's trees take a hundred times as much.
MAX_CHARS = 5_000_000
# Characters of a source line that are shown; of those before the column where the line is longer.
SHOWN, SHOWN_BEFORE = 200, 150


@dataclass(frozen=True)
class Problem:
    """Why a text is not valid. `message` is one clause that begins with the language's name.

    `line` and `column` count from 1, the column in characters; both are None where the parser does not say.
    `shown` is the source line, harmless for a terminal; of a long one the SHOWN characters that have the column.
    """

    message: str
    line: int | None
    column: int | None
    shown: str | None


class NoValidator(Exception):
    """The text could not be checked. `message` is one clause; `hint` says what the user can do, where there is."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    @classmethod
    def not_installed(cls, title: str) -> "NoValidator":
        return cls(f"what checks {title} is not installed", "pip install 'streamcli[code]'")


def validate(
    text: str, language: str, *, python_version: str | None = None, is_late: Callable[[], bool] = lambda: False
) -> Problem | None:
    """The first error of `text` in a language of languages.NAMES; None for a valid one.

    None, too, for a language without a validator: ask can_validate() first. `python_version` ("3.11") is named in
    Python's errors, as that is what the text was compared with. Once `is_late` says so (the caller has a clock) the
    check is given up, where it can be: there are texts on which a grammar takes minutes. Raises NoValidator.
    """
    if not can_validate(language):
        return None
    title = title_of(language)
    if len(text) > MAX_CHARS:
        raise NoValidator(f"the code is too large to check ({len(text):,} characters)")
    problem = _unfit(text, title)
    if problem is not None:
        return problem
    if language == "python":
        return _python(text, f"Python {python_version}" if python_version else title)
    if language == "sql":
        from streamcli.core import sql

        return sql.find_problem(text, is_late)
    if language in _PARSERS:
        return _PARSERS[language](text)
    # Imported here: it needs this module, and few need it.
    from streamcli.core import grammars

    return grammars.find_problem(text, language, is_late)


def problem_at(text: str, offset: int, message: str) -> Problem:
    """The problem at a character of the text, counted from 0; lines end at a newline."""
    offset = max(0, min(offset, len(text)))
    start = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    line = text[start:] if end < 0 else text[start:end]
    column = offset - start + 1
    return Problem(message, text.count("\n", 0, start) + 1, column, _shown(line, column))


def _shown(line: str, column: int | None) -> str:
    line = line.rstrip("\r\n")
    if len(line) <= SHOWN:
        return sanitize(line)
    start = max(0, (column or 0) - SHOWN_BEFORE) if (column or 0) > SHOWN else 0
    cut = sanitize(line[start : start + SHOWN])
    return ("..." if start else "") + cut + ("..." if start + SHOWN < len(line) else "")


def _unfit(text: str, title: str) -> Problem | None:
    """What no language allows."""
    if not text.lstrip("\ufeff").strip():
        return Problem(f"{title}: the code is empty", None, None, None)
    nul = text.find("\0")
    if nul >= 0:
        return problem_at(text, nul, f"{title}: a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return problem_at(text, error.start, f"{title}: half of a character (a lone surrogate)")
    return None


def _python(text: str, title: str) -> Problem | None:
    text = text.removeprefix("\ufeff")
    with warnings.catch_warnings():
        # "invalid escape sequence" is a warning, and one that the user's own run will give.
        warnings.simplefilter("ignore")
        try:
            compile(text, "<generated>", "exec", dont_inherit=True)
        except SyntaxError as error:
            return _of_python(error, text, title)
        except (RecursionError, MemoryError):
            return Problem(f"{title}: nested too deeply", None, None, None)
        except ValueError as error:
            return Problem(f"{title}: {one_line(str(error))}", None, None, None)
    return None


def _of_python(error: SyntaxError, text: str, title: str) -> Problem:
    message = f"{title}: {one_line(error.msg or 'invalid syntax')}"
    lines = re.split(r"\r\n|\r|\n", text)
    if not error.lineno or error.lineno > len(lines):
        return Problem(message, None, None, None)
    line = lines[error.lineno - 1]
    # 0 or less where it concerns the line as a whole; behind the end where something is missing.
    column = error.offset if error.offset and error.offset > 0 else None
    column = None if column is None else min(column, len(line) + 1)
    return Problem(message, error.lineno, column, _shown(line, column))


_NOT_JSON = re.compile(r'"(?:[^"\\]|\\.)*"|(-?Infinity|NaN)')


class _NotJSON(Exception):
    """Python's parser takes NaN and the infinities, which JSON does not have."""


def _refuse(_constant: str) -> NoReturn:
    raise _NotJSON


def _json(text: str) -> Problem | None:
    return _json_value(text, "JSON", text, 0)


def _json_lines(text: str) -> Problem | None:
    """Each line a value; empty lines are left out."""
    start = 0
    for line in text.split("\n"):
        problem = _json_value(line, "JSON Lines", text, start) if line.strip() else None
        if problem is not None:
            return problem
        start += len(line) + 1
    return None


def _json_value(part: str, title: str, text: str, start: int) -> Problem | None:
    try:
        # Numbers stay text: to build one of a million digits takes minutes, and is refused by Python.
        json.loads(part, parse_int=str, parse_float=str, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        message = error.msg[:1].lower() + error.msg[1:]
        return problem_at(text, start + error.pos, f"{title}: {message}")
    except _NotJSON:
        found = next(found for found in _NOT_JSON.finditer(part) if found[1])
        return problem_at(text, start + found.start(), f"{title}: {found[1]} is no JSON number")
    except RecursionError:
        return Problem(f"{title}: nested too deeply", None, None, None)
    return None


_TOML_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


def _toml(text: str) -> Problem | None:
    try:
        tomllib.loads(text)
    except RecursionError:
        return Problem("TOML: nested too deeply", None, None, None)
    except ValueError as error:  # TOMLDecodeError, or a number that Python does not take
        found = str(error)
        place = _TOML_PLACE.search(found)
        if place is None:
            return Problem(f"TOML: {one_line(found)}", None, None, None)
        message = f"TOML: {one_line(found[: place.start()])}"
        if place[1] is None:
            return problem_at(text, len(text.rstrip()), f"{message} at the end")
        lines = text.split("\n")
        line, column = int(place[1]), int(place[2])
        return Problem(message, line, column, _shown(lines[line - 1], column))
    return None


def _yaml(text: str) -> Problem | None:
    try:
        import yaml
    except ImportError as error:
        raise NoValidator("what checks YAML is not installed", "pip install pyyaml") from error
    try:
        # The events alone: no object is built and no alias followed, so no text can blow up, or nest too deeply.
        unknown = _unknown_alias(yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except yaml.reader.ReaderError as error:
        return Problem(f"YAML: {one_line(error.reason)}", None, None, None)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = f"YAML: {one_line(error.problem or error.context or 'invalid syntax')}"
        return problem_at(text, mark.index, message) if mark is not None else Problem(message, None, None, None)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        return Problem(f"YAML: {one_line(str(error)) or 'nested too deeply'}", None, None, None)
    return problem_at(text, unknown[1], f"YAML: no anchor &{unknown[0]} before this alias") if unknown else None


def _unknown_alias(events: Iterable[object]) -> tuple[str, int] | None:
    """The first alias without an anchor before it, as (name, character), once all is read."""
    import yaml

    anchors: set[str] = set()
    unknown = None
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            anchors.clear()
        elif isinstance(event, yaml.AliasEvent):
            if unknown is None and event.anchor not in anchors and event.start_mark is not None:
                unknown = str(event.anchor), int(event.start_mark.index)
        elif isinstance(event, yaml.NodeEvent) and event.anchor is not None:
            anchors.add(event.anchor)
    return unknown


_PARSERS: dict[str, Callable[[str], Problem | None]] = {
    "json": _json,
    "jsonl": _json_lines,
    "toml": _toml,
    "yaml": _yaml,
}
