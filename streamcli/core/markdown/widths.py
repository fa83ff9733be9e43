"""How many columns text takes in a terminal.

Most text needs no table for that: only what is neither ASCII nor of the scripts below asks `wcwidth`, which is not
imported before.
"""

import re
from collections.abc import Iterator

# What seems to belong together, but is longer than the emoji of the largest family, is torn apart nevertheless.
MAX_CLUSTER = 16

# Characters of one column each, which nothing joins to their neighbours: Latin, Greek, Cyrillic, punctuation, arrows,
# mathematics, lines and blocks.
_SIMPLE = re.compile(
    "[ -~\xa0-\xac\xae-\u02ff\u0370-\u0377\u037a-\u037f\u0384-\u038a\u038c\u038e-\u03a1\u03a3-\u0482\u048a-\u052f"
    "\u2010-\u2027\u2030-\u205e\u20a0-\u20bf\u2190-\u21ff\u2200-\u22ff\u2500-\u259f]*"
)


def is_simple(text: str) -> bool:
    """Whether each character of a line without tabs takes one column and stands for itself."""
    return text.isascii() or _SIMPLE.fullmatch(text) is not None


def columns(text: str) -> int:
    """The columns that a line without tabs takes."""
    if is_simple(text):
        return len(text)
    from wcwidth import wcswidth

    return max(wcswidth(text), 0)


def clusters(text: str) -> Iterator[tuple[str, int]]:
    """What is not to be torn apart, and the columns that it takes at most.

    Terminals do not agree on sequences: where one draws a family as one emoji, another draws its members. A mark that
    has nothing to stand on counts too, so that no row is without end.
    """
    from wcwidth import iter_graphemes, wcswidth, wcwidth

    for cluster in iter_graphemes(text):
        if len(cluster) == 1:
            yield cluster, max(wcwidth(cluster), 1)
        elif len(cluster) <= MAX_CLUSTER:
            yield cluster, max(wcswidth(cluster), sum([max(wcwidth(char), 0) for char in cluster]), 1)
        else:
            for start in range(0, len(cluster), MAX_CLUSTER):
                yield cluster[start : start + MAX_CLUSTER], MAX_CLUSTER


def cut_to(text: str, columns: int) -> str:
    """As much of a line without tabs as takes at most so many columns, with "..." where it is not all."""
    if most_columns(text) <= columns:
        return text
    kept, left = "", columns - 3
    for cluster, width in clusters(text):
        if width > left:
            break
        kept, left = kept + cluster, left - width
    return kept + "..."


def most_columns(text: str) -> int:
    """The columns that a line without tabs takes in a terminal that knows no sequences."""
    if is_simple(text):
        return len(text)
    return sum(width for _, width in clusters(text))


def padded(text: str, width: int) -> str:
    """A line without tabs, with spaces after it up to so many columns."""
    return text + " " * (width - most_columns(text))


def fitting(text: str, width: int) -> str:
    """As much of a line without tabs as takes no more columns, in any terminal."""
    if is_simple(text):
        return text[:width]
    end = 0
    for cluster, taken in clusters(text):
        width -= taken
        if width < 0:
            break
        end += len(cluster)
    return text[:end]
