"""The command line of what asks no model: `streamcli models`, `streamcli answers`, `streamcli redact`."""

from typing import Annotated

import typer

from streamcli.config import AnswersSettings, FetchSettings, RedactSettings
from streamcli.invocation import Command, Invocation
from streamcli.options import Pii, Quiet, RedactRules

models = typer.Typer(help="The embedded models.", rich_markup_mode=None)
answers = typer.Typer(
    help="What is kept of answers on disk: interrupted ones for --resume, complete ones by --cache.",
    rich_markup_mode=None,
)

Ids = Annotated[list[int], typer.Argument(metavar="ID...", help="As `streamcli answers list` shows them.")]


@models.callback()
def _models() -> None:
    pass


@models.command()
def fetch(
    name: Annotated[str, typer.Argument(metavar="NAME", help="local or local:smollm2.")],
    quiet: Quiet = False,
) -> Invocation:
    """Fetch a model's weights ahead of their first use, and print where they are."""
    return Invocation(_load_fetch, FetchSettings(name=name, quiet=quiet))


@answers.command("list")
def list_() -> Invocation:
    """Show what is kept, the newest first."""
    return Invocation(_load_list, AnswersSettings())


@answers.command()
def show(ids: Ids) -> Invocation:
    """Print the text of an answer."""
    return Invocation(_load_show, AnswersSettings(ids=tuple(ids)))


@answers.command()
def rm(ids: Ids) -> Invocation:
    """Remove an answer."""
    return Invocation(_load_rm, AnswersSettings(ids=tuple(ids)))


@answers.command()
def clear(quiet: Quiet = False) -> Invocation:
    """Remove all answers, but for those that are being written."""
    return Invocation(_load_clear, AnswersSettings(quiet=quiet))


def redact(redact_rules: RedactRules = None, pii: Pii = False, quiet: Quiet = False) -> Invocation:
    """Mask secrets: standard input to standard output.

    Each becomes <KIND:hash>; equal ones have the same hash, until the run ends.
    """
    return Invocation(_load_redact, RedactSettings(redact_rules=redact_rules, pii=pii, quiet=quiet))


def _load_redact() -> Command:
    from streamcli.commands import redact

    return redact.run


def _load_fetch() -> Command:
    from streamcli.commands import models

    return models.fetch


def _load_list() -> Command:
    from streamcli.commands import answers

    return answers.list_


def _load_show() -> Command:
    from streamcli.commands import answers

    return answers.show


def _load_rm() -> Command:
    from streamcli.commands import answers

    return answers.rm


def _load_clear() -> Command:
    from streamcli.commands import answers

    return answers.clear
