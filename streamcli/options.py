"""The options that the verbs share: flags, variables, help texts. What they mean is in README.md."""

import math
import re
from enum import StrEnum
from typing import Annotated, Any

import typer

from streamcli.core.address import is_http_url
from streamcli.core.models import EMBEDDED_LIMITS, SERVER_LIMITS


class OnBreak(StrEnum):
    """--on-break"""

    resume = "resume"
    fail = "fail"


class Each(StrEnum):
    """--each"""

    lines = "lines"
    nul = "nul"
    jsonl = "jsonl"


class OutputFormat(StrEnum):
    """--format"""

    text = "text"
    markdown = "markdown"
    json = "json"


class Color(StrEnum):
    """--color"""

    auto = "auto"
    always = "always"
    never = "never"


def option(*flags: str, from_environment: bool = True, **attributes: Any) -> Any:
    """An option of Typer's. Its variable is STREAMCLI_ and its name: README.md says so once, not --help each time."""
    variable = "STREAMCLI_" + flags[-1].partition("/")[0].lstrip("-").replace("-", "_").upper()
    return typer.Option(*flags, envvar=variable if from_environment else None, show_envvar=False, **attributes)


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise typer.BadParameter("is no finite number.")
    return value


def _finite_if_given(value: float | None) -> float | None:
    return value if value is None else _finite(value)


def _http_url(value: str | None) -> str | None:
    if value and not is_http_url(value):
        raise typer.BadParameter("is no http(s) URL, such as http://127.0.0.1:8080")
    return value or None


def _not_empty(value: str | None) -> str | None:
    if value is not None and not value.strip():
        raise typer.BadParameter("is empty.")
    return value


def no_empty_name(value: str | None) -> str | None:
    if value == "":
        raise typer.BadParameter("is empty.")
    return value


def _form_of_verb(context: typer.Context, value: OutputFormat | None) -> OutputFormat | None:
    """gen has code to give, which is not rendered: an environment that asks for it is not about gen."""
    if value is not OutputFormat.markdown or context.info_name != "gen":
        return value
    source = context.get_parameter_source("format")
    if source is not None and source.name == "ENVIRONMENT":
        return None
    raise typer.BadParameter("gen gives code, which is not rendered")


def above_zero(value: float | None) -> float | None:
    """A finite number. Raises BadParameter."""
    if value is not None and not (math.isfinite(value) and value > 0):
        raise typer.BadParameter("is no number above 0.")
    return value


def pattern(value: str | None) -> str | None:
    """A regular expression for bytes, as it was given. Raises BadParameter."""
    if value is not None:
        try:
            re.compile(value.encode("utf-8", "surrogateescape"))
        except re.error as error:
            raise typer.BadParameter(f"is no regular expression: {error}") from error
    return value


def seconds(flag: str, text: str) -> Any:
    return option(flag, min=0.0, metavar="SECONDS", callback=_finite, help=text)


