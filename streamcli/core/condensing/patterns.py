"""Merged groups by their words: the words of a record are looked up among those in which some stand for any."""

from collections.abc import Iterator, Sequence
from typing import Generic, TypeVar

from streamcli.core.condensing.groups import ANY, hashes_of

_Value = TypeVar("_Value")
_Places = tuple[int, ...]


class Patterns(Generic[_Value]):
    """A value for each of many patterns, which are words of which some are ANY."""

    def __init__(self) -> None:
        self._by_length: dict[int, dict[_Places, dict[int, _Value]]] = {}

    def add(self, words: Sequence[bytes], value: _Value) -> None:
        places = tuple(place for place, word in enumerate(words) if word == ANY)
        hashes = hashes_of(words)
        rest = sum(hashes) - sum([hashes[place] for place in places])
        self._by_length.setdefault(len(words), {}).setdefault(places, {})[rest] = value

    def find(self, words: Sequence[bytes]) -> _Value | None:
        """That of the first pattern which `words` match."""
        by_places = self._by_length.get(len(words))
        if not by_places:
            return None
        hashes = hashes_of(words)
        whole = sum(hashes)
        for places, values in by_places.items():
            value = values.get(whole - sum([hashes[place] for place in places]))
            if value is not None:
                return value
        return None

    def values(self) -> Iterator[_Value]:
        for by_places in self._by_length.values():
            for values in by_places.values():
                yield from values.values()
