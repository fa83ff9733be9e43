"""A conversation: one turn after the other, each asked with what was said before it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from streamcli.commands.answer import Notices, OpenOutlet
from streamcli.commands.asking import Ask
from streamcli.commands.kept import KeptSession, SessionGone, check_name, needing
from streamcli.commands.recall import Recall
from streamcli.commands.recording import Minutes
from streamcli.config import ChatSettings
from streamcli.core.content import Content, as_text, map_text
from streamcli.core.history import Exchange, conversation
from streamcli.core.prompt import SYSTEM_PROMPTS, Request, sendable
from streamcli.core.sanitize import one_line
from streamcli.errors import InputError, OutputError, UsageError

if TYPE_CHECKING:
    from streamcli.store.sessions import Sessions


class Conversation:
    """In memory, and on disk if it is a session. One turn at a time.

    `model` and `system` (None: the verb's own prompt) may be set, and hold from the next turn on. `exchanges` are the
    last ones, as far as is known: of a session those that may still be sent. With `forgets` one in memory has no more
    than those either. `was_kept` tells whether the last turn is one of them.
    """

    def __init__(
        self,
        settings: ChatSettings,
        system: str | None,
        notes: Notices,
        *,
        mask: Callable[[str], str] = str,
        kept: KeptSession | None = None,
        sessions: "Callable[[], Awaitable[Sessions]] | None" = None,
        forgets: bool = False,
    ) -> None:
        """`mask` is that of all that is asked. `sessions` opens the store, for `save_as`; raises InputError."""
        self.model = settings.model
        self.system = system
        self.exchanges: list[Exchange] = []
        self.was_kept = False
        self.outlives_session = False
        """Set where it goes on in memory when its session is removed by another process; else that is an error."""
        self._settings = settings
        self._notes = notes
        self._mask = mask
        self._kept = kept
        self._sessions = sessions
        self._forgets = forgets
        self._before = 0  # exchanges that are there and not in `exchanges`
        self._recall = Recall(settings.bounds)
        self._failure: OutputError | None = None

    @property
    def name(self) -> str | None:
        """That of the session; None if it is in memory only."""
        return self._kept.name if self._kept else None

    async def turn(
        self, question: Content, ask: Ask, open_outlet: OpenOutlet, more: Callable[[], bool], notes: Notices
    ) -> None:
        """Asks, with what was said before; then question and answer are a part of it. Raises StreamcliError.

        An answer that was cut off is kept as such, also where this is cancelled. A session that is in use is waited
        for. With --resume an answer to the same question that was cut off last is gone on with.
        """
        self.was_kept = False
        async with self._held(notes):
            question = map_text(question, self._mask)
            if (last := self._cut_answer_to(question)) is not None:
                question = last.question  # masked by the run that was cut: so its request is found in the journal
            minutes = Minutes(
                question, lambda key: self._begin(question, last, key), lambda said: self._close(said, last)
            )
            request = self._request(self.exchanges[:-1] if last else self.exchanges, question, notes)
            await self._ask(request, ask, minutes, open_outlet, more, notes)

    async def turn_again(self, ask: Ask, open_outlet: OpenOutlet, more: Callable[[], bool], notes: Notices) -> None:
        """Asks the last question again. Raises StreamcliError; InputError if there is none.

        What there was stays until there are words to take its place.
        """
        self.was_kept = False
        async with self._held(notes, only_as_seen=True):
            if not self.exchanges:
                raise InputError("there is no question yet that could be asked again")
            question = map_text(self.exchanges[-1].question, self._mask)
            minutes = Minutes(question, lambda key: self._begin(question, None, key), self._close_again)
            request = self._request(self.exchanges[:-1], question, notes)
            await self._ask(request, ask, minutes, open_outlet, more, notes)

    async def _ask(
        self,
        request: Request,
        ask: Ask,
        minutes: Minutes,
        open_outlet: OpenOutlet,
        more: Callable[[], bool],
        notes: Notices,
    ) -> None:
        error: BaseException | None = None
        try:
            await ask(request, minutes.opening(open_outlet), more, notes)
        except BaseException as failure:
            error = failure
            raise
        finally:
            minutes.end(error)
            self._tell_failure(notes, is_all=error is None)

    def refresh(self) -> None:
        """Looks what there is by now of a session, without waiting for others. Raises InputError."""
        if self._kept is not None:
            self._load(self._kept)

    def everything(self) -> Sequence[Exchange]:
        """All that was said, as far as it was not forgotten. Raises InputError."""
        if self._kept is not None:
            try:
                self._kept.check_is_there()
            except SessionGone as gone:
                self._go_on_without(gone, self._notes)
        return self._kept.everything() if self._kept else self.exchanges

    async def undo(self) -> Exchange | None:
        """Takes the last exchange out of it, and gives it back; None if there is none."""
        async with self._held(self._notes, only_as_seen=True):
            if not self.exchanges:
                return None
            exchange = self.exchanges.pop()
            if self._kept is not None:
                self._kept.undo()
                self._load(self._kept)
            return exchange

    async def clear(self) -> int:
        """Nothing was ever said. Returns how many exchanges are gone."""
        async with self._held(self._notes):
            if self._kept is not None:
                self._kept.clear()
            gone = self._before + len(self.exchanges)
            self.exchanges.clear()
            self._before = 0
        return gone

    async def save_as(self, name: str) -> None:
        """What is in memory only becomes a session. Raises InputError if the name is taken, or is none."""
        try:
            check_name(name)
        except UsageError as error:
            raise InputError(error.message, error.hint) from error
        if self._kept is not None or self._sessions is None:
            raise InputError("the conversation is a session already" if self._kept else "nothing is kept here")
        sessions = await self._sessions()
        with needing(name):
            session = sessions.put(name, self.model, self.system, self.exchanges)
            if session is not None and not self.exchanges:
                session = sessions.make(name, self.model)
        if session is None:
            raise InputError(f"there is a session {one_line(name)} already", "streamcli sessions list shows them")
        self._kept = KeptSession(sessions, session)
        self._load(self._kept)

    @asynccontextmanager
    async def _held(self, notes: Notices, *, only_as_seen: bool = False) -> AsyncIterator[None]:
        """The conversation as it is now, and only we add to it.

        With `only_as_seen` raises InputError if its last exchange is not the one that was the last before.
        """
        if self._kept is None:
            yield
        elif not self._settings.asks:  # only looked at
            self._load(self._kept)
            yield
        else:
            async with AsyncExitStack() as stack:
                try:
                    await stack.enter_async_context(self._kept.held(notes))
                except SessionGone as gone:
                    self._go_on_without(gone, notes)
                else:
                    seen = self._kept.last
                    self._load(self._kept)
                    if only_as_seen and self._kept.last != seen:
                        raise self._changed()
                yield

    def _go_on_without(self, gone: SessionGone, notes: Notices) -> None:
        """In memory, with what is known."""
        if not self.outlives_session:
            raise gone
        self._kept, self._before = None, 0
        notes.notice(f"{gone.message}: the conversation goes on in memory, and /save keeps it anew")

    def _changed(self) -> InputError:
        what = "another process has changed the conversation since: nothing is done yet"
        if not self.exchanges:
            return InputError(what, "nothing is left of it")
        return InputError(what, f"its last question is now: {one_line(as_text(self.exchanges[-1].question), 60)}")

    def _load(self, kept: KeptSession) -> None:
        exchanges, self._before = kept.load(self._settings.bounds)
        self.exchanges[:] = exchanges

    def _cut_answer_to(self, question: Content) -> Exchange | None:
        """With --resume: the last exchange, if it is the one to be gone on with."""
        last = self.exchanges[-1] if self.exchanges and self._settings.resume else None
        return last if last is not None and last.is_cut and self._is_same(last.question, question) else None

    def _is_same(self, stored: Content, masked: Content) -> bool:
        """Whether both are masked forms of one text, as far as that can be told: each run has hashes of its own."""
        if not self._settings.redact:
            return stored == masked
        from streamcli.core.redact import without_hashes

        return map_text(stored, without_hashes) == map_text(masked, without_hashes)

    def _masked_system(self) -> str | None:
        """None for the verb's own. One that is stored already stays as it is: the server may have it in its cache."""
        system = None if self.system is None else self._mask(self.system)
        stored = self._kept.session.system if self._kept else None
        return stored if system is not None and stored is not None and self._is_same(stored, system) else system

    def _request(self, earlier: Sequence[Exchange], question: Content, notes: Notices) -> Request:
        """Raises InputError for a file that the model cannot read."""
        messages = self._recall.messages(earlier, question, self.model, self._before, notes)
        system = self._masked_system()
        limit = replace(self._settings, model=self.model).answer_limit
        return Request(sendable(self.model), SYSTEM_PROMPTS["chat"] if system is None else system, messages, limit)

    def _begin(self, question: Content, last: Exchange | None, key: str) -> None:
        if self._kept is None:
            return
        session = replace(self._kept.session, model=self.model, system=self._masked_system())
        if last is None:
            self._kept.begin(session, question, key)
        else:
            self._kept.reopen(session, last, key)

    def _close(self, exchange: Exchange | None, last: Exchange | None) -> None:
        """What came of the turn is a part of the conversation; on disk first."""
        self._write(exchange)
        if exchange is None:
            return
        if last is not None:
            self.exchanges.pop()
        self._append(exchange)

    def _close_again(self, exchange: Exchange | None) -> None:
        """What came of a question that was asked again takes the place of what there was, if it is anything."""
        if exchange is not None and (exchange.is_refused or not exchange.answer.strip()):
            exchange = None
        self._write(exchange, replaces_last=True)
        if exchange is not None:
            self.exchanges.pop()
            self._append(exchange)

    def _write(self, exchange: Exchange | None, *, replaces_last: bool = False) -> None:
        if self._kept is None:
            return
        try:
            self._kept.close(exchange, replaces_last=replaces_last)
        except OutputError as error:
            self._failure = error
        self._kept.let_go()

    def _append(self, exchange: Exchange) -> None:
        self.was_kept = True
        self.exchanges.append(exchange)
        if self._forgets:
            self._forget()

    def _forget(self) -> None:
        """Of what is in memory only, that goes which can never be sent again."""
        _, gone = conversation(self.exchanges[:-1], "", self._settings.bounds)
        del self.exchanges[:gone]
        self._before += gone

    def _tell_failure(self, notes: Notices, *, is_all: bool) -> None:
        """A turn that was not kept is an error, once it is over; beside another one it is a notice."""
        failure, self._failure = self._failure, None
        if failure is not None:
            if is_all:
                raise failure
            notes.notice(failure.message)
