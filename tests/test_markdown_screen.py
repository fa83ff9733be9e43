"""Markdown on a terminal: what stands on the screen, and in what has scrolled off it."""

from pathlib import Path

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamcli.core.markdown.render import MarkdownRenderer

EVERYTHING = (Path(__file__).parent / "data" / "everything.md").read_text()


class Terminal:
    """A screen with its scrollback, and a renderer that writes to it."""

    def __init__(self, width, height, colour=True):
        self.screen = pyte.HistoryScreen(width, height, history=100_000)
        self.screen.set_mode(pyte.modes.LNM)
        self.stream = pyte.Stream(self.screen)
        self.renderer = MarkdownRenderer(width=width, height=height, colour=colour)
        self.written = 0

    def write(self, pieces):
        for piece in pieces:
            self.written += len(piece)
            self.stream.feed(piece)

    def feed(self, text, now=0.0):
        self.write(self.renderer.feed(text, now))

    def flush(self):
        self.write(self.renderer.flush())

    def rows(self):
        """All rows, the oldest first, without the blank ones at the end."""
        history = ["".join(row[x].data for x in range(self.screen.columns)) for row in self.screen.history.top]
        rows = [row.rstrip() for row in (*history, *self.screen.display)]
        while rows and not rows[-1]:
            rows.pop()
        return rows


def rendered(text, width, height, colour=True):
    terminal = Terminal(width, height, colour)
    terminal.feed(text)
    terminal.flush()
    return terminal.rows()


@given(
    st.integers(0, len(EVERYTHING)),
    st.integers(1, 1500),
    st.lists(st.tuples(st.integers(1, 60), st.sampled_from((0.0, 0.01, 0.05))), min_size=1, max_size=40),
    st.sampled_from(((80, 24), (40, 10), (23, 5), (60, 2))),
)
@settings(max_examples=60, deadline=None)
def test_however_the_text_comes_the_screen_is_the_same_at_the_end(start, length, deltas, size):
    text = EVERYTHING[start : start + length]
    terminal = Terminal(*size)
    now = position = 0
    while position < len(text):
        for step, wait in deltas:
            now += wait
            terminal.feed(text[position : position + step], now)
            position += step
    terminal.flush()
    assert terminal.rows() == rendered(text, *size)


@pytest.mark.parametrize("height", [None, 24])
def test_one_delta_or_many(height):
    def render(step):
        renderer = MarkdownRenderer(width=60, height=height, colour=True)
        pieces = [EVERYTHING[start : start + step] for start in range(0, len(EVERYTHING), step)]
        return "".join([out for piece in pieces for out in renderer.feed(piece, 0.0)] + renderer.flush())

    if height is None:
        assert render(1) == render(7) == render(len(EVERYTHING))
    assert render(1).endswith("\n")
