"""Being told by the system that something happens in a folder, where it can tell: it only shortens a wait."""

import contextlib
import threading
from collections.abc import Callable, Collection

# Milliseconds between two looks of the library at what the system told it, and the most that it gathers: a thread
# that wakes up so often costs no more than a poll of some files.
_STEP_MS = 50
# Seconds to wait for the thread's end. One that is in the library's code when the interpreter ends would abort it.
_PATIENCE = 1.0


class Wakeups:
    """Calls `wake`, in a thread of its own, after anything happened in the folders. Never raises."""

    def __init__(self, folders: Collection[str], wake: Callable[[], None]) -> None:
        self.folders = frozenset(folders)
        self._wake = wake
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """May be called again."""
        self._stop.set()
        self._thread.join(_PATIENCE)

    def _run(self) -> None:
        # The import, a folder that is gone, too many watches of this user: whatever it is, polling does without.
        with contextlib.suppress(Exception):
            from watchfiles import watch

            for _ in watch(
                *sorted(self.folders),
                watch_filter=None,
                debounce=_STEP_MS,
                step=_STEP_MS,
                stop_event=self._stop,
                rust_timeout=60_000,
                recursive=False,
            ):
                self._wake()
