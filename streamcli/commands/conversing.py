"""What a command needs for a conversation: the session that it goes on with, if any, and the way to ask."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from streamcli.commands.asking import Asking, asking, keeping
from streamcli.commands.conversation import Conversation
from streamcli.commands.journal import Journal
from streamcli.commands.kept import KeptSession, check_name, needing
from streamcli.commands.message import read_system
from streamcli.commands.runtime import Runtime
from streamcli.config import ChatSettings
from streamcli.errors import InputError, UsageError

if TYPE_CHECKING:
    from streamcli.store.sessions import Session, Sessions


@dataclass
class Talk:
    """`settings` are those of the command, with the session's own model where none was given."""

    asked: Asking
    conversation: Conversation
    settings: ChatSettings


def check_session(settings: ChatSettings) -> None:
    """Raises UsageError for options that make no sense together."""
    if settings.session is not None and settings.goes_on:
        raise UsageError("--session NAME and --continue both say which conversation it is")
    if settings.session is not None:
        check_name(settings.session)


@asynccontextmanager
async def conversing(
    runtime: Runtime, settings: ChatSettings, *, many: bool = False, forgets: bool = False
) -> AsyncIterator[Talk]:
    """As `asking`, with the conversation. Raises InputError for a session that cannot be read, or -c without any.

    `forgets` says that one in memory keeps only what can still be sent.
    """
    system = read_system(settings)
    journal, sessions = await _store(runtime, settings)
    try:
        session = _session(settings, sessions)
        if session is not None and not settings.is_model_given:
            settings = replace(settings, model=session.model)
        if session is not None and system is None:
            system = session.system
        kept = _kept(settings, session, sessions)
    except BaseException:
        if journal is not None:
            journal.close(done=False)
        raise
    async with asking(runtime, settings, many=many, journal=journal) as asked:
        conversation = Conversation(
            settings,
            system,
            runtime.notes,
            mask=asked.mask,
            kept=kept,
            sessions=lambda: _sessions_of(asked),
            forgets=forgets,
        )
        yield Talk(asked, conversation, settings)


async def _store(runtime: Runtime, settings: ChatSettings) -> "tuple[Journal | None, Sessions | None]":
    """The journal, opened, and the sessions in the same file; of a run that asks nothing only these, if there are any.

    Both are None where the conversation is in memory.
    """
    if settings.session is None and not settings.goes_on:
        return None, None
    with needing(settings.session):
        if not settings.asks:
            return None, _sessions_to_look_at()
        journal = Journal(runtime.notes, keeping(settings), is_needed=True)
        await journal.ready()
        return journal, journal.sessions()


def _sessions_to_look_at() -> "Sessions | None":
    from streamcli.store.answers import Answers
    from streamcli.store.database import database_exists, state_dir

    folder = state_dir()
    return Answers(folder).sessions() if database_exists(folder) else None


async def _sessions_of(asked: Asking) -> "Sessions":
    """Those in the file of a journal that is open already, or will be. Raises InputError."""
    journal = asked.desk.journal if asked.desk else None
    if journal is None:
        raise InputError("nothing is kept here")
    await journal.ready()
    with needing(None):
        return journal.sessions()


def _session(settings: ChatSettings, sessions: "Sessions | None") -> "Session | None":
    """The session that is gone on with; None for a new one, or none."""
    with needing(settings.session):
        if settings.session is not None:
            return sessions.find(settings.session) if sessions else None
        session = sessions.latest() if sessions and settings.goes_on else None
    if settings.goes_on and session is None:
        raise InputError("there is no conversation to go on with", "streamcli chat --session NAME begins one")
    return session


def _kept(settings: ChatSettings, session: "Session | None", sessions: "Sessions | None") -> KeptSession | None:
    if sessions is None:
        return None
    if session is None and settings.session is not None and settings.asks:
        with needing(settings.session):
            session = sessions.make(settings.session, settings.model)
    return KeptSession(sessions, session) if session else None
