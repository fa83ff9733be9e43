"""Files that are followed as `tail -F` does, through rotation and truncation, without a loss in silence.

Files are read in a daemon thread, and only on demand: a file system may be slow, and a slow consumer must not make us
hold what the files hold for it. What a rotation leaves behind is still there when it is asked for: `tail | ...` with
a full pipe loses what is rotated twice.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from streamcli.core.position import Kept, Piece
from streamcli.edge.demand import MAX_BATCH_BYTES, OnDemand
from streamcli.edge.followable import distinct, make_room, position_key
from streamcli.edge.followed import FollowedLog
from streamcli.edge.wakeups import Wakeups

# What is read of one file before the others have their turn.
_TURN_BYTES = 64 * 1024
# Seconds between two looks, where nothing wakes us up: network file systems tell nothing of what others write.
POLL_SECONDS = 0.5


class Follower:
    """`read` gives what comes next in any of the files, each an input by its index. Not for concurrent readers.

    Memory is bounded by one batch. A file that is named twice is followed once: as a link, or else under its first
    index.
    """

    def __init__(
        self,
        paths: Sequence[str],
        kept: Mapping[str, Kept],
        *,
        from_start: bool,
        notice: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begins at the file's position in `kept`, by its `position_key`; else `from_start`, or with the last lines.
        `notice` is called in the loop's thread. Raises InputError for what cannot be followed.
        """
        self._notice = notice
        self._clock = clock
        self._batches = OnDemand("follow", self._wait, self._close_files)
        self._files: dict[int, FollowedLog] = {}
        for index in distinct(paths, kept):
            path, key = paths[index], position_key(paths[index])
            self._files[index] = FollowedLog(key, path, kept.get(key), from_start=from_start, say=self._say)
        make_room(len(self._files))
        self._order = deque(self._files)
        self._wake = threading.Event()
        self._closed = threading.Event()
        self._wakeups: Wakeups | None = None
        self._starting = threading.Lock()  # held where wakeups are begun: none may be begun after `close`

    async def read(self) -> list[Piece]:
        """Waits for new bytes; what a cancelled call had asked for, the next one gets. Empty only once it is closed."""
        if self._closed.is_set():
            return []
        return await self._batches.next()

    def poll(self) -> list[Piece]:
        """What is there to read, without waiting for more; not while `read` is waited for. Blocks for the files."""
        pieces: list[Piece] = []
        room = MAX_BATCH_BYTES
        now = self._clock()
        waiting = deque(self._order)
        while waiting and room:
            index = waiting.popleft()
            read = self._files[index].step(min(room, _TURN_BYTES), now)
            if read is None:
                continue
            pieces.append(Piece(index, read.data, read.end, read.restarted, read.before))
            room -= len(read.data)
            waiting.append(index)
            # Who was read last comes last, in the next call too.
            self._order.remove(index)
            self._order.append(index)
        return pieces

    def close(self) -> None:
        """Stops; does not wait for a file system. May be called again."""
        self._closed.set()
        self._wake.set()
        with self._starting:
            if self._wakeups is not None:
                self._wakeups.close()
        self._batches.close()

    def _wait(self) -> list[Piece]:
        """In the thread: the next pieces; none once it is closed."""
        while not self._closed.is_set():
            self._wake.clear()
            if pieces := self.poll():
                return pieces
            self._watch()
            self._wake.wait(POLL_SECONDS)
        return []

    def _watch(self) -> None:
        """Begins to be told of changes; where the files are may have changed itself."""
        folders = set().union(*(file.folders() for file in self._files.values()))
        with self._starting:
            if self._closed.is_set() or (self._wakeups is not None and self._wakeups.folders == folders):
                return
            if self._wakeups is not None:
                self._wakeups.close()
            self._wakeups = Wakeups(folders, self._wake.set)

    def _say(self, text: str) -> None:
        self._batches.tell(self._notice, text)

    def _close_files(self) -> None:
        for file in self._files.values():
            file.close()
