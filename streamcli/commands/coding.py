"""Code that is whole and valid, or not there: what an answer gives is checked, and sent back with what is wrong."""

import asyncio
import os
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from streamcli.commands.answer import OpenOutlet, build_request
from streamcli.commands.asking import Ask
from streamcli.commands.held import HeldAnswer, Telling
from streamcli.commands.journal import Page
from streamcli.config import GenSettings
from streamcli.core import languages
from streamcli.core.annotate import github_error
from streamcli.core.fences import Extractor, Spool
from streamcli.core.models import MAX_MESSAGE_BYTES
from streamcli.core.prompt import SYSTEM_PROMPTS, Request
from streamcli.core.validate import NoValidator, validate
from streamcli.edge.checks import check_command, run_check
from streamcli.edge.secrets import mask
from streamcli.edge.spool import DiskSpool
from streamcli.errors import InputError, InvalidCode, StreamcliError, UsageError
from streamcli.store.files import Candidate, Target

# Characters of a check's output that go back to the model: its end says what failed.
MAX_FEEDBACK = 8000
# Seconds that a parser may take; code that takes longer is not checked.
LONGEST_VALIDATION = 5.0
# Characters of streamed code that are held for validation; larger code is not checked.
MAX_WATCHED = 5_000_000


@dataclass(frozen=True)
class Task:
    """What is to be written. `name` is the file's, for its language and for messages; both are None for stdout."""

    message: str
    system: str | None
    target: Target | None = None
    name: str | None = None
    unless_kept: StreamcliError | None = None
    """Raised instead of a request: only an answer that an earlier run has kept is wanted."""


