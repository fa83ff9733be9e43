"""What a server's headers say about when to come back, and the pace of a run that heeds it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# What anthropic-ratelimit-* count besides requests. One that is used up lets no request through.
TOKEN_LIMITS = ("tokens", "input-tokens", "output-tokens")
# Seconds. One reset is told by two responses within the error of our reading the clocks.
SAME_RESET = 0.1

Ticket = int
"""The number of an admission."""


@dataclass(frozen=True)
class Quota:
    """So many more requests may go out in the next `resets_in` seconds, and `limit` in each period, if that is said."""

    requests: int
    resets_in: float
    limit: int | None = None


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds to wait by retry-after-ms, else retry-after (seconds or an HTTP date); None where neither is usable.

    `headers` has lower-case names or is case-insensitive; `now` is seconds since the epoch.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after")
    seconds = _number(value)
    if seconds is not None or value is None:
        return seconds
    when = _http_date(value)
    return None if when is None else max(0.0, when - now)


def quota(headers: Mapping[str, str], now: float) -> Quota | None:
    """What anthropic-ratelimit-* allow from now on; None where they say nothing usable.

    A limit of tokens that is used up counts as no requests. `now` is seconds since the epoch; a reset is the server's
    time, so where its clock (`date`) is ahead of ours, that is the clock that counts: we never wait longer than either
    says.
    """
    now = max(now, _http_date(headers.get("date", "")) or now)
    requests = _left_of("requests", headers, now)
    limits = [requests, *(_left_of(name, headers, now) for name in TOKEN_LIMITS)]
    used_up = [limit.resets_in for limit in limits if limit is not None and not limit.requests]
    return Quota(0, max(used_up), requests.limit if requests else None) if used_up else requests


def in_words(seconds: float) -> str:
    """A finite time for a person, rounded up: "90 s", "5 min", "2 h", "50 days"."""
    seconds = round(max(0.0, seconds), 3)  # a difference of two clock readings that is 3.0000000004 is 3
    for unit, size, enough in (("s", 1, 120), ("min", 60, 120), ("h", 3600, 48)):
        if (count := math.ceil(seconds / size)) < enough:
            return f"{count} {unit}"
    days = math.ceil(seconds / 86_400)
    return f"{days:,} days" if days < 36_500 else "more than 99 years"


@dataclass
class _UnderWay:
    round: int
    answered: bool = False


class Pace:
    """When the requests of a run may go out, so that a server's limits are met at little waste. All jobs share it.

    At most `window` are under way, of `width` that would be. A 429 blocks the whole run: the limit is the account's,
    and who asks in the meantime is refused as well. A *round* is what is admitted between two blocks. After a block
    the window is cut by how the round went, and each acceptance then widens it by one.

    This is the shape of TCP's congestion control: additive increase, multiplicative decrease (RFC 5681), the 429s of
    one block being one event, like the losses of one flight. The factor is not its fixed half. A lost segment tells
    of congestion that a smaller window mends; a 429 need not. A server that refuses each third request refuses it
    at any pace, and halving again and again would only make it slow. So the cut is by the ratio
    `1.5 * accepted / answered`: up to a third of refusals costs nothing, one that refuses nearly all (it is
    down, or the quota is gone) gets a single probe after each block, and a token bucket about what it let through.

    Times are seconds of one monotonic clock.
    """

    def __init__(self, width: int) -> None:
        self._width = width
        self._window = width
        self._under_way: dict[Ticket, _UnderWay] = {}
        self._unanswered = 0
        self._admitted = 0
        self._blocked_until = -math.inf
        self._left = 0  # requests, until _left_until
        self._left_until = -math.inf
        self._round = 0
        self._round_is_over = False
        self._round_accepted = self._round_refused = 0
        self._limit: int | None = None  # requests in any period, if the server says so
        self.accepted_count = 0
        """Requests that the server took, in all."""
        self.barren_rounds = 0
        """Rounds in a row in which the server took none."""

    @property
    def window(self) -> int:
        """Requests that may be under way."""
        return self._window

    def blocked_for(self, now: float) -> float:
        """Seconds in which nothing is admitted."""
        return max(0.0, self._blocked_until - now)

    def admit(self, now: float) -> Ticket | float | None:
        """A ticket (an int): go, and `ended` must be called; a float: ask again after so many seconds, or when
        something has changed; None: ask again when something has changed.
        """
        if now < self._blocked_until:
            return self._blocked_until - now
        if self._round_is_over:
            self._begin_round()
        if len(self._under_way) >= self._window:
            return None
        if self._limit is not None and self._unanswered >= self._limit:
            return None  # a new period allows for so many at once, and no more
        # Of those without an answer the server may have counted some: none, as far as we know.
        if now < self._left_until and self._unanswered >= self._left:
            return self._left_until - now
        self._admitted += 1
        self._unanswered += 1
        self._under_way[self._admitted] = _UnderWay(self._round)
        return self._admitted

    def accepted(self, ticket: Ticket, left: Quota | None, now: float) -> None:
        """The server took the request, and its headers say what is left."""
        self.accepted_count += 1
        self.barren_rounds = 0
        if self._answer(ticket):
            self._round_accepted += 1
            if not self._round_is_over:
                self._window = min(self._width, self._window + 1)
        if left is not None:
            self._learn(left, now)

    def refused(self, ticket: Ticket, wait: float, now: float) -> None:
        """The server's answer was 429: nothing goes out in the next `wait` seconds.

        Where it was admitted in an earlier round, it is late news of that: it blocks, but tells nothing of this one.
        """
        if self._answer(ticket):
            self._round_refused += 1
            if not self._round_is_over and not self._round_accepted:
                self.barren_rounds += 1
            self._round_is_over = True
        self._blocked_until = max(self._blocked_until, now + wait)

    def ended(self, ticket: Ticket) -> None:
        """The request is over, in whatever way. To be called just once."""
        if not self._under_way.pop(ticket).answered:
            self._unanswered -= 1

    def _answer(self, ticket: Ticket) -> bool:
        """Notes that there is one; returns whether it is of this round."""
        request = self._under_way[ticket]
        if not request.answered:
            request.answered = True
            self._unanswered -= 1
        return request.round == self._round

    def _begin_round(self) -> None:
        """Cuts the window, but not below what is under way: that is no burden to the server's limits any more, and
        would only keep the next one waiting until most of it has ended.
        """
        ratio = self._round_accepted / (self._round_accepted + self._round_refused)
        cut = math.ceil(self._window * min(1.0, 1.5 * ratio))
        self._window = min(self._width, max(1, cut, len(self._under_way)))
        self._round += 1
        self._round_is_over = False
        self._round_accepted = self._round_refused = 0

    def _learn(self, left: Quota, now: float) -> None:
        """Responses come out of order: of one period the smallest number is the latest, and of two periods (a bucket
        that is refilled tells a later moment with each request) the later.
        """
        until = now + left.resets_in
        if left.limit:
            self._limit = left.limit
        if not left.requests:
            self._blocked_until = max(self._blocked_until, until)
        elif until > self._left_until + SAME_RESET:
            self._left, self._left_until = left.requests, until
        elif until >= self._left_until - SAME_RESET:
            self._left = min(self._left, left.requests)


def _left_of(name: str, headers: Mapping[str, str], now: float) -> Quota | None:
    """What one limit says, be it of requests or of tokens."""
    try:
        remaining = int(headers.get(f"anthropic-ratelimit-{name}-remaining", ""))
        reset = datetime.fromisoformat(headers.get(f"anthropic-ratelimit-{name}-reset", "").strip().upper())
        if reset.tzinfo is None:  # RFC 3339 demands one: this is something else
            return None
        limit = _number(headers.get(f"anthropic-ratelimit-{name}-limit"))
        return Quota(max(0, remaining), max(0.0, reset.timestamp() - now), int(limit) if limit else None)
    except (ValueError, OverflowError):
        return None


def _http_date(value: str) -> float | None:
    """Seconds since the epoch."""
    try:
        when = parsedate_to_datetime(value)
        if when.tzinfo is None:  # "-0000": a date in UTC, says RFC 5322
            when = when.replace(tzinfo=UTC)
        return when.timestamp()
    except (ValueError, OverflowError):  # no date, or one of the year 99999
        return None


def _number(value: str | None) -> float | None:
    try:
        number = float(value) if value is not None else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None
