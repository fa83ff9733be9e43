"""Rows -> what a terminal is to be sent: what is final is printed once, what is open is drawn below it and redrawn.

The terminal is in its usual mode, in which a newline goes to the first column of the next row.
"""


class Drawing:
    """`drawn` are the open rows, each no wider than the terminal; the cursor is behind the last of them.

    Without open rows it is in the first column of a fresh row, or, after `runs_on`, behind a row that goes on.
    """

    def __init__(self) -> None:
        self._drawn: list[str] = []
        self._is_stale = False
        self.is_midline = False

    def update(self, final: list[str], drawn: list[str], *, runs_on: bool = False) -> str:
        """Puts the final rows where the open ones were, and the new open ones below.

        With `runs_on` the last final row is not ended: what is final next continues it. Then nothing is drawn.
        """
        old = self._drawn
        rows = final + drawn if drawn else final
        ends = "" if drawn or runs_on or not final else "\n"
        self._drawn = drawn
        if self.is_midline or not old:
            if rows:
                self.is_midline = runs_on
            return "\n".join(rows) + ends
        self.is_midline = runs_on
        if self._is_stale:
            self._is_stale = False
            return _up(len(old) - 1) + "\n".join(rows) + ends
        return _changes(old, rows) + ends

    def forget(self, final: list[str], *, runs_on: bool) -> str:
        """As `update` with nothing open, and leaves the cursor in the first column in any case."""
        text = self.update(final, [], runs_on=runs_on)
        if self.is_midline:
            self.is_midline = False
            text += "\n"
        return text

    def resized(self) -> None:
        """The terminal has another width, and may have broken the open rows anew (kitty, VTE, tmux) or not (xterm).

        In either case they take at least as many rows as they are, and the cursor is behind the last: so many rows
        up is ours whatever it did. In a narrower terminal that breaks rows, a torn copy of the first of them stays
        above, and in its scrollback: a known limitation, as going up as far as they would then reach might overwrite
        what is final in one that does not. Only the block that is open is affected, and only once a resize.
        """
        self._is_stale = bool(self._drawn)


def _up(count: int) -> str:
    """To the beginning of the row so many above, and nothing from there on."""
    return f"\r\x1b[{count}A\x1b[J" if count > 0 else "\r\x1b[J"


def _changes(old: list[str], rows: list[str]) -> str:
    """From the rows that are drawn to the new ones: only what differs is written."""
    last = len(old) - 1
    if len(rows) > last and rows[last].startswith(old[last]) and rows[:last] == old[:last]:
        return "\n".join([rows[last][len(old[last]) :], *rows[last + 1 :]])
    same = 0
    for before, after in zip(old, rows, strict=False):
        if before != after:
            break
        same += 1
    if same == len(rows) > 0:
        same -= 1  # the cursor belongs behind it
    return _up(last - same) + "\n".join(rows[same:])
