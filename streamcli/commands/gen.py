"""streamcli gen: one task, and of the answer only the code; or with --each as many as stdin has records."""

import os
from dataclasses import replace

from streamcli.commands.asking import Ask, asking
from streamcli.commands.batch import Job, Work, answer_each
from streamcli.commands.coding import Coder, Task, WatchedCode, disk_spool, old_text, with_file
from streamcli.commands.held import Course
from streamcli.commands.message import check_size, check_there_is_input, read_message, read_system
from streamcli.commands.runtime import Runtime
from streamcli.commands.single import answer_one
from streamcli.config import GenSettings
from streamcli.core.diff import unified
from streamcli.core.formats import result_as_json
from streamcli.core.prompt import sendable
from streamcli.core.sanitize import sanitize
from streamcli.edge.screen import is_dumb, takes_colour
from streamcli.errors import CannotCreate, InputError, InvalidCode, StreamcliError, UsageError
from streamcli.store.files import Target


async def run(runtime: Runtime, settings: GenSettings) -> int:
    """The code: as it comes, or whole and valid."""
    if settings.output == "-":
        settings = replace(settings, output=None)
    if settings.redact and (settings.edit or settings.force):
        raise UsageError("--redact masks what the file is to keep", "without it, the file's text goes along as it is")
    if settings.output and settings.edit:
        raise UsageError("-o and --edit name the file both")
    if settings.each:
        if settings.output or settings.edit or settings.diff:
            raise UsageError("with --each, the records say where the code goes", '{"prompt": "...", "output": "FILE"}')
        return await answer_each(runtime, settings, _work(settings))
    if settings.diff and not (settings.output or settings.edit):
        raise UsageError("--diff compares with a file: -o FILE or --edit FILE")
    if settings.diff and settings.format == "json":
        raise UsageError("--diff writes a diff to standard output: -f json makes no sense with it")
    # With --diff, --dry-run means the file: the request is made, for there is no diff without it.
    writes = not settings.dry_run
    settings = replace(settings, dry_run=settings.dry_run and not settings.diff)
    coder = Coder(settings)
    if settings.is_held:
        return await _write_one(runtime, settings, coder, writes=writes)
    return await _stream_one(runtime, settings, coder)


async def _stream_one(runtime: Runtime, settings: GenSettings, coder: Coder) -> int:
    """The code as it comes; what is wrong with it can only be said."""
    make_filter = coder.make_filter(None, disk_spool)
    if make_filter is None:
        return await answer_one(runtime, settings)
    watched: list[WatchedCode] = []

    def make() -> WatchedCode:
        watched[:] = [WatchedCode(make_filter())]
        return watched[0]

    async def check() -> None:
        if watched[0].problem:
            raise InvalidCode(watched[0].problem)
        if watched[0].code is None:
            runtime.notes.notice("the code is not checked: it is too large")
        await coder.check_streamed(watched[0].code or "", runtime.notes)

    return await answer_one(runtime, settings, make, coder.system(Task("", read_system(settings))), check)


async def _write_one(runtime: Runtime, settings: GenSettings, coder: Coder, *, writes: bool) -> int:
    """The code once it is valid, into the file or onto stdout."""
    file = settings.edit or settings.output
    name = sendable(file) if file else None
    target = Target(file, force=settings.force or bool(settings.edit), parents=settings.parents) if file else None
    old = None
    if target is not None and name is not None:
        target.check()
        if settings.force or settings.edit or settings.diff:
            old = old_text(target, name, must_be=bool(settings.edit))
    check_there_is_input(runtime, settings)
    system = read_system(settings)
    async with asking(runtime, settings, many=settings.attempt_limit > 1) as asked:
        message = await asked.unless_it_fails(read_message(runtime, settings))
        if old is not None and name is not None:
            message = with_file(old, os.path.basename(name), message)
            check_size(message)
        ask = await asked.ready
        course = Course()
        try:
            code = await coder.write(ask, Task(message, system, target, name), runtime.notes, course.begin)
            if settings.asks:
                await _hand_over(runtime, settings, code, target, old, name, writes=writes)
        except StreamcliError as error:
            await _tell(runtime, settings, course, name, error)
            raise
        course.text = code
        await _tell(runtime, settings, course, name, None)
        asked.all_is_done = True
    return 0


