"""The verbs' command lines: each turns its options into settings."""

import inspect
from collections.abc import Callable
from typing import Annotated, Any

from streamcli.config import AnalyzeSettings, GenSettings, MessageSettings, Settings
from streamcli.core.models import DEFAULT_MODEL, DEFAULT_WATCH_MODEL
from streamcli.gen_options import (
    AnnotateOption,
    Attempts,
    Block,
    Check,
    CheckShell,
    CheckTimeout,
    Diff,
    Edit,
    Force,
    Lang,
    OutputFile,
    Parents,
    Raw,
)
from streamcli.invocation import Command, Invocation
from streamcli.options import (
    BaseUrl,
    Cache,
    Coalesce,
    CoalesceDelay,
    ConnectTimeout,
    CountTokens,
    DryRun,
    Each,
    EachRecord,
    Format,
    IdleTimeout,
    Jobs,
    KeepDays,
    KeepMb,
    MaxCost,
    MaxTokens,
    MaxTotalTokens,
    NoStdin,
    OnBreak,
    OnBreakOption,
    Pii,
    Prompt,
    Quiet,
    Redact,
    RedactRules,
    Resume,
    Retries,
    ShowUsage,
    System,
    Timeout,
    Unordered,
    Verbose,
    model_option,
)
from streamcli.watch_options import (
    BudgetPerHour,
    Context,
    Every,
    FailOnLevel,
    Follow,
    FromStart,
    Idle,
    Interrupted,
    Lines,
    OnInterrupt,
    OnOverload,
    Overloaded,
    RecordStart,
    ReportFile,
    RequestsPerMinute,
    SkipOk,
    WindowJobs,
    WindowTokens,
)


def _common(
    prompt: Prompt = None,
    no_stdin: NoStdin = False,
    model: Annotated[str, model_option()] = DEFAULT_MODEL,
    system: System = None,
    max_tokens: MaxTokens = None,
    base_url: BaseUrl = None,
    timeout: Timeout = Settings.timeout,
    connect_timeout: ConnectTimeout = Settings.connect_timeout,
    idle_timeout: IdleTimeout = Settings.idle_timeout,
    retries: Retries = Settings.retries,
    on_break: OnBreakOption = OnBreak.resume,
    coalesce: Coalesce = Settings.coalesce,
    coalesce_delay: CoalesceDelay = Settings.coalesce_delay * 1000,
    format: Format = None,
    cache: Cache = False,
    resume: Resume = False,
    redact: Redact = None,
    redact_rules: RedactRules = None,
    usage: ShowUsage = False,
    max_cost: MaxCost = None,
    max_total_tokens: MaxTotalTokens = None,
    keep_mb: KeepMb = Settings.keep_mb,
    keep_days: KeepDays = Settings.keep_days,
    quiet: Quiet = False,
    verbose: Verbose = False,
    dry_run: DryRun = False,
    count_tokens: CountTokens = False,
) -> dict[str, Any]:
    """The options that all verbs share, as fields of Settings."""
    return {
        "prompt": " ".join(prompt or ()),
        "read_stdin": not no_stdin,
        "model": model,
        "system": system,
        "max_tokens": max_tokens,
        "base_url": base_url,
        "timeout": timeout,
        "connect_timeout": connect_timeout,
        "idle_timeout": idle_timeout,
        "retries": retries,
        "on_break": on_break.value,
        "coalesce": coalesce,
        "coalesce_delay": coalesce_delay / 1000,
        "format": format.value if format else "text",
        "cache": cache,
        "resume": resume,
        "redact": bool(redact),
        "redact_rules": redact_rules,
        "usage": usage,
        "max_cost": max_cost,
        "max_total_tokens": max_total_tokens,
        "keep_mb": keep_mb,
        "keep_days": keep_days,
        "quiet": quiet,
        "verbose": verbose,
        "dry_run": dry_run,
        "count_tokens": count_tokens,
    }


def _with_common(function: Callable[..., Invocation]) -> Callable[..., Invocation]:
    """A verb's own options, and after them the common ones, which it takes as **common."""
    own = inspect.signature(function).parameters.values()
    named = [parameter for parameter in own if parameter.kind is not inspect.Parameter.VAR_KEYWORD]
    replaced = {parameter.name for parameter in named}
    shared = inspect.signature(_common).parameters.values()
    parameters = [*named, *(parameter for parameter in shared if parameter.name not in replaced)]
    # Typer takes a command's options from its signature.
    function.__dict__["__signature__"] = inspect.Signature(parameters)
    return function


