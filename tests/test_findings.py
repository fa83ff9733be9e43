"""A line of an answer that is a finding, and how many there were. More forms of it: test_finding_filter.py."""

import pytest

from streamcli.core.findings import Again, Finding, Level, Tally, may_be_marked, read_finding

DISK = Finding(Level.ERROR, 12, 40, "disk full")


def test_lines_are_those_of_the_window():
    assert read_finding("[ERROR] L1-L40: disk full", (12, 100)) == DISK
    assert read_finding("[ERROR] L1-L4: disk full", (12, 100)) == Finding(Level.ERROR, None, None, "L1-L4: disk full")


def test_in_code_only_what_cites_the_window_is_a_finding():
    lines = ["[ERROR] L12-L40: disk full", "[ERROR] disk full", "[ERROR] L1: disk full"]
    assert [read_finding(line, (12, 100), in_code=True) for line in lines] == [DISK, None, None]


def test_what_is_said_beside_a_number_is_there():
    again = read_finding("[AGAIN F3] L12-L40: now db2 too", (12, 100))
    assert (again, again.text) == (Again(3, 12, 40), "now db2 too")
    assert read_finding("**[AGAIN F3]** L12-L40.", (12, 100)).text == ""


@pytest.mark.parametrize(
    ("beginning", "may_be"),
    [("", True), (" - ", True), ("**[", True), ("[ERR", True), ("12. [x", True), ("x", False), ("` [", False)],
)
def test_a_line_that_may_be_marked(beginning, may_be):
    assert may_be_marked(beginning) == may_be


def test_findings_are_counted_by_level():
    tally = Tally()
    assert (tally.clause(), tally.by_level()) == ("", {"CRITICAL": 0, "ERROR": 0, "WARNING": 0, "INFO": 0})
    for found in (DISK, DISK, Again(1, 3, 3), Finding(Level.CRITICAL, None, None, "x")):
        tally.add(found)
    assert tally.clause() == "1 critical, 2 errors; 1 again"
    assert (tally.by_level()["ERROR"], tally.again) == (2, 1)
