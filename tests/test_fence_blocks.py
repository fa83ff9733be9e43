"""Which lines are fences, and which block of an answer is given. That chunks do not matter is in test_splits.py."""

import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from streamcli.core.blocks import MAX_LINE, BlockScanner, Kind
from streamcli.core.fences import SPOOL_PIECE, Extractor, MemorySpool, language_of

many = settings(max_examples=300, deadline=None)


def extract(answer, *args, **options):
    """The code, and the extractor; fed whole, and in single characters."""
    whole, extractor = Extractor(*args, **options), Extractor(*args, **options)
    code = "".join([*whole.feed(answer, 0.0), *whole.flush()])
    assert "".join([piece for char in answer for piece in extractor.feed(char, 0.0)] + extractor.flush()) == code
    return code, extractor


def blocks_of(answer):
    """(line of the opening fence, info, code) of every block."""
    scanner, found = BlockScanner(), []
    for line, text in enumerate(answer.splitlines(keepends=True)):
        for kind, piece in scanner.feed(text):
            if kind is Kind.OPENED:
                found.append([line, piece, ""])
            elif kind is Kind.CODE:
                found[-1][2] += piece
    return [tuple(block) for block in found]


def blocks_by_markdown_it(answer):
    tokens = MarkdownIt("commonmark").parse(answer)
    return [(token.map[0], token.info.strip(), token.content) for token in tokens if token.type == "fence"]


# --- which lines are fences ---


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("1. text\n\n   ```py\n   code\n   ```\n", "code\n"),
        ("1. text\n   ```py\n   code\n   ```\n", "code\n"),
        ("1. text\n\n    ```py\n    if x:\n        y\n    ```\n", "if x:\n    y\n"),
        ("1. text\n\n       ```py\n       code\n       ```\n", None),
        ("10. text\n\n    ```py\n    code\n    ```\n", "code\n"),
        ("- a\n  - b\n\n    ```\n    code\n      ```\n", "code\n"),
        ("- a\n  - b\n    1) c\n\n       ```\n       code\n       ```\n", "code\n"),
        ("- a\n- b\n\n    ```\n    code\n    ```\n", "code\n"),
        ("- a\n  - b\nlazy\n\n    ```\n    code\n", "code\n"),
        ("- a\n\nb\n\n    ```\n    code\n", None),
        ("- a\n# b\n    ```\n    code\n", None),
        ("- a\n- - -\n    ```\n    code\n", None),
        ("-   ```py\n    code\n    ```\n", "code\n"),
        ("- - ```py\n    code\n    ```\n", "code\n"),
        ("-     ```py\n    code\n", None),
        ("1.\ttext\n\n\t```py\n\tcode\n\t\tmore\n\t```\n", "code\n\tmore\n"),
        ("-\n  a\n    ```\n    code\n", "code\n"),
        ("-\n\n    ```\n    code\n", None),
        ("-   \n  a\n\n     ```\n     code\n", "code\n"),
        ("-    a\n\n      ```\n      code\n", "code\n"),
        ("100000. a\n    lazy\n\n        ```\n        code\n", "code\n"),
        ("- a\n  - b\n===\n\n    ```\n    code\n", "code\n"),
        ("text\n" * MAX_LINE + "```\ncode\n", "code\n"),
        ("1234567890. a\n\n            ```\n            code\n", None),
        ("a\n2. b\n\n    ```\n", None),
        ("a\n1. b\n\n    ```\n    code\n", "code\n"),
        ("a\n-\n2. b\n\n    ```\n    code\n", "code\n"),
        ("a\n*\n    ```\n", None),
        ("-a\n\n    ```\n", None),
        ("**a**\n\n    ```\n    x\n    ```\n", None),
        ("text\n    ```\n", None),
        ("\t```\n\tx\n", None),
        ("> ```\n> x\n> ```\n", None),
        ("\ufeff```\nx\n```\n", "x\n"),
        ("a\n\ufeff```\nx\n", None),
        ("```\nx\r```\ry\r\n```\r\n", "x\r```\ry\r\n"),
        ("  ```\n\tx\n \ty\n```\n", "\tx\n\ty\n"),
        ("<details>\n```\nx\n```\n", "x\n"),
        ("```\nx\n    ```\n  `````\ny", "x\n    ```\n"),
        ("- a\n\n  ```\n  x\n     ```\ny", "x\n"),
        ("- a\n\n  ```\n  x\n      ```\n", "x\n    ```\n"),
        ("``` a`\nx\n~~~ a`\ny\n", "y\n"),
        ("```" + "a" * (MAX_LINE - 3) + "\nx\n", "x\n"),
        ("```" + "a" * (MAX_LINE - 2) + "\nx\n", None),
        ("```\nx\n```" + " " * (MAX_LINE - 3) + "\n", "x\n"),
        ("```\nx\n```" + " " * (MAX_LINE - 2) + "\n", "x\n```" + " " * (MAX_LINE - 2) + "\n"),
    ],
)
def test_a_fence_is_what_commonmark_calls_one(answer, code):
    found, extractor = extract(answer)
    assert (found, extractor.blocks) == ((answer, 0) if code is None else (code, 1))


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("1. run\n\n   ```sh\npip install x\n   ```\n", "pip install x\n"),
        ("1. run\n\n   ```sh\n   make\n```\n", "make\n"),
        ("- a\n  - b\n\n    ```sh\n  make\n  test\n  ```\n", "make\ntest\n"),
    ],
)
def test_code_in_a_list_that_lacks_its_indentation_is_still_code(answer, code):
    """Other than in CommonMark, where the list's end would be the code's."""
    assert extract(answer, "all")[0] == code


