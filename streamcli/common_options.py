"""The command line that the verbs share: their common options as fields of settings."""

import inspect
from collections.abc import Callable
from typing import Annotated, Any

from streamcli.config import Settings
from streamcli.core.models import DEFAULT_MODEL
from streamcli.invocation import Invocation
from streamcli.options import (
    BaseUrl,
    Cache,
    Coalesce,
    CoalesceDelay,
    Color,
    ColorOption,
    ConnectTimeout,
    CountTokens,
    DryRun,
    Each,
    Format,
    IdleTimeout,
    KeepDays,
    KeepMb,
    MaxCost,
    MaxTokens,
    MaxTotalTokens,
    NoStdin,
    OnBreak,
    OnBreakOption,
    Prompt,
    Quiet,
    Redact,
    RedactRules,
    Resume,
    Retries,
    ShowUsage,
    System,
    Timeout,
    Verbose,
    model_option,
)


def common_fields(
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
    color: ColorOption = Color.auto,
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
        "format": format.value if format else None,
        "color": color.value,
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


def with_common(function: Callable[..., Invocation]) -> Callable[..., Invocation]:
    """A verb's own options, and after them the common ones, which it takes as **common."""
    own = inspect.signature(function).parameters.values()
    named = [parameter for parameter in own if parameter.kind is not inspect.Parameter.VAR_KEYWORD]
    replaced = {parameter.name for parameter in named}
    shared = inspect.signature(common_fields).parameters.values()
    parameters = [*named, *(parameter for parameter in shared if parameter.name not in replaced)]
    # Typer takes a command's options from its signature.
    function.__dict__["__signature__"] = inspect.Signature(parameters)
    return function


def message_fields(each: Each | None, jobs: int, unordered: bool, common: dict[str, Any]) -> dict[str, Any]:
    """The common options with those of --each, as fields of MessageSettings."""
    fields = common_fields(**common)
    if each is not None and common.get("format") is None:
        fields["format"] = "json"
    return fields | {"each": each.value if each else None, "jobs": jobs, "unordered": unordered}