async def _hand_over(
    runtime: Runtime,
    settings: GenSettings,
    code: str,
    target: Target | None,
    old: str | None,
    name: str | None,
    *,
    writes: bool,
) -> None:
    if target is None or name is None:
        if settings.format != "json":
            text = sanitize(code) if runtime.stdout_is_terminal else code
            end = "\n" if runtime.stdout_is_terminal and not text.endswith("\n") else ""
            await runtime.sink.write((text + end).encode())
        return
    if settings.diff and not await _is_wanted(runtime, settings, code, old, name, writes=writes):
        return
    target.commit(code.encode())
    runtime.notes.detail(f"{name}: {len(code.encode())} bytes written")


async def _tell(
    runtime: Runtime, settings: GenSettings, course: Course, name: str | None, error: StreamcliError | None
) -> None:
    """With -f json: what became of it."""
    if settings.format == "json" and settings.asks:
        result = course.result(1, None, name, error)
        await runtime.sink.write(result_as_json(result, ascii_only=runtime.stdout_is_terminal))


async def _is_wanted(
    runtime: Runtime, settings: GenSettings, code: str, old: str | None, name: str, *, writes: bool
) -> bool:
    """Shows what would change; asks where somebody can answer."""
    colour = takes_colour(settings.color, asked_for=runtime.stdout_is_terminal and not is_dumb())
    lines = unified(old, code, name, colour=colour)
    await runtime.sink.write("".join(lines).encode())
    await runtime.sink.drain()
    if not lines:
        runtime.notes.notice(f"{name}: nothing changes")
        return False
    if not writes:
        return False
    if not (runtime.stdin_is_terminal and runtime.notes.on_terminal()):
        return True
    runtime.notes.ask(f"Write {name}? [y/N] ")
    if (await runtime.stdin.read()).strip().lower() in (b"y", b"yes"):
        return True
    runtime.notes.requested(f"{name} is left as it is")
    return False


def _work(settings: GenSettings) -> Work:
    """What --each does: a record's code, into its "output" if it has one."""
    coder = Coder(settings)
    claimed: set[str] = set()

    async def write(ask: Ask, job: Job) -> None:
        file = job.prompt.output
        if not file:
            job.course.text = await coder.write(ask, Task(job.message, job.system), job.notes, job.course.begin)
            return
        name = sendable(file)
        _claim(file, claimed)
        target = Target(file, force=settings.force, parents=settings.parents)
        there = _present(target) if settings.resume and not settings.force else None
        if there is None:
            target.check()
        message = job.message
        if settings.force and (old := old_text(target, name, must_be=False)) is not None:
            message = with_file(old, os.path.basename(name), message)
            check_size(message)
        # Of a file that is there already, only the run that wrote it can know that it is right.
        task = Task(message, job.system, target, name, target.exists() if there is not None else None)
        code = job.course.text = await coder.write(ask, task, job.notes, job.course.begin)
        if not settings.asks or code.encode() == there:
            return
        if there is not None:
            raise target.exists()
        target.commit(code.encode())

    return write


def _claim(file: str, claimed: set[str]) -> None:
    """Raises CannotCreate for a file that another record of the run has."""
    real = os.path.realpath(file) if "\0" not in file else file
    if real in claimed:
        raise CannotCreate(f"{sendable(file)} is another record's output too")
    claimed.add(real)


def _present(target: Target) -> bytes | None:
    """What the file holds, None if it is not there. Raises CannotCreate if it cannot be what this would write."""
    try:
        return target.old_text()
    except InputError as error:
        raise target.exists() from error
