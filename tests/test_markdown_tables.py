"""Tables: what the cells of a row are where it has not as many as the table has columns."""

import pytest

from streamcli.core.markdown.render import MarkdownRenderer
from streamcli.core.markdown.tables import cells_of


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        ("| a | b |", ["a", "b"]),
        ("| a |", ["a", ""]),
        ("| a | b | | |", ["a", "b"]),
        ("| a | b | c | d |", ["a", "b | c | d"]),
        ("| `a | grep b` | pipes a into grep |", ["`a | grep b`", "pipes a into grep"]),
        ("| ``a ` | b`` | `c` | `d || e` |", ["``a ` | b``", "`c` | `d || e`"]),
        (r"| `a \| b` | `c || d` |", ["`a | b`", "`c || d`"]),
        ("| ` | b | ` c |", ["` | b | ` c", ""]),
        ("| `a` | ``b | c |", ["`a`", "``b | c"]),
        ("|", ["", ""]),
    ],
)
def test_no_text_of_a_row_is_lost(line, cells):
    assert [*cells_of(line, 2), ""][:2] == cells


def test_a_table_shows_the_cells_that_are_too_many():
    renderer = MarkdownRenderer(width=60, height=None, colour=False)
    text = "| a | b |\n|---|---|\n| `x | y` | **z** | last |\n"
    shown = "".join(renderer.feed(text, 0.0) + renderer.flush())
    assert shown.splitlines()[-1] == "`x | y` │ **z** | last"
