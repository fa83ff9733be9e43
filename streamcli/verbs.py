"""The verbs' command lines: each turns its options into settings."""

from typing import Annotated, Any

from streamcli.chat_options import Attach, ChatModel, Converse, GoOn, MaxHistory, MaxHistoryTokens, SessionName
from streamcli.common_options import common_fields, message_fields, with_common
from streamcli.config import AnalyzeSettings, ChatSettings, GenSettings
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
    EachRecord,
    Jobs,
    Pii,
    TransformNames,
    Unordered,
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


@with_common
def chat(
    attach: Attach = None,
    session: SessionName = None,
    goes_on: GoOn = False,
    max_history: MaxHistory = ChatSettings.max_history,
    max_history_tokens: MaxHistoryTokens = None,
    converse: Converse = False,
    each: EachRecord = None,
    jobs: Jobs = 4,
    unordered: Unordered = False,
    transform: TransformNames = None,
    model: ChatModel = None,
    **common: Any,
) -> Invocation:
    """Ask; the answer streams out.

    Standard input is the message, or what PROMPT is about. On a terminal, without PROMPT, it is a conversation.
    """
    fields = message_fields(each, jobs, unordered, {"model": model or DEFAULT_MODEL, **common}) | {
        "transforms": tuple(transform or ()),
        "attach": tuple(attach or ()),
        "is_model_given": model is not None,
        "session": session,
        "goes_on": goes_on,
        "max_history": max_history,
        "max_history_tokens": max_history_tokens,
        "converse": converse,
    }
    return Invocation(_load_chat, ChatSettings(verb="chat", **fields))


@with_common
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
    fields = message_fields(each, jobs, unordered, common) | {
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


@with_common
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
    transform: TransformNames = None,
    model: Annotated[str, model_option()] = DEFAULT_WATCH_MODEL,
    **common: Any,
) -> Invocation:
    """Watch a live log: an answer for each window.

    Lines that come while an answer is written are the next window; what does not fit is condensed. PROMPT says what
    to look for. With the defaults an hour has at most 360 requests and about 3 million tokens in; a quiet log far less.
    """
    fields = common_fields(model=model, **common) | {
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
        "transforms": tuple(transform or ()),
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
