"""A session as a conversation uses it: held while it is read and added to, and an error where that cannot be."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from streamcli.commands.answer import Notices
from streamcli.core.content import Content
from streamcli.core.history import Bounds, Exchange, first_sent
from streamcli.core.models import MAX_MESSAGE_BYTES
from streamcli.core.sanitize import one_line
from streamcli.errors import InputError, OutputError, StreamcliError, UsageError

if TYPE_CHECKING:
    from streamcli.store.sessions import Session, Sessions

MAX_NAME = 100


class SessionGone(InputError):
    """Another process has removed it."""


def check_name(name: str) -> str:
    """The name of a session. Raises UsageError for one that would be in the way, in a shell or on a screen."""
    if not 0 < len(name) <= MAX_NAME or not name.isprintable() or name[0] == "-" or "/" in name or not name.strip():
        hint = f"1 to {MAX_NAME} printable characters, without / and no - at the beginning"
        raise UsageError(f"{one_line(name)!r} is no name for a session", hint)
    return name


@contextmanager
def needing(
    name: str | None,
    kind: type[StreamcliError] = InputError,
    hint: str | None = "without a session nothing has to be kept",
) -> "Iterator[None]":
    """What the store raises in the block becomes an error: a conversation is input, not a help.

    `hint` is that of an InputError.
    """
    from streamcli.store.database import StoreError

    what = f"session {one_line(name)}" if name is not None else "the sessions"
    verb = "kept" if kind is OutputError else "read or kept"
    try:
        yield
    except StoreError as error:
        raise kind(f"{what} cannot be {verb}: {error}", hint if kind is InputError else None) from error


class KeptSession:
    """One session. Raises InputError where it cannot be read or is gone, OutputError where it cannot be added to."""

    def __init__(self, sessions: "Sessions", session: "Session") -> None:
        self._sessions = sessions
        self.session = session
        self._waiting: asyncio.Task[None] | None = None
        self._is_wanted = False
        self._numbers: list[int] = []
        self._row: int | None = None  # of the exchange that is open
        self._before: Exchange | None = None  # what it was before it was opened again

    @property
    def name(self) -> str:
        return self.session.name

    @asynccontextmanager
    async def held(self, notes: Notices) -> AsyncIterator[None]:
        """Nobody else adds to it meanwhile; says so if that has to be waited for."""
        with needing(self.name):
            if not self._sessions.take(self.session.id):
                notes.notice(f"session {one_line(self.name)} is in use by another process: waiting")
                await self._wait()
        try:
            with needing(self.name):
                self.session = replace(self.session, name=self._stored().name)
                self._sessions.recover(self.session.id)
            yield
        finally:
            self.let_go()

    def let_go(self) -> None:
        """Others may have it, already. Nothing happens if it is not held."""
        with needing(self.name):
            self._sessions.let_go(self.session.id)

    async def _wait(self) -> None:
        """A thread that waits for a lock cannot be stopped: whoever waits again joins in."""
        while not self._sessions.take(self.session.id):
            if self._waiting is None or self._waiting.done():
                self._waiting = asyncio.create_task(asyncio.to_thread(self._sessions.wait, self.session.id))
                self._waiting.add_done_callback(self._waited)
            self._is_wanted = True
            try:
                await asyncio.shield(self._waiting)
            except asyncio.CancelledError:
                if self._waiting.done():
                    self._sessions.unwanted(self.session.id)
                raise
            finally:
                self._is_wanted = False

    def _waited(self, task: "asyncio.Task[None]") -> None:
        if not self._is_wanted and not task.cancelled() and task.exception() is None:
            self._sessions.unwanted(self.session.id)

    @property
    def last(self) -> int | None:
        """The number of the last exchange, as far as is known."""
        return self._numbers[-1] if self._numbers else None

    def check_is_there(self) -> None:
        """Raises SessionGone."""
        with needing(self.name):
            self._stored()

    def _stored(self) -> "Session":
        """As it is on disk now. Raises SessionGone."""
        if (session := self._sessions.get(self.session.id)) is None:
            raise SessionGone(f"session {one_line(self.name)} was removed meanwhile")
        return session

    def load(self, bounds: Bounds) -> tuple[Sequence[Exchange], int]:
        """The exchanges that may be sent with the next question, or instead of the last one; how many are before them.

        What no request could take is not even read.
        """
        with needing(self.name):
            sizes = self._sessions.sizes(self.session.id)
            first = first_sent([tokens for _, tokens, _ in sizes[:-1]], bounds)
            place, total = len(sizes), 0
            while place > first and (total := total + sizes[place - 1][2]) <= MAX_MESSAGE_BYTES:
                place -= 1
            place = min(place, max(len(sizes) - 1, 0))  # the last one may be resumed, or taken back
            kept = self._sessions.read(self.session.id, sizes[place][0]) if sizes else []
        self._numbers = [exchange.id for exchange in kept]
        return [exchange.exchange for exchange in kept], place

    def everything(self) -> Sequence[Exchange]:
        """All exchanges, in their order."""
        with needing(self.name):
            return [kept.exchange for kept in self._sessions.read(self.session.id, 0)]

    def begin(self, session: "Session", question: Content, key: str) -> None:
        """An exchange is open from now on."""
        with needing(self.name):
            self._before = None
            self._row = self._sessions.begin(session, question, key)
        self.session = session

    def reopen(self, session: "Session", last: Exchange, key: str) -> None:
        """The last one is open again."""
        with needing(self.name):
            self._sessions.reopen(session, self._numbers[-1], key)
            self._before, self._row = last, self._numbers[-1]
        self.session = session

    def close(self, exchange: Exchange | None, *, replaces_last: bool = False) -> None:
        """What came of the open one; None is nothing: it is as if it had never been opened.

        With `replaces_last` the one before it is gone, in the same moment.
        """
        assert self._row is not None
        with needing(self.name, OutputError):
            if (said := exchange or self._before) is not None:
                self._sessions.close(self._row, said, self._numbers[-1] if replaces_last else None)
            else:
                self._sessions.drop(self._row)
        if exchange is not None and self._row != self.last:
            self._numbers[len(self._numbers) - replaces_last :] = [self._row]

    def undo(self) -> None:
        """The last one is gone."""
        with needing(self.name, OutputError):
            self._sessions.drop(self._numbers[-1])

    def clear(self) -> None:
        """All are gone."""
        with needing(self.name, OutputError):
            self._sessions.clear(self.session.id)
        self._numbers.clear()
