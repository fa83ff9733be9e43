"""The code of an answer, as it streams: what stands in its code fences, or all of it where it has none.

Which block is wanted is said beforehand. What cannot go out yet, because it may not be what is wanted, is in a spool,
and never more than one thing at a time: the text before the first fence, or one block.
"""

import re
from collections.abc import Iterator, Set
from enum import Enum
from itertools import chain
from typing import Literal, Protocol

from streamcli.core.blocks import BlockScanner, Kind

Block = Literal["first", "last", "all"] | int
"""Which of an answer's blocks; a number counts from 1."""

# How much text, in characters, FenceFilter holds while no fence has come; what goes on longer is taken for bare code.
MAX_HELD = 1 << 20
# How much, in characters, a spool in memory gathers into one piece.
SPOOL_PIECE = 1 << 16

_CLASS_IN_BRACES = re.compile(r"(?<=[\s{]\.)[^\s,{}]+")
_WORD = re.compile(r"[^\s,;:={}]+")


class Spool(Protocol):
    """Text that waits. It is written in pieces as small as the deltas."""

    def write(self, text: str) -> None: ...

    def read(self) -> Iterator[str]:
        """All of it from the beginning, in pieces."""
        ...

    def clear(self) -> None:
        """Forgets it: what is written next is the beginning."""
        ...


