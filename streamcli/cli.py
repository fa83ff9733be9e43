"""The command line: options -> frozen settings and the command that takes them. Imports nothing heavy."""

import inspect
import os
from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer import completion
from typer.exceptions import TyperException

from streamcli import __version__
from streamcli.config import AnalyzeSettings, GenSettings, MessageSettings, Settings
from streamcli.core.models import DEFAULT_MODEL, DEFAULT_WATCH_MODEL, EMBEDDED_LIMITS, SERVER_LIMITS
from streamcli.errors import ConfigError, StreamcliError, UsageError
from streamcli.housekeeping import answers, models, redact
from streamcli.invocation import Command, Invocation
from streamcli.options import (
    AnnotateOption,
    Attempts,
    BaseUrl,
    Block,
    Cache,
    Check,
    CheckShell,
    CheckTimeout,
    Coalesce,
    CoalesceDelay,
    ConnectTimeout,
    CountTokens,
    Diff,
    DryRun,
    Each,
    EachRecord,
    Edit,
    Force,
    Format,
    IdleTimeout,
    Jobs,
    KeepDays,
    KeepMb,
    Lang,
    MaxCost,
    MaxTokens,
    MaxTotalTokens,
    NoStdin,
    OnBreak,
    OnBreakOption,
    OutputFile,
    Parents,
    Prompt,
    Quiet,
    Raw,
    Resume,
    Retries,
    ShowUsage,
    System,
    Timeout,
    Unordered,
    Verbose,
    model_option,
    option,
    seconds,
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


app = typer.Typer(
    name="streamcli",
    help="Pipe anything into Claude, stream the answer out, trust the exit status.",
    epilog="Exit status 0 means that the answer is complete. Defaults come from the environment: --max-tokens is "
    "STREAMCLI_MAX_TOKENS, and so on.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(models, name="models")
app.add_typer(answers, name="answers")
app.command()(redact)


def _show_version(value: bool) -> None:
    if value:
        typer.echo(f"streamcli {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool,
        option("--version", from_environment=False, callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    pass


def _verb(function: Callable[..., Any]) -> Callable[..., Any]:
    """Registers a verb: its own options, and after them the common ones, which it takes as **common."""
    own = inspect.signature(function).parameters.values()
    named = [parameter for parameter in own if parameter.kind is not inspect.Parameter.VAR_KEYWORD]
    replaced = {parameter.name for parameter in named}
    shared = inspect.signature(_common).parameters.values()
    parameters = [*named, *(parameter for parameter in shared if parameter.name not in replaced)]
    # Typer takes a command's options from its signature.
    function.__dict__["__signature__"] = inspect.Signature(parameters)
    return app.command()(function)


@_verb
def chat(each: EachRecord = None, jobs: Jobs = 4, unordered: Unordered = False, **common: Any) -> Invocation:
    """Ask; the answer streams out.

    Standard input is the message, or what PROMPT is about.
    """
    return Invocation(_load_chat, MessageSettings(verb="chat", **_many(each, jobs, unordered, common)))


@_verb
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


@_verb
def analyze(
    lines: Annotated[
        int,
        option("--lines", min=1, metavar="N", help="A window has so many lines,"),
    ] = 10,
    every: Annotated[float, seconds("--every", "or closes so long after its first line,")] = 10.0,
    idle: Annotated[float, seconds("--idle", "or after such a gap without a line; 0 is off.")] = 0.0,
    window_tokens: Annotated[
        int | None,
        option(
            "--window-tokens",
            min=100,
            metavar="N",
            help="Size of a window at most, about; what is over it is cut.",
            show_default=f"{SERVER_LIMITS.window_tokens}; local {EMBEDDED_LIMITS.window_tokens}",
        ),
    ] = None,
    model: Annotated[str, model_option()] = DEFAULT_WATCH_MODEL,
    **common: Any,
) -> Invocation:
    """Watch a live log: an answer for each window.

    Lines that come while an answer is written are the next window. PROMPT says what to look for.
    """
    fields = _common(model=model, **common)
    return Invocation(
        _load_analyze,
        AnalyzeSettings(verb="analyze", lines=lines, every=every, idle=idle, window_tokens=window_tokens, **fields),
    )


def _load_chat() -> Command:
    from streamcli.commands import chat

    return chat.run


def _load_gen() -> Command:
    from streamcli.commands import gen

    return gen.run


def _load_analyze() -> Command:
    from streamcli.commands import analyze

    return analyze.run


def parse(arguments: list[str]) -> Invocation | int:
    """The invocation; or the exit status, where help, the version or a completion was asked for and is printed.

    Raises StreamcliError for a command line that makes no sense.
    """
    command = typer.main.get_command(app)
    if _COMPLETION in os.environ:
        # Registers the shells: what add_completion does, but without its two options in every --help.
        completion.get_completion_inspect_parameters()
    try:
        result = command.main(arguments or ["--help"], prog_name="streamcli", standalone_mode=False)
    except TyperException as error:
        raise _usage_error(error) from error
    except SystemExit as done:  # a completion
        return done.code if isinstance(done.code, int) else 0
    if isinstance(result, Invocation):
        return result
    return int(result or 0) if arguments else UsageError.status


_COMPLETION = "_STREAMCLI_COMPLETE"


def _usage_error(error: TyperException) -> StreamcliError:
    """Typer's complaint as ours: a bad value that came from the environment is bad configuration."""
    message = " ".join(error.format_message().split()).rstrip(".")
    message = message[:1].lower() + message[1:]
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "streamcli"
    parameter = getattr(error, "param", None)
    source = context.get_parameter_source(parameter.name) if context is not None and parameter is not None else None
    if source is not None and source.name == "ENVIRONMENT":
        return ConfigError(f"the environment's {getattr(parameter, 'envvar', '')}: {message}")
    return UsageError(message, f"{path} --help")