@_with_common
def chat(each: EachRecord = None, jobs: Jobs = 4, unordered: Unordered = False, **common: Any) -> Invocation:
    """Ask; the answer streams out.

    Standard input is the message, or what PROMPT is about.
    """
    return Invocation(_load_chat, MessageSettings(verb="chat", **_many(each, jobs, unordered, common)))


@_with_common
def gen(
    output: OutputFile = None,
    edit: Edit = None,
    force: Force = False,
    parents: Parents = False,
    diff: Diff = False,
    lang: Lang = None,
    block: Block = "first",
    raw: Raw = False,
    check: Check = None,
    check_shell: CheckShell = False,
    check_timeout: CheckTimeout = GenSettings.check_timeout,
    attempts: Attempts = None,
    annotate: AnnotateOption = None,
    each: EachRecord = None,
    jobs: Jobs = 4,
    unordered: Unordered = False,
    **common: Any,
) -> Invocation:
    """Write code: the answer's code, and nothing else.

    The fence around it, and what stands before and after, is left out.
    """
    fields = _many(each, jobs, unordered, common) | {
        "output": output,
        "edit": edit,
        "force": force,
        "parents": parents,
        "diff": diff,
        "lang": lang,
        "block": int(block) if block.isdigit() else block,
        "raw": raw,
        "check": check or None,
        "check_shell": check_shell,
        "check_timeout": check_timeout,
        "attempts": attempts,
        "annotate": annotate.value if annotate else None,
    }
    return Invocation(_load_gen, GenSettings(verb="gen", **fields))


def _many(each: Each | None, jobs: int, unordered: bool, common: dict[str, Any]) -> dict[str, Any]:
    """The common options with those of --each, as fields of MessageSettings."""
    fields = _common(**common)
    if each is not None and common.get("format") is None:
        fields["format"] = "json"
    return fields | {"each": each.value if each else None, "jobs": jobs, "unordered": unordered}


@_with_common
def analyze(
    lines: Lines = AnalyzeSettings.lines,
    every: Every = AnalyzeSettings.every,
    idle: Idle = AnalyzeSettings.idle,
    window_tokens: WindowTokens = None,
    record_start: RecordStart = None,
    on_overload: Overloaded = OnOverload.condense,
    jobs: WindowJobs = AnalyzeSettings.jobs,
    max_requests_per_minute: RequestsPerMinute = AnalyzeSettings.max_requests_per_minute,
    budget_per_hour: BudgetPerHour = None,
    on_interrupt: Interrupted = OnInterrupt.stop,
    fail_on: FailOnLevel = None,
    skip_ok: SkipOk = False,
    context: Context = AnalyzeSettings.context,
    follow: Follow = None,
    from_start: FromStart = False,
    pii: Pii = False,
    report: ReportFile = None,
    model: Annotated[str, model_option()] = DEFAULT_WATCH_MODEL,
    **common: Any,
) -> Invocation:
    """Watch a live log: an answer for each window.

    Lines that come while an answer is written are the next window; what does not fit is condensed. PROMPT says what
    to look for. With the defaults an hour has at most 360 requests and about 3 million tokens in; a quiet log far less.
    """
    fields = _common(model=model, **common) | {
        "redact": common.get("redact") is not False,
        "lines": lines,
        "every": every,
        "idle": idle,
        "window_tokens": window_tokens,
        "record_start": record_start or None,
        "on_overload": on_overload.value,
        "jobs": jobs,
        "max_requests_per_minute": max_requests_per_minute,
        "budget_per_hour": budget_per_hour,
        "on_interrupt": on_interrupt.value,
        "fail_on": fail_on.value if fail_on else None,
        "skip_ok": skip_ok,
        "context": context,
        "words": tuple(common.get("prompt") or ()),
        "follow": tuple(follow or ()),
        "from_start": from_start,
        "pii": pii,
        "report": report,
    }
    return Invocation(_load_analyze, AnalyzeSettings(verb="analyze", **fields))


def _load_chat() -> Command:
    from streamcli.commands import chat

    return chat.run


def _load_gen() -> Command:
    from streamcli.commands import gen

    return gen.run


def _load_analyze() -> Command:
    from streamcli.commands import analyze

    return analyze.run