class MemorySpool:
    """Without a bound: for answers that are held in memory anyway, or a bound that another keeps."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._last: list[str] = []  # what will be the next of them: deltas would take many times their length
        self._size = 0  # of the last

    def write(self, text: str) -> None:
        self._last.append(text)
        self._size += len(text)
        if self._size >= SPOOL_PIECE:
            self._end_piece()

    def read(self) -> Iterator[str]:
        self._end_piece()
        yield from self._pieces

    def clear(self) -> None:
        self._pieces.clear()
        self._last.clear()
        self._size = 0

    def _end_piece(self) -> None:
        if self._last:
            self._pieces.append("".join(self._last))
            self._last.clear()
            self._size = 0


class _Route(Enum):
    OUT = "wanted: it flows"
    SPOOL = "perhaps wanted: it waits"
    NOWHERE = "not wanted"


class Extractor:
    """Any chunks in, the same code out. Code flows on at once, but for a line that may still close the block.

    `block` is the one that is wanted, or "all" of them in order (each ends with a line's end, but for an unclosed last
    one). With `language`, a set of lower-case names, it is the first block whose `language_of` is among them, or else
    the first of all. An answer without a fence is one block, and is taken for that as soon as more than `max_held`
    characters have come without one.

    What waits is in `spool`, which whoever made it disposes of. Raises ValueError for a block below 1, and for a
    `language` beside a block other than "first".
    """

    def __init__(
        self,
        block: Block = "first",
        *,
        language: Set[str] = frozenset(),
        spool: Spool | None = None,
        max_held: int | None = None,
    ) -> None:
        if isinstance(block, int) and block < 1:
            raise ValueError(f"block {block}: they are counted from 1")
        if language and block != "first":
            raise ValueError("a block is chosen by its number or by its language")
        self._block = block
        self._language = language
        self._spool: Spool = MemorySpool() if spool is None else spool
        self._max_held = max_held
        self._scanner = BlockScanner()
        self._route = _Route.SPOOL if block in ("first", "last", "all", 1) else _Route.NOWHERE
        self._kept: list[str] = []  # for the spool, which is written once a chunk
        self._before = 0  # characters before the first block
        self._is_bare = False  # known before the end
        self._is_found = False  # a block in the language that is wanted
        self._is_aborted = False
        self.blocks = 0
        """How many fenced blocks were seen so far, wanted or not."""
        self.info = ""
        """The info string of the block that is given (of "all": the first); "" if it has none, or no fence."""
        self.is_closed = True
        """Whether the closing fence of the block that is given was seen; True without a fence."""
        self.problem: str | None = None
        """After the end: why nothing was given, as a clause; None if that is not so."""

    def feed(self, text: str, now: float) -> list[str]:
        if self._is_bare:
            return [text] if text else []
        out: list[str] = []
        before = self._before
        for kind, piece in self._scanner.feed(text):
            self._take(kind, piece, out)
            if self._is_too_much():
                self._is_bare = True
                out += [*self._unspool(), text[self._before - before :]]
                break
        self._write_spool()
        return ["".join(out)] if out else []

    def deadline(self) -> float | None:
        return None

    def abort(self) -> None:
        """The answer is not wanted any more: what waits may not be the code that is wanted, and is dropped."""
        self._is_aborted = True
        self._forget()

    def flush(self) -> list[str]:
        """The end: all that waited, in memory at once. Of a large answer `rest` is the better way."""
        return list(self.rest())

    def rest(self) -> Iterator[str]:
        """What `flush` gives, in the spool's pieces. What was found is known before the first is asked for."""
        out: list[str] = []
        for kind, piece in () if self._is_bare else self._scanner.flush():
            self._take(kind, piece, out)
        if self._is_aborted:
            self._forget()
        elif isinstance(self._block, int) and self._block > max(self.blocks, 1):
            self.problem = _too_few(self.blocks, self._block)
        return chain(out, self._unspool())

    def _take(self, kind: Kind, piece: str, out: list[str]) -> None:
        if kind is Kind.OPENED:
            self._open(piece)
        elif kind is Kind.CLOSED:
            self.is_closed = True  # if it is another block, the one that is given ended before it
        elif kind is Kind.TEXT and self.blocks:
            pass  # between blocks
        else:
            if kind is Kind.TEXT:
                self._before += len(piece)
            if self._route is _Route.OUT:
                out.append(piece)
            elif self._route is _Route.SPOOL:
                self._kept.append(piece)

    def _open(self, info: str) -> None:
        self.blocks += 1
        self._route = self._route_of(info)
        if self._route is _Route.NOWHERE:
            return
        self._forget()  # what waited is less wanted than this
        self.is_closed = False
        if self._block != "all" or self.blocks == 1:
            self.info = info

    def _route_of(self, info: str) -> _Route:
        """Where the code of the block goes that begins now."""
        if self._block == "all":
            return _Route.OUT
        if self._block == "last":
            return _Route.SPOOL
        if not self._language:
            return _Route.OUT if self.blocks == (1 if self._block == "first" else self._block) else _Route.NOWHERE
        if not self._is_found and language_of(info) in self._language:
            self._is_found = True
            return _Route.OUT
        return _Route.SPOOL if self.blocks == 1 else _Route.NOWHERE

    def _is_too_much(self) -> bool:
        """Whether more waits for a fence than is to be held."""
        waits = not self.blocks and self._route is _Route.SPOOL
        return waits and self._max_held is not None and self._before > self._max_held

    def _write_spool(self) -> None:
        if self._kept:
            self._spool.write("".join(self._kept))
            self._kept.clear()

    def _unspool(self) -> Iterator[str]:
        self._write_spool()
        yield from self._spool.read()
        self._spool.clear()

    def _forget(self) -> None:
        self._kept.clear()
        self._spool.clear()


class FenceFilter(Extractor):
    """The code of an answer's first block, or of all of it: held in memory, up to MAX_HELD, while no fence has come."""

    def __init__(self) -> None:
        super().__init__(max_held=MAX_HELD)


def language_of(info: str) -> str:
    """The language that an info string names, in lower case, "" if none: its first word, without what is glued to it.

    "C++" -> "c++", "python title=x" -> "python", "ts:src/a.ts" -> "ts", "rust,ignore" -> "rust"; and of Pandoc's and R
    Markdown's "{.python #id}", "{#id .python}" and "{r, echo=FALSE}" the class or the first word.
    """
    word = (_CLASS_IN_BRACES.search(info) if info.startswith("{") else None) or _WORD.search(info)
    return word[0].lower() if word else ""


def _too_few(blocks: int, wanted: int) -> str:
    if not blocks:
        return f"the answer has no code fence, and so no block {wanted}"
    return f"the answer has {blocks} code block{'s' if blocks > 1 else ''}, not {wanted}"
