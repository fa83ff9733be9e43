"""Blocking reads for a loop: one daemon thread, which does nothing that was not asked for."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

# What one demand for input gives at most. A batch of the shortest lines is split within some 10 ms, so that ^C and the
# network never wait longer.
MAX_BATCH_BYTES = 256 * 1024


class OnDemand(Generic[T]):
    """`next` gives what `produce` returns or raises, which is called in the thread. Not for concurrent callers.

    The thread is called `name`, begins with the first demand, and after `close` calls `at_end` as its last act. Whoever
    waits then gets what `produce` gives, which should do so at once.
    """

    def __init__(self, name: str, produce: Callable[[], T], at_end: Callable[[], None] = lambda: None) -> None:
        self._name = name
        self._produce = produce
        self._at_end = at_end
        self._loop: asyncio.AbstractEventLoop | None = None
        self._demand = threading.Semaphore(0)
        self._pending: asyncio.Future[T] | None = None
        self._closed = threading.Event()

    async def next(self) -> T:
        """Waits; what a cancelled call had asked for, the next one gets."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            threading.Thread(target=self._run, name=self._name, daemon=True).start()
        if self._pending is None:
            self._pending = self._loop.create_future()
            self._demand.release()
        result = await asyncio.shield(self._pending)
        self._pending = None
        return result

    def tell(self, function: Callable[..., None], *values: object) -> None:
        """Calls `function` in the loop's thread; at once where there is none yet."""
        if self._loop is None:
            function(*values)
            return
        with contextlib.suppress(RuntimeError):  # the loop is closed: the run is over
            self._loop.call_soon_threadsafe(function, *values)

    def close(self) -> None:
        """No more is asked for; does not wait for the thread. May be called again."""
        self._closed.set()
        self._demand.release()
        if self._loop is None:
            self._at_end()

    def _run(self) -> None:
        while not self._closed.is_set():
            self._demand.acquire()
            try:
                self.tell(self._deliver, self._produce())
            except Exception as error:  # whoever waits must hear of it
                self.tell(self._fail, error)
        self._at_end()

    def _deliver(self, result: T) -> None:
        if self._pending is not None and not self._pending.done():
            self._pending.set_result(result)

    def _fail(self, error: Exception) -> None:
        if self._pending is not None and not self._pending.done():
            self._pending.set_exception(error)
