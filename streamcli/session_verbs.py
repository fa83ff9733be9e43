"""The command line of `streamcli sessions`."""

from enum import StrEnum
from typing import Annotated

import typer

from streamcli.config import SessionsSettings
from streamcli.invocation import Command, Invocation
from streamcli.options import option

sessions = typer.Typer(
    help="The conversations that `chat --session NAME` keeps: all of them, until you remove them.",
    rich_markup_mode=None,
)


class ExportFormat(StrEnum):
    """--format"""

    markdown = "markdown"
    json = "json"


Name = Annotated[str, typer.Argument(metavar="NAME", help="As `streamcli sessions list` shows it.")]
Names = Annotated[list[str], typer.Argument(metavar="NAME...", help="As `streamcli sessions list` shows them.")]


@sessions.command("list")
def list_() -> Invocation:
    """Show what is kept, the one that was used last first."""
    return Invocation(_load_list, SessionsSettings())


@sessions.command()
def show(name: Name) -> Invocation:
    """Print a conversation."""
    return Invocation(_load_show, SessionsSettings(names=(name,)))


@sessions.command()
def rename(
    name: Name, new: Annotated[str, typer.Argument(metavar="NEW", help="What it is to be called.")]
) -> Invocation:
    """Give a conversation another name."""
    return Invocation(_load_rename, SessionsSettings(names=(name, new)))


@sessions.command()
def rm(names: Names) -> Invocation:
    """Remove conversations."""
    return Invocation(_load_rm, SessionsSettings(names=tuple(names)))


@sessions.command()
def export(
    name: Name,
    format: Annotated[
        ExportFormat,
        option("-f", "--format", from_environment=False, help="Markdown, or a JSON line an exchange."),
    ] = ExportFormat.markdown,
) -> Invocation:
    """Print a conversation for another program."""
    return Invocation(_load_export, SessionsSettings(names=(name,), format=format.value))


def _load_list() -> Command:
    from streamcli.commands import sessions

    return sessions.list_


def _load_show() -> Command:
    from streamcli.commands import sessions

    return sessions.show


def _load_rename() -> Command:
    from streamcli.commands import sessions

    return sessions.rename


def _load_rm() -> Command:
    from streamcli.commands import sessions

    return sessions.rm


def _load_export() -> Command:
    from streamcli.commands import sessions

    return sessions.export
