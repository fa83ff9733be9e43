"""An answer on its way out: which lines are findings, what passes, what is known already."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamcli.core.finding_filter import FindingFilter
from streamcli.core.findings import MAX_LINE, Again, Finding, Level
from streamcli.core.known import Known


def read(*chunks, known=None, skip_ok=False, first=1, last=1000):
    """What passes, and what is found."""
    reader = FindingFilter(first, last, known or Known(0), skip_ok=skip_ok)
    text = [piece for chunk in chunks for piece in reader.feed(chunk, 0.0)] + reader.flush()
    return "".join(text), reader.take()


def known_of(*findings, windows=3, window=1):
    known = Known(windows)
    for finding in findings:
        known.add(finding, window)
    return known


DISK = Finding(Level.ERROR, 12, 40, "the disk is 97 % full, writes fail soon, free some")


@pytest.mark.parametrize(
    ("line", "finding"),
    [
        ("[ERROR] L12-L40: disk full", (Level.ERROR, 12, 40, "disk full")),
        ("[error] L12\u2013L40 disk full", (Level.ERROR, 12, 40, "disk full")),
        ("[CRITICAL] L7: down", (Level.CRITICAL, 7, 7, "down")),
        ("- [WARN] L3: slow", (Level.WARNING, 3, 3, "slow")),
        ("**[ERROR]** L12-40: disk full", (Level.ERROR, 12, 40, "disk full")),
        ("**[ERROR] L12-L40:** disk full", (Level.ERROR, 12, 40, "disk full")),
        ("**[INFO] L1: restarted**", (Level.INFO, 1, 1, "restarted")),
        ("[CRITICAL] L5, L9-L12: down", (Level.CRITICAL, 5, 12, "down")),
        ("[ERROR] L20 and L3: both", (Level.ERROR, 3, 20, "both")),
        ("[ERROR] lines 12-40: disk full", (Level.ERROR, 12, 40, "disk full")),
        ("[ERROR] Line 12: disk full", (Level.ERROR, 12, 12, "disk full")),
        ("1. [WARNING] L12: odd", (Level.WARNING, 12, 12, "odd")),
        ("  * [FATAL]: L12: odd", (Level.CRITICAL, 12, 12, "odd")),
        ("[WARNING] nothing is said of lines", (Level.WARNING, None, None, "nothing is said of lines")),
        ("[WARNING] 500 errors", (Level.WARNING, None, None, "500 errors")),
        ("[ERROR] L990-L2000: beyond the end", (Level.ERROR, 990, 1000, "beyond the end")),
        ("[ERROR] L2000: not there", (Level.ERROR, None, None, "L2000: not there")),
        ("[ERROR] L3", (Level.ERROR, 3, 3, "")),
        ("[ERROR] L3-L99999999999999999999: odd", (Level.ERROR, 3, 3, "L99999999999999999999: odd")),
        ("**CRITICAL** L1: down", (Level.CRITICAL, 1, 1, "down")),
        ("ERROR: L3-L4: bad", (Level.ERROR, 3, 4, "bad")),
        ("[CRITICAL L1-L2]: down", (Level.CRITICAL, 1, 2, "down")),
        ("### [CRITICAL] L1: down", (Level.CRITICAL, 1, 1, "down")),
        ("| [ CRITICAL ] | L1 | down", (Level.CRITICAL, 1, 1, "| down")),
        ("\\[ERROR\\] L1: down", (Level.ERROR, 1, 1, "down")),
        ("[SEVERE] L1: down", (Level.CRITICAL, 1, 1, "down")),
        ("\U0001f534 [CRITICAL] L1: down", (Level.CRITICAL, 1, 1, "down")),
        ("\u26a0\ufe0f **[ERROR]** L1: down", (Level.ERROR, 1, 1, "down")),
    ],
)
def test_a_finding_is_read_as_models_write_it(line, finding):
    for text in (line, f"{line}\n", f"Here it is.\n\n{line}\r\nThat is all."):
        passed, found = read(text)
        assert (passed, found) == (text, [Finding(*finding)])


@pytest.mark.parametrize(
    "text",
    [
        "a line with [ERROR] L3: in it",
        "```\n[ERROR] quoted\n```\n",
        "~~~log\n```\n[ERROR] L3000: quoted\n",
        "L12 [ERROR] quoted",
        "[ERRORS] L3: x",
        "[ERROR L3: x",
        "[] L3: x",
        "[AGAIN F1] L3",
        "ERROR: disk",
        "[\u0130NFO] L3: x",
        "> [ERROR] L3: quoted",
        "`[ERROR] L3: quoted`",
        "Error L3x",
    ],
)
def test_what_is_no_finding(text):
    assert read(text) == (text, [])


def test_a_whole_answer_may_stand_in_a_fence():
    assert [one.text for one in read("```\n[ERROR] L1: a\n[ERROR] c\n```\n[ERROR] b\n")[1]] == ["a", "b"]


@pytest.mark.parametrize(
    ("answer", "understood"),
    [("OK.\n", True), ("[INFO] x", True), ("", False), ("All is well.", False), ("OK, but odd", False)],
)
def test_it_is_known_whether_an_answer_was_understood(answer, understood):
    for known in (Known(0), known_of(DISK)):
        reader = FindingFilter(1, 9, known)
        for char in answer:
            reader.feed(char, 0.0)
        reader.flush()
        assert reader.is_understood == understood


def test_without_a_memory_text_is_not_held():
    reader = FindingFilter(1, 9, Known(0))
    assert [reader.feed(piece, 0.0) for piece in ("[ERR", "OR] L", "3: x", "\n")] == [
        ["[ERR"],
        ["OR] L"],
        ["3: x"],
        ["\n"],
    ]
    assert reader.take() == [Finding(Level.ERROR, 3, 3, "x")]
    assert reader.take() == []


def test_with_a_memory_only_what_may_be_a_finding_is_held():
    reader = FindingFilter(1, 9, Known(1))
    assert [reader.feed(piece, 0.0) for piece in ("- ", "[ER", "ROR] x", "\nIt", " is")] == [
        [],
        [],
        [],
        ["- [ERROR] x\nIt"],
        [" is"],
    ]


# --- what is known ---


def test_a_known_finding_is_left_out_and_counted():
    known = known_of(DISK)
    text = "[AGAIN F1] L812-L900\n[WARNING] L3: new\n"
    assert read(text, known=known) == (
        "[WARNING] L3: new\n",
        [Again(1, 812, 900), Finding(Level.WARNING, 3, 3, "new")],
    )


def test_a_finding_that_is_written_out_again_is_known_too():
    again = "[ERROR] L812: The disk is 97 % full,  writes fail soon, free some"
    assert read(again, known=known_of(DISK)) == ("", [Again(1, 812, 812)])
    for other in (again.replace("ERROR", "CRITICAL"), again.replace("97", "98")):
        assert read(other, known=known_of(DISK))[0] == other


def test_what_is_said_beside_the_number_of_a_known_finding_is_shown():
    text = "[AGAIN F1] L12: now db2 is down too\n"
    assert read(text, known=known_of(DISK)) == (text, [Again(1, 12, 12)])
    assert read("**[AGAIN F1]** L12.\n", known=known_of(DISK)) == ("", [Again(1, 12, 12)])


def test_a_number_that_is_not_known_is_text():
    assert read("[AGAIN F2] L3\n", known=known_of(DISK)) == ("[AGAIN F2] L3\n", [])


# --- all is well ---


@pytest.mark.parametrize("answer", ["OK", "OK.\n", "**OK**", "[OK]", "ok", "  Okay!\n\n", "", "\n", "✅ OK"])
def test_an_answer_that_only_says_ok_can_be_left_out(answer):
    assert read(answer, skip_ok=True) == ("", [])
    assert read(answer) == (answer, [])


@pytest.mark.parametrize(
    "answer", ["OK, but L3 is odd", "O", "Nothing is wrong.", "OK\n[INFO] L3: x", "o o", "." * 300]
)
def test_what_is_not_understood_is_shown(answer):
    assert read(answer, skip_ok=True)[0] == answer


def test_with_skip_ok_text_streams_once_it_is_more_than_an_ok():
    reader = FindingFilter(1, 9, Known(0), skip_ok=True)
    assert [reader.feed(piece, 0.0) for piece in ("O", "K", ", b", "ut")] == [[], [], ["OK, b"], ["ut"]]


def test_a_window_with_nothing_new_is_left_out():
    assert read("[AGAIN F1] L3\nOK\n", known=known_of(DISK), skip_ok=True) == ("", [Again(1, 3, 3)])


# --- any chunking ---

ANSWERS = st.lists(
    st.sampled_from(
        [
            "[ERROR] L12-L40: disk full\n",
            "[AGAIN F1] L3\n",
            "[AGAIN F9] L3\n",
            "\u26a0\ufe0f [AGAIN F1] L3\n",
            "[AGAIN F1] L3: and more\n",
            "[\u0130NFO] L3: x\n",
            "- **[WARN]** L3, L9: slow\n",
            "[ERROR] L1: the disk is 97 % full, writes fail soon, free some\n",
            "```\n",
            "~~~\n",
            "OK\n",
            "\n",
            "  ",
            "prose [INFO] x\n",
            "[x",
            "**ERROR** L3: the disk is 97 % full, writes fail soon, free some\n",
            "[ERROR] " + "x" * MAX_LINE + "\n",
            "[AGAIN F1] " + "x" * (MAX_LINE - 20) + "\n",
            "\u2028\x0b\r\n",
            "last",
        ]
    ),
    max_size=8,
).map("".join)


@settings(max_examples=300, deadline=None)
@given(ANSWERS, st.lists(st.integers(1, 60), min_size=1), st.booleans(), st.booleans())
def test_chunks_do_not_matter_and_only_what_is_known_is_missing(text, sizes, remembers, skip_ok):
    def known():
        return known_of(DISK, windows=3 if remembers else 0)

    chunks, rest, turn = [], text, 0
    while rest:
        size = sizes[turn % len(sizes)]
        chunks.append(rest[:size])
        rest, turn = rest[size:], turn + 1
    whole = read(text, known=known(), skip_ok=skip_ok)
    assert read(*chunks, known=known(), skip_ok=skip_ok) == whole
    if not remembers and not skip_ok:
        assert whole[0] == text
    missing = [line for line in text.splitlines(keepends=True) if line not in whole[0]]
    assert all("AGAIN F1" in line or "disk" in line or line.strip() in ("OK", "") for line in missing)


@settings(max_examples=50, deadline=None)
@given(st.booleans(), st.text(max_size=50))
def test_little_is_held(skip_ok, filler):
    reader = FindingFilter(1, 9, Known(3), skip_ok=skip_ok)
    fed = passed = 0
    for piece in ["[ERROR] ", *([filler + "x"] * 400)]:
        fed += len(piece)
        passed += sum(map(len, reader.feed(piece, 0.0)))
        assert fed - passed <= MAX_LINE + len(piece)
