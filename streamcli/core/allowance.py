"""How often the user lets a watch ask: so many requests a minute, so many dollars an hour."""

from collections import deque

MINUTE = 60.0
HOUR = 3600.0


class Allowance:
    """Tells when the next request may go out. `per_minute` 0 and `per_hour` None are no limits; times in seconds.

    In no minute there are more than `per_minute` requests. Half of them may follow each other at once, for a log that
    wakes up; the others are spread, so that a log that does not sleep again is not left alone for the rest of the
    minute. What a request costs is known only when it is over: it delays those after it, so that over time no more is
    spent than `per_hour` dollars an hour, but for the requests that were under way.
    """

    def __init__(self, per_minute: int, per_hour: float | None) -> None:
        self._per_minute = per_minute
        self._per_hour = per_hour
        self._begun: deque[float] = deque(maxlen=per_minute or 1)
        self._paid_until = 0.0

    def next_at(self, now: float) -> float:
        """When a request may go out: `now`, or later."""
        return max(now, self._paid_until, self._by_count(now))

    def waits_for_money(self, now: float) -> bool:
        """Whether it is the dollars that make it wait, and not the count."""
        return self._paid_until > max(now, self._by_count(now))

    def begin(self, now: float) -> None:
        """A request goes out."""
        self._begun.append(now)

    def spend(self, cost: float, now: float) -> None:
        """A request is over, and has cost so many dollars. Raises nothing; a limit of 0 dollars waits for ever."""
        if self._per_hour is not None and cost > 0:
            worth = cost / self._per_hour * HOUR if self._per_hour else float("inf")
            self._paid_until = max(self._paid_until, now) + worth

    def _by_count(self, now: float) -> float:
        limit = self._per_minute
        if not limit:
            return now
        recent = [begun for begun in self._begun if begun > now - MINUTE]
        if len(recent) >= limit:
            return recent[-limit] + MINUTE
        if recent and len(recent) >= limit / 2:
            return max(now, recent[-1] + MINUTE / limit)
        return now
