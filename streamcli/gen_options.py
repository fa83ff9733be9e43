"""The options of gen alone. What they mean is in README.md."""

from enum import StrEnum
from typing import Annotated

import typer

from streamcli.options import no_empty_name, option, seconds


class Annotate(StrEnum):
    """--annotate"""

    github = "github"


def _block(value: str) -> str:
    if value not in ("first", "last", "all") and not (value.isascii() and value.isdigit() and int(value)):
        raise typer.BadParameter("is no number from 1 on, nor last, nor all.")
    return value


OutputFile = Annotated[
    str | None,
    option(
        "-o",
        "--output",
        from_environment=False,
        callback=no_empty_name,
        metavar="FILE",
        help="Put the code into FILE, at once and only when it is complete and valid.",
        show_default="standard output",
    ),
]
Edit = Annotated[
    str | None,
    option(
        "--edit",
        from_environment=False,
        callback=no_empty_name,
        metavar="FILE",
        help="Change FILE: its text goes along, the answer replaces it.",
        show_default=False,
    ),
]
Force = Annotated[bool, option("--force", from_environment=False, help="FILE may exist; its text goes along.")]
Parents = Annotated[bool, option("--parents", from_environment=False, help="Make the folders of FILE.")]
Lang = Annotated[
    str | None,
    option("--lang", metavar="NAME", help="The code's language.", show_default="by FILE, or by the fence"),
]
Block = Annotated[
    str,
    option(
        "--block",
        callback=_block,
        metavar="N|last|all",
        help="Which code block of the answer.",
        show_default="the first, in the language",
    ),
]
Raw = Annotated[bool, option("--raw", from_environment=False, help="The answer as it is, with all around the code.")]
Check = Annotated[
    str | None,
    option(
        "--check",
        metavar="CMD",
        help="The code must pass CMD too; {} is its path. No shell.",
        show_default=False,
    ),
]
CheckShell = Annotated[bool, option("--check-shell", help="Run CMD by /bin/sh.")]
CheckTimeout = Annotated[float, seconds("--check-timeout", "How long CMD may take; 0 is no limit.")]
Attempts = Annotated[
    int | None,
    option(
        "--attempts",
        min=1,
        max=20,
        metavar="N",
        help="Ask so often: what is not valid goes back with the error.",
        show_default="2 with -o, else 1",
    ),
]
Diff = Annotated[
    bool,
    option(
        "--diff",
        from_environment=False,
        help="Show what would change, and ask on a terminal; with --dry-run write nothing.",
    ),
]
AnnotateOption = Annotated[
    Annotate | None,
    option("--annotate", help="A workflow command on stderr for code that is not valid.", show_default=False),
]
