"""What a window keeps of records that come faster than windows go out: a choice of the user's (--on-overload).

Each is filled with records (bytes, of one or more lines) and rendered as text of at most `budget` characters, in which
a record stands behind its lines' numbers. What is not in the text is counted.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Literal, Protocol

from streamcli.core.condense import Condensed, Condenser
from streamcli.core.condensing.excerpts import excerpt
from streamcli.core.condensing.masks import Masks

Overload = Literal["condense", "block", "drop-oldest", "sample", "fail"]

# Characters that a record's number may take, with the white space around it: "L12345678-L12345699 ".
NUMBER_ROOM = 24
_REMARK_ROOM = 64


class Kept(Protocol):
    """What a window is filled with. `lines` were added; `is_full` says that no more will be shown as it is."""

    @property
    def lines(self) -> int: ...

    @property
    def is_full(self) -> bool: ...

    def add(self, records: Sequence[bytes], first_line: int) -> int:
        """Takes records from the first on, and returns how many it took; `first_line` is the number of their first."""

    def render(self) -> Condensed: ...


def kept_by(overload: Overload, budget: int, masks: Masks) -> Kept:
    """An empty one. `budget` is in characters, at least 200; `masks` are those of the run."""
    if overload == "condense":
        return Templates(budget, masks)
    if overload == "drop-oldest":
        return Newest(budget)
    if overload == "sample":
        return Sampled(budget)
    return Verbatim(budget)


def lines_in(records: Sequence[bytes]) -> int:
    """How many lines they have."""
    return b"\n".join(records).count(b"\n") + 1 if records else 0


class Templates:
    """Everything: as it is while it fits, else as counted templates."""

    def __init__(self, budget: int, masks: Masks) -> None:
        self._condenser = Condenser(budget, masks)

    @property
    def lines(self) -> int:
        return self._condenser.lines

    @property
    def is_full(self) -> bool:
        return self._condenser.is_full

    def add(self, records: Sequence[bytes], first_line: int) -> int:
        self._condenser.add(records, first_line)
        return len(records)

    def render(self) -> Condensed:
        return self._condenser.render()


class _Whole:
    """Records that are shown as they are, unless one of them alone takes more than a quarter of the budget."""

    def __init__(self, budget: int) -> None:
        self._room = budget - _REMARK_ROOM
        self._longest = budget // 4
        self.lines = 0
        self.is_full = False

    def _size(self, record: bytes) -> int:
        """Characters that it takes, or a few more: not more than it has bytes, unless some have to be escaped."""
        if record.isascii() and record.decode().isprintable():
            return min(len(record), self._longest) + NUMBER_ROOM
        return len(excerpt(record, 0, self._longest).text) + NUMBER_ROOM

    def _rendered(self, kept: Iterable[tuple[int, bytes]], remark: str = "") -> Condensed:
        excerpts = [excerpt(record, first, self._longest) for first, record in kept]
        shown = sum(one.shown for one in excerpts)
        texts = [*([remark] if remark else []), *(one.prefixed() for one in excerpts)]
        return Condensed("\n".join(texts), self.lines, shown, 0, self.lines - shown)


class Verbatim(_Whole):
    """The oldest ones, until it is full: then it takes no more."""

    def __init__(self, budget: int) -> None:
        super().__init__(budget)
        self._kept: list[tuple[int, bytes]] = []

    def add(self, records: Sequence[bytes], first_line: int) -> int:
        for place, record in enumerate(records):
            size = self._size(record)
            if self.is_full or (self._kept and size > self._room):
                self.is_full = True
                return place
            self._room -= size
            self._kept.append((first_line, record))
            count = 1 + record.count(b"\n")
            first_line += count
            self.lines += count
            self.is_full = self._room <= 0
        return len(records)

    def render(self) -> Condensed:
        return self._rendered(self._kept)


class Newest(_Whole):
    """The newest ones."""

    def __init__(self, budget: int) -> None:
        super().__init__(budget)
        self._kept: deque[tuple[int, bytes]] = deque()
        self._sizes: deque[int] = deque()
        self._first = 0

    def add(self, records: Sequence[bytes], first_line: int) -> int:
        if not self.lines:
            self._first = first_line
        for record in records:
            self._kept.append((first_line, record))
            self._sizes.append(self._size(record))
            self._room -= self._sizes[-1]
            while self._room < 0 and len(self._kept) > 1:
                self.is_full = True
                self._kept.popleft()
                self._room += self._sizes.popleft()
            count = 1 + record.count(b"\n")
            first_line += count
            self.lines += count
        return len(records)

    def render(self) -> Condensed:
        first = self._kept[0][0]
        return self._rendered(self._kept, f"[L{self._first}-L{first - 1} dropped]" if first > self._first else "")


class Sampled(_Whole):
    """Every n-th one; n doubles whenever they do not fit, so the sample stays even however many come."""

    def __init__(self, budget: int) -> None:
        super().__init__(budget)
        self._kept: list[tuple[int, bytes]] = []
        self._step = 1
        self._seen = 0

    def add(self, records: Sequence[bytes], first_line: int) -> int:
        for record in records:
            if self._seen % self._step == 0:
                self._kept.append((first_line, record))
                self._room -= self._size(record)
                while self._room < 0 and len(self._kept) > 1:
                    self._thin()
            self._seen += 1
            count = 1 + record.count(b"\n")
            first_line += count
            self.lines += count
        return len(records)

    def render(self) -> Condensed:
        remark = f"[a sample: of {self._step} records one is shown, the others are dropped]" if self._step > 1 else ""
        return self._rendered(self._kept, remark)

    def _thin(self) -> None:
        self.is_full = True
        self._room += sum(self._size(record) for _, record in self._kept[1::2])
        del self._kept[1::2]
        self._step *= 2
