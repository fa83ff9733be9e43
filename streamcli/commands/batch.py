"""--each: every record of stdin is a prompt of its own, several are asked at once, and each gives one result.

A result is held until its answer is complete: so a broken answer begins anew instead of being spliced, and what is on
stdout is whole lines. Memory is bounded: records are read as places become free, and of the results that wait for an
earlier one there are never more than AHEAD times --jobs.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from streamcli.commands.answer import build_request
from streamcli.commands.asking import Ask, asking
from streamcli.commands.held import Course, HeldAnswer, RecordNotes
from streamcli.commands.message import check_size, read_system, remind_of_silence
from streamcli.commands.runtime import Runtime
from streamcli.commands.stages import Staging
from streamcli.config import MessageSettings
from streamcli.core.attachments import with_attachments
from streamcli.core.content import Block
from streamcli.core.formats import Result, result_as_json, result_as_text
from streamcli.core.models import is_embedded
from streamcli.core.order import Reorder
from streamcli.core.prompt import compose, sendable
from streamcli.core.records import Form, Prompt, Record, RecordSplitter, read_record
from streamcli.edge.progress import CountBar
from streamcli.edge.signals import DeathBySignal
from streamcli.errors import BudgetSpent, ConfigError, KeyRefused, StreamcliError, UsageError, worst_status

# Records that may be begun before the oldest of them is written, as a multiple of --jobs.
AHEAD = 4


@dataclass
class Job:
    """One record on its way to its result."""

    prompt: Prompt
    message: str
    system: str | None
    notes: RecordNotes
    course: Course = field(default_factory=Course)


Work = Callable[[Ask, Job], Awaitable[None]]
"""Does what a record asks for, and keeps its job up to date. Raises StreamcliError."""


async def answer_each(
    runtime: Runtime, settings: MessageSettings, work: Work | None = None, attached: Sequence[Block] = ()
) -> int:
    """Asks for each record with what is `attached`, or does `work` for it; the status is that of the worst."""
    if not settings.read_stdin or runtime.stdin_is_terminal:
        raise UsageError("--each reads records from standard input", f"streamcli {settings.verb} --each lines < FILE")
    # The embedded server answers one at a time, and what only looks at requests has nothing to wait for.
    jobs = 1 if is_embedded(settings.model) or not settings.asks else settings.jobs
    batch = Batch(runtime, settings, jobs, work or _ask(settings, attached))
    async with asking(runtime, settings, many=True, jobs=jobs, keeps_answers=True) as asked:
        try:
            batch.keeps = asked.keeps
            with batch.bar:
                await batch.run(await asked.ready)
        except asyncio.CancelledError:
            if isinstance(runtime.ending, DeathBySignal) and not runtime.ending.is_broken_pipe() and settings.asks:
                runtime.notes.notice(f"interrupted after {batch.bar.done} answers{batch.go_on()}")
            raise
        asked.all_is_done = batch.is_done
    batch.sum_up()
    return worst_status(batch.statuses)


def _ask(settings: MessageSettings, attached: Sequence[Block]) -> Work:
    async def ask_once(ask: Ask, job: Job) -> None:
        message = with_attachments(attached, job.message)
        check_size(message)
        await ask(build_request(settings, job.system, message), lambda _: job.course.held, lambda: True, job.notes)

    return ask_once


class Batch:
    """The run: records in, results out."""

    def __init__(self, runtime: Runtime, settings: MessageSettings, jobs: int, work: Work) -> None:
        self._runtime = runtime
        self._settings = settings
        self._work = work
        self._form: Form = settings.each or "lines"
        self._system = read_system(settings)
        self._prompt = sendable(settings.prompt)
        self._places = asyncio.Semaphore(jobs)
        self._ahead = asyncio.Semaphore(AHEAD * jobs)
        self._staging = Staging(runtime, settings)
        self._order: Reorder[bytes] = Reorder(as_they_come=settings.unordered)
        self._stop = asyncio.Event()
        self._failure: StreamcliError | None = None
        self.bar = CountBar(runtime.notes, hidden=runtime.stdout_is_terminal)
        self.keeps: Callable[[], bool] = lambda: False
        self.statuses: set[int] = set()

    @property
    def is_done(self) -> bool:
        """Whether every record has its complete answer."""
        return self.statuses <= {0} and self._failure is None

    async def run(self, ask: Ask) -> None:
        """Until the last result is written."""
        try:
            async with asyncio.TaskGroup() as group, aclosing(self._records()) as records:
                position = 0
                async for record in records:
                    await self._places.acquire()
                    await self._ahead.acquire()
                    if self._stop.is_set():
                        break
                    self.bar.begun()
                    group.create_task(self._one(ask, position, record))
                    position += 1
        except BaseExceptionGroup as errors:  # a bug of ours: one report is enough
            raise errors.exceptions[0] from errors

    def sum_up(self) -> None:
        """Says what is left, if anything is."""
        notes = self._runtime.notes
        if self._failure is not None:
            self.statuses.add(self._failure.status)
            notes.error(self._failure)
        if not self.is_done and self._settings.asks:
            failed = [f"{self.bar.failed} of {self.bar.count} answers failed"] if self.bar.failed else []
            unread = ["not all records were read"] if self._stop.is_set() or self._failure else []
            notes.notice("; ".join(failed + unread) + self.go_on())

    def go_on(self) -> str:
        return ": run the same with --resume to ask only for what is missing" if self.keeps() else ""

    async def _records(self) -> AsyncGenerator[Record, None]:
        splitter = RecordSplitter(self._form)
        remind = remind_of_silence(self._runtime)
        try:
            while chunk := await self._chunk():
                remind.cancel()
                for record in splitter.feed(chunk, 0.0):
                    yield record
        except StreamcliError as error:
            self._failure = error
        finally:
            remind.cancel()
        if not self._stop.is_set():
            for record in splitter.flush():
                yield record
        self.bar.all_are_read()

    async def _chunk(self) -> bytes:
        """More of stdin; b"" at its end, and when no more is wanted."""
        read = asyncio.create_task(self._runtime.stdin.read())
        stop = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({read, stop}, return_when=asyncio.FIRST_COMPLETED)
            return b"" if self._stop.is_set() else await read
        finally:
            read.cancel()
            stop.cancel()

    async def _one(self, ask: Ask, position: int, record: Record) -> None:
        try:
            result = await self._result(ask, record)
            self.bar.ended(failed=result.status != 0)
            for due in self._order.put(position, self._rendered(result)):
                self._runtime.sink.push(due)
                self._ahead.release()
            await self._runtime.sink.write(b"")  # a slow reader keeps the place
        finally:
            self._places.release()

    async def _result(self, ask: Ask, record: Record) -> Result:
        notes = RecordNotes(self._runtime.notes, record.number)
        job: Job | None = None
        error: StreamcliError | None = None
        try:
            job = self._job(record, notes)
            check_size(job.message)
            await self._work(ask, job)
        except StreamcliError as failure:
            error = failure
        whole = self._staging.whole(job.course.given if job else "")
        error = error or whole.failure
        if error is not None:
            notes.error(error)
            self._consider(error)
        self.statuses.add(error.status if error else 0)
        if job is None:
            return HeldAnswer().result(record.number, None, error)
        if self._staging.form != "json":
            for remark in whole.remarks:
                notes.notice(remark.text)
        result = job.course.result(record.number, job.prompt.id, job.prompt.output, error)
        return replace(result, text=whole.text, remarks=tuple(whole.remarks))

    def _job(self, record: Record, notes: RecordNotes) -> Job:
        prompt = read_record(record, self._form)
        system = self._system if prompt.system is None else prompt.system
        return Job(prompt, compose(prompt.text, self._prompt), system, notes)

    def _consider(self, error: StreamcliError) -> None:
        """One failure stops nothing; but without a key or a budget nobody is asked any more."""
        if isinstance(error, BudgetSpent) or (isinstance(error, KeyRefused | ConfigError) and 0 not in self.statuses):
            self._stop.set()

    def _rendered(self, result: Result) -> bytes:
        if not self._settings.asks:
            return b""  # the request, or its size, is out already
        if self._staging.form == "json":
            return result_as_json(result, ascii_only=self._runtime.stdout_is_terminal)
        return result_as_text(result.text if result.stop_reason is not None or not result.status else "")  # or a half
