"""A window of a log that is too large for its budget, as text: what is frequent counted, what is rare verbatim."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import attrgetter

from streamcli.core.condensing.excerpts import Excerpt
from streamcli.core.condensing.grouping import Grouping
from streamcli.core.condensing.groups import Batch, Group
from streamcli.core.condensing.layout import Piece, Style, least_length, pieces
from streamcli.core.condensing.masks import Masks
from streamcli.core.condensing.merging import Mergings, merged
from streamcli.core.lines import show_line

MIN_BUDGET = 200
"""Characters."""
MAX_TEMPLATES = 20

# Groups are merged that differ in one of at least so many words, or in two: in turn until the text fits. Each merges
# more, and so loses more events that are no mere names.
MERGES = ((8, 1), (8, 2), (5, 2), (3, 2))
# Where there is room after the first of them, so many are enough.
FINER = (12, 1)
# With each these in turn, down to what is lost rather than events (measured on real logs):
# values, then further lines of what is shown, then the ends of long lines.
STYLES = (
    Style(),
    Style(named=2),
    Style(named=0),
    Style(named=0, examples=False),
    Style(named=0, examples=False, width=400),
    Style(named=0, examples=False, width=200),
)
# If nothing fits, as many groups as do are told of like this.
LAST_STYLE = Style(named=0, examples=False, outstanding=False, width=120)
# Characters of the remark at the end, at most.
REMARK = 60
# Characters that stand for a byte which cannot be shown, at most, and bytes of a character.
MAX_ESCAPE = 4
# Records that are looked at together.
SLICE = 1000


@dataclass(frozen=True)
class Template:
    """`count` records like `example`, from line `first` to `last`."""

    count: int
    first: int
    last: int
    example: str


@dataclass(frozen=True)
class Condensed:
    """`lines` were added: `shown` are in the text verbatim, `condensed` are counted by one that is, and `dropped` are
    only counted where it says that something is left out.
    """

    text: str
    lines: int
    shown: int
    condensed: int
    dropped: int
    count_templates: Callable[[], tuple[Template, ...]] = field(default=tuple, compare=False, repr=False)

    @cached_property
    def templates(self) -> tuple[Template, ...]:
        """The most frequent, for a report: worked out when they are asked for."""
        return self.count_templates()


class Condenser:
    """The lines of one window. Memory is bounded, however many are added.

    `budget` is in characters of the text, at least MIN_BUDGET. Of a record that would take more than a quarter of it
    each line is a record of its own, and a line that would is cut.
    """

    def __init__(self, budget: int, masks: Masks) -> None:
        if budget < MIN_BUDGET:
            raise ValueError(f"a budget of {budget} characters: at least {MIN_BUDGET} are needed")
        self._budget = budget
        self._limit = budget // 4
        self._masks = masks
        self._grouping = Grouping(masks)  # of all, once they are too many to be shown
        self._verbatim: list[Excerpt] | None = []  # None once they are too many
        self._verbatim_size = REMARK
        self._waiting: list[Batch] = []  # until then they are in no group
        self._mergings: Mergings | None = None  # of all, until more is added
        self._lines = 0
        self._condensed_size = 0  # when it was last worked out
        self._condensed_lines = 0  # how many there were then
        self._condensed_growth = 0  # and what the groups had grown to

    @property
    def lines(self) -> int:
        return self._lines

    @property
    def is_full(self) -> bool:
        """Whether it does not fit the budget any more, even condensed."""
        if self._verbatim is not None:
            return False
        self._update_size()
        return self._condensed_size > self._budget

    def add(self, records: Sequence[bytes], first_line: int) -> None:
        """Records without their line ends, redacted, with no NUL in them; one of several lines has LFs between them.

        `first_line` is the number of the first one's first line, and lines are numbered without gaps.
        """
        self._mergings = None
        parts = [part for record in records for part in self._divided(record)]
        for start in range(0, len(parts), SLICE):
            batch = Batch(parts[start : start + SLICE], first_line, self._limit)
            first_line = batch.lasts[-1] + 1
            self._lines += first_line - batch.firsts[0]
            if self._verbatim is None:
                self._grouping.add(batch)
            else:
                self._waiting.append(batch)
                self._add_verbatim(batch, self._verbatim)

    def _divided(self, record: bytes) -> list[bytes]:
        """Its lines, if it is too long to be shown: then some of them are counted, and the rare ones stay."""
        if len(record) * MAX_ESCAPE > self._limit and b"\n" in record:
            lines = record.split(b"\n")
            if (
                len(record) > MAX_ESCAPE * self._limit
                or sum(len(show_line(line)) + 1 for line in lines) - 1 > self._limit
            ):
                return lines
        return [record]

    def _add_verbatim(self, batch: Batch, excerpts: list[Excerpt]) -> None:
        for place in range(len(batch.records)):
            excerpts.append(batch.excerpt(place))
            self._verbatim_size += len(excerpts[-1].prefixed()) + 1
            if self._verbatim_size > self._budget:
                self._verbatim = None
                for waiting in self._waiting:
                    self._grouping.add(waiting)
                self._waiting.clear()
                break

    def render(self, verbatim: bool = True) -> Condensed:
        """The text, in at most `budget` characters. Without `verbatim` it is condensed even if it need not be."""
        if self._verbatim is None:
            return self._rendered(self._merged())
        waiting = tuple(self._waiting)
        if verbatim:
            return self._whole(self._verbatim, lambda: _most_frequent(_merged(waiting, self._masks).after(1)))
        return self._rendered(_merged(waiting, self._masks))

    def _whole(self, excerpts: list[Excerpt], templates: Callable[[], tuple[Template, ...]]) -> Condensed:
        parts = [Piece(one.number, one.last, one.prefixed(), one.shown, 0, one.lines - one.shown) for one in excerpts]
        return self._condensed(parts, templates)

    def _merged(self) -> Mergings:
        if self._mergings is None:
            self._mergings = Mergings(self._grouping.groups(), MERGES)
        return self._mergings

    def _rendered(self, mergings: Mergings) -> Condensed:
        room = self._budget - REMARK
        for step in range(1, len(MERGES) + 1):
            groups = mergings.after(step)
            if _least_length(groups, STYLES[-1]) > room:
                continue
            for style in STYLES:
                parts = _parts_within(room, groups, style)
                if parts is not None:
                    finer = merged(mergings.after(0), *FINER) if (step, style) == (1, STYLES[0]) else groups
                    return self._condensed(_parts_within(room, finer, style) or parts, _counted(groups))
        parts = [part for group in groups for part in pieces(group, LAST_STYLE)]
        return self._condensed(_chosen(parts, room), _counted(groups))

    def _condensed(self, parts: list[Piece], templates: Callable[[], tuple[Template, ...]]) -> Condensed:
        shown, condensed = sum(part.shown for part in parts), sum(part.condensed for part in parts)
        dropped = self._lines - shown - condensed
        texts = [part.text for part in sorted(parts, key=attrgetter("first"))]
        if dropped:
            texts.append(f"[{dropped} lines are left out]")
        return Condensed("\n".join(texts), self._lines, shown, condensed, dropped, templates)

    def _update_size(self) -> None:
        """Works it out anew if it may have changed by much: it takes as long as a few thousand lines take."""
        growth = self._grouping.growth - self._condensed_growth
        tolerance = max(self._budget // 16, self._budget - self._condensed_size)
        if self._condensed_lines and growth < tolerance and self._lines < 2 * self._condensed_lines:
            return
        if self._condensed_size > self._budget and self._lines < 2 * self._condensed_lines:
            return  # it is full, and seldom will be less so
        groups = self._merged().after(1)
        self._grouping.expect(groups)
        parts = _parts_within(self._budget, groups, Style())
        self._condensed_size = self._budget + 1 if parts is None else _length(parts)
        self._condensed_lines, self._condensed_growth = self._lines, self._grouping.growth


def _merged(batches: Iterable[Batch], masks: Masks) -> Mergings:
    grouping = Grouping(masks)
    for batch in batches:
        grouping.add(batch)
    return Mergings(grouping.groups(), MERGES)


def _parts_within(room: int, groups: Sequence[Group], style: Style) -> list[Piece] | None:
    """None if they have more than `room` characters, which often shows before all of them are made."""
    if _least_length(groups, style) > room:
        return None
    parts: list[Piece] = []
    for group in groups:
        for part in pieces(group, style):
            parts.append(part)
            room -= len(part.text) + 1
        if room < 0:
            return None
    return parts


def _least_length(groups: Sequence[Group], style: Style) -> int:
    return sum([least_length(group, style) for group in groups])


def _length(parts: list[Piece]) -> int:
    return sum(len(part.text) + 1 for part in parts)


def _chosen(parts: list[Piece], room: int) -> list[Piece]:
    """As many as there is room for, the most valuable first."""
    if _length(parts) <= room:
        return parts
    chosen = []
    for part in sorted(parts, key=attrgetter("worth")):
        if len(part.text) + 1 <= room:
            chosen.append(part)
            room -= len(part.text) + 1
    return chosen


def _counted(groups: Sequence[Group]) -> Callable[[], tuple[Template, ...]]:
    """Their templates as they are now: more may be added to the groups."""
    templates = _most_frequent(groups)
    return lambda: templates


def _most_frequent(groups: Sequence[Group]) -> tuple[Template, ...]:
    ordered = sorted(groups, key=lambda group: (-group.count, group.first))[:MAX_TEMPLATES]
    return tuple(Template(group.count, group.first, group.last, group.kept[0].text) for group in ordered)
