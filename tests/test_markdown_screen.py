"""Markdown on a terminal: what stands on the screen, and in what has scrolled off it."""

import re
from pathlib import Path

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamcli.core.markdown.render import MarkdownRenderer

EVERYTHING = (Path(__file__).parent / "data" / "markdown.txt").read_text()


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


NESTED = """\
- one two three four five six
  - nested item that wraps
    1. first
    2. second

       more of it
- [x] done
10. ten
    ```sh
    ls
    ```
"""
TABLE = """\
| Name | Meaning | n |
|:-----|:-------:|--:|
| `a` | what it says, at some length | 1 |
| 漢字 | **short** | 200 |
"""
QUOTE = """\
> a quote with *some* text
>
> ```py
> if x:
>     y
> ```
> > inner

# Title
Text
***
"""
SCREENS = {
    "nested lists": (
        NESTED,
        20,
        """\
• one two three four
  five six
  ◦ nested item that
    wraps
    1. first
    2. second

       more of it
☑ done
10. ten
      ls""",
    ),
    "a table": (
        TABLE,
        60,
        """\
Name │           Meaning            │   n
─────┼──────────────────────────────┼────
a    │ what it says, at some length │   1
漢字 │            short             │ 200""",
    ),
    "a table that has to shrink": (
        TABLE,
        30,
        """\
Name │      Meaning      │   n
─────┼───────────────────┼────
a    │ what it says, at  │   1
     │    some length    │
─────┼───────────────────┼────
漢字 │       short       │ 200""",
    ),
    "a table that cannot": (
        TABLE,
        15,
        """\
Name: a
Meaning: what
it says, at
some length
n: 1
──────
Name: 漢字
Meaning: short
n: 200
──────""",
    ),
    "a quote": (
        QUOTE,
        12,
        """\
│ a quote
│ with some
│ text
│
│   if x:
│       y
│ │ inner

Title
Text
────────────""",
    ),
    "wide characters": ("漢字仮名交じり文である。 😀 ok ☃\n", 10, "漢字仮名交\nじり文であ\nる。 😀 ok\n☃"),
    "code that is too wide": ("```\n\tx\nyyyyyyyyyyyy\n```\nz\n", 11, "          x\n  yyyyyyyyy\nyyy\nz"),
}


@pytest.mark.parametrize(("text", "width", "expected"), SCREENS.values(), ids=SCREENS)
def test_screens(text, width, expected):
    assert "\n".join(rendered(text, width, 50)) == expected


def test_without_colour_there_is_no_sequence_and_headings_and_code_are_marked():
    renderer = MarkdownRenderer(width=40, height=None, colour=False)
    out = "".join(
        renderer.feed("## A `b`\n- **c**\n\n```py\nx = 1\n```\n> d\n\n| e |\n|---|\n| f |\n", 0.0) + renderer.flush()
    )
    assert out == "## A `b`\n• **c**\n\n  x = 1\n│ d\n\ne\n─\nf\n"


def test_on_a_terminal_of_few_rows_what_is_higher_is_in_the_scrollback_once():
    text = "".join(f"line {number} of a paragraph\n" for number in range(12)) + "\nend\n"
    terminal = Terminal(40, 5)
    for now, char in enumerate(text):
        terminal.feed(char, float(now))
        assert len(terminal.rows()) <= 5 or not terminal.screen.history.top or "line 0" in terminal.rows()[0]
    terminal.flush()
    assert terminal.rows() == text.removesuffix("\n").split("\n")


def test_what_is_open_is_shown_before_it_is_finished():
    terminal = Terminal(40, 10)
    terminal.feed("# Title\nsome **strong te", 0.0)
    assert terminal.rows() == ["Title", "some strong te"]
    assert terminal.screen.buffer[1][6].bold
    terminal.feed("xt** and\n```py\nretu", 1.0)
    assert terminal.rows() == ["Title", "some strong text and", "  retu"]
    terminal.feed("rn 1", 2.0)
    assert terminal.rows()[-1] == "  return 1"
    assert terminal.screen.buffer[2][2].fg == "magenta"
    terminal.feed("\n``", 3.0)
    assert terminal.rows()[-1] == "  return 1"


