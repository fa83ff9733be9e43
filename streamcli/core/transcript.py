"""A conversation as a document."""

from collections.abc import Iterable

from streamcli.core.content import as_text
from streamcli.core.history import Exchange


def as_markdown(exchanges: Iterable[Exchange]) -> str:
    """Each question as a quotation, the answer to it as it is: that is Markdown itself, most often."""
    return "\n---\n\n".join(map(_exchange_as_markdown, exchanges))


def _exchange_as_markdown(exchange: Exchange) -> str:
    # Not split at what else Python takes for the end of a line.
    quoted = "\n".join(f"> {line}".rstrip() for line in as_text(exchange.question).split("\n"))
    answer = exchange.answer.rstrip("\n")
    cut = "\n\n*(The answer was cut off here.)*" if exchange.is_cut else ""
    return f"{quoted}\n\n{answer}{cut}\n"