class Coder:
    """Asks for code until it is valid. Made once a run; raises UsageError for options that make no sense."""

    def __init__(self, settings: GenSettings) -> None:
        self._settings = settings
        self._lang = _known(settings.lang) if settings.lang else None
        self._unchecked: set[str] = set()  # languages of which it is said already
        if settings.check:
            check_command(settings.check, shell=settings.check_shell)
        if settings.raw and (settings.block != "first" or settings.check or settings.lang):
            raise UsageError("--raw passes the answer through: --block, --lang and --check make no sense with it")

    def system(self, task: Task) -> str:
        """The system prompt: the user's own, or ours with what is known of the file."""
        if task.system is not None:
            return task.system
        about = [f" The file's name is {Path(task.name).name}."] if task.name else []
        language = self._language(task.name, "")
        about += [f" The language is {languages.title_of(language)}."] if language else []
        return SYSTEM_PROMPTS["gen"] + "".join(about)

    def make_filter(self, name: str | None, spool: Callable[[], Spool] | None = None) -> Callable[[], Extractor] | None:
        """Makes what lets the code through; None with --raw."""
        if self._settings.raw:
            return None
        block = self._settings.block
        language = self._language(name, "") if block == "first" else None
        words = languages.words_of(language) if language else frozenset()
        return lambda: Extractor(block, language=words, spool=spool() if spool else None)

    async def write(
        self, ask: Ask, task: Task, notes: Telling, begin: Callable[[HeldAnswer], None] | None = None
    ) -> str:
        """The code, valid and checked. Raises InvalidCode where the last attempt gave none; StreamcliError.

        `begin` is told of each answer that is asked for.
        """
        request = build_request(self._settings, self.system(task), task.message)
        limit = self._settings.attempt_limit
        for attempt in range(1, limit + 1):
            held = HeldAnswer(self.make_filter(task.name), task.unless_kept)
            if begin is not None:
                begin(held)
            await ask(request, _into(held), lambda: True, notes)
            if not self._settings.asks:
                return ""
            try:
                return await self._approved(held, task, notes)
            except _Refused as refused:
                held.forget()
                if attempt == limit:
                    self._annotate(refused.error, task, notes)
                    raise refused.error from None
                notes.notice(f"{refused.error.message}: asked again, attempt {attempt + 1} of {limit}")
                request = _with_correction(request, held.answer, refused.feedback)
        raise AssertionError("there is at least one attempt")

    async def check_streamed(self, code: str, notes: Telling) -> None:
        """What can be said of code that is out already, if --lang says what it is. Raises InvalidCode."""
        task = Task("", None)
        if self._lang and code.strip():
            try:
                await self._validate(code, self._lang, task, notes)
            except _Refused as refused:
                self._annotate(refused.error, task, notes)
                raise refused.error from None

    async def _approved(self, held: HeldAnswer, task: Task, notes: Telling) -> str:
        code = held.text
        info = held.extractor.info if held.extractor else ""
        problem = held.extractor.problem if held.extractor else None
        if problem or not code.strip():
            what = problem or "the answer has no code in it"
            raise _Refused(InvalidCode(what), f"{what[:1].upper()}{what[1:]}.")
        if not self._settings.raw:
            await self._validate(code, self._language(task.name, info), task, notes)
        return await self._checked(code, info, task, notes) if self._settings.check else code

    def _language(self, name: str | None, info: str) -> str | None:
        """By --lang, the file's name, or the fence."""
        return self._lang or (languages.by_filename(name) if name else None) or languages.by_word(info)

    async def _validate(self, code: str, language: str | None, task: Task, notes: Telling) -> None:
        if language is None or not languages.can_validate(language):
            return
        try:
            version = f"{sys.version_info.major}.{sys.version_info.minor}"
            late_at = time.monotonic() + LONGEST_VALIDATION
            # In a thread, so that ^C and the other jobs do not wait for a parser.
            problem = await asyncio.to_thread(
                validate, code, language, python_version=version, is_late=lambda: time.monotonic() > late_at
            )
        except NoValidator as lacking:
            if language not in self._unchecked:
                self._unchecked.add(language)
                hint = f" ({lacking.hint})" if lacking.hint else ""
                notes.notice(f"the code is not checked: {lacking.message}{hint}")
            return
        if problem is None:
            return
        place = ":".join(str(part) for part in (task.name or "the code", problem.line, problem.column) if part)
        shown = f": {problem.shown.strip()}" if problem.shown else ""
        error = InvalidCode(f"{place}: {problem.message}{shown}", line=problem.line, column=problem.column)
        raise _Refused(error, f"The code is not valid: {place}: {problem.message}\n\n{problem.shown or ''}")

    async def _checked(self, code: str, info: str, task: Task, notes: Telling) -> str:
        """What passed --check: a check may mend the code, as `ruff check --fix {}` does."""
        settings = self._settings
        assert settings.check
        data = code.encode()
        with self._candidate(data, task, info) as path:
            is_program = settings.check.lstrip().startswith("{}")
            if is_program:
                path.chmod(0o700)
            try:
                result = await run_check(
                    settings.check, path, shell=settings.check_shell, time_limit=settings.check_timeout
                )
            except UsageError as failure:
                if not is_program:
                    raise
                error = InvalidCode("the code cannot be run: does its first line say by what?")
                raise _Refused(error, "The file is run as a program, and cannot be: it needs a shebang.") from failure
            output = result.output.replace(str(path), path.name)
            left = _read_left(path) if result.passed else None
        if left is not None:
            if left == code:
                return left
            if left.strip():
                await self._validate(left, self._language(task.name, info), task, notes)
                notes.notice("--check changed the code: what passed is what is taken")
                return left
        if result.passed:
            error = InvalidCode(f"--check: {settings.check} passed, but left no text where the code was")
            raise _Refused(error, f"The command `{settings.check}` left no text in the file.")
        if output.strip():
            notes.passage(output)
        how = f"took more than {settings.check_timeout:g} s" if result.timed_out else f"ended with {result.status}"
        error = InvalidCode(f"the code did not pass --check: {settings.check} {how}")
        shown = mask(output[-MAX_FEEDBACK:])  # a check that looks for the keys is not to hand them on
        feedback = f"The command `{settings.check}` {how} on it. Its output:\n\n{shown}"
        raise _Refused(error, feedback)

    def _candidate(self, data: bytes, task: Task, info: str) -> Candidate:
        if task.target is not None:
            return task.target.candidate(data)
        language = self._language(task.name, info)
        return Candidate(data, f"candidate{languages.extension_of(language) if language else ''}")

    def _annotate(self, error: InvalidCode, task: Task, notes: Telling) -> None:
        if self._settings.annotate == "github":
            notes.command(github_error(error.message, task.name, error.line, error.column))


