"""The lines that a finding cites."""

import pytest

from streamcli.core.citations import cited

TEXT = """\
L1 start
[x812 L3-L1990] GET /a {status: 200 x812}
L4-L6 failed
\tat x
\tat y
L7 L8 is no entry
[2 lines are left out]"""


@pytest.mark.parametrize(
    ("span", "lines"),
    [
        ((1, 1), ["L1 start"]),
        ((5, 5), ["L4-L6 failed", "\tat x", "\tat y"]),
        ((6, 7), ["L4-L6 failed", "\tat x", "\tat y", "L7 L8 is no entry", "[2 lines are left out]"]),
        ((8, 9), ["[x812 L3-L1990] GET /a {status: 200 x812}"]),
        ((1991, 2000), []),
        ((None, None), []),
    ],
)
def test_the_entries_of_the_lines_that_are_cited(span, lines):
    assert cited(TEXT, *span) == lines


def test_a_text_without_entries_has_nothing_to_cite():
    assert cited("", 1, 5) == []
