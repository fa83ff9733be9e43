"""Which client a request goes through, where a conversation changes its model."""

import asyncio

import pytest

from streamcli.commands import clients
from streamcli.commands.clients import Clients
from streamcli.config import Settings
from streamcli.edge.notes import Notes
from streamcli.errors import Unavailable


@pytest.fixture
def made(monkeypatch):
    """What is made of clients, in its order: each is its own name, and an embedded one notes its end too."""
    made = []

    def client(self, model):
        async def end():
            made.append(f"end {model}")

        async def make():
            if model == "local:missing":
                raise Unavailable("it is not there")
            made.append(clients._place(model) or "server")
            if made[-1] != "server":
                self._stack.push_async_callback(end)
            return made[-1]

        return make()

    monkeypatch.setattr(Clients, "_open", client)
    return made


def some_clients():
    return Clients(Settings(verb="chat", model="claude-a"), Notes(), many=True)


async def test_one_client_serves_all_models_of_a_server(made):
    some = some_clients()
    some.begin("claude-a")
    assert [await some.get("claude-a"), await some.get("claude-b")] == ["server", "server"]
    await some.close()
    assert made == ["server"]


async def test_a_model_elsewhere_has_another_and_the_one_before_ends_first(made):
    some = some_clients()
    for model in ("claude-a", "local", "local", "local:smollm2", "claude-b"):
        await some.get(model)
    assert made == ["server", "local", "end local", "local:smollm2", "end local:smollm2", "server"]
    await some.close()


async def test_one_that_cannot_be_had_fails_until_it_is_closed(made):
    some = some_clients()
    for _ in range(2):
        with pytest.raises(Unavailable):
            await some.get("local:missing")
    await some.close()
    assert await some.get("claude-a") == "server"
    await some.close()


async def test_who_is_cancelled_leaves_it_to_the_next(made):
    some = some_clients()
    first = asyncio.create_task(some.get("claude-a"))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait({first})
    assert first.cancelled()
    assert await some.get("claude-a") == "server"
    assert made == ["server"]
    await some.close()
