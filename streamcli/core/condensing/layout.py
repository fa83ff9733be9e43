"""Groups of records as text: in which words, and in how much detail."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from streamcli.core.condensing.excerpts import Excerpt
from streamcli.core.condensing.groups import ANY, Group, Kinds
from streamcli.core.condensing.masks import HASHED, VARYING, Slot
from streamcli.core.condensing.values import ENOUGH, Values
from streamcli.core.lines import show_line

LEGEND = """\
The log is condensed. `L12 text` is line 12 of the stream, verbatim; `L13-L20 text` a record of several lines.
`[x812 L3-L1990] text {notes}` are 812 records like this one between lines 3 and 1990, of which the first is shown, and
others that stand out may be shown too. The notes tell of what differs in them. `status: 200 x811, 500 x1`: the value
after "status", and how often; "+9 more" are further values. What has no name is called by its place, as in `word 3`.
`took: 3 to 45`: the smallest and the greatest value. `took: p50 31, p95 80, max 412`: percentiles and the greatest
value; with "~" from a sample of the lines. Of times and identifiers it is not told how they differ. All counts are
exact."""
"""What a model has to know to read a condensed log."""

# A group has so many lines beside its first one that are shown because they stand out.
MAX_OUTSTANDING = 6
# Characters of the notes, about.
MAX_NOTES = 200
# Characters of a value, or of the word that names it.
MAX_VALUE = 24

# A value has a name if the name says so: user=, "took":. Or if it is an ordinary word with the value right behind it.
_KEY = re.compile(r"([A-Za-z_][\w.-]*)[\"']?[=:][\"'(\[{<$]*$", re.ASCII)
_PLAIN = re.compile(r"[a-z]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Style:
    """How much is told. `named`: values that are named of what differs, 0 for no notes; `examples`: all lines of a
    small group, or one; `outstanding`: the lines of a large one that stand out; `width`: characters of a record, 0 for
    all.
    """

    named: int = 4
    examples: bool = True
    outstanding: bool = True
    width: int = 0


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the text, which stands for `shown + condensed + dropped` lines from `first` to `last`."""

    first: int
    last: int
    text: str
    shown: int
    condensed: int
    dropped: int
    worth: tuple[bool, int, int] = (True, 0, 0)


def pieces(group: Group, style: Style) -> Iterator[Piece]:
    """All of a group's lines, in one or more pieces."""
    worth = group.worth
    if group.count == 1 or (group.is_small and style.examples):
        for one in group.kept:
            yield _verbatim(one, style, worth)
        return
    first = _fitted(group.kept[0], style)
    others = [_fitted(one, style) for one in _outstanding(group)] if style.outstanding else []
    shown = first.shown + sum(one.shown for one in others)
    text = f"[x{group.count} L{group.first}-L{group.last}] {first.text}{_notes(group, style.named)}"
    yield Piece(group.first, group.last, text, first.shown, group.lines - shown, 0, worth)
    for one in others:
        yield Piece(one.number, one.last, one.prefixed(), one.shown, 0, 0, worth)


def least_length(group: Group, style: Style) -> int:
    """Characters that its pieces have at least, with the line ends after them."""
    shown = group.kept if group.count == 1 or (group.is_small and style.examples) else group.kept[:1]
    texts = [len(one.text) for one in shown if one.lines == 1 or not style.width]
    return 4 * len(shown) + sum(min(length, style.width or length) for length in texts)


def _verbatim(one: Excerpt, style: Style, worth: tuple[bool, int, int]) -> Piece:
    fitted = _fitted(one, style)
    return Piece(one.number, one.last, fitted.prefixed(), fitted.shown, 0, one.lines - fitted.shown, worth)


def _fitted(one: Excerpt, style: Style) -> Excerpt:
    return one.within(style.width) if style.width else one


