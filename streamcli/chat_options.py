"""The options of chat alone. What they mean is in README.md."""

from typing import Annotated

import typer

from streamcli.core.models import DEFAULT_MODEL
from streamcli.options import model_option, no_empty_name, option


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
ChatModel = Annotated[str | None, model_option(show_default=f"{DEFAULT_MODEL}, or the session's own")]
SessionName = Annotated[
    str | None,
    option(
        "--session",
        from_environment=False,
        callback=no_empty_name,
        metavar="NAME",
        help="Keep the conversation of that name, and go on with it.",
        show_default=False,
    ),
]
GoOn = Annotated[
    bool,
    option("-c", "--continue", from_environment=False, help="Go on with the conversation that was used last."),
]
Converse = Annotated[
    bool,
    option("--converse", from_environment=False, help="Each line of standard input is a turn, answered as it comes."),
]
MaxHistory = Annotated[
    int,
    option("--max-history", min=0, metavar="TURNS", help="So many earlier exchanges go along with a question."),
]
MaxHistoryTokens = Annotated[
    int | None,
    option(
        "--max-history-tokens",
        min=0,
        metavar="N",
        help="Or about so many tokens of them.",
        show_default="no limit",
    ),
]
