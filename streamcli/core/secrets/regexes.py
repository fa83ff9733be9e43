"""Regular expressions over bytes: by RE2 where google-re2 is installed, else by `re`.

RE2 takes time linear in the text whatever the text, and searches an alternation of a hundred patterns about as fast as
one. What is compiled here means the same to both: bytes are Latin-1, ^ and $ are those of a line, and no match goes
beyond a line.
"""

import re
import warnings
from typing import Any, Protocol

# Bytes that one pattern's automaton may take. A large alternation outgrows RE2's own 8 MB on lively text, and would
# then be searched some twenty times slower.
MAX_AUTOMATON_BYTES = 32 << 20


class Match(Protocol):
    """What both engines' matches have; a group that took no part has the span (-1, -1)."""

    def span(self, group: int = 0, /) -> tuple[int, int]: ...


class Pattern(Protocol):
    """What both engines' patterns have. `pos` is where to begin; what is before it still counts for ^ and \\b."""

    @property
    def groups(self) -> int: ...

    def search(self, text: bytes, pos: int = 0, endpos: int = ..., /) -> Match | None: ...

    def match(self, text: bytes, pos: int = 0, /) -> Match | None: ...


class BadPattern(Exception):
    """The engine does not take it."""


def is_linear() -> bool:
    """Whether RE2 is there."""
    return _re2() is not None


def compile_pattern(pattern: bytes, *, captures: bool = True) -> Pattern:
    """Raises BadPattern. Without `captures` only the whole match has a span: that is faster to find."""
    re2 = _re2()
    return _by_re2(re2, pattern, captures) if re2 else _by_re(pattern)


def alternation(patterns: list[bytes]) -> Pattern:
    """Finds where the first of any of them begins, at one place in their order."""
    return compile_pattern(b"|".join(b"(?:" + pattern + b")" for pattern in patterns), captures=False)


def _re2() -> Any:
    """The module; imported when it is first needed, and None where it is not installed."""
    try:
        import re2  # type: ignore[import-untyped]
    except ImportError:
        return None
    return re2


def _by_re2(re2: Any, pattern: bytes, captures: bool) -> Pattern:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    options.never_nl = True
    options.never_capture = not captures
    options.max_mem = MAX_AUTOMATON_BYTES
    try:
        compiled: Pattern = re2.compile(b"(?m:" + pattern + b")", options)
    except re2.error as error:
        reason = error.args[0] if error.args else "no reason given"
        raise BadPattern(reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)) from error
    return compiled


def _by_re(pattern: bytes) -> Pattern:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # "possible nested set": it would be taken, and mean something else
            return re.compile(pattern, re.MULTILINE)
    except (re.error, Warning, OverflowError, RecursionError) as error:
        raise BadPattern(str(error)) from error
