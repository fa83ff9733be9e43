"""The options of chat alone. What they mean is in README.md."""

from typing import Annotated

import typer

from streamcli.options import option


def _no_empty_names(values: list[str] | None) -> list[str] | None:
    if values and "" in values:
        raise typer.BadParameter("is empty.")
    return values


Attach = Annotated[
    list[str] | None,
    option(
        "-a",
        "--attach",
        from_environment=False,
        callback=_no_empty_names,
        metavar="FILE",
        help="A file goes along: text, JPEG, PNG, GIF, WebP or PDF; also several, each with an -a.",
        show_default=False,
    ),
]
