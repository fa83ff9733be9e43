"""The records of a window in groups. However many there are, and however different, memory is bounded."""

from operator import attrgetter

from streamcli.core.groups import ANY, MAX_KEPT, Batch, Group
from streamcli.core.masks import Mask, Masks, keys_of
from streamcli.core.merging import fingerprint, merged

# Groups, and bytes of their first records, that are held. A request has room for far fewer of either.
MAX_GROUPS = 2048
MAX_TEXT = 2 << 20
# Bytes of all that is held of the groups, about.
MAX_SIZE = 10 << 20
# Keys of which the group is remembered, and the longest such key.
MAX_ENTRIES = 4096
MAX_ENTRY_KEY = 512
# Groups that differ in one word are merged for good, if there are so many, when room is needed.
KINDS = 8
# Characters before a line for its number.
PREFIX = 6
# Records that are looked at together.
SLICE = 1000

_Entry = tuple[Group, Mask]


class Lost:
    """What was let go: `lines` lines, from `first` to `last`."""

    def __init__(self) -> None:
        self.lines = self.first = self.last = 0

    def add(self, lines: int, first: int, last: int) -> None:
        self.first = min(self.first, first) if self.lines else first
        self.last = max(self.last, last)
        self.lines += lines


class Grouping:
    """Groups records by what they say. Where there is no room for more groups, those that matter least are let go.

    What comes of records does not depend on how they are divided into batches.
    """

    def __init__(self, masks: Masks) -> None:
        self._masks = masks
        self._groups: dict[tuple[bytes, ...], Group] = {}
        self._merged: dict[tuple[int, ...], dict[tuple[int, int], Group]] = {}  # by places of ANY, then fingerprint
        self._entries: dict[bytes, _Entry] = {}  # what is found by a key; it can always be found again
        self._count = 0
        self._text = 0  # bytes of first records
        self._size = 0  # of all groups, when it was last worked out, and of what was added since
        self.growth = 0
        """Characters of what was kept, in all: a measure of how much more there is to show."""
        self.lost = Lost()

    def add(self, batch: Batch) -> None:
        keys = keys_of(batch.records)
        for start in range(0, len(keys), SLICE):
            self._add(batch, keys, range(start, min(start + SLICE, len(keys))))

    def groups(self, kinds: int) -> list[Group]:
        """In the order of their first lines, those merged that differ in one of at least `kinds` words."""
        return merged(self._all(), kinds)

    def _all(self) -> list[Group]:
        return [*self._groups.values(), *(group for family in self._merged.values() for group in family.values())]

    def _add(self, batch: Batch, keys: list[bytes], places: range) -> None:
        by_key: dict[bytes, list[int]] = {}
        for place in places:
            by_key.setdefault(keys[place], []).append(place)
        if not self._has_room(batch, by_key):
            if len(places) > 1:
                # Room is made just before the record that needs it, so that batches do not show.
                middle = len(places) // 2
                self._add(batch, keys, places[:middle])
                self._add(batch, keys, places[middle:])
                return
            if self._find(self._masks.of(keys[places[0]])) is None:
                self._make_room()
        for key, at in by_key.items():
            group, mask = self._entries.get(key) or self._enter(key, batch, at[0])
            kept = len(group.kept)
            group.add(mask, at, batch)
            if kept < MAX_KEPT:
                self.growth += sum(len(one.text) + PREFIX for one in group.kept[kept:])
        self._watch_size(batch)

    def _has_room(self, batch: Batch, keys: dict[bytes, list[int]]) -> bool:
        """Whether there is, if each key that is not known is of a new group."""
        new = keys.keys() - self._entries.keys()
        text = sum(_text_size(batch, keys[key][0]) for key in new)
        return self._count + len(new) <= MAX_GROUPS and self._text + text <= MAX_TEXT

    def _enter(self, key: bytes, batch: Batch, place: int) -> _Entry:
        mask = self._masks.of(key)
        group = self._find(mask)
        if group is None:
            group = Group(mask.words, {(number.word, number.order): number.is_measure for number in mask.numbers})
            self._groups[mask.words] = group
            self._count += 1
            self._text += _text_size(batch, place)
        if len(key) <= MAX_ENTRY_KEY:
            if len(self._entries) >= MAX_ENTRIES:
                self._entries.clear()
            self._entries[key] = group, mask
        return group, mask

    def _find(self, mask: Mask) -> Group | None:
        group = self._groups.get(mask.words)
        if group is None and self._merged:
            whole = fingerprint(mask.words)
            for (length, *places), groups in self._merged.items():
                if length == len(mask.words):
                    rest = whole - sum(hash((place, mask.words[place])) for place in places)
                    group = group or groups.get(rest)
        return group

    def _watch_size(self, batch: Batch) -> None:
        """A net below the other bounds: of each group more may be kept than its first record."""
        self._size += batch.created
        batch.created = 0
        if self._size > MAX_SIZE:
            self._size = sum(group.size for group in self._all())
            if self._size > MAX_SIZE // 2:
                self._make_room()

    def _make_room(self) -> None:
        """Merges what can be merged, and lets go what matters least, until half of the room is free."""
        groups = self.groups(KINDS)
        size, room = 0, MAX_SIZE // 4
        self._forget()
        for group in sorted(groups, key=attrgetter("worth")):
            size += group.size
            is_kept = size <= room and self._count < MAX_GROUPS // 2 and self._text < MAX_TEXT // 2
            if is_kept:
                self._hold(group)
            else:
                self.lost.add(group.lines, group.first, group.last)
        self._size = size

    def _forget(self) -> None:
        self._groups = {}
        self._merged = {}
        self._entries = {}
        self._text = self._count = 0

    def _hold(self, group: Group) -> None:
        self._count += 1
        self._text += group.kept[0].size
        places = [place for place, word in enumerate(group.words) if word == ANY]
        if not places:
            self._groups[group.words] = group
            return
        rest = fingerprint(group.words) - sum(hash((place, ANY)) for place in places)
        self._merged.setdefault((len(group.words), *places), {})[rest] = group


def _text_size(batch: Batch, place: int) -> int:
    """Bytes of a record as it is kept, at most. Of the same record it is always the same."""
    return min(len(batch.records[place]), 4 * batch.limit)
