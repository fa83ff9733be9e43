"""What of a conversation goes along with the next question.

A server that caches a prompt finds it again as far as it begins the same. So the window onto a conversation does not
move with every turn: it grows until it is too large, then lets go of the oldest quarter at once, and in between each
request begins with all of the one before it. Where it begins depends on nothing but the exchanges so far.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from streamcli.core.content import Content, Document, Image, Text
from streamcli.core.models import MAX_MESSAGE_BYTES

MAX_EXCHANGES = 10
# Characters a token: between logs, which have 2, and prose, which has 4.
CHARS_PER_TOKEN = 3
# Tokens of a picture, which the API scales down to that, and at least of a PDF.
IMAGE_TOKENS = 1600
DOCUMENT_TOKENS = 3000
# Characters of base64 a token in a PDF: some 50 kB a page.
CHARS_PER_DOCUMENT_TOKEN = 30

CUT = "[The answer was cut off here.]"


@dataclass(frozen=True)
class Exchange:
    """A question, and what came of its answer: all of it, or what there was when it `is_cut`.

    One that the model refused (stop_reason "refusal") is kept and never sent: the API asks for that, and would refuse
    what follows as well.
    """

    question: Content
    answer: str
    is_cut: bool = False
    is_refused: bool = False


@dataclass(frozen=True)
class Bounds:
    """Of earlier exchanges, so many are sent at most; `tokens` is an estimate, None no limit."""

    exchanges: int = MAX_EXCHANGES
    tokens: int | None = None


def first_sent(sizes: Iterable[int], bounds: Bounds) -> int:
    """Of exchanges with so many tokens, the first that is sent: its place, or their number if none is.

    Once there are more than `bounds.exchanges`, or `bounds.tokens`, the oldest go until a quarter is free; but one that
    fits does not go for that alone. What is sent keeps the bounds; by number, it is three quarters of them or more.
    The exchanges from there on, taken for themselves, are all sent: what is before them may be forgotten.
    """
    most, free = bounds.exchanges, bounds.exchanges // 4
    tokens = math.inf if bounds.tokens is None else bounds.tokens
    window: list[int] = []  # of each, its tokens
    total = first = 0
    for size in sizes:
        window.append(size)
        total += size
        if len(window) <= most and total <= tokens:
            continue
        gone = 0
        while len(window) - gone > most - free or total > tokens * 3 / 4:
            if gone == len(window) - 1 and most and total <= tokens:  # the last one, which fits
                break
            total -= window[gone]
            gone += 1
        del window[:gone]
        first += gone
    return first


def tokens_of(exchange: Exchange) -> int:
    """About how many tokens it has when it is sent."""
    if exchange.is_refused:
        return 0
    return _tokens_of(exchange.question) + _tokens_in(exchange.answer)


def bytes_of(content: Content) -> int:
    """About how many bytes a message has in a request."""
    if isinstance(content, str):
        return len(content.encode())
    return sum(len(block.text.encode() if isinstance(block, Text) else block.data) for block in content)


def conversation(
    exchanges: Sequence[Exchange], question: Content, bounds: Bounds
) -> tuple[tuple[tuple[str, Content], ...], int]:
    """The messages of a request, and how many of the exchanges did not go along.

    They alternate, the first and the last are the user's, and each question stands with what came of its answer. One
    that nothing came of is said together with the next question. What the API would not take in one request is
    left out from its beginning on, whatever the bounds.
    """
    first = first_sent(map(tokens_of, exchanges), bounds)
    first += _too_many([_bytes_in(exchange) for exchange in exchanges[first:]], bytes_of(question))
    messages: list[tuple[str, Content]] = []
    unanswered: list[Content] = []
    for exchange in exchanges[first:]:
        if exchange.is_refused:
            continue
        unanswered.append(exchange.question)
        if exchange.answer.strip():
            messages += [("user", _joined(unanswered)), ("assistant", _said(exchange))]
            unanswered = []
    return (*messages, ("user", _joined([*unanswered, question]))), first


def _said(exchange: Exchange) -> str:
    return f"{exchange.answer.rstrip()}\n\n{CUT}" if exchange.is_cut else exchange.answer


def _joined(contents: Sequence[Content]) -> Content:
    words = [content for content in contents if isinstance(content, str)]
    if len(words) == len(contents):
        return "\n\n".join(words)
    return tuple(block for content in contents for block in ((Text(content),) if isinstance(content, str) else content))


def _too_many(sizes: Sequence[int], room: int) -> int:
    """How many of the first have to go, so that the rest and `room` bytes are a request that the API takes."""
    total = sum(sizes) + room
    for gone, size in enumerate(sizes):
        if total <= MAX_MESSAGE_BYTES:
            return gone
        total -= size
    return len(sizes)


def _bytes_in(exchange: Exchange) -> int:
    return 0 if exchange.is_refused else bytes_of(exchange.question) + len(exchange.answer.encode())


def _tokens_of(content: Content) -> int:
    if isinstance(content, str):
        return _tokens_in(content)
    total = 0
    for block in content:
        match block:
            case Text(text):
                total += _tokens_in(text)
            case Image():
                total += IMAGE_TOKENS
            case Document(_, _, data):
                total += max(DOCUMENT_TOKENS, len(data) // CHARS_PER_DOCUMENT_TOKEN)
    return total


def _tokens_in(text: str) -> int:
    return -(-len(text) // CHARS_PER_TOKEN)