def _outstanding(group: Group) -> list[Excerpt]:
    found = {one.number: one for values in group.values.values() for one in values.outstanding()}
    found.pop(group.first, None)
    return [found[number] for number in sorted(found)[:MAX_OUTSTANDING]]


def _notes(group: Group, named: int) -> str:
    """What differs in the records of a group, in braces."""
    if not named:
        return ""
    notes = [_kinds_note(group, place, kinds, named) for place, kinds in group.kinds.items()]
    for slot, values in group.values.items():
        # Where it is a number only now and then, it is an identifier.
        note = _values_note(values, named) if 2 * values.count > group.count else ""
        if note and sum(map(len, notes)) < MAX_NOTES:
            notes.append(f"{_name_of_number(group, slot)}: {note}")
    return f" {{{'; '.join(notes)}}}" if notes else ""


def _kinds_note(group: Group, place: int, kinds: Kinds, named: int) -> str:
    words = [_readable(word) for word in kinds.counts]
    low, high = min(words), max(words)
    common = next((at for at, (one, other) in enumerate(zip(low, high, strict=False)) if one != other), 0)
    prefix = words[0][:common]
    name = _key(prefix)
    if not name:
        name, common = _name_before(group, place), 0
    counts: dict[str, int] = {}
    for word, count in zip(words, kinds.counts.values(), strict=True):
        counts[word[common:]] = counts.get(word[common:], 0) + count
    return f"{name}: {_counted(counts, named)}" + (" and more" if kinds.has_more else "")


def _values_note(values: Values, named: int) -> str:
    """What is worth telling of them, "" if nothing is."""
    counts = values.counts
    if counts is not None and _is_telling(counts, values, named):
        return _counted({value.decode(): count for value, count in counts.items()}, named)
    if not values.is_measure or (counts is not None and len(counts) == 1):
        return ""
    if values.count < ENOUGH:
        return " to ".join(map(_figure, values.extremes()))
    p50, p95, greatest = map(_figure, values.percentiles())
    about = "~" if values.is_sampled else ""
    return f"{about}p50 {p50}, {about}p95 {p95}, max {greatest}"


def _is_telling(counts: dict[bytes, int], values: Values, named: int) -> bool:
    """Whether a few values make up a good part of all."""
    if len(counts) == 1:
        return False
    return 4 * len(counts) <= values.count and (len(counts) <= named or 4 * max(counts.values()) >= values.count)


def _figure(value: float) -> str:
    return f"{value:.0f}" if 1e5 <= value < 1e15 else f"{value:.6g}"


def _counted(counts: dict[str, int], named: int) -> str:
    """The most frequent values, and how many more there are."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    parts = [f"{value[:MAX_VALUE]} x{count}" for value, count in ordered[:named]]
    if len(ordered) > named:
        parts.append(f"+{len(ordered) - named} more")
    return ", ".join(parts)


def _name_of_number(group: Group, slot: Slot) -> str:
    place, order, _ = slot
    before = _readable(group.words[place].split(VARYING)[order])
    if order or any(map(str.isalnum, before)):
        return _key(before) or _word(place)
    return _name_before(group, place)


def _name_before(group: Group, place: int) -> str:
    """The word before a place, if it is a name; or else which word it is."""
    before = group.words[place - 1] if place else ANY
    if before == ANY:
        return _word(place)
    if before in (b"=", b":") and place > 1 and group.words[place - 2] != ANY:
        before = group.words[place - 2] + b"="
    text = _readable(before)
    return _key(text) or (text[-MAX_VALUE:] if _PLAIN.fullmatch(text) else _word(place))


def _word(place: int) -> str:
    return f"word {place + 1}"


def _key(text: str) -> str:
    match = _KEY.search(text[-3 * MAX_VALUE :])
    return match[1].rstrip("-_.")[-MAX_VALUE:] if match else ""


def _readable(word: bytes) -> str:
    """A masked word for a reader."""
    text = word.partition(HASHED)[0].replace(VARYING, b"*")
    return show_line(text)
