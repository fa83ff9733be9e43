"""The client of a run: made in the background, and another one where a conversation changes to a model elsewhere."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

from streamcli.config import Settings
from streamcli.core.models import is_embedded
from streamcli.core.prompt import sendable
from streamcli.edge.notes import Notes
from streamcli.edge.progress import FetchBar
from streamcli.net.client import Client, connect, connect_embedded


class Clients:
    """One client at a time: an embedded model has the memory to itself. `many` says that it is asked more than once."""

    def __init__(self, settings: Settings, notes: Notes, *, many: bool) -> None:
        self._settings = settings
        self._notes = notes
        self._many = many
        self._place: str | None = None
        self._client: asyncio.Task[Client] | None = None
        self._stack = AsyncExitStack()

    def begin(self, model: str) -> None:
        """Makes the one for `model`, in the background. There must be none yet."""
        self._place = _place(model)
        self._client = asyncio.create_task(self._open(model))

    async def get(self, model: str) -> Client:
        """The one for `model`; one for another place ends first. Raises StreamcliError.

        Whoever is cancelled here leaves it to the others.
        """
        if self._client is None or self._place != _place(model):
            await self.close()
            self.begin(model)
        assert self._client is not None
        return await asyncio.shield(self._client)

    async def close(self) -> None:
        """There is none any more; an embedded server ends."""
        client, self._client = self._client, None
        if client is not None:
            await settle(client)
        stack, self._stack = self._stack, AsyncExitStack()
        await stack.aclose()

    async def _open(self, model: str) -> Client:
        settings = self._settings
        timeouts = {"connect_timeout": settings.connect_timeout, "idle_timeout": settings.idle_timeout}
        if not is_embedded(model):
            return await asyncio.to_thread(connect, settings.base_url, asks_again=self._many, **timeouts)
        from streamcli.net.local import serve

        with FetchBar(self._notes) as progress:
            endpoint = await self._stack.enter_async_context(serve(model, self._notes.notice, progress))
        return await asyncio.to_thread(connect_embedded, endpoint.base_url, endpoint.api_key, **timeouts)


async def settle(task: "asyncio.Task[Any]") -> None:
    """Cancels it, and waits until it has come to rest."""
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        task.exception()  # now it is seen: else asyncio complains of it


def _place(model: str) -> str:
    """The same for models that one client can ask: all but embedded ones."""
    return sendable(model) if is_embedded(model) else ""
