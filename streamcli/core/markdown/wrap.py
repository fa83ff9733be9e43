"""Segments -> rows that fit, and coloured text cut into such rows."""

import re
from unicodedata import category

from streamcli.core.markdown.theme import RESET, Segment, paint
from streamcli.core.markdown.widths import clusters, is_simple, most_columns

Row = list[Segment]

_SGR = re.compile(r"\x1b\[[0-9;]*m")
_SGR_OR_TEXT = re.compile(r"(\x1b\[[0-9;]*m)|[^\x1b]+")

# Categories of what must not begin a row, and of what must not end one, where it may end between any two ideographs.
_NOT_FIRST = frozenset(("Pe", "Pf", "Po", "Lm"))
_NOT_LAST = frozenset(("Ps", "Pi"))


def rows(segments: list[Segment], width: int) -> list[Row]:
    """Rows of at most `width` columns; each newline ends one too. Only words longer than a row are broken."""
    result: list[Row] = []
    for line in _lines(segments):
        result += _wrapped(line, width)
    return result


def painted(row: Row) -> str:
    return "".join([paint(text, style) if style else text for text, style in row])


def is_short(line: str, width: int) -> bool:
    """Whether it is seen at once that a line with SGR sequences fits."""
    text = _SGR.sub("", line)
    return len(text) <= width and is_simple(text)


def fold(line: str, width: int) -> list[str]:
    """A line with SGR sequences, cut every `width` columns as a terminal does."""
    result: list[str] = []
    pieces: list[str] = []
    used = 0
    current = ""
    for found in _SGR_OR_TEXT.finditer(line):
        if found[1]:
            current = "" if found[1] == RESET else found[1]
            pieces.append(found[1])
            continue
        for part, columns in _parts(found[0], width - used, width):
            if pieces and used + columns > width:
                result.append("".join(pieces) + (RESET if current else ""))
                pieces = [current]
                used = 0
            pieces.append(part)
            used += columns
    result.append("".join(pieces))
    return result


def _parts(text: str, first: int, width: int) -> list[tuple[str, int]]:
    """Pieces of a text that each fit a row, the first one of them what is left of a row."""
    if not is_simple(text):
        return list(clusters(text))
    cuts = [0, *range(first, len(text), width)] if first else list(range(0, len(text), width))
    pieces = [text[start:end] for start, end in zip(cuts, [*cuts[1:], len(text)], strict=True)]
    return [(piece, len(piece)) for piece in pieces]


def _lines(segments: list[Segment]) -> list[Row]:
    """The segments of each line of the source."""
    lines: list[Row] = [[]]
    for text, style in segments:
        if "\n" not in text:
            lines[-1].append((text, style))
            continue
        first, *others = text.split("\n")
        if first:
            lines[-1].append((first, style))
        lines += [[(other, style)] if other else [] for other in others]
    return lines


def _wrapped(line: Row, width: int) -> list[Row]:
    text = line[0][0] if len(line) == 1 else "".join([text for text, _ in line])
    simple = is_simple(text)
    if (len(text) if simple else most_columns(text)) <= width:
        return [line]
    cuts = _cuts(text, width) if simple else _cluster_cuts(text, width)
    if len(line) == 1:
        style = line[0][1]
        return [[(text[start:end], style)] for start, end in cuts]
    return _sliced(line, cuts)


def _cuts(text: str, width: int) -> list[tuple[int, int]]:
    """Where the rows begin and end in a text whose characters take one column each."""
    cuts = []
    start = 0
    length = len(text)
    while length - start > width:
        end = text.rfind(" ", start, start + width + 1)
        if end <= start or text[start:end].isspace():
            end = following = start + width
        else:
            following = end + 1
            while text[end - 1] == " ":
                end -= 1
        while following < length and text[following] == " ":
            following += 1
        cuts.append((start, end))
        start = following
    if start < length or not cuts:
        cuts.append((start, length))
    return cuts


def _cluster_cuts(text: str, width: int) -> list[tuple[int, int]]:
    """The same for any text: between ideographs a row may end too."""
    cuts = []
    start = position = used = 0
    break_end = break_start = -1  # the last place where the row may end, and where the next one would begin
    break_used = 0  # columns up to there
    before, before_columns = "", 0
    for cluster, columns in clusters(text):
        if (
            cluster != " "
            and position > start
            and (
                before == " "
                or (
                    max(columns, before_columns) > 1
                    and category(cluster[0]) not in _NOT_FIRST
                    and category(before[0]) not in _NOT_LAST
                )
            )
        ):
            break_end, break_start, break_used = position, position, used
        if used + columns > width and cluster != " " and position > start:
            if break_start <= start:
                break_end, break_start, break_used = position, position, used
            cuts.append((start, start + len(text[start:break_end].rstrip(" "))))
            start = break_start
            used -= break_used
        used += columns
        position += len(cluster)
        before, before_columns = cluster, columns
    cuts.append((start, start + len(text[start:].rstrip(" "))))
    return cuts


def _sliced(line: Row, cuts: list[tuple[int, int]]) -> list[Row]:
    """The line's segments, cut into rows."""
    result: list[Row] = []
    pending = iter(line)
    text, style = next(pending)
    offset = 0  # of `text` in the line
    for start, end in cuts:
        row: Row = []
        while True:
            piece = text[max(start - offset, 0) : max(end - offset, 0)]
            if piece:
                row.append((piece, style))
            if offset + len(text) >= end:
                break
            offset += len(text)
            text, style = next(pending)
        result.append(row)
    return result
