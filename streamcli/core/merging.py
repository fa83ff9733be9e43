"""Groups that differ in one word only, and in many ways: that word is a name, and they are one group."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from operator import attrgetter

from streamcli.core.groups import ANY, Group

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
        if len(alike) > 1 and (at_once == 1 or length <= MAX_WORDS_OF_PAIRS)
        for family in _differing(alike, kinds, at_once)
    ]
    # Sorting is stable, and the groups are in the order of the stream: so is what is chosen among equals.
    return sorted(families, key=lambda family: -len(family[1]))


def _differing(groups: list[Group], kinds: int, at_once: int) -> Iterator[tuple[Places, list[Group]]]:
    """The same for groups with equally many words. Place by place, so that not all that is compared is held at once."""
    hashes = [list(map(hash, enumerate(group.words))) for group in groups]
    sums = list(map(sum, hashes))
    for places in combinations(range(len(groups[0].words)), at_once):
        by_rest: dict[int, list[Group]] = {}
        for group, own, whole in zip(groups, hashes, sums, strict=True):
            for place in places:
                whole -= own[place]
            by_rest.setdefault(whole, []).append(group)
        if len(by_rest) < len(groups):
            yield from ((places, family) for family in by_rest.values() if _is_family(family, places, kinds))


def fingerprint(words: Iterable[bytes]) -> int:
    """A sum of hashes, one for each word in its place: that of a place can be taken out again."""
    return sum(map(hash, enumerate(words)))


def _is_family(members: list[Group], places: Places, kinds: int) -> bool:
    if len(members) < 2:
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
    for group in members:
        joined.absorb(group)
    return joined
