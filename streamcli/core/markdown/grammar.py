"""How a language's tokens are found: one regular expression a language, and what goes on over the end of a line."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from streamcli.core.markdown import theme


@dataclass(frozen=True)
class Token:
    """A kind of token and its colour; `pattern` has no capturing group."""

    sgr: str
    pattern: str


@dataclass(frozen=True)
class Span:
    """What may go on over several lines: from `opener` to `closer`, two patterns; `inside` matches what is between."""

    sgr: str
    opener: str
    closer: str
    inside: str = r"."


class Grammar:
    """`tokens` in the order in which they are tried, and compiled when they are first wanted."""

    def __init__(self, tokens: Sequence[Token | Span], flags: re.RegexFlag = re.NOFLAG) -> None:
        self._flags = flags
        self._tokens = tokens
        self.pattern = re.compile("")
        self.colours: list[str] = []
        """Of each group of the pattern."""
        self.closers: dict[int, tuple[re.Pattern[str], str]] = {}
        """Of a group that runs to the line's end: what ends it in a later line, and its colour until there."""
        self.is_ready = False

    def prepare(self) -> None:
        if self.is_ready:
            return
        self.is_ready = True
        self.colours.append("")
        patterns = []
        for token in self._tokens:
            if isinstance(token, Token):
                patterns.append(f"({token.pattern})")
                self.colours.append(token.sgr)
                continue
            patterns.append(f"({token.opener}(?:{token.inside})*?{token.closer})|({token.opener}.*)")
            self.colours += [token.sgr, token.sgr]
            closer = re.compile(f"(?:{token.inside})*?{token.closer}", self._flags)
            self.closers[len(self.colours) - 1] = closer, token.sgr
        self.pattern = re.compile("|".join(patterns), self._flags)


class Highlighter:
    """The lines of one block of code, coloured one after the other. `state` is what the next line begins in."""

    def __init__(self, grammar: Grammar) -> None:
        grammar.prepare()
        self._grammar = grammar
        self._colours = grammar.colours
        self._closers = grammar.closers
        self._sub = grammar.pattern.sub
        self.state: tuple[re.Pattern[str], str] | None = None

    def copy(self) -> "Highlighter":
        other = Highlighter(self._grammar)
        other.state = self.state
        return other

    def line(self, text: str) -> str:
        """The line (without its end) with SGR sequences in it; each colour is reset in the same line."""
        if self.state is None:
            return self._sub(self._paint, text)
        closer, colour = self.state
        end = closer.match(text)
        if not end:
            return f"{colour}{text}{theme.RESET}" if text else text
        self.state = None
        return f"{colour}{end[0]}{theme.RESET}{self._sub(self._paint, text[end.end() :])}"

    def _paint(self, found: re.Match[str]) -> str:
        group = found.lastindex
        if group is None:
            return found[0]
        if group in self._closers:
            self.state = self._closers[group]
        return f"{self._colours[group]}{found[0]}{theme.RESET}"
