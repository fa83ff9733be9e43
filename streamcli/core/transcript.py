"""An exchange of a conversation as a part of a document."""

from streamcli.core.blocks import missing_fence
from streamcli.core.content import as_text
from streamcli.core.history import Exchange


def as_markdown(exchange: Exchange, you: str = "You", model: str = "Answer", ending: str = "") -> str:
    """Headings say who speaks: a quotation would change what is in a code block. It ends with a newline.

    `ending` is what is to be said of an answer that is not whole.
    """
    parts = [
        f"## {you}",
        _closed(as_text(exchange.question)),
        f"## {model}",
        _closed(exchange.answer),
        f"*{ending}*" if ending else "",
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _closed(text: str) -> str:
    """A code block that is left open would swallow what follows: an answer is cut off anywhere."""
    text = text.strip("\n")
    fence = missing_fence(text)
    return f"{text}\n{fence}" if fence else text