SOUP = ["```", "````", "~~~", "- ", "* ", "1. ", "2) ", "10. ", "-", "---", "===", "# ", "a", "`", "py"]
soup = st.lists(st.sampled_from([*SOUP, " ", "  ", "    ", "\t", "\n", "\n", "\n\n"])).map("".join)


@many
@given(soup)
def test_the_first_fence_is_where_markdown_it_finds_it(answer):
    answer += "\n"
    ours, theirs = blocks_of(answer)[:1], blocks_by_markdown_it(answer)[:1]
    assert [block[:2] for block in ours] == [block[:2] for block in theirs]
    if ours and "\t" not in answer:  # a line that leaves the list ends the code there
        assert ours[0][2].startswith(theirs[0][2])


@st.composite
def fenced(draw):
    fence = draw(st.sampled_from(["```", "````", "~~~", "~~~~~"]))
    info = draw(st.sampled_from(["", "py", " c++ ", "python title=x", "{.python #id}"]))
    pool = ["", "x = 1", "    y", "``", "```", "~~~", " ````", "    ```", "- a", "# b", "``` py", "1. z"]
    code = [line for line in draw(st.lists(st.sampled_from(pool))) if not line.strip().startswith(fence)]
    closing = fence + draw(st.sampled_from(["", fence[0], "  "]))
    return indented([fence + info, *code, closing], draw(st.integers(0, 3)))


def indented(lines, columns):
    return [" " * columns + line if line else "" for line in lines]


def joined(parts):
    return [line for part in parts for line in [*part, ""]][:-1]


@st.composite
def listed(draw, parts):
    marker = draw(st.sampled_from(["- ", "*   ", "+  ", "1. ", "10) "]))
    lines = []
    for item in draw(st.lists(st.lists(parts, min_size=1, max_size=3).map(joined), min_size=1, max_size=3)):
        first, *rest = item if not item[0].startswith(" ") else ["text", *item]
        lines += [marker + first, *indented(rest, len(marker))]
    return lines


parts = st.recursive(
    fenced()
    | st.sampled_from([["text"], ["two", "lines"], ["# a"], ["***"], ["    ```", "    no", "    ```"], ["`x`"]]),
    lambda parts: listed(parts),
    max_leaves=8,
)


@many
@given(st.lists(parts, max_size=5).map(joined))
def test_every_block_of_a_well_formed_answer_is_as_markdown_it_has_it(lines):
    answer = "".join(line + "\n" for line in lines)
    assert blocks_of(answer) == blocks_by_markdown_it(answer)


# --- which block is given ---

THREE = "Intro\n\n```sh\na\n```\nThen\n~~~ {.Python #id}\nb\nc\n~~~\n- so\n  ```py title=x\n  d\n  ```\nEnd\n"


@pytest.mark.parametrize(
    ("options", "code", "info"),
    [
        ({}, "a\n", "sh"),
        ({"block": "first"}, "a\n", "sh"),
        ({"block": 1}, "a\n", "sh"),
        ({"block": 2}, "b\nc\n", "{.Python #id}"),
        ({"block": 3}, "d\n", "py title=x"),
        ({"block": "last"}, "d\n", "py title=x"),
        ({"block": "all"}, "a\nb\nc\nd\n", "sh"),
        ({"language": {"py", "python"}}, "b\nc\n", "{.Python #id}"),
        ({"language": {"py"}}, "d\n", "py title=x"),
        ({"language": {"sh", "py"}}, "a\n", "sh"),
        ({"language": {"rust"}}, "a\n", "sh"),
    ],
)
def test_the_block_that_is_wanted_is_given(options, code, info):
    found, extractor = extract(THREE, **options)
    assert (found, extractor.info, extractor.blocks) == (code, info, 3)
    assert (extractor.is_closed, extractor.problem, extractor.deadline()) == (True, None, None)


