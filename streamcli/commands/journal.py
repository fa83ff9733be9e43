"""What an answer leaves on disk while it is being written: nothing received is lost, whatever ends this process.

The journal is a help, never a condition: where it cannot be kept, that is said once, and the answer goes on. Only a
conversation that is in the same file needs it.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from streamcli.core.events import Stop, Usage
from streamcli.edge.notes import Notes
from streamcli.errors import StreamBroken

if TYPE_CHECKING:
    from streamcli.store.answers import Answers
    from streamcli.store.entries import Entry
    from streamcli.store.sessions import Sessions

T = TypeVar("T")


@dataclass(frozen=True)
class Keeping:
    """What is kept, of complete answers (`cache`: for good; `of_run`: until the run is done), and how much of it."""

    cache: bool
    of_run: bool
    max_bytes: int
    max_age: float


class Journal:
    """The journal of one run. Made at once, opened in the background."""

    def __init__(self, notes: Notes, keeping: Keeping, *, is_needed: bool = False) -> None:
        """`is_needed` says that somebody will ask for `sessions`, who says it himself where there are none."""
        self._notes = notes
        self.keeping = keeping
        self._answers: Answers | None = None
        self._sessions: Sessions | None = None
        self._is_needed = is_needed
        self._failure: Exception | None = None
        self.is_kept = True
        """Whether answers are written down, as far as is known."""
        self._opened = asyncio.create_task(self._open())

    async def ready(self) -> None:
        """Waits until it is open, or known not to be."""
        await asyncio.shield(self._opened)

    def page(self, key: str, verb: str, model: str) -> "Page":
        """Where one answer is written down."""
        return Page(self, key, verb, model)

    def sessions(self) -> "Sessions":
        """The conversations in the same file; from now on the file stays open. Raises StoreError."""
        from streamcli.store.database import StoreError

        if self._sessions is None:
            if self._answers is None:
                raise StoreError(str(self._failure or "it is closed"))
            self._sessions = self._answers.sessions()
        return self._sessions

    def close(self, *, done: bool) -> None:
        """The run is over; `done` says that nothing of it is left to do, so what was kept for that can go."""
        self._opened.cancel()
        if self._answers is None:
            return
        answers = self._answers
        if done:
            self.attempt(lambda _: answers.forget_run())
        self.attempt(lambda _: answers.evict(self.keeping.max_bytes, self.keeping.max_age))
        answers.close()
        self._answers = None

    def attempt(self, action: "Callable[[Answers], T]") -> T | None:
        """What `action` gives; None where the journal cannot be used, or cannot any more."""
        from streamcli.store.database import StoreError

        if self._answers is None:
            return None
        try:
            return action(self._answers)
        except StoreError as error:
            if self._sessions is None:
                self._answers.close()
            self._answers = None
            self._is_needed = False  # but for the journal itself
            self._say(error)
            return None

    async def _open(self) -> None:
        try:
            self._answers = await asyncio.to_thread(self._open_and_tidy)
        except ImportError as error:  # a Python without SQLite
            self._say(error)

    def _open_and_tidy(self) -> "Answers | None":
        """In a thread of its own: what is left of earlier runs may be much."""
        from streamcli.store.answers import Answers
        from streamcli.store.database import PATIENCE, StoreError

        try:
            answers = Answers(patience=PATIENCE if self._is_needed else None)
            try:
                answers.evict(self.keeping.max_bytes, self.keeping.max_age)
                answers.positions().forget(self.keeping.max_age)
                answers.tidy()
            except StoreError:
                if not self._is_needed:  # for a conversation the file may be good enough
                    answers.close()
                    raise
        except StoreError as error:
            self._say(error)
            return None
        return answers

    def _say(self, error: Exception) -> None:
        self.is_kept = False
        self._failure = error
        if self._is_needed:
            return
        self._notes.notice(f"answers cannot be kept on disk, so an interrupted one will be lost: {error}")


class Page:
    """One answer in the journal. Text is held until `commit`, which comes before any of it is shown."""

    def __init__(self, journal: Journal, key: str, verb: str, model: str) -> None:
        self._journal = journal
        self.key = key
        """That of the request, in the journal."""
        self._begin = (key, verb, model)
        self._entry: Entry | None = None
        self._held: list[str] = []
        self.held = 0
        """Characters that were added and not committed."""

    def finished(self) -> "Entry | None":
        """A complete answer to the same request, of a run that was interrupted."""
        return self._journal.attempt(lambda answers: answers.finished(self.key))

    def cached(self) -> "Entry | None":
        """A complete answer to the same request that --cache has kept."""
        return self._journal.attempt(lambda answers: answers.cached(self.key))

    def partial(self) -> "Entry | None":
        """One that an earlier run left unfinished, if there is one; it is continued on this page."""
        self._entry = self._journal.attempt(lambda answers: answers.partial(self.key))
        return self._entry

    def texts(self, entry: "Entry") -> Iterator[str]:
        """The text of an answer. Raises StreamBroken where it is complete and cannot be read on after a beginning."""
        pieces = entry.text()
        missing = entry.size
        while (piece := self._journal.attempt(lambda _: next(pieces, None))) is not None:
            missing -= len(piece.encode())
            yield piece
        if 0 < missing < entry.size and entry.stop is not None:
            raise StreamBroken("the answer that was kept cannot be read to its end", "run it without --cache, --resume")

    def adopt(self, entry: "Entry") -> None:
        """An earlier run's answer is this run's now: it goes when that is done, unless it is kept for good."""
        self._journal.attempt(lambda _: entry.adopt(cached=self._journal.keeping.cache))

    def show(self, entry: "Entry") -> None:
        """The page is that of an answer that is there already."""
        self._entry = entry

    def add(self, text: str) -> None:
        """More of the answer."""
        self._held.append(text)
        self.held += len(text)

    def commit(self) -> None:
        """What was added is on disk from now on."""
        if not self._held:
            return
        text = "".join(self._held)
        self._let_go()
        self._journal.attempt(lambda answers: self._append(answers, text))

    def restart(self) -> None:
        """What there is of it is void: it begins anew."""
        self.discard()
        self._entry = None

    def finish(self, stop: Stop, usage: Usage) -> None:
        """The answer is complete and acceptable: from now on it can be given again as such."""
        self.commit()
        if (entry := self._entry) is not None:
            self._journal.attempt(lambda _: entry.finish(stop, usage, cached=self._journal.keeping.cache))

    def settle(self) -> None:
        """All of it was shown: it stays if that was asked for, else nothing of it does."""
        keeping = self._journal.keeping
        if not (keeping.cache or keeping.of_run):
            self.discard()

    def discard(self) -> None:
        """Nothing of it is to stay."""
        self._let_go()
        if (entry := self._entry) is not None:
            self._journal.attempt(lambda _: entry.remove())

    def leave(self, *, shown: bool) -> bool:
        """It is not complete: what there is stays, to be resumed, unless nothing of it was shown. Whether any does."""
        if not shown:
            self.discard()
            return False
        self.commit()
        if (entry := self._entry) is None:
            return False
        return self._journal.attempt(lambda _: entry.release() or True) is not None

    def _let_go(self) -> None:
        self._held.clear()
        self.held = 0

    def _append(self, answers: "Answers", text: str) -> None:
        if self._entry is None:
            self._entry = answers.begin(*self._begin)
        self._entry.append(text)
