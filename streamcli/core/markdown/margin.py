"""What stands to the left of a block: the bars of quotes, the markers of list items, and the indentation below them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from streamcli.core.markdown import theme
from streamcli.core.markdown.theme import BULLET, DIM, paint
from streamcli.core.markdown.wrap import fold

# So many columns at least are left for the text, if the terminal has them: deeper nesting is not indented any more.
MIN_TEXT = 16

_QUOTE = re.compile(r" {0,3}> ?")
_MARKER = re.compile(r"([-+*]|([0-9]{1,9})[.)])(?: |\Z)")
_THEMATIC_BREAK = re.compile(r"(?:(?:\* *){3,}|(?:- *){3,}|(?:_ *){3,})\Z")
_TASK = re.compile(r"\[([ xX])\] +(?=\S)")


@dataclass(frozen=True, slots=True)
class Container:
    """A quote, or an item of a list. `marker` stands left of its first row, `rest` left of the others."""

    is_quote: bool
    indent: int
    """Of an item: the columns of indentation that make a line belong to it."""
    marker: str
    rest: str
    columns: int
    number: int = -1
    """Of an item of a numbered list: the one that is shown."""
    source_number: int = -1
    """The one that the source has."""
    delimiter: str = ""
    """Of such an item: what stands behind the number."""


def quote(*, colour: bool) -> Container:
    bar = paint("│", DIM if colour else 0) + " "
    return Container(True, 0, bar, bar, len(theme.QUOTE_BAR))


def is_thematic_break(text: str) -> bool:
    return _THEMATIC_BREAK.match(text) is not None


def item(
    text: str, indent: int, depth: int, before: Container | None, *, colour: bool, interrupts: bool
) -> tuple[Container, str] | None:
    """The list item that begins a text, and the text behind its marker; None if none does.

    `indent` are the columns before the text, `depth` is the number of lists around it, `before` the item before it;
    what `interrupts` a paragraph must not be empty and is counted from 1.
    """
    found = _MARKER.match(text)
    if not found or is_thematic_break(text):
        return None
    content = text[found.end(1) :]
    is_empty = not content.strip()
    if interrupts and (is_empty or (found[2] and int(found[2]) != 1)):
        return None
    spaces = len(content) - len(content.lstrip(" "))
    if is_empty or spaces > 4:
        spaces = 1
    content = content[spaces:]
    number = source_number = int(found[2] or -1)
    delimiter = found[1][-1] if found[2] else ""
    if delimiter and before and before.delimiter == delimiter and before.source_number == number:
        number = before.number + 1  # many number each item 1
    marker = f"{number}{delimiter} " if delimiter else theme.BULLETS[depth % len(theme.BULLETS)]
    task = _TASK.match(content)
    if task:
        box = theme.UNDONE if task[1] == " " else theme.DONE
        marker = marker + box if delimiter else box
        content = content[task.end() :]
    columns = len(marker)
    shown = paint(marker[:-1], BULLET if colour else 0) + " "
    inside = indent + found.end(1) + spaces
    return Container(False, inside, shown, " " * columns, columns, number, source_number, delimiter), content


def match(containers: Sequence[Container], line: str) -> tuple[int, str]:
    """How many of the containers a line belongs to, from the outermost on, and what stands in them."""
    for depth, container in enumerate(containers):
        if container.is_quote:
            bar = _QUOTE.match(line)
            if not bar:
                return depth, line
            line = line[bar.end() :]
        elif line[: container.indent].isspace() and len(line) > container.indent:
            line = line[container.indent :]
        elif line and not line.isspace():
            return depth, line
    return len(containers), line


class Margin:
    """The open containers, and the rows that are final: each with its margin.

    `final` is emptied by whoever prints it. With `runs_on` its last row, or the last that was taken, is not ended.
    """

    def __init__(self, width: int) -> None:
        self.containers: list[Container] = []
        self.final: list[str] = []
        self.runs_on = False
        self._width = width
        self._started = 0  # how many containers something has been printed in
        self._is_anything_printed = False
        self._is_gap_wanted = False
        self._fitting: list[int] | None = []  # which containers are shown; measured when that is wanted
        self._rest = ""
        self._room = width

    def preview(self) -> "Margin":
        """A copy with nothing final in it."""
        other = Margin(self._width)
        other.containers = self.containers.copy()
        other._started = self._started
        other._is_anything_printed = self._is_anything_printed
        other._is_gap_wanted = self._is_gap_wanted
        other._fitting = self._fitting
        other._rest = self._rest
        other._room = self._room
        return other

    @property
    def room(self) -> int:
        """The columns right of the margin."""
        if self._fitting is None:
            self._fits()
        return self._room

    @property
    def is_item_empty(self) -> bool:
        """Whether nothing of the innermost list item has been printed."""
        return self._started < len(self.containers) and not self.containers[-1].is_quote

    def resize(self, width: int) -> None:
        self._width = width
        self._fitting = None

    def open(self, container: Container) -> None:
        self.containers.append(container)
        self._fitting = None

    def close(self, depth: int) -> None:
        """Ends the containers from `depth` on; of items without content the marker is printed."""
        if len(self.containers) > depth:
            if self._started < len(self.containers):
                self.put([""])
            del self.containers[depth:]
            self._started = min(self._started, depth)
            self._fitting = None

    def want_gap(self) -> None:
        """A blank row goes before the next one, if that is not the first."""
        self._is_gap_wanted = self._is_anything_printed

    def put(self, rows: list[str]) -> None:
        """Rows that fit `room`, or lines of code that run on: they are final."""
        if self._is_gap_wanted:
            self._put_gap()
        self._is_anything_printed = True
        if not self.containers:
            self.final += rows
            return
        fitting = self._fits()
        rest = first = self._rest
        if self._started < len(self.containers):
            first = self._first(fitting)
            self._started = len(self.containers)
        for place, row in enumerate(rows):
            prefix = rest if place else first
            self.final.append(prefix + row if row else prefix.rstrip(" "))

    def run_on(self, text: str, *, ends: bool) -> None:
        """A piece of a line that is too long to wait for its end."""
        if not self.runs_on:
            self.put([text])
        elif self.final:
            self.final[-1] += text
        else:
            self.final.append(text)
        self.runs_on = not ends

    def _put_gap(self) -> None:
        self._is_gap_wanted = False
        shared = [self.containers[place].rest for place in self._fits() if place < self._started]
        self.final.append("".join(shared).rstrip(" "))

    def _first(self, fitting: list[int]) -> str:
        """The margin of the first row; a marker that does not fit beside the text goes above it."""
        containers = self.containers
        innermost = containers[-1]
        if len(containers) - 1 not in fitting and not innermost.is_quote:
            self.final += fold(innermost.marker.rstrip(" "), self._width)
        started = self._started
        return "".join([containers[place].rest if place < started else containers[place].marker for place in fitting])

    def _fits(self) -> list[int]:
        """The places of the containers that are shown: the innermost, which the text is in, and what fits around it."""
        if self._fitting is not None:
            return self._fitting
        limit = max(self._width - MIN_TEXT, self._width // 2)
        used = 0
        last = len(self.containers) - 1
        innermost = self.containers[-1].columns if self.containers else 0
        is_shown = 0 < innermost <= limit
        if is_shown:
            limit -= innermost
        fitting = []
        for place, container in enumerate(self.containers[:-1]):
            if used + container.columns > limit:
                break
            used += container.columns
            fitting.append(place)
        if is_shown:
            used += innermost
            fitting.append(last)
        self._fitting = fitting
        self._rest = "".join([self.containers[place].rest for place in fitting])
        self._room = max(self._width - used, 1)
        return fitting
