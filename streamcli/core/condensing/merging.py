"""Groups that differ in one word only, and in many ways: that word is a name, and they are one group."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, combinations
from operator import attrgetter

from streamcli.core.condensing.groups import ANY, Group

# Groups may differ in so many words, one after the other.
ROUNDS = 3
# Longer records are not compared in two words at a time, which takes the square of the time.
MAX_WORDS_OF_PAIRS = 24

Places = tuple[int, ...]

_LETTER = re.compile(rb"[A-Za-z\x80-\xff]")


def merged(groups: Sequence[Group], kinds: int, words: int = 1) -> list[Group]:
    """`groups`, those merged that differ in just one word, of which there are at least `kinds`; ordered by first line.

    "started" and "paused" stay two groups; the names of twenty users do not stay twenty. With `words` 2 what is left is
    merged if it differs in two words, of each of which there are so many. What is merged is a new group.
    """
    current = sorted(groups, key=attrgetter("first"))
    for at_once in range(1, words + 1):
        for _ in range(ROUNDS):
            count = len(current)
            current = _merge_once(current, kinds, at_once)
            if len(current) == count:
                break
    return current


class Mergings:
    """Groups merged in `steps` (of `kinds` and `words`), each from what came of the one before; none is done twice."""

    def __init__(self, groups: Sequence[Group], steps: Sequence[tuple[int, int]]) -> None:
        self._steps = steps
        self._done = [groups]

    def after(self, count: int) -> Sequence[Group]:
        """The groups after so many steps."""
        while len(self._done) <= count:
            self._done.append(merged(self._done[-1], *self._steps[len(self._done) - 1]))
        return self._done[count]


def _merge_once(groups: list[Group], kinds: int, at_once: int) -> list[Group]:
    taken: set[int] = set()
    joined: list[Group] = []
    for places, family in _families(groups, kinds, at_once):
        members = [group for group in family if id(group) not in taken]
        if _is_family(members, places, kinds):
            taken.update(map(id, members))
            joined.append(_join(members, places))
    rest = (group for group in groups if id(group) not in taken)
    return sorted((*rest, *joined), key=attrgetter("first"))


def _families(groups: Sequence[Group], kinds: int, at_once: int) -> list[tuple[Places, list[Group]]]:
    """(places, the groups that differ in the words there alone), the largest first."""
    by_length: dict[int, list[Group]] = {}
    for group in groups:
        by_length.setdefault(len(group.words), []).append(group)
    families = [
        family
        for length, alike in by_length.items()
        if len(alike) >= kinds and (at_once == 1 or length <= MAX_WORDS_OF_PAIRS)
        for family in _differing(alike, kinds, at_once)
    ]
    # Sorting is stable, and the groups are in the order of the stream: so is what is chosen among equals.
    return sorted(families, key=lambda family: -len(family[1]))


def _differing(groups: list[Group], kinds: int, at_once: int) -> Iterator[tuple[Places, list[Group]]]:
    """The same for groups with equally many words. Place by place, so that not all that is compared is held at once."""
    by_rare = _by_rare_words(groups, kinds, at_once)
    if sum(map(len, by_rare.values())) < kinds:
        return
    hashes = [group.hashes for group in groups]
    sums = {at: sum(hashes[at]) for at in chain.from_iterable(by_rare.values())}
    for places in combinations(range(len(groups[0].words)), at_once):
        within = (rare for size in range(at_once + 1) for rare in combinations(places, size))
        parts = [by_rare[rare] for rare in within if rare in by_rare]
        if sum(map(len, parts)) < kinds:
            continue
        candidates = parts[0] if len(parts) == 1 else sorted(chain.from_iterable(parts))
        rests = [sums[at] - sum([hashes[at][place] for place in places]) for at in candidates]
        frequent = {rest for rest, count in Counter(rests).items() if count >= kinds}
        if not frequent:
            continue
        by_rest: dict[int, list[Group]] = {}
        for at, rest in zip(candidates, rests, strict=True):
            if rest in frequent:
                by_rest.setdefault(rest, []).append(groups[at])
        yield from ((places, family) for family in by_rest.values() if _is_family(family, places, kinds))


def _by_rare_words(groups: list[Group], kinds: int, at_once: int) -> dict[Places, list[int]]:
    """Which `groups` may belong to a family, by the places of their rare words.

    A word that fewer groups have in its place than make a family is none that a family has in common: a group with more
    such words than may differ is in no family, and then need not be counted for the words of others either.
    """
    candidates = list(range(len(groups)))
    while True:
        counts = Counter(chain.from_iterable(groups[at].hashes for at in candidates))
        common = {value for value, count in counts.items() if count >= kinds}
        by_rare: dict[Places, list[int]] = {}
        for at in candidates:
            rare = set(groups[at].hashes) - common
            if len(rare) <= at_once:
                places = [place for place, value in enumerate(groups[at].hashes) if value in rare] if rare else ()
                by_rare.setdefault(tuple(places), []).append(at)
        left = sorted(chain.from_iterable(by_rare.values()))
        if 10 * len(left) > 9 * len(candidates) or len(left) < kinds:
            return by_rare
        candidates = left


def _is_family(members: list[Group], places: Places, kinds: int) -> bool:
    if len(members) < kinds:
        return False
    if any(len({group.words[place] for group in members}) < kinds for place in places):
        return False
    # If nothing readable is left, they have nothing in common.
    words = members[0].words
    return any(word != ANY and at not in places and _LETTER.search(word) for at, word in enumerate(words))


def _join(members: list[Group], places: Places) -> Group:
    words = tuple(ANY if place in places else word for place, word in enumerate(members[0].words))
    numbers = {slot: number for group in members for slot, number in group.numbers.items() if slot[0] not in places}
    joined = Group(words, numbers)
    joined.absorb(members)
    return joined
