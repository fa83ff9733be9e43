"""One input of a watch: lines, masked, joined, named."""

import pytest

from streamcli.core.intake import Intake
from streamcli.core.lines import MAX_LINE_BYTES, UNCERTAIN_BYTES


class Shouting:
    """A filter of lines."""

    def feed(self, lines, now):
        return [line.upper() for line in lines]


def test_lines_are_masked_joined_and_named():
    intake = Intake(Shouting(), name=b"a.log")
    assert intake.feed(b"one\n\tgoes on\ntwo\nthr", 0.0) == [b"a.log: ONE\n\tGOES ON"]
    assert intake.held == 2
    assert intake.feed(b"", intake.deadline()) == [b"a.log: TWO"]
    assert intake.held == 1
    assert intake.flush() == [b"a.log: THR"]
    assert (intake.held, intake.flush()) == (0, [])


@pytest.mark.parametrize("more", [1, 5000])
def test_a_line_that_is_cut_says_by_how_much_of_its_length(more):
    looked_at = MAX_LINE_BYTES + UNCERTAIN_BYTES
    assert Intake().feed(b"x" * looked_at + b"\ny\n", 0.0) == [b"x" * looked_at]
    (line,) = Intake().feed(b"x" * (looked_at + more) + b"\ny\n", 0.0)
    assert line == b"x" * MAX_LINE_BYTES + b" [%d more bytes of this line cut]" % (UNCERTAIN_BYTES + more)
