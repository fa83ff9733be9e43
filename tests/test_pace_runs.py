"""The pace of whole runs, against simulated servers on a simulated clock: how long they take, and what is wasted."""

import heapq
import itertools
import random
from collections import deque

from streamcli.core.limits import Pace, Quota


class EachThird:
    """Refuses each third request whatever the pace. A server says: wait so many seconds, or yes: a Quota or None."""

    def __init__(self, wait=1.0):
        self.wait, self.asked = wait, 0

    def ask(self, now):
        self.asked += 1
        return None if self.asked % 3 else self.wait


class AtRandom:
    def __init__(self, share, wait=1.0):
        self.share, self.wait, self.random = share, wait, random.Random(3)

    def ask(self, now):
        return self.wait if self.random.random() < self.share else None


class Bucket:
    def __init__(self, a_second, size):
        self.a_second, self.size = a_second, size
        self.filled, self.at = float(size), 0.0

    def ask(self, now):
        self.filled, self.at = min(self.size, self.filled + (now - self.at) * self.a_second), now
        if self.filled < 1:
            return 1.0
        self.filled -= 1
        return None


class DownUntil:
    def __init__(self, moment):
        self.moment = moment

    def ask(self, now):
        return None if now >= self.moment else 1.0


class Honest:
    """So many requests in each period, and headers that say how many are left."""

    def __init__(self, requests, period):
        self.requests, self.period = requests, period
        self.number, self.used = 0, 0

    def ask(self, now):
        if (number := int(now // self.period)) != self.number:
            self.number, self.used = number, 0
        reset = (number + 1) * self.period - now
        if self.used >= self.requests:
            return reset
        self.used += 1
        return Quota(self.requests - self.used, reset)


class AtOnce:
    """Refuses what is more than so many at a time."""

    def __init__(self, places):
        self.places, self.ends = places, []

    def ask(self, now):
        self.ends = [end for end in self.ends if end > now]
        if len(self.ends) >= self.places:
            return 0.5
        self.ends.append(now + ANSWER)
        return None


HEADERS, ANSWER = 0.1, 0.6  # seconds until there are headers, and from the server's decision to the end of an answer


def run(server, requests=300, width=32):
    """A whole run on a simulated clock -> the seconds it took, and the moments of the refusals."""
    pace, dice = Pace(width), random.Random(7)
    events, order = [], itertools.count()
    waiting = deque(range(requests))
    done, refusals = [], []

    def at(moment, what, *details):
        heapq.heappush(events, (moment, next(order), what, details))

    def answered(now, ticket, request, said):
        if isinstance(said, float):
            refusals.append(now)
            pace.refused(ticket, said, now)
            pace.ended(ticket)
            waiting.append(request)
        else:
            pace.accepted(ticket, said, now)
            at(now + ANSWER - HEADERS, ended, ticket, request)

    def ended(now, ticket, request):
        pace.ended(ticket)
        done.append(request)

    def asked(now, ticket, request):
        at(now + HEADERS * (0.5 + dice.random()), answered, ticket, request, server.ask(now))  # out of order

    now = 0.0
    at(now, lambda now: None)
    while events:
        now, _, what, details = heapq.heappop(events)
        what(now, *details)
        while waiting:
            answer = pace.admit(now)
            if not isinstance(answer, int):
                if answer is not None:
                    at(now + answer, lambda now: None)
                break
            at(now + HEADERS * 0.5 * dice.random(), asked, answer, waiting.popleft())
    assert sorted(done) == list(range(requests))
    assert pace.accepted_count == requests
    return now, refusals


def test_a_server_that_refuses_each_third_request_is_not_made_slower():
    seconds, refusals = run(EachThird())
    assert len(refusals) == 149  # of 449: there is no way around them
    assert seconds < 25


def test_a_server_that_refuses_a_third_at_random_is_not_made_slower():
    seconds, refusals = run(AtRandom(1 / 3))
    assert len(refusals) < 160
    assert seconds < 30


def test_with_a_token_bucket_about_one_refusal_an_answer_keeps_it_drained():
    seconds, refusals = run(Bucket(a_second=10, size=10))
    assert len(refusals) < 310
    assert seconds < 36  # 29 is what the bucket gives


def test_a_server_that_is_down_is_probed_by_one_request_at_a_time():
    seconds, refusals = run(DownUntil(5.0))
    assert sum(moment < 1 for moment in refusals) == 32
    assert len(refusals) - 32 <= 5
    assert seconds < 15


def test_where_the_headers_are_honest_none_is_refused():
    seconds, refusals = run(Honest(50, 2.0))
    assert refusals == []
    assert seconds < 12  # six periods hold 300 requests


def test_a_server_that_takes_so_many_at_a_time_is_kept_busy():
    seconds, refusals = run(AtOnce(10))
    assert len(refusals) < 330
    assert seconds < 25  # 18 is the least
