"""The values of one number in the lines of a group: counted, or measured, and which of them stand out.

Nothing here depends on the order in which values are added, only on the numbers of their lines: the batches in which
lines come must not show.
"""

from array import array
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import chain

from streamcli.core.condensing.excerpts import Excerpt

# Up to so many different values are counted each. A field with more is measured, if it is a quantity.
MAX_COUNTED = 16
# The same of addresses: who it was matters, and is no quantity.
MAX_ADDRESSES = 64
# So many lines are sampled for the percentiles of a group, at most.
MAX_SAMPLE = 128
# The greatest values that are kept with their lines.
MAX_TOP = 3
# A value stands out if it is so many times the 95th percentile, of so many values at least.
OUTLIER_FACTOR = 5
ENOUGH = 20
FEW = 12

# Spreads line numbers evenly over the bits (Knuth's multiplicative hash): logs have periods, samples must not.
_SPREAD = 0x9E3779B1
_SPREAD_BITS = 16
# One line of a trillion: what is left then is few enough.
MAX_SPARSITY = 40


class Values:
    """Bounded, however many values are added."""

    def __init__(self, is_measure: bool, max_counted: int = MAX_COUNTED) -> None:
        self.is_measure = is_measure
        self._max_counted = max_counted
        self.count = 0
        self.counts: dict[bytes, int] | None = {}
        """How often each value occurred; None if there are more than `max_counted`."""
        self._single: dict[bytes, Excerpt] = {}  # the line of a value that occurred once, of up to MAX_COUNTED values
        self._top: list[tuple[float, Excerpt]] = []  # the greatest first
        self._sampled_lines = array("q")
        self._sample = array("d")
        self._sparsity = 0  # lines are sampled whose hash has so many bits that are 0

    @property
    def is_useless(self) -> bool:
        """Whether nothing more can be learnt: a name with many values."""
        return self.counts is None and not self.is_measure

    @property
    def size(self) -> int:
        """Bytes that are kept in memory, about."""
        kept = sum(one.size for one in self._single.values()) + sum(one.size for _, one in self._top)
        return 600 + kept + 16 * len(self._sample) + 150 * len(self.counts or ())

    def add(self, values: Sequence[bytes], lines: Sequence[int], excerpt_of: Callable[[int], Excerpt]) -> None:
        """`values` at the lines `lines`; `excerpt_of` gives the line at a place in them."""
        self.count += len(values)
        if self.counts is not None:
            self._add_counts(_counted(values), lambda value: excerpt_of(values.index(value)))
        if self.is_measure:
            numbers = list(map(float, values))
            self._add_top(numbers, lines, excerpt_of)
            self._add_sample(numbers, lines)

    def add_all(self, others: Sequence["Values"]) -> None:
        """Those of other groups."""
        if not others:
            return
        for other in others:
            self.count += other.count
            if other.counts is None:
                self._stop_counting()
            elif self.counts is not None:
                self._add_counts(other.counts, other._single.get)
            self._sampled_lines += other._sampled_lines
            self._sample += other._sample
        self._top = sorted(chain(self._top, *(other._top for other in others)), key=_greatest_first)[:MAX_TOP]
        self._sparsity = max(self._sparsity, *(other._sparsity for other in others))
        self._drop_unsampled()
        self._thin_out()

    def percentiles(self) -> tuple[float, float, float]:
        """The 50th and 95th of a quantity, from a sample if there are many values, and the greatest of all."""
        ordered = self._ordered()
        return ordered[len(ordered) // 2], ordered[len(ordered) * 95 // 100], self._top[0][0]

    def extremes(self) -> tuple[float, float]:
        """The smallest value of a quantity, of those sampled, and the greatest of all."""
        return self._ordered()[0], self._top[0][0]

    def _ordered(self) -> list[float]:
        return sorted(self._sample) or [self._top[0][0]]

    @property
    def is_sampled(self) -> bool:
        return len(self._sample) < self.count

    def outstanding(self) -> list[Excerpt]:
        """The lines with a value that is the only one of its kind among few, or far too great."""
        if self.counts is not None:
            return list(self._single.values()) if 4 * len(self.counts) <= self.count else []
        if not self.is_measure or self.count < ENOUGH:
            return []
        limit = OUTLIER_FACTOR * self.percentiles()[1]
        return [line for value, line in self._top if value > limit > 0]

    def _add_counts(self, counts: Mapping[bytes, int], line_of: Callable[[bytes], Excerpt | None]) -> None:
        assert self.counts is not None
        for value, count in counts.items():
            known = self.counts.get(value, 0)
            if not known and len(self.counts) == self._max_counted:
                self._stop_counting()
                return
            self.counts[value] = known + count
            if known:
                self._single.pop(value, None)
            elif count == 1 and len(self.counts) <= MAX_COUNTED and (line := line_of(value)):
                self._single[value] = line
        if len(self.counts) > MAX_COUNTED:
            self._single.clear()

    def _stop_counting(self) -> None:
        self.counts = None
        self._single.clear()

    def _add_top(self, numbers: list[float], lines: Sequence[int], excerpt_of: Callable[[int], Excerpt]) -> None:
        greatest = max(numbers)
        if len(self._top) == MAX_TOP and greatest < self._top[-1][0]:
            return
        if len(self._top) == MAX_TOP and (-greatest, min(lines)) > _greatest_first(self._top[-1]):
            return
        places = sorted(range(len(numbers)), key=lambda place: (-numbers[place], lines[place]))[:MAX_TOP]
        new = [(numbers[place], excerpt_of(place)) for place in places]
        self._top = sorted([*self._top, *new], key=_greatest_first)[:MAX_TOP]

    def _add_sample(self, numbers: list[float], lines: Sequence[int]) -> None:
        if self._sparsity:
            places = [place for place, line in enumerate(lines) if self._is_sampled(line)]
            self._sampled_lines.extend(lines[place] for place in places)
            self._sample.extend(numbers[place] for place in places)
        else:
            self._sampled_lines.extend(lines)
            self._sample.extend(numbers)
        self._thin_out()

    def _is_sampled(self, line: int) -> bool:
        return not (line * _SPREAD >> _SPREAD_BITS) & ((1 << self._sparsity) - 1)

    def _thin_out(self) -> None:
        while len(self._sample) > MAX_SAMPLE and self._sparsity < MAX_SPARSITY:
            self._sparsity += 1
            self._drop_unsampled()

    def _drop_unsampled(self) -> None:
        bits = (1 << self._sparsity) - 1
        kept = [place for place, line in enumerate(self._sampled_lines) if not (line * _SPREAD >> _SPREAD_BITS) & bits]
        self._sampled_lines = array("q", [self._sampled_lines[place] for place in kept])
        self._sample = array("d", [self._sample[place] for place in kept])


def _counted(values: Sequence[bytes]) -> Mapping[bytes, int]:
    """Of a few values `Counter` takes longer to be made than to count."""
    if len(values) > FEW:
        return Counter(values)
    counts: dict[bytes, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    return counts


def _greatest_first(entry: tuple[float, Excerpt]) -> tuple[float, int]:
    value, line = entry
    return -value, line.number
