"""A group: the records of a log that say the same thing. It is counted exactly, and a bounded part of it is kept."""

from array import array
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate, chain
from operator import attrgetter, mul

from streamcli.core.condensing.excerpts import Excerpt, excerpt
from streamcli.core.condensing.masks import ADDRESS_RUNS, MAX_WORDS, Layout, Number, Slot
from streamcli.core.condensing.values import MAX_ADDRESSES, MAX_COUNTED, Values

# A group of so many records is shown whole.
MAX_KEPT = 3
# The different words that are counted each in a place where groups differ.
MAX_KINDS = 64

ANY = b"\x00"
"""Stands in a merged group where its words differ."""

# What programs of all kinds write when something is wrong; in lower case.
_ALARMS = (
    "error",
    "exception",
    "fail",
    "fatal",
    "panic",
    "critical",
    "emerg",
    "severe",
    "abort",
    "crash",
    "corrupt",
    "denied",
    "refused",
    "timeout",
    "traceback",
    "warn",
    "timed out",
    "out of memory",
)
# Characters of a record in which it is looked for.
_ALARM_WITHIN = 500

_Row = tuple[Excerpt, dict[Slot, bytes]]
"""A record and its numbers."""


# Which factor belongs to a place. Sums of hashes of (place, word) are the same for swapped words more often than not;
# products in the field that Python hashes integers in are not.
_FACTORS = [pow(0x9E3779B97F4A7C15, place, (1 << 61) - 1) for place in range(1, MAX_WORDS + 2)]


def hashes_of(words: Sequence[bytes]) -> list[int]:
    """Of each word in its place. Where their sum is the same, so are the words; a word can be taken out of it again."""
    return list(map(hash, map(mul, map(hash, words), _FACTORS)))


class Batch:
    """Records as they came; of each the numbers of its first line and its last. `limit`: characters of an excerpt."""

    def __init__(self, records: Sequence[bytes], first_line: int, limit: int) -> None:
        self.records = records
        self.limit = limit
        self.firsts: Sequence[int] = range(first_line, first_line + len(records))
        self.lasts: Sequence[int] = self.firsts
        if b"\n" in b"".join(records):
            starts = [*accumulate((record.count(b"\n") + 1 for record in records), initial=first_line)]
            self.firsts, self.lasts = starts[:-1], [start - 1 for start in starts[1:]]
        self.texts = records
        """The records as their layouts mean them."""
        self.created = 0
        """Bytes of the excerpts that were made of it."""
        self._made: dict[int, Excerpt] = {}

    def excerpt(self, place: int) -> Excerpt:
        made = self._made.get(place)
        if made is None:
            made = self._made[place] = excerpt(self.records[place], self.firsts[place], self.limit)
            self.created += made.size
        return made

    def excerpts(self, places: Sequence[int]) -> Callable[[int], Excerpt]:
        """What gives the one at an index of `places`."""
        return lambda index: self.excerpt(places[index])

    def lines(self, places: Sequence[int]) -> int:
        if self.firsts is self.lasts:
            return len(places)
        return sum(self.lasts[place] - self.firsts[place] + 1 for place in places)


class Kinds:
    """The words in one place of a merged group, counted. Beyond MAX_KINDS only that there are more is known."""

    def __init__(self) -> None:
        self.counts: dict[bytes, int] = {}
        self.has_more = False

    def add(self, word: bytes, count: int) -> None:
        if word in self.counts or len(self.counts) < MAX_KINDS:
            self.counts[word] = self.counts.get(word, 0) + count
        else:
            self.has_more = True

    def add_all(self, other: "Kinds") -> None:
        for word, count in other.counts.items():
            self.add(word, count)
        self.has_more = self.has_more or other.has_more


