"""The command line: options -> frozen settings and the command that takes them. Imports nothing heavy."""

import os
from typing import Annotated

import typer
from typer import completion
from typer.exceptions import TyperException

from streamcli import __version__, verbs
from streamcli.errors import ConfigError, StreamcliError, UsageError
from streamcli.housekeeping import answers, models, redact
from streamcli.invocation import Invocation
from streamcli.options import option
from streamcli.session_verbs import sessions

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


for _verb in (verbs.chat, verbs.gen, verbs.analyze):
    app.command()(_verb)
app.add_typer(models, name="models")
app.add_typer(sessions, name="sessions")
app.add_typer(answers, name="answers")
app.command()(redact)


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