class _Refused(Exception):
    """The code is not good enough: `error` for the user, `feedback` for the model."""

    def __init__(self, error: InvalidCode, feedback: str) -> None:
        super().__init__(error.message)
        self.error = error
        self.feedback = feedback


class WatchedCode:
    """A filter of core's shape: an Extractor whose code is looked at when it is out. Raises nothing of its own."""

    def __init__(self, extractor: Extractor) -> None:
        self._extractor = extractor
        self._texts: list[str] = []
        self._size = 0

    @property
    def code(self) -> str | None:
        """All of it; None where it is too large to be held."""
        return "".join(self._texts) if self._size <= MAX_WATCHED else None

    @property
    def problem(self) -> str | None:
        return self._extractor.problem

    def feed(self, text: str, now: float) -> list[str]:
        return self._watch(self._extractor.feed(text, now))

    def deadline(self) -> float | None:
        return self._extractor.deadline()

    def flush(self) -> list[str]:
        return self._watch(self._extractor.flush())

    def rest(self) -> Iterator[str]:
        for text in self._extractor.rest():
            yield from self._watch([text])

    def abort(self) -> None:
        self._extractor.abort()

    def _watch(self, texts: list[str]) -> list[str]:
        for text in texts:
            self._size += len(text)
            if self._size <= MAX_WATCHED:
                self._texts.append(text)
            else:
                self._texts.clear()
        return texts


def _read_left(path: Path) -> str | None:
    """What a check has left of the candidate; None if that is no text any more, or no file: it may run the code."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
        with open(fd, "rb") as file:
            data = file.read(MAX_MESSAGE_BYTES + 1) if stat.S_ISREG(os.fstat(fd).st_mode) else b"\xff"
        return data.decode() if len(data) <= MAX_MESSAGE_BYTES else None
    except (OSError, UnicodeDecodeError):
        return None


def _into(held: HeldAnswer) -> OpenOutlet:
    def open_outlet(page: Page) -> HeldAnswer:
        held.page = page
        return held

    return open_outlet


def disk_spool() -> Spool:
    """Where text waits that may be much."""
    return DiskSpool()


def with_file(text: str, name: str, message: str) -> str:
    """The message with the file that is to be changed before it."""
    end = "" if text.endswith("\n") else "\n"
    return f'<file name="{name}">\n{text}{end}</file>\n\n{message}'


def _with_correction(request: Request, answer: str, feedback: str) -> Request:
    """The same conversation, with the answer and what is wrong with it."""
    said = answer.strip() or "(nothing)"
    again = f"{feedback}\n\nAnswer with the whole corrected file, in one fenced code block."
    return replace(request, messages=(*request.messages, ("assistant", said), ("user", again)))


def _known(name: str) -> str:
    """Raises UsageError for a language that is not known."""
    language = languages.by_word(name)
    if language is None:
        raise UsageError(f"--lang: {name} is no language that is known", f"known: {', '.join(sorted(languages.NAMES))}")
    return language


def old_text(target: Target, name: str, *, must_be: bool) -> str | None:
    """The file's present text. Raises InputError where it must be there, as UTF-8, and is not."""
    data = target.old_text()
    if data is None:
        if must_be:
            raise InputError(f"there is no {name} to edit")
        return None
    with suppress(UnicodeDecodeError):
        return data.decode()
    if must_be:
        raise InputError(f"{name} is no text in UTF-8")
    return None