def test_a_table_is_not_shown_as_text_before_it_is_one():
    terminal = Terminal(40, 10)
    for now, char in enumerate("| a | b |\n|---|---|\n| c | d"):
        terminal.feed(char, float(now))
        assert "|" not in "".join(terminal.rows())
    assert terminal.rows() == ["a │ b", "──┼──"]
    terminal.feed(" |\n", 99.0)
    assert terminal.rows() == ["a │ b", "──┼──", "c │ d"]


def test_redraws_are_paced_and_write_only_what_is_new():
    renderer = MarkdownRenderer(width=40, height=10, colour=True)
    assert renderer.feed("some", 0.0) == ["some"]
    assert renderer.deadline() is None
    assert renderer.feed(" te", 0.01) == []
    due = renderer.deadline()
    assert due is not None
    assert 0.03 <= due <= 0.05
    assert renderer.feed("", due) == [" te"]
    assert renderer.feed("xt\n\nmore", 1.0) == ["xt\n\nmore"]
    assert renderer.flush() == ["\n"]
    assert (renderer.flush(), renderer.deadline()) == ([], None)


def test_a_redraw_leaves_the_rows_above_alone():
    renderer = MarkdownRenderer(width=40, height=10, colour=True)
    renderer.feed("one\ntwo *th", 0.0)
    assert renderer.feed("ree*", 1.0) == ["\r\x1b[Jtwo \x1b[3mthree\x1b[0m"]


@pytest.mark.parametrize("width", [12, 25, 60])
def test_after_a_change_of_width_the_open_block_is_drawn_for_the_new_one(width):
    terminal = Terminal(30, 10)
    terminal.feed("# Title\n" + TABLE, 0.0)
    terminal.screen.resize(10, width)
    terminal.renderer.resize(width, 10)
    terminal.feed("| b | c | 3 |\n", 1.0)
    terminal.flush()
    expected = rendered("# Title\n" + TABLE + "| b | c | 3 |\n", width, 10)
    assert [row.rstrip() for row in terminal.rows()][-len(expected) :] == expected
    assert "".join(terminal.rows()).count("Title") == 1


def test_a_notice_stands_above_what_is_open():
    terminal = Terminal(40, 10)
    terminal.feed("done\n\nopen te", 0.0)
    terminal.write(terminal.renderer.let_go())
    terminal.write(["notice: x\n"])
    terminal.feed("xt", 1.0)
    assert terminal.rows() == ["done", "notice: x", "", "open text"]
    terminal.flush()
    assert terminal.rows() == ["done", "notice: x", "", "open text"]


HOSTILE = "a\x1b[2Jb \x1b]52;c;eA==\x07 \x9b31m \x9d0;t\x9c \u202egnp\u202c \x00\x7f &#27;[31m &#x202e; &#x9b; \r c\n"


@pytest.mark.parametrize(
    "frame", ["{}", "# {}", "- {}", "> {}", "```\n{}\n```\n", "| a |\n|---|\n| {} |\n", "    {}", "<div>\n{}"]
)
@pytest.mark.parametrize("height", [None, 10])
def test_escapes_in_the_text_are_harmless(frame, height):
    renderer = MarkdownRenderer(width=40, height=height, colour=False)
    text = frame.format(HOSTILE)
    out = "".join(
        [piece for place, char in enumerate(text) for piece in renderer.feed(char, float(place))] + renderer.flush()
    )
    out = re.sub(r"\r(?:\x1b\[[0-9]+A)?\x1b\[J", "", out) if height else out  # our own
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", out)


def test_escapes_in_links_and_info_strings_are_harmless():
    renderer = MarkdownRenderer(width=200, height=None, colour=False)
    text = "[a](b\x1b[2J) <x:\x1b[1m> [c](d&#27;&#x9b;&#x202e;e) ![f](\x9bg)\n\n``` \x1b[2J\nh\n```\n"
    out = "".join(renderer.feed(text, 0.0) + renderer.flush())
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", out)


@pytest.mark.parametrize("unit", ["ab", "漢"])
def test_a_line_of_code_that_runs_on_while_it_is_open_is_there_once(unit):
    text = "x\n```py\n_" + unit * 30 + "()\n```\n"  # at the parenthesis all of it takes another colour
    terminal = Terminal(21, 10)
    for now, char in enumerate(text):
        terminal.feed(char, float(now))
        assert terminal.rows()[0] == "x"
    terminal.flush()
    assert terminal.rows() == rendered(text, 21, 10)
    assert "".join(terminal.rows()).count(unit) == 30
