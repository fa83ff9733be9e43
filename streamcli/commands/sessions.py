"""streamcli sessions: the conversations that are kept, to look at, to take along and to remove."""

import contextlib
import json
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from streamcli.commands.kept import check_name, needing
from streamcli.commands.listing import beginning, columns, existing, when, write_lines
from streamcli.commands.runtime import Runtime
from streamcli.config import SessionsSettings
from streamcli.core.content import as_json, as_text, names_of
from streamcli.core.markdown.widths import most_columns, padded
from streamcli.core.sanitize import one_line, sanitize
from streamcli.core.transcript import as_markdown
from streamcli.errors import InputError

if TYPE_CHECKING:
    from streamcli.store.exchanges import Kept
    from streamcli.store.sessions import Session, Sessions, SessionSummary

_HINT = "streamcli sessions list shows them"
_NAME = 40  # columns of a name at most
_ENDINGS = {"cut": "[cut off]", "open": "[not answered yet, or interrupted]", "refused": "[refused by the model]"}


async def list_(runtime: Runtime, settings: SessionsSettings) -> int:
    """A line a session, the one that was used last first."""
    with _open() as sessions:
        summaries = sessions.list() if sessions else []
    await write_lines(runtime, _table(summaries, columns(runtime)))
    return 0


async def show(runtime: Runtime, settings: SessionsSettings) -> int:
    """A conversation, as a person reads it. Raises InputError where there is none of that name."""
    with _open() as sessions:
        for number, kept in _exchanges(sessions, settings.names[0]):
            await _write(runtime, ("\n" if number > 1 else "") + _shown(kept))
    return 0


async def export(runtime: Runtime, settings: SessionsSettings) -> int:
    """The same for another program: Markdown, or a JSON line an exchange. Raises InputError."""
    name = settings.names[0]
    with _open() as sessions:
        for number, kept in _exchanges(sessions, name):
            if settings.format == "json":
                fields = _fields(name, number, kept)
                line = json.dumps(fields, ensure_ascii=runtime.stdout_is_terminal, separators=(",", ":"))
                await runtime.sink.write(line.encode("utf-8", "backslashreplace") + b"\n")
            else:
                head = f"# {one_line(name)}\n\n" if number == 1 else "\n"
                await _write(runtime, head + _as_markdown(kept))
    return 0


async def rename(runtime: Runtime, settings: SessionsSettings) -> int:
    """Another name for a conversation. Raises InputError where there is none, or the new name is taken."""
    old, new = settings.names
    check_name(new)
    with _open() as sessions:
        session = _find(sessions, old)
        if sessions is not None and new != session.name and not sessions.rename(session.id, new):
            raise InputError(f"there is a session {one_line(new)} already", _HINT)
    return 0


async def rm(runtime: Runtime, settings: SessionsSettings) -> int:
    """Removes conversations. Raises InputError where one is missing or in use, after the others."""
    missing, in_use = [], []
    with _open() as sessions:
        for name in dict.fromkeys(settings.names):
            session = sessions.find(name) if sessions else None
            if sessions is None or session is None:
                missing.append(name)
            elif not sessions.remove(session.id):
                in_use.append(name)
        if sessions is not None and len(missing) + len(in_use) < len(set(settings.names)):
            sessions.wipe()
    if missing:
        raise InputError(f"there is no session {_named(missing)}", _HINT)
    if in_use:
        raise InputError(f"in use by another process: {_named(in_use)}", "end that run first")
    return 0


@contextlib.contextmanager
def _open() -> "Iterator[Sessions | None]":
    """The sessions on disk; None where there is no file. Raises InputError."""
    with needing(None, hint=None), existing() as answers:
        yield answers.sessions() if answers else None


def _find(sessions: "Sessions | None", name: str) -> "Session":
    session = sessions.find(name) if sessions else None
    if session is None:
        raise InputError(f"there is no session {one_line(name)}", _HINT)
    return session


def _exchanges(sessions: "Sessions | None", name: str) -> "Iterator[tuple[int, Kept]]":
    """Numbered from 1, one at a time: files that go with a question are large."""
    session = _find(sessions, name)
    assert sessions is not None
    if sessions.take(session.id):  # what a killed run left of an answer is a part of it
        sessions.recover(session.id)
        sessions.let_go(session.id)
    rows = [row for row, _, _ in sessions.sizes(session.id)]
    for number, row in enumerate(rows, 1):
        if (kept := sessions.exchange(row)) is not None:
            yield number, kept


async def _write(runtime: Runtime, text: str) -> None:
    """On a terminal, harmless."""
    shown = sanitize(text.replace("\r\n", "\n")) if runtime.stdout_is_terminal else text
    await runtime.sink.write(shown.encode())


def _shown(kept: "Kept") -> str:
    """The question, marked line by line, and below it the answer."""
    question = "\n".join(f"> {line}".rstrip() for line in as_text(kept.exchange.question).splitlines())
    answer = kept.exchange.answer.rstrip("\n")
    ending = _ENDINGS.get(kept.state, "")
    return "\n".join([question, "", *filter(None, [answer, ending])]) + "\n"


def _as_markdown(kept: "Kept") -> str:
    ending = _ENDINGS.get(kept.state, "")
    return as_markdown(kept.exchange, f"You, {when(kept.created)}", one_line(kept.model), ending)


def _fields(session: str, number: int, kept: "Kept") -> dict[str, Any]:
    """`content` is there where a question has files: as the API takes it."""
    question = kept.exchange.question
    return {
        "session": session,
        "exchange": number,
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(kept.created)),
        "model": kept.model,
        "question": as_text(question),
        "attachments": names_of(question),
        **({} if isinstance(question, str) else {"content": as_json(question)}),
        "answer": kept.exchange.answer,
        "cut": kept.exchange.is_cut,
        "refused": kept.exchange.is_refused,
    }


def _named(names: Sequence[str]) -> str:
    return ", ".join(map(one_line, names))


def _table(summaries: "Sequence[SessionSummary]", width: int) -> Iterator[str]:
    rows = [
        (one_line(summary.name, _NAME), when(summary.used), str(summary.exchanges), one_line(summary.model, _NAME))
        for summary in summaries
    ]
    name, _, count, model = (max(map(most_columns, column)) for column in zip(*rows, strict=True)) if rows else [0] * 4
    for row, summary in zip(rows, summaries, strict=True):
        line = f"{padded(row[0], name)}  {row[1]}  {row[2]:>{count}}  {padded(row[3], model)}  "
        yield beginning(line, summary.beginning, width)