@pytest.mark.parametrize(
    ("answer", "block", "problem"),
    [
        (THREE, 4, "the answer has 3 code blocks, not 4"),
        ("```\na\n```\n", 2, "the answer has 1 code block, not 2"),
        ("bare", 2, "the answer has no code fence, and so no block 2"),
        ("", 2, "the answer has no code fence, and so no block 2"),
    ],
)
def test_of_a_block_that_is_not_there_nothing_comes_but_a_reason(answer, block, problem):
    code, extractor = extract(answer, block)
    assert (code, extractor.problem, extractor.info) == ("", problem, "")


@pytest.mark.parametrize("options", [{"block": block} for block in ("first", 1, "last", "all")] + [{"language": {"c"}}])
@pytest.mark.parametrize("answer", ["", "x", "\ufeffx = 1\r\n\n``y``\r", "x" * 3 * SPOOL_PIECE])
def test_an_answer_without_a_fence_is_one_block(options, answer):
    code, extractor = extract(answer, **options)
    assert (code, extractor.info, extractor.blocks) == (answer, "", 0)
    assert (extractor.is_closed, extractor.problem) == (True, None)


@pytest.mark.parametrize(
    ("options", "answer", "is_closed"),
    [
        ({}, "```\na\n```", True),
        ({}, "```\na\n``", False),
        ({}, "```\na\n```\n```\nb", True),
        ({"block": "last"}, "```\na\n```\n```\nb", False),
        ({"block": "all"}, "```\na\n```\n```\nb", False),
        ({"block": 2}, "```\na\n```\n```\nb\n```\n```\n", True),
        ({"block": 2}, "```\na\n```\n```", False),
        ({"language": {"c"}}, "```\na\n```\n```c\nb", False),
        ({"language": {"c"}}, "```\na\n```\n```d\nb", True),
    ],
)
def test_it_is_told_whether_the_block_that_is_given_was_closed(options, answer, is_closed):
    assert extract(answer, **options)[1].is_closed is is_closed


@pytest.mark.parametrize("options", [{"block": 0}, {"block": -1}, {"block": "last", "language": {"c"}}])
def test_a_choice_that_makes_no_sense_is_refused(options):
    with pytest.raises(ValueError, match="block"):
        Extractor(**options)


@pytest.mark.parametrize(
    ("info", "language"),
    [
        ("", ""),
        ("C++", "c++"),
        ("c#", "c#"),
        ("python title=x", "python"),
        ("ts:src/a.ts", "ts"),
        ("rust,ignore", "rust"),
        ("{.python #id}", "python"),
        ("{ .python }", "python"),
        ("{#id .Python .x}", "python"),
        ("{r, echo=FALSE}", "r"),
        ("python {1,3}", "python"),
        ("python{1,3}", "python"),
        ("{}", ""),
    ],
)
def test_the_language_of_an_info_string(info, language):
    assert language_of(info) == language


# --- what waits, and what does not ---


class Log(MemorySpool):
    """A spool that tells what was done to it."""

    def __init__(self):
        super().__init__()
        self.log = []

    def write(self, text):
        super().write(text)
        self.log.append(text)

    def clear(self):
        super().clear()
        self.log.append(None)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ["", "", "a", "\n", "", "", "", "", "", ""]),
        ({"block": 2}, ["", "", "", "", "", "", "b", "\n", "", ""]),
        ({"block": "all"}, ["", "", "a", "\n", "", "", "b", "\n", "", ""]),
        ({"language": {"c"}}, ["", "", "", "", "", "", "b", "\n", "", ""]),
        ({"block": "last"}, ["", "", "", "", "", "", "", "", "", "b\n"]),
        ({"language": {"d"}}, ["", "", "", "", "", "", "", "", "", "a\n"]),
    ],
)
def test_a_block_that_is_wanted_flows_at_once(options, expected):
    extractor = Extractor(**options)
    deltas = ["Sure\n", "```\n", "a", "\n", "```\n", "~~~c\n", "b", "\n", "~~~"]
    assert ["".join(extractor.feed(delta, 0.0)) for delta in deltas] + ["".join(extractor.flush())] == expected


def test_a_line_waits_only_while_it_may_close_the_block():
    extractor = Extractor()
    extractor.feed("````\n", 0.0)
    deltas = ["  ", " `", "``", " ", "\n", "    ", "`\n", "````", "`", "x\n", " `````", " \t", "\n", "y"]
    expected = ["", "", "", "   ``` ", "\n", "    ", "`\n", "", "", "`````x\n", "", "", "", ""]
    assert ["".join(extractor.feed(delta, 0.0)) for delta in deltas] == expected


