"""The records of a window in groups. However many there are, and however different, memory is bounded."""

from collections.abc import Sequence
from operator import attrgetter

from streamcli.core.condensing.groups import MAX_KEPT, Batch, Group
from streamcli.core.condensing.masks import Layout, Mask, Masks
from streamcli.core.condensing.merging import merged
from streamcli.core.condensing.patterns import Patterns

# Groups, and bytes of their first records, that are held. A request has room for far fewer of either.
MAX_GROUPS = 2048
MAX_TEXT = 2 << 20
# Bytes of all that is held of the groups, about.
MAX_SIZE = 10 << 20
# Masks of which the group is remembered.
MAX_FOUND = 4096
# Groups that differ in one word are merged for good, if there are so many, when room is needed.
KINDS = 8
# Where merging is no use, it is done only each so many times that room is needed.
MERGE_EVERY = 16
# Characters before a line for its number.
PREFIX = 6


class Grouping:
    """Groups records by what they say. Where there is no room for more groups, those that matter least are let go.

    What comes of records does not depend on how they are divided into batches.
    """

    def __init__(self, masks: Masks) -> None:
        self._masks = masks
        self._groups: dict[tuple[bytes, ...], Group] = {}
        self._merged = Patterns[Group]()  # for good
        self._expected = Patterns[bool]()  # what will be merged when the text is made
        self._found: dict[Mask, Group] = {}  # can always be found again
        self._count = 0
        self._text = 0  # bytes of first records
        self._size = 0  # of all groups, when it was last worked out, and of what was added since
        self._merge_every = self._until_merging = 1  # times that room is made
        self.growth = 0
        """Characters of what was kept and not expected, in all: a measure of how much more there is to show."""

    def add(self, batch: Batch) -> None:
        masks, batch.texts = self._masks.of_all(batch.records)
        self._add(batch, masks, range(len(batch.records)))

    def groups(self) -> list[Group]:
        """In no order. What is merged for good is one group, what may be merged is not."""
        return [*self._groups.values(), *self._merged.values()]

    def expect(self, groups: Sequence[Group]) -> None:
        """`groups` are what these groups are when merged: another record of such a kind is no growth."""
        self._expected = Patterns()
        for group in groups:
            if group.kinds:
                self._expected.add(group.words, True)
        for group in self._groups.values():
            group.is_expected = group.is_expected or self._expected.find(group.words) is not None

    def _add(self, batch: Batch, masks: list[Mask], places: range) -> None:
        by_mask: dict[Mask, list[int]] = {}
        for place in places:
            by_mask.setdefault(masks[place], []).append(place)
        if not self._has_room(batch, by_mask):
            if len(places) > 1:
                # Room is made just before the record that needs it, so that batches do not show.
                middle = len(places) // 2
                self._add(batch, masks, places[:middle])
                self._add(batch, masks, places[middle:])
                return
            self._make_room()
        for group, by_layout in self._by_group(by_mask, batch).items():
            kept = len(group.kept)
            group.add(by_layout, batch)
            if kept < MAX_KEPT and not group.is_expected:
                self.growth += sum(len(one.text) + PREFIX for one in group.kept[kept:])
        self._watch_size(batch)

    def _by_group(self, by_mask: dict[Mask, list[int]], batch: Batch) -> dict[Group, dict[Layout, list[int]]]:
        """The places of records that can be added together."""
        by_group: dict[Group, dict[Layout, list[int]]] = {}
        for mask, places in by_mask.items():
            group = self._found.get(mask) or self._enter(mask, batch, places[0])
            group.count_kinds(mask.words, len(places))
            by_group.setdefault(group, {}).setdefault(mask.layout, []).extend(places)
        for by_layout in by_group.values():
            for places in by_layout.values():
                places.sort()  # they may be of several masks
        return by_group

    def _has_room(self, batch: Batch, places: dict[Mask, list[int]]) -> bool:
        new = [mask for mask in places if mask not in self._found]
        return self._has_room_for(new, batch, places) or self._has_room_for(
            [mask for mask in new if self._find(mask) is None], batch, places
        )

    def _has_room_for(self, new: list[Mask], batch: Batch, places: dict[Mask, list[int]]) -> bool:
        text = sum(_text_size(batch, places[mask][0]) for mask in new)
        return self._count + len(new) <= MAX_GROUPS and self._text + text <= MAX_TEXT

    def _enter(self, mask: Mask, batch: Batch, place: int) -> Group:
        group = self._find(mask)
        if group is None:
            group = Group(mask.words, {number.slot: number for number in mask.layout.numbers})
            group.is_expected = self._expected.find(mask.words) is not None
            self._groups[mask.words] = group
            self._count += 1
            self._text += _text_size(batch, place)
        if len(self._found) >= MAX_FOUND:
            self._found.clear()
        self._found[mask] = group
        return group

    def _find(self, mask: Mask) -> Group | None:
        return self._groups.get(mask.words) or self._merged.find(mask.words)

    def _watch_size(self, batch: Batch) -> None:
        """A net below the other bounds: of each group more may be kept than its first record."""
        self._size += batch.created
        batch.created = 0
        if self._size > MAX_SIZE:
            self._size = sum(group.size for group in self.groups())
            if self._size > MAX_SIZE // 2:
                self._make_room()

    def _make_room(self) -> None:
        """Merges what can be merged, and lets go what matters least, until half of the room is free."""
        groups = self._merged_for_good()
        size, room = 0, MAX_SIZE // 4
        self._forget()
        for group in sorted(groups, key=attrgetter("worth")):
            size += group.size
            if size > room or self._count >= MAX_GROUPS // 2 or self._text >= MAX_TEXT // 2:
                break
            self._hold(group)
        self._size = size

    def _merged_for_good(self) -> list[Group]:
        """To compare all groups takes its time. Where each line is unlike all others, it is done less often."""
        self._until_merging -= 1
        if self._until_merging > 0:
            return self.groups()
        groups = merged(self.groups(), KINDS)
        if len(groups) > MAX_GROUPS // 2:
            groups = merged(groups, KINDS, 2)
        is_useful = len(groups) < MAX_GROUPS * 3 // 4
        self._merge_every = 1 if is_useful else min(2 * self._merge_every, MERGE_EVERY)
        self._until_merging = self._merge_every
        return groups

    def _forget(self) -> None:
        self._groups = {}
        self._merged = Patterns()
        self._found = {}
        self._text = self._count = 0

    def _hold(self, group: Group) -> None:
        self._count += 1
        self._text += group.kept[0].size
        if group.kinds:
            self._merged.add(group.words, group)
        else:
            self._groups[group.words] = group


def _text_size(batch: Batch, place: int) -> int:
    """Bytes of a record as it is kept, at most. Of the same record it is always the same."""
    return min(len(batch.records[place]), 4 * batch.limit)
