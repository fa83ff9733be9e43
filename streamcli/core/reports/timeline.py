"""Counts over time, in a bounded number of buckets however long it takes."""

from streamcli.core.reports.facts import Bucket

# A chart has no use for more: on a screen each is a few pixels wide.
MAX_BUCKETS = 240


class Timeline:
    """Buckets of one second, which merge by two whenever there would be too many.

    Times are seconds of one clock. It may be set back: what comes before the start, or out of order, has its bucket.
    """

    def __init__(self, started: float) -> None:
        self._started = started
        self.width = 1.0
        """Seconds of a bucket: a power of two."""
        self.buckets: list[Bucket] = []

    def at(self, time: float) -> Bucket:
        """The bucket of a moment."""
        passed = max(0.0, time - self._started)
        while passed >= self.width * MAX_BUCKETS:
            self.buckets = merged(self.buckets)
            self.width *= 2
        position = int(passed / self.width)
        while len(self.buckets) <= position:
            self.buckets.append(Bucket())
        return self.buckets[position]


def merged(buckets: list[Bucket]) -> list[Bucket]:
    """Half as many, each of two."""
    pairs = []
    for position in range(0, len(buckets), 2):
        pair = Bucket()
        for bucket in buckets[position : position + 2]:
            pair.take_in(bucket)
        pairs.append(pair)
    return pairs