def test_the_spool_holds_one_thing_at_a_time():
    spool = Log()
    extractor = Extractor("last", spool=spool)
    for delta in ["In", "tro\n", "```\na\n", "b\n```\nThen\n", "```\nc\n```\n"]:
        extractor.feed(delta, 0.0)
    assert spool.log == ["In", "tro\n", None, "a\n", "b\n", None, "c\n"]
    assert extractor.flush() == ["c\n"]
    assert (spool.log[-1], list(spool.read()), extractor.flush()) == (None, [], [])


@pytest.mark.parametrize("answer", [THREE, "bare"])
def test_what_cannot_be_wanted_is_not_spooled(answer):
    spool = Log()
    extractor = Extractor(4, spool=spool)
    assert (extractor.feed(answer, 0.0), extractor.flush()) == ([], [])
    assert set(spool.log) <= {None}


def test_the_rest_comes_in_the_pieces_of_the_spool_and_what_was_found_is_known_before():
    extractor = Extractor("last")
    extractor.feed("```c\n" + "x" * SPOOL_PIECE, 0.0)
    extractor.feed("y\n```", 0.0)
    rest = extractor.rest()
    assert (extractor.is_closed, extractor.info) == (True, "c")
    assert list(rest) == ["x" * SPOOL_PIECE, "y\n"]


@pytest.mark.parametrize(
    ("options", "received", "code"),
    [
        ({}, "Sure, here", ""),
        ({}, "```\nx\n``", "x\n``"),
        ({"block": "last"}, "```\nx\n``", ""),
        ({"block": "all"}, "```\nx\n```\n```\ny", "x\ny"),
        ({"block": 3}, "```\nx\n```\n", ""),
        ({"language": {"c"}}, "```\nx\n``", ""),
        ({"language": {"c"}}, "```\nx\n```\n```c\n  `", "  `"),
    ],
)
def test_after_an_abort_only_what_is_certain_comes(options, received, code):
    extractor = Extractor(**options)
    pieces = extractor.feed(received, 0.0)
    extractor.abort()
    assert "".join([*pieces, *extractor.flush()]) == code
    assert (extractor.problem, extractor.flush()) == (None, [])


@pytest.mark.parametrize("answer", ["0123456789\n" * 3 + "```\nx\n```\n", "x" * 20 + "\n```\nx\n", "`" * 20])
def test_past_its_bound_an_answer_is_bare_from_its_first_character_on(answer):
    code, extractor = extract(answer, max_held=19)
    assert (code, extractor.blocks) == (answer, 0)


def test_up_to_its_bound_it_waits_for_a_fence():
    assert extract("x" * 15 + "\n```\ny\n", max_held=20)[0] == "y\n"
    assert extract("x" * 16 + "\n```\ny\n", max_held=20)[0] == "x" * 16 + "\n```\ny\n"


class Nowhere:
    """A spool as a disk would be: nothing of it is in memory."""

    def __init__(self):
        self.size = 0

    def write(self, text):
        self.size += len(text)

    def read(self):
        return iter(())

    def clear(self):
        self.size = 0


@pytest.mark.parametrize("opening", ["", "```\n"], ids=["text", "code"])
@pytest.mark.parametrize(
    "endless",
    [
        "x" * 4096,
        "x = 1, y = 2, z\n" * 256,
        "  " * 2048,
        "`" * 4096,
        "- " * 2048,
        "\n- a, b, c, d, e\n  - b, c, d, e, f, g" * 110,
    ],
)
@pytest.mark.parametrize("options", [{"block": "last"}, {"block": 2}], ids=str)
def test_memory_does_not_grow_with_the_answer(opening, endless, options):
    spool = Nowhere()
    extractor = Extractor(**options, spool=spool)
    extractor.feed(opening, 0.0)
    tracemalloc.start()
    try:
        for _ in range(150):
            assert extractor.feed(endless, 0.0) == []
        assert tracemalloc.get_traced_memory()[1] < 256 * 1024
    finally:
        tracemalloc.stop()
    assert spool.size == (150 * len(endless) if options != {"block": 2} else 0)


@pytest.mark.parametrize("opening", ["", "```\n"], ids=["text", "code"])
@pytest.mark.parametrize("deltas", ["xxxxx", "     ", "`````", "x\n  y", "\n- - "])
def test_the_cost_of_a_delta_does_not_grow_with_the_answer(opening, deltas):
    extractor = Extractor(spool=Nowhere())
    extractor.feed(opening, 0.0)
    start = time.process_time()
    for _ in range(100_000):
        extractor.feed(deltas, 0.0)
    assert time.process_time() - start < 10  # well under one; if it copied what it holds, many
