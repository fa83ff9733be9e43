"""Groups that differ in one word only, and in many ways: that word is a name, and they are one group."""

import re
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter

from streamcli.core.groups import ANY, Group

# Groups may differ in so many words, one after the other.
ROUNDS = 3

_LETTER = re.compile(rb"[A-Za-z\x80-\xff]")


def merged(groups: Sequence[Group], kinds: int) -> list[Group]:
    """`groups`, those merged that differ in just one word, of which there are at least `kinds`; ordered by first line.

    "started" and "paused" stay two groups; the names of twenty users do not stay twenty. What is merged is a new group.
    """
    current = sorted(groups, key=attrgetter("first"))
    for _ in range(ROUNDS):
        taken: set[int] = set()
        joined: list[Group] = []
        for place, members in _families(current, kinds):
            members = [group for group in members if id(group) not in taken]
            if len(members) > 1 and _is_family(members, place, kinds):
                taken.update(map(id, members))
                joined.append(_join(members, place))
        if not joined:
            break
        rest = (group for group in current if id(group) not in taken)
        current = sorted((*rest, *joined), key=attrgetter("first"))
    return current


def _families(groups: Sequence[Group], kinds: int) -> list[tuple[int, list[Group]]]:
    """(place, the groups that differ in that word alone), the largest first."""
    by_length: dict[int, list[Group]] = {}
    for group in groups:
        by_length.setdefault(len(group.words), []).append(group)
    families = [family for alike in by_length.values() for family in _differing_in_one(alike, kinds)]
    # Sorting is stable, and the groups are in the order of the stream: so is what is chosen among equals.
    return sorted(families, key=lambda family: -len(family[1]))


def _differing_in_one(groups: list[Group], kinds: int) -> Iterator[tuple[int, list[Group]]]:
    """The same for groups with equally many words. Place by place, so that not all that is compared is held at once."""
    if len(groups) == 1:
        return
    sums = [fingerprint(group.words) for group in groups]
    for place in range(len(groups[0].words)):
        by_rest: dict[int, list[Group]] = {}
        for group, whole in zip(groups, sums, strict=True):
            by_rest.setdefault(whole - hash((place, group.words[place])), []).append(group)
        for members in by_rest.values():
            if len(members) > 1 and _is_family(members, place, kinds):
                yield place, members


def fingerprint(words: Iterable[bytes]) -> int:
    """A sum of hashes, one for each word in its place: that of a place can be taken out again."""
    return sum(map(hash, enumerate(words)))


def _is_family(members: list[Group], place: int, kinds: int) -> bool:
    if len(members) < kinds and not any(group.words[place] == ANY for group in members):
        return False
    # If nothing readable is left, they have nothing in common.
    words = members[0].words
    return any(word != ANY and other != place and _LETTER.search(word) for other, word in enumerate(words))


def _join(members: list[Group], place: int) -> Group:
    words = members[0].words
    numbers = {slot: is_measure for group in members for slot, is_measure in group.numbers.items() if slot[0] != place}
    joined = Group((*words[:place], ANY, *words[place + 1 :]), numbers)
    for group in members:
        joined.absorb(group)
    return joined
