"""What ^C does to a turn, where the turn listens and where it does not."""

import asyncio
from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from streamcli.commands import turns
from streamcli.commands.turns import Turns
from streamcli.config import ChatSettings


class Terminal:
    def __init__(self):
        self.seen = []

    def between_prompts(self, bar):
        return nullcontext()

    def forget_typed(self):
        self.seen.append("typed is forgotten")

    def give_back(self):
        self.seen.append("given back")


@pytest.fixture
def terminal():
    return Terminal()


@pytest.fixture
async def some_turns(terminal):
    runtime = SimpleNamespace(sink=None, notes=SimpleNamespace(passage=None), stdout_is_terminal=False)
    return Turns(runtime, ChatSettings(verb="chat", model="claude-a"), None, None, terminal)


async def deaf(may_end):
    """It does not end when it is cancelled."""
    try:
        await may_end.wait()
    except asyncio.CancelledError:
        await may_end.wait()
        raise


async def begun(some_turns, work):
    task = asyncio.create_task(some_turns.stoppable(work))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return task


async def test_it_stops_what_runs_and_only_that(some_turns, terminal):
    task = await begun(some_turns, asyncio.sleep(60))
    assert some_turns.interrupt()
    assert await task is False
    assert terminal.seen == ["typed is forgotten"]
    assert await some_turns.stoppable(asyncio.sleep(0)) is True


async def test_before_anything_runs_it_stops_what_is_about_to(some_turns):
    some_turns.begin()
    assert some_turns.interrupt()
    assert await some_turns.stoppable(asyncio.sleep(60)) is False


async def test_twice_at_once_is_once_and_later_ends_what_does_not_listen(some_turns, terminal, monkeypatch):
    may_end = asyncio.Event()
    task = await begun(some_turns, deaf(may_end))
    assert some_turns.interrupt()
    await asyncio.sleep(0)
    assert some_turns.interrupt()
    monkeypatch.setattr(turns, "ONE_PRESS", 0.0)
    assert not some_turns.interrupt()
    task.cancel()  # as the runtime does then
    with pytest.raises(asyncio.CancelledError):
        await task
    assert terminal.seen == ["typed is forgotten", "given back"]
    may_end.set()


async def test_the_end_of_the_run_gives_the_terminal_back_before_the_turn_has_ended(some_turns, terminal):
    may_end = asyncio.Event()
    task = await begun(some_turns, deaf(may_end))
    task.cancel()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert terminal.seen == ["given back"]
    assert not task.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await task
