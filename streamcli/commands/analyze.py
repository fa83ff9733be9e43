"""streamcli analyze: windows of a live stream, and an answer to each while the stream goes on."""

import asyncio
import re
from typing import TYPE_CHECKING

from streamcli.commands.analysis import Analysis
from streamcli.commands.asking import asking
from streamcli.commands.chronicle import Chronicle
from streamcli.commands.masking import telling_redactor
from streamcli.commands.runtime import Runtime
from streamcli.commands.watch import Piece, Watch
from streamcli.config import AnalyzeSettings
from streamcli.core.intake import Intake
from streamcli.core.window import CHARS_PER_TOKEN, WindowPolicy
from streamcli.edge.signals import DeathBySignal
from streamcli.errors import CannotCreate, OutputError, UsageError, worst_status

if TYPE_CHECKING:
    from streamcli.core.redact import Redactor


async def run(runtime: Runtime, settings: AnalyzeSettings) -> int:
    """Answers window by window; the status is that of the worst."""
    _check(runtime, settings)
    if not settings.redact:
        return await _run(runtime, settings, None)
    with telling_redactor(runtime, settings.redact_rules, pii=settings.pii) as redactor:
        return await _run(runtime, settings, redactor)


async def _run(runtime: Runtime, settings: AnalyzeSettings, redactor: "Redactor | None") -> int:
    watch = _watch(runtime, settings, redactor)
    chronicle = Chronicle(runtime, settings, watch, redactor.counts if redactor is not None else {})
    pseudonyms = redactor.pseudonyms if redactor is not None and settings.pii else None
    try:
        async with watch.reading(), asking(runtime, settings, redactor, many=True, jobs=settings.jobs) as asked:
            # Flat-out reading would starve the import that the first answer waits for.
            asked.imported.add_done_callback(lambda _: watch.may_cut.set())
            if await asked.unless_it_fails(watch.has_lines()):
                await Analysis(runtime, settings, watch, chronicle, pseudonyms).run(asked)
    except asyncio.CancelledError:
        if isinstance(runtime.ending, DeathBySignal) and not runtime.ending.is_broken_pipe():
            chronicle.say_unanalysed()
        raise
    finally:
        _write_report(runtime, chronicle)
    if watch.failure is not None:
        runtime.notes.error(watch.failure)
        chronicle.statuses.add(watch.failure.status)
    return worst_status(chronicle.statuses)


def _write_report(runtime: Runtime, chronicle: Chronicle) -> None:
    if chronicle.report is not None:
        try:
            chronicle.report.write(ended=True)
        except (CannotCreate, OutputError) as error:
            runtime.notes.error(error)
            chronicle.statuses.add(error.status)


def _check(runtime: Runtime, settings: AnalyzeSettings) -> None:
    if settings.pii and not settings.redact:
        raise UsageError("--pii is a part of what --no-redact turns off")
    if not settings.read_stdin:
        raise UsageError("analyze reads standard input: -n makes no sense")
    if runtime.stdin_is_terminal:
        raise UsageError("there is no log to analyze: standard input is a terminal", "tail -f LOG | streamcli analyze")


class _Stdin:
    """Standard input as the one source of a watch."""

    def __init__(self, runtime: Runtime) -> None:
        self._stdin = runtime.stdin

    async def read(self) -> list[Piece]:
        data = await self._stdin.read()
        return [Piece(0, data)] if data else []


def _watch(runtime: Runtime, settings: AnalyzeSettings, redactor: "Redactor | None") -> Watch:
    budget = settings.window_limit * CHARS_PER_TOKEN
    policy = WindowPolicy(settings.lines, settings.every, settings.idle, budget, settings.on_overload)
    start = re.compile(settings.record_start.encode("utf-8", "surrogateescape")) if settings.record_start else None
    return Watch(runtime, policy, _Stdin(runtime), [Intake(redactor, start)])
