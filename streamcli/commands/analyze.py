"""streamcli analyze: windows of a live stream, and an answer to each while the stream goes on."""

import asyncio
import os
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from streamcli.commands.analysis import Analysis
from streamcli.commands.asking import Asking, asking
from streamcli.commands.chronicle import Chronicle
from streamcli.commands.inputs import FollowedInput, StdinInput, followed
from streamcli.commands.masking import telling_redactor
from streamcli.commands.runtime import Runtime
from streamcli.commands.watch import Watch
from streamcli.config import AnalyzeSettings
from streamcli.core.intake import Intake
from streamcli.core.lines import show_line
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
    paths, prompt = followed(runtime, settings)
    settings = replace(settings, prompt=prompt)
    asked_is_there: asyncio.Future[Asking] = asyncio.get_running_loop().create_future()
    source = _source(runtime, settings, paths, asked_is_there)
    watch = _watch(runtime, settings, source, _intakes(settings, paths, redactor))
    chronicle = Chronicle(runtime, settings, watch, redactor.counts if redactor is not None else {})
    analysis = Analysis(runtime, settings, watch, chronicle, redactor, source.keep)
    if settings.on_interrupt == "flush":  # also before a first request can be made
        runtime.wind_down = analysis.interrupt
    failed = True
    try:
        async with watch.reading(), asking(runtime, settings, redactor, many=True, jobs=settings.jobs) as asked:
            asked_is_there.set_result(asked)
            # Flat-out reading would starve the import that the first answer waits for.
            asked.imported.add_done_callback(lambda _: watch.may_cut.set())
            if await asked.unless_it_fails(watch.has_lines()):
                await analysis.run(asked)
        failed = False
    except asyncio.CancelledError:
        if isinstance(runtime.ending, DeathBySignal) and not runtime.ending.is_broken_pipe():
            chronicle.say_unanalysed()
        raise
    finally:
        source.close()
        _write_report(runtime, chronicle, failed=failed)
    if watch.failure is not None:
        runtime.notes.error(watch.failure)
        chronicle.statuses.add(watch.failure.status)
    return worst_status(chronicle.statuses)


def _write_report(runtime: Runtime, chronicle: Chronicle, *, failed: bool) -> None:
    """At the end, however it came; but where nothing was asked an earlier page stays."""
    if chronicle.report is not None and (chronicle.windows or not failed):
        try:
            chronicle.report.write(ended=True)
        except (CannotCreate, OutputError) as error:
            runtime.notes.error(error)
            chronicle.statuses.add(error.status)


def _check(runtime: Runtime, settings: AnalyzeSettings) -> None:
    if settings.pii and not settings.redact:
        raise UsageError("--pii is a part of what --no-redact turns off")
    if settings.from_start and not settings.follow:
        raise UsageError("--from-start is for --follow: standard input has no other beginning")
    if settings.follow:
        return
    if not settings.read_stdin:
        raise UsageError("analyze reads standard input: -n makes no sense")
    if runtime.stdin_is_terminal:
        raise UsageError("there is no log to analyze: standard input is a terminal", "tail -f LOG | streamcli analyze")


def _source(
    runtime: Runtime, settings: AnalyzeSettings, paths: Sequence[str], asked_is_there: "asyncio.Future[Asking]"
) -> StdinInput | FollowedInput:
    if not paths:
        return StdinInput(runtime)
    return FollowedInput(runtime, settings, paths, asked_is_there)


def _intakes(settings: AnalyzeSettings, paths: Sequence[str], redactor: "Redactor | None") -> list[Intake]:
    """One for each input; of several, each puts its name on its records."""
    start = re.compile(settings.record_start.encode("utf-8", "surrogateescape")) if settings.record_start else None
    names = [show_line(os.fsencode(path)).encode() for path in paths] if len(paths) > 1 else [b""]
    return [Intake(redactor.apart() if redactor is not None else None, start, name) for name in names]


def _watch(
    runtime: Runtime, settings: AnalyzeSettings, source: StdinInput | FollowedInput, intakes: Sequence[Intake]
) -> Watch:
    budget = settings.window_limit * CHARS_PER_TOKEN
    policy = WindowPolicy(settings.lines, settings.every, settings.idle, budget, settings.on_overload)
    return Watch(runtime, policy, source, intakes)
