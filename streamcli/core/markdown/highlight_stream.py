"""Text as it is, byte for byte, but for colours in its fenced blocks of code."""

from streamcli.core.blocks import BlockScanner, Kind
from streamcli.core.markdown.grammar import Highlighter
from streamcli.core.markdown.grammars import grammar_of

# Seconds that the beginning of a line of code waits for the rest, and characters of it.
DELAY = 0.1
MAX_LINE = 4096


class CodeHighlighter:
    """A filter of core's shape. A line of code is coloured when it is complete; one that is late or long, in pieces.

    Without its colours, what comes out is what went in. It makes nothing harmless: what feeds it has to.
    """

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._scanner = BlockScanner()
        self._highlighter: Highlighter | None = None
        self._is_code = False
        self._held: list[str] = []  # the beginning of a line of code
        self._size = 0
        self._since: float | None = None

    def feed(self, text: str, now: float) -> list[str]:
        """What can go out. An empty `text` is a look at the clock."""
        out: list[str] = []
        start = 0
        while start < len(text):
            end = text.find("\n", start) + 1 or len(text)
            out += self._piece(text[start:end], now)
            start = end
        if self._since is not None and (now >= self._since + DELAY or self._size >= MAX_LINE):
            out += self._release()
        return ["".join(out)] if out else []

    def deadline(self) -> float | None:
        return None if self._since is None else self._since + DELAY

    def flush(self) -> list[str]:
        out = self._release()
        self._begin()
        return ["".join(out)] if out else []

    def _piece(self, piece: str, now: float) -> list[str]:
        """Takes a line, or a part of one."""
        if not self._is_code or not self._highlighter:
            self._scan(piece)
            return [piece]
        self._held.append(piece)
        self._size += len(piece)
        if self._since is None:
            self._since = now
        return self._release() if piece.endswith("\n") else []

    def _release(self) -> list[str]:
        """What is held, coloured if it is code."""
        text = "".join(self._held)
        self._held.clear()
        self._size = 0
        self._since = None
        if not text:
            return []
        kinds = self._scan(text)
        if self._highlighter is None or Kind.CLOSED in kinds:
            return [text]
        line = text.rstrip("\r\n")
        return [self._highlighter.line(line) + text[len(line) :]]

    def _scan(self, text: str) -> set[Kind]:
        """Follows the blocks; returns what kinds of pieces the text has."""
        kinds = set()
        for kind, info in self._scanner.feed(text):
            kinds.add(kind)
            if kind is Kind.OPENED:
                self._is_code = True
                grammar = grammar_of(info)
                self._highlighter = Highlighter(grammar) if grammar else None
            elif kind is Kind.CLOSED:
                self._is_code = False
        return kinds
