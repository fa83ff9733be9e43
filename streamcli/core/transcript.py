"""An exchange of a conversation as a part of a document."""

from streamcli.core.content import as_text
from streamcli.core.history import Exchange


def as_markdown(exchange: Exchange, you: str = "You", model: str = "Answer", ending: str = "") -> str:
    """Headings say who speaks: a quotation would change what is in a code block. It ends with a newline.

    `ending` is what is to be said of an answer that is not whole.
    """
    parts = [
        f"## {you}",
        as_text(exchange.question).strip("\n"),
        f"## {model}",
        exchange.answer.strip("\n"),
        f"*{ending}*" if ending else "",
    ]
    return "\n\n".join(filter(None, parts)) + "\n"
