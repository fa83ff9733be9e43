"""Deltas -> writes: by size, by age, at the end.

A terminal wants text at once, a pipe wants few writes. Text is held until `chars` of it have come or the oldest has
waited `delay` seconds, whichever is first.
"""


class Coalescer:
    """`chars` <= 1 passes each delta on at once."""

    def __init__(self, chars: int, delay: float) -> None:
        self._chars = chars
        self._delay = delay
        self._held: list[str] = []
        self._length = 0
        self._since: float | None = None

    def feed(self, text: str, now: float) -> list[str]:
        """Text to write now: [] or one string. An empty `text` is a look at the clock."""
        if text:
            if self._since is None:
                self._since = now
            self._held.append(text)
            self._length += len(text)
        if self._since is None:
            return []
        if self._length >= self._chars or now >= self._since + self._delay:
            return self._take()
        return []

    def deadline(self) -> float | None:
        """When `feed` should look at the clock again; None while nothing is held."""
        return None if self._since is None else self._since + self._delay

    def flush(self) -> list[str]:
        """All that is held: the answer has ended."""
        return self._take()

    def _take(self) -> list[str]:
        text = "".join(self._held)
        self._held.clear()
        self._length = 0
        self._since = None
        return [text] if text else []