class Group:
    """Records with the same words, but for those that are ANY here.

    `numbers` are those that are looked at.
    """

    def __init__(self, words: tuple[bytes, ...], numbers: Mapping[Slot, Number]) -> None:
        self.words = words
        self.numbers = numbers
        self.kinds = {place: Kinds() for place, word in enumerate(words) if word == ANY}
        self.count = 0
        self.lines = 0
        self.last = 0
        """The number of the last line of the last record."""
        self.kept: list[Excerpt] = []
        """The first records, MAX_KEPT at most."""
        self.values: dict[Slot, Values] = {}
        """Of its numbers: empty while the group is small."""
        self.is_expected = False
        """Whether it is of a kind of which there are many, so that it is no growth."""
        self._rows: list[_Row] = []  # all of it, while it is
        self._hashes: array[int] | None = None
        self._is_watched = bool(numbers)

    @property
    def first(self) -> int:
        return self.kept[0].number

    @property
    def hashes(self) -> Sequence[int]:
        """Of each word in its place."""
        if self._hashes is None:
            self._hashes = array("q", hashes_of(self.words))
        return self._hashes

    @property
    def worth(self) -> tuple[bool, int, int]:
        """Sorts groups by how little is lost without them, the most valuable first: those that look like trouble, then
        those that tell of many lines.
        """
        text = self.kept[0].text[:_ALARM_WITHIN].lower()
        return not any(word in text for word in _ALARMS), -self.count, self.first

    @property
    def is_small(self) -> bool:
        """Whether all of it is kept."""
        return self.count <= MAX_KEPT

    @property
    def size(self) -> int:
        """Bytes that it keeps in memory, about."""
        kept = sum(one.size for one in self.kept)
        values = sum(one.size for one in self.values.values())
        rows = 300 * len(self._rows) * len(self.numbers)
        kinds = sum(300 + 150 * len(one.counts) for one in self.kinds.values())
        return 1000 + 100 * len(self.words) + kept + values + rows + kinds

    def add(self, places: Mapping[Layout, list[int]], batch: Batch) -> None:
        """Of `batch` the records at `places`, by how they are laid out, each in order."""
        together = next(iter(places.values())) if len(places) == 1 else sorted(chain.from_iterable(places.values()))
        self.count += len(together)
        self.lines += batch.lines(together)
        self.last = max(self.last, batch.lasts[together[-1]])
        new: dict[int, Excerpt] = {}
        if len(self.kept) < MAX_KEPT or batch.firsts[together[0]] < self.kept[-1].number:
            new = {place: batch.excerpt(place) for place in together[:MAX_KEPT]}
            self.kept = _first_kept([*self.kept, *new.values()])
        if not self._is_watched:
            return
        if self.is_small:
            self._add_rows(places, batch, new)
        else:
            self._add_values(places, batch)

    def count_kinds(self, words: Sequence[bytes], count: int) -> None:
        """So many of the records that are added have these words."""
        for place, kinds in self.kinds.items():
            kinds.add(words[place], count)

    def absorb(self, others: Sequence["Group"]) -> None:
        """All of `others`, whose words are the same but where they are ANY here."""
        self.count += sum(one.count for one in others)
        self.lines += sum(one.lines for one in others)
        self.last = max(self.last, *(one.last for one in others))
        self.kept = _first_kept([*self.kept, *chain.from_iterable(one.kept for one in others)])
        for place, kinds in self.kinds.items():
            for one in others:
                if place in one.kinds:
                    kinds.add_all(one.kinds[place])
                else:
                    kinds.add(one.words[place], one.count)
        self._rows += chain.from_iterable(one._rows for one in others)
        self._build_values()
        for slot, values in self.values.items():
            values.add_all([one.values[slot] for one in others if slot in one.values])
        self._is_watched = self._can_learn()

    def _add_rows(self, places: Mapping[Layout, list[int]], batch: Batch, excerpts: dict[int, Excerpt]) -> None:
        for layout, at in places.items():
            columns = layout.columns([batch.texts[place] for place in at])
            for place, *values in zip(at, *columns, strict=True):
                self._rows.append((excerpts[place], dict(zip(layout.slots, values, strict=True))))

    def _add_values(self, places: Mapping[Layout, list[int]], batch: Batch) -> None:
        self._build_values()
        columns: dict[Slot, tuple[list[bytes], list[int]]] = {}
        for layout, at in places.items():
            for slot, column in zip(layout.slots, layout.columns([batch.texts[place] for place in at]), strict=True):
                known = self.values.get(slot)
                if known is not None and not known.is_useless:
                    values, value_places = columns.get(slot, ([], []))
                    columns[slot] = (values + column, value_places + at) if values else (column, at)
        for slot, (column, at) in columns.items():
            self.values[slot].add(column, [batch.firsts[place] for place in at], batch.excerpts(at))
        self._is_watched = self._can_learn()

    def _build_values(self) -> None:
        """Once the group is not small any more, its numbers are known by their values, not row by row."""
        if self.is_small:
            return
        if not self.values:
            self.values = {slot: _values_of(number) for slot, number in self.numbers.items()}
        for slot, values in self.values.items():
            rows = [(row[slot], one) for one, row in self._rows if slot in row]
            if rows:
                column, excerpts = zip(*rows, strict=True)
                values.add(column, [one.number for one in excerpts], excerpts.__getitem__)
        self._rows.clear()

    def _can_learn(self) -> bool:
        if self.is_small:
            return bool(self.numbers)
        return any(not values.is_useless for values in self.values.values())


def _first_kept(excerpts: list[Excerpt]) -> list[Excerpt]:
    return sorted(excerpts, key=attrgetter("number"))[:MAX_KEPT]


def _values_of(number: Number) -> Values:
    return Values(number.is_measure, MAX_ADDRESSES if number.runs == ADDRESS_RUNS else MAX_COUNTED)
