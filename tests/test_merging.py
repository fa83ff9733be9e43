"""Which groups are merged: the same ones as if each were compared with all others, in far less time."""

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamcli.core.condensing.groups import ANY, Batch, Group
from streamcli.core.condensing.masks import Masks
from streamcli.core.condensing.merging import Mergings, merged
from streamcli.core.condensing.patterns import Patterns


def groups_of(lines):
    """One for each line, in order."""
    batch = Batch(lines, 1, 1000)
    masks, batch.texts = Masks().of_all(lines)
    groups = [Group(mask.words, {}) for mask in masks]
    for place, group in enumerate(groups):
        group.add({masks[place].layout: [place]}, batch)
    return groups


def families_by_comparing(groups, at_once):
    """All of them, the largest first, found in the plainest way."""
    for length in dict.fromkeys(len(group) for group in groups):
        for places in combinations(range(length), at_once):
            by_rest = {}
            for group in groups:
                if len(group) == length:
                    rest = tuple(b"" if place in places else word for place, word in enumerate(group))
                    by_rest.setdefault(rest, []).append(group)
            yield from ((places, family) for family in by_rest.values())


def merged_by_comparing(groups, kinds, at_once):
    """One round. Groups are (words) here."""
    taken, joined = set(), {}
    families = sorted(families_by_comparing(groups, at_once), key=lambda family: -len(family[1]))
    for places, family in families:
        members = [group for group in family if group not in taken]
        differ = all(len({group[place] for group in members}) >= kinds for place in places)
        if differ and any(word != ANY and place not in places for place, word in enumerate(members[0])):
            taken.update(members)
            joined[members[0]] = tuple(ANY if place in places else word for place, word in enumerate(members[0]))
    return [joined.get(group, group) for group in groups if group in joined or group not in taken]


names = st.sampled_from([b"a", b"b", b"c", b"d", b"e", b"f"])
lines = st.lists(names, min_size=2, max_size=4).map(b" ".join)


@settings(max_examples=300, deadline=None)
@given(st.lists(lines, min_size=1, max_size=60, unique=True), st.integers(2, 4), st.integers(1, 2))
def test_the_same_are_merged_as_if_all_were_compared(stream, kinds, at_once):
    expected = [tuple(line.split()) for line in stream]
    for words in range(1, at_once + 1):
        for _ in range(3):
            before, expected = expected, merged_by_comparing(expected, kinds, words)
            if len(before) == len(expected):
                break
    found = merged(groups_of(stream), kinds, at_once)
    assert [group.words for group in found] == expected
    assert sum(group.count for group in found) == len(stream)


def test_each_step_goes_on_from_the_one_before_and_is_done_once():
    groups = groups_of([b"user %c in" % (97 + at) for at in range(9)] + [b"disk %c ok" % (97 + at) for at in range(4)])
    mergings = Mergings(groups, [(8, 1), (3, 1)])
    assert [len(mergings.after(count)) for count in (0, 2, 1)] == [13, 2, 5]
    assert mergings.after(2) is mergings.after(2)
    assert mergings.after(1)[0] is mergings.after(2)[0]


WORD = st.sampled_from([b"a", b"b", b"c"])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(WORD | st.just(ANY), min_size=1, max_size=4)), st.lists(WORD, min_size=1, max_size=4))
def test_a_pattern_is_found_by_words_that_match_it(patterns, words):
    known = Patterns()
    for pattern in patterns:
        known.add(pattern, tuple(pattern))
    matching = {
        tuple(pattern)
        for pattern in patterns
        if len(pattern) == len(words) and all(one in (ANY, word) for one, word in zip(pattern, words, strict=True))
    }
    assert known.find(words) in (matching or {None})
    assert set(known.values()) == set(map(tuple, patterns))


@pytest.mark.parametrize("at_once", [1, 2])
def test_lines_that_are_all_unlike_are_left_alone(at_once):
    stream = [b"%b one %b two %b" % (b"a" * at, b"b" * at, b"c" * at) for at in range(1, 100)]
    assert len(merged(groups_of(stream), 3, at_once)) == 99


def test_words_that_are_swapped_are_other_words():
    """Of none of many pairs it may happen that the sums of their hashes are the same."""
    words = [b"w%d" % at for at in range(60)]
    known = Patterns()
    for one, other in combinations(words, 2):
        known.add([one, b"to", other, ANY], True)
    assert not any(known.find([other, b"to", one, b"x"]) for one, other in combinations(words, 2))
