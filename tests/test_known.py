"""What was found before: what the next request is told of it, and how long."""

from streamcli.core.findings import Finding, Level
from streamcli.core.known import MAX_KNOWN, MAX_PROMPT, Known


def known_of(*findings, windows=3, window=1):
    known = Known(windows)
    for finding in findings:
        known.add(finding, window)
    return known


DISK = Finding(Level.ERROR, 12, 40, "the disk is 97 % full, writes fail soon, free some")


def test_the_next_window_is_told_what_was_found():
    known = known_of(DISK, Finding(Level.INFO, 1, 1, "a\x1b[2J\nb"))
    told = known.prompt(2)
    assert "F1 [ERROR] the disk is 97 % full, writes fail soon, free some\nF2 [INFO] a" in told
    assert "\x1b" not in told
    assert Known(3).prompt(1) == ""


def test_a_finding_is_forgotten_after_so_many_windows_unless_it_goes_on():
    known = known_of(DISK, Finding(Level.INFO, 1, 1, "x"), windows=2)
    known.again(1, 3)
    assert ["F1" in known.prompt(window) for window in (3, 4, 5, 6)] == [True, True, True, False]
    assert known.add(Finding(Level.INFO, 1, 1, "y"), 7) == 3
    assert (1 in known, 2 in known, known.number_of(DISK)) == (False, False, None)


def test_without_windows_nothing_is_remembered_but_the_count():
    known = known_of(DISK, DISK, windows=0)
    assert (known.prompt(2), 1 in known, known.add(DISK, 3)) == ("", False, 3)


def test_what_is_remembered_is_bounded():
    known = known_of(
        *(Finding(Level.ERROR, 1, 1, f"{chr(97 + n % 26) * (n % 40)} {n}") for n in range(1000)), windows=99
    )
    assert len(known.prompt(2)) < MAX_PROMPT + 400
    assert sum(number in known for number in range(2000)) <= MAX_KNOWN + 1
    assert 1000 in known
