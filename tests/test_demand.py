"""Blocking reads for a loop."""

import asyncio
import queue
import threading

import pytest

from streamcli.edge.demand import OnDemand


class Producer:
    """Gives what is put in; counts how often it is asked."""

    def __init__(self) -> None:
        self.items: queue.Queue = queue.Queue()
        self.asked = threading.Semaphore(0)
        self.ended = threading.Event()
        self.threads: set[str] = set()

    def __call__(self):
        self.threads.add(threading.current_thread().name)
        self.asked.release()
        item = self.items.get(timeout=10)
        if isinstance(item, Exception):
            raise item
        return item


@pytest.fixture
def producer():
    return Producer()


async def test_nothing_is_produced_that_was_not_asked_for(producer):
    reads = OnDemand("reads", producer)
    assert not producer.asked.acquire(blocking=False)
    producer.items.put(1)
    assert await reads.next() == 1
    assert producer.asked.acquire(timeout=10)
    assert not producer.asked.acquire(blocking=False)
    assert producer.threads == {"reads"}


async def test_what_a_cancelled_call_asked_for_the_next_one_gets(producer):
    reads = OnDemand("reads", producer)
    waiting = asyncio.create_task(reads.next())
    await asyncio.to_thread(producer.asked.acquire)
    waiting.cancel()
    await asyncio.wait({waiting})
    producer.items.put("late")
    assert await reads.next() == "late"
    assert not producer.asked.acquire(blocking=False)


async def test_what_goes_wrong_is_raised_where_it_is_waited_for(producer):
    reads = OnDemand("reads", producer)
    producer.items.put(ValueError("no"))
    with pytest.raises(ValueError, match="no"):
        await reads.next()


async def test_after_the_end_whoever_waits_gets_an_answer_and_the_thread_tidies_up(producer):
    reads = OnDemand("reads", producer, producer.ended.set)
    waiting = asyncio.create_task(reads.next())
    await asyncio.to_thread(producer.asked.acquire)
    reads.close()
    producer.items.put("last")
    assert await waiting == "last"
    assert await asyncio.to_thread(producer.ended.wait, 10)
    reads.close()


def test_without_a_thread_the_end_is_at_once(producer):
    OnDemand("reads", producer, producer.ended.set).close()
    assert producer.ended.is_set()


async def test_what_is_told_comes_in_the_thread_of_the_loop(producer):
    told = []

    def tell(*values):
        told.append((threading.current_thread(), *values))

    reads = OnDemand("reads", producer)
    reads.tell(tell, "before")
    producer.items.put(1)
    await reads.next()
    await asyncio.to_thread(reads.tell, tell, "after")
    await asyncio.sleep(0)
    assert told == [(threading.main_thread(), "before"), (threading.main_thread(), "after")]
