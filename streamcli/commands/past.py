"""What was typed in earlier conversations, for the arrow keys: a help, never a condition."""

import asyncio
from typing import TYPE_CHECKING

from streamcli.core.slash import is_remembered
from streamcli.edge.notes import Notes

if TYPE_CHECKING:
    from streamcli.store.typed import Typed


class Past:
    """On disk if `is_kept`; where that cannot be, that is said once, and this run's own is in memory. Never raises."""

    def __init__(self, notes: Notes, *, is_kept: bool) -> None:
        self._notes = notes
        self._is_kept = is_kept
        self._typed: Typed | None = None

    async def entries(self) -> list[str]:
        """The oldest first. To be called once, before `add`."""
        if not self._is_kept:
            return []
        entries, failure = await asyncio.to_thread(self._load)
        self._say(failure)
        return entries

    async def add(self, text: str) -> None:
        """One more was typed."""
        if self._typed is not None and is_remembered(text):
            self._say(await asyncio.to_thread(self._add, self._typed, text))

    def _load(self) -> tuple[list[str], str | None]:
        try:
            from streamcli.store.database import StoreError
            from streamcli.store.typed import Typed
        except ImportError as error:  # a Python without SQLite
            return [], str(error)
        try:
            self._typed = Typed()
            return self._typed.entries(), None
        except StoreError as error:
            self._drop()
            return [], str(error)

    def _add(self, typed: "Typed", text: str) -> str | None:
        from streamcli.store.database import StoreError

        try:
            typed.add(text)
        except StoreError as error:
            self._drop()
            return str(error)
        return None

    def _drop(self) -> None:
        if self._typed is not None:
            self._typed.close()
            self._typed = None

    def _say(self, failure: str | None) -> None:
        if failure is not None:
            self._notes.notice(f"what is typed cannot be kept for the next conversation: {failure}")