Prompt = Annotated[
    list[str] | None,
    typer.Argument(metavar="PROMPT", help="What to ask; words are joined by a space.", show_default=False),
]
NoStdin = Annotated[
    bool,
    option("-n", "--no-stdin", from_environment=False, help="Do not read standard input (inside `while read` loops)."),
]
System = Annotated[
    str | None,
    option(
        "-s",
        "--system",
        metavar="TEXT",
        help="System prompt; @FILE reads one.",
        show_default="the verb's own",
    ),
]
MaxTokens = Annotated[
    int | None,
    option(
        "--max-tokens",
        min=1,
        metavar="N",
        help="Length of an answer at most.",
        show_default=f"{SERVER_LIMITS.max_tokens}; local {EMBEDDED_LIMITS.max_tokens}",
    ),
]
BaseUrl = Annotated[
    str | None,
    option(
        "--base-url",
        callback=_http_url,
        metavar="URL",
        help="A server that speaks the Messages API.",
        show_default="the API",
    ),
]
Timeout = Annotated[float, seconds("--timeout", "One whole answer, with its retries and waits; 0 is no limit.")]
ConnectTimeout = Annotated[float, seconds("--connect-timeout", "Until there is a connection; 0 is no limit.")]
IdleTimeout = Annotated[float, seconds("--idle-timeout", "Without a single byte; 0 is no limit.")]
Retries = Annotated[
    int,
    option("--retries", min=0, metavar="N", help="Failures in a row before giving up."),
]
OnBreakOption = Annotated[
    OnBreak,
    option("--on-break", help="A break in mid-answer is continued by a new request, or is an error."),
]
Cache = Annotated[bool, option("--cache", help="Keep complete answers, and give them again to the same request.")]
Resume = Annotated[
    bool,
    option("--resume", from_environment=False, help="Pick up an interrupted run of the same command."),
]
Redact = Annotated[
    bool | None,
    option(
        "--redact/--no-redact",
        help="Mask secrets in what is sent: <PASSWORD:3f9a1c>.",
        show_default="on for analyze, else off",
    ),
]
RedactRules = Annotated[
    str | None,
    option(
        "--redact-rules",
        callback=no_empty_name,
        metavar="FILE",
        help="More rules for secrets: TOML, in the form of gitleaks.",
        show_default=False,
    ),
]
Pii = Annotated[
    bool,
    option("--pii", help="Mask IP, e-mail and MAC addresses, card, account and phone numbers too."),
]
ShowUsage = Annotated[bool, option("--usage", help="Tokens and cost on stderr at the end.")]
MaxCost = Annotated[
    float | None,
    option(
        "--max-cost",
        min=0.0,
        metavar="USD",
        callback=_finite_if_given,
        help="Make no further request once so much is spent.",
        show_default="no limit",
    ),
]
MaxTotalTokens = Annotated[
    int | None,
    option(
        "--max-total-tokens",
        min=0,
        metavar="N",
        help="Or once so many tokens are used, in and out.",
        show_default="no limit",
    ),
]
KeepMb = Annotated[int, option("--keep-mb", min=0, metavar="MB", help="Size of the answers on disk at most.")]
KeepDays = Annotated[
    float,
    option("--keep-days", min=0.0, metavar="DAYS", callback=_finite, help="How long they stay."),
]
EachRecord = Annotated[
    Each | None,
    option(
        "--each",
        from_environment=False,
        help="Each record of standard input is a prompt of its own; the results are JSON lines.",
        show_default=False,
    ),
]
Jobs = Annotated[int, option("--jobs", min=1, max=1000, metavar="N", help="With --each: so many at once.")]
Unordered = Annotated[bool, option("--unordered", help="With --each: results as they come, not in input order.")]
Coalesce = Annotated[
    int,
    option(
        "--coalesce",
        min=0,
        metavar="CHARS",
        help="Write when so many characters are there; 0 is each delta.",
    ),
]
CoalesceDelay = Annotated[
    float,
    option(
        "--coalesce-delay",
        min=0.0,
        metavar="MS",
        callback=_finite,
        help="Or when the oldest has waited so long.",
    ),
]
Format = Annotated[
    OutputFormat | None,
    option(
        "-f",
        "--format",
        callback=_form_of_verb,
        help="The model's text as it is, its Markdown rendered, or JSON lines of events.",
        show_default="markdown on a terminal, else text; gen: text; with --each json",
    ),
]
ColorOption = Annotated[
    Color,
    option("--color", help="Colours; auto: on a terminal, unless NO_COLOR is set (FORCE_COLOR: anywhere)."),
]
TransformNames = Annotated[
    list[str] | None,
    option(
        "--transform",
        metavar="NAME",
        help="What the text goes through, in this order: markdown, highlight, sentiment, or a plug-in's.",
        show_default=False,
    ),
]
Quiet = Annotated[bool, option("-q", "--quiet", help="No notices, only errors.")]
Verbose = Annotated[bool, option("-v", "--verbose", help="Tokens and request IDs on stderr.")]
DryRun = Annotated[
    bool, option("--dry-run", from_environment=False, help="Print the request as JSON and send nothing.")
]
CountTokens = Annotated[
    bool,
    option("--count-tokens", from_environment=False, help="Print how many tokens the request has; no answer is made."),
]


def model_option(**attributes: Any) -> Any:
    return option(
        "-m",
        "--model",
        callback=_not_empty,
        metavar="NAME",
        **attributes,
        help="A model; local, local:smollm2 and local:FILE.gguf run on this machine.",
    )
