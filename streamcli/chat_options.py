"""The options of chat alone. What they mean is in README.md."""

from typing import Annotated

from streamcli.core.models import DEFAULT_MODEL
from streamcli.options import model_option, no_empty_name, option

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
