"""The gate of a run: tasks that wait for the pace."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from streamcli.core.limits import Pace
from streamcli.net.gate import Gate, TooLong

LONG = 3600.0  # seconds; nothing here waits for it


async def settled():
    """Lets all tasks run until they wait for something."""
    for _ in range(5):
        await asyncio.sleep(0)


class Queue:
    """Tasks at a gate, and which of them were let in, in order."""

    def __init__(self, gate):
        self.gate = gate
        self.tickets = {}
        self.tasks = {}

    async def come(self, *names):
        for name in names:
            self.tasks[name] = asyncio.create_task(self.enter(name))
            await settled()

    async def enter(self, name):
        self.tickets[name] = await self.gate.enter()

    @property
    def inside(self):
        return list(self.tickets)

    async def cancel(self, name):
        self.tasks[name].cancel()
        await settled()
        assert self.tasks[name].cancelled()


@pytest.fixture
async def queue():
    queue = Queue(Gate(Pace(2)))
    yield queue
    for task in queue.tasks.values():
        task.cancel()


async def test_who_comes_first_is_let_in_first(queue):
    await queue.come("a", "b", "c", "d")
    assert queue.inside == ["a", "b"]
    queue.gate.leave(queue.tickets["b"])
    await settled()
    assert queue.inside == ["a", "b", "c"]
    queue.gate.leave(queue.tickets["a"])
    await settled()
    assert queue.inside == ["a", "b", "c", "d"]


async def test_nobody_overtakes_those_who_wait(queue):
    await queue.come("a", "b", "c")
    queue.gate.leave(queue.tickets["a"])
    await queue.come("d")
    assert queue.inside == ["a", "b", "c"]


async def test_who_gives_up_does_not_keep_those_behind(queue):
    await queue.come("a", "b", "c", "d")
    await queue.cancel("c")
    queue.gate.leave(queue.tickets["a"])
    await settled()
    assert queue.inside == ["a", "b", "d"]


async def test_who_gives_up_in_the_moment_of_being_let_in_leaves_no_place_taken(queue):
    await queue.come("a", "b", "c", "d")
    queue.gate.leave(queue.tickets["a"])  # c is let in, and has not run yet
    await queue.cancel("c")
    assert queue.inside == ["a", "b", "d"]


async def test_a_place_that_comes_free_after_someone_gave_up_is_not_for_him(queue):
    await queue.come("a", "b", "c", "d")
    queue.tasks["c"].cancel()  # and he has not run yet
    queue.gate.leave(queue.tickets["a"])
    await settled()
    assert queue.inside == ["a", "b", "d"]
    queue.gate.leave(queue.tickets["b"])
    await queue.come("e")
    assert queue.inside == ["a", "b", "d", "e"]


async def test_all_may_give_up(queue):
    await queue.come("a", "b", "c", "d")
    for name in ("c", "d"):
        await queue.cancel(name)
    for name in ("a", "b"):
        queue.gate.leave(queue.tickets[name])
    await queue.come("e", "f")
    assert queue.inside == ["a", "b", "e", "f"]


async def test_after_a_refusal_nobody_is_let_in_until_the_wait_is_over(queue):
    loop = asyncio.get_running_loop()
    await queue.come("a")
    start = loop.time()
    queue.gate.refused(queue.tickets["a"], 0.02)
    assert 0 < queue.gate.blocked_for() <= 0.02
    queue.gate.leave(queue.tickets["a"])
    await queue.come("b")
    assert queue.inside == ["a"]
    await queue.tasks["b"]
    assert 0.019 <= loop.time() - start < 1.0
    assert queue.gate.blocked_for() == 0.0


async def test_a_longer_wait_replaces_a_shorter(queue):
    await queue.come("a", "b", "c")
    queue.gate.refused(queue.tickets["a"], 0.005)
    queue.gate.refused(queue.tickets["b"], 0.03)
    queue.gate.leave(queue.tickets["a"])
    queue.gate.leave(queue.tickets["b"])
    start = asyncio.get_running_loop().time()
    await queue.tasks["c"]
    assert asyncio.get_running_loop().time() - start >= 0.025


async def test_a_wait_is_waited_out_without_looking_at_the_clock_in_between(queue, monkeypatch):
    asked = []
    admit = Pace.admit
    monkeypatch.setattr(Pace, "admit", lambda pace, now: asked.append(now) or admit(pace, now))
    await queue.come("a")
    queue.gate.refused(queue.tickets["a"], 0.02)
    queue.gate.leave(queue.tickets["a"])
    await queue.come("b")
    asked.clear()
    await queue.tasks["b"]
    assert 1 <= len(asked) <= 2  # a timer may fire a clock tick early


async def test_what_the_headers_leave_is_heeded():
    queue = Queue(Gate(Pace(9)))
    await queue.come("a")
    reset = "2999-01-01T00:00:00Z"
    headers = {"anthropic-ratelimit-requests-remaining": "2", "anthropic-ratelimit-requests-reset": reset}
    queue.gate.accepted(queue.tickets["a"], headers)
    await queue.come("b", "c", "d")
    assert (queue.inside, queue.gate.accepted_count) == (["a", "b", "c"], 1)
    queue.gate.leave(queue.tickets["b"])  # it got no answer
    await settled()
    assert queue.inside == ["a", "b", "c", "d"]
    queue.gate.accepted(queue.tickets["c"], {**headers, "anthropic-ratelimit-requests-remaining": "0"})
    assert queue.gate.blocked_for() > LONG


async def test_an_acceptance_may_let_the_next_one_in(queue):
    await queue.come("a", "b")
    for name in ("a", "b"):
        queue.gate.refused(queue.tickets[name], 0.0)
        queue.gate.leave(queue.tickets[name])
    await queue.come("c", "d")
    assert queue.inside == ["a", "b", "c"]  # a probe
    queue.gate.accepted(queue.tickets["c"], {})
    await settled()
    assert queue.inside == ["a", "b", "c", "d"]


async def test_a_long_wait_is_said_once():
    said = []
    queue = Queue(Gate(Pace(4), said.append))
    await queue.come("a", "b")
    queue.gate.refused(queue.tickets["a"], LONG)
    assert said == []  # nobody waits
    await queue.come("c", "d")
    queue.gate.refused(queue.tickets["b"], LONG + 1)
    queue.gate.leave(queue.tickets["b"])
    assert said == [pytest.approx(LONG, abs=1)]
    for name in ("c", "d"):
        await queue.cancel(name)


async def test_a_short_wait_is_not_worth_a_word_and_each_long_one_is(monkeypatch):
    monkeypatch.setattr("streamcli.net.gate.SAY_FROM", 0.02)
    said = []
    queue = Queue(Gate(Pace(1), said.append))
    await queue.come("a")
    for name, following, wait in (("a", "b", 0.04), ("b", "c", 0.01), ("c", "d", 0.05)):
        queue.gate.refused(queue.tickets[name], wait)
        queue.gate.leave(queue.tickets[name])
        await queue.come(following)
        await queue.tasks[following]
    assert said == [pytest.approx(0.04, abs=0.02), pytest.approx(0.05, abs=0.02)]


async def test_a_run_of_many_against_a_server_that_refuses_each_third():
    gate = Gate(Pace(32))
    inside = most = asked = 0
    done = []

    async def job(number):
        nonlocal inside, most, asked
        while number not in done:
            ticket = await gate.enter()
            inside += 1
            most = max(most, inside)
            try:
                asked += 1
                if asked % 3 == 0:
                    gate.refused(ticket, 0.001)
                else:
                    gate.accepted(ticket, {})
                    await asyncio.sleep(0)
                    done.append(number)
            finally:
                inside -= 1
                gate.leave(ticket)

    async with asyncio.timeout(20):
        await asyncio.gather(*map(job, range(300)))
    assert (sorted(done), gate.accepted_count, asked) == (list(range(300)), 300, 449)
    assert 1 < most <= 32


async def test_who_would_wait_too_long_is_sent_away_also_when_that_turns_out_later():
    gate = Gate(Pace(1))
    ticket = await gate.enter(patience=5.0)
    patient = asyncio.create_task(gate.enter())
    waiters = [asyncio.create_task(gate.enter(patience=5.0)) for _ in range(2)]
    await asyncio.sleep(0)
    gate.refused(ticket, 100.0)
    gate.leave(ticket)
    for waiter in waiters:
        with pytest.raises(TooLong) as raised:
            await waiter
        assert 99.0 < raised.value.seconds <= 100.0
    with pytest.raises(TooLong):
        await gate.enter(patience=5.0)
    assert not patient.done()
    patient.cancel()
    await asyncio.wait({patient})


async def test_a_small_quota_sends_nobody_away_for_it_may_be_found_larger_with_the_next_answer():
    gate = Gate(Pace(4))
    ticket = await gate.enter()
    reset = (datetime.now(UTC) + timedelta(seconds=60)).isoformat()
    gate.accepted(ticket, {"anthropic-ratelimit-requests-remaining": "1", "anthropic-ratelimit-requests-reset": reset})
    second = await gate.enter(patience=10.0)
    waiter = asyncio.create_task(gate.enter(patience=10.0))
    await asyncio.sleep(0)
    assert not waiter.done()
    gate.leave(second)
    await waiter
