"""The code of an answer. That chunks do not matter is in test_splits.py."""

import tracemalloc

import pytest

from streamcli.core.fences import MAX_HELD, FenceFilter


def extract(*chunks):
    fences = FenceFilter()
    return "".join(piece for chunk in chunks for piece in fences.feed(chunk, 0.0)) + "".join(fences.flush())


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("```\nx\n```\n", "x\n"),
        ("```python\nx\n```", "x\n"),
        ("Here it is:\n\n```py\nx\n\ny\n```\nEnjoy!\n", "x\n\ny\n"),
        ("```\r\nx\r\n```\r\n", "x\r\n"),
        ("```\n```\n", ""),
        ("```\n\n```\n", "\n"),
        ("```\nx", "x"),
        ("```\nx\n", "x\n"),
        ("```\nfirst\n```\nand\n```\nsecond\n```\n", "first\n"),
        ("~~~\n```\nx\n```\n~~~\n", "```\nx\n```\n"),
        ("```\n~~~\n```\n", "~~~\n"),
        ("````md\n```\nx\n```\n````\n", "```\nx\n```\n"),
        ("```\nx\n`````\nno\n", "x\n"),
        ("````\nx\n```\ny", "x\n```\ny"),
        ("```\n    ```\n```\n", "    ```\n"),
        ("```\nx\n   ```  \t\nno\n", "x\n"),
        ("```\n``` no\n```\n", "``` no\n"),
        ("```\n``\n```\n", "``\n"),
        ("```\nx ```\n```\n", "x ```\n"),
        ("   ```\n   x\n     y\n z\n   ```\n", "x\n  y\nz\n"),
        ("~~~ `a` b\nx\n~~~\n", "x\n"),
        ("``` `a`\nx\n", "``` `a`\nx\n"),
        ("    ```\n    x\n", "    ```\n    x\n"),
        ("``x``\n``\n", "``x``\n``\n"),
        ("x = 1\ny = 2\n", "x = 1\ny = 2\n"),
        ("x = 1", "x = 1"),
        ("\n", "\n"),
        ("", ""),
        ("```", ""),
        ("Here it is:\n```python", ""),
    ],
)
def test_the_code_is_what_stands_in_the_first_fence_or_else_all_of_it(answer, code):
    assert extract(answer) == code
    assert extract(*answer) == code


def test_code_flows_on_at_once():
    fences = FenceFilter()
    deltas = ["Sure:\n``", "`py\n", "imp", "ort x\n", "a", "\n", "``", "x\n", "```", "\n", "Bye"]
    expected = [[], [], ["imp"], ["ort x\n"], ["a"], ["\n"], [], ["``x\n"], [], [], []]
    assert [fences.feed(delta, 0.0) for delta in deltas] == expected
    assert (fences.flush(), fences.deadline()) == ([], None)


def test_a_line_that_cannot_be_a_fence_is_not_held():
    fences = FenceFilter()
    fences.feed("```\n", 0.0)
    assert [fences.feed(text, 0.0) for text in ("x", " ``")] == [["x"], [" ``"]]


@pytest.mark.parametrize(
    ("opening", "endless"),
    [
        ("", "x" * 4096),
        ("", "x" * 4095 + "\n"),
        ("", ("x" * 63 + "\n") * 64),
        ("```\n", "x" * 4096),
        ("```\n", ("x" * 63 + "\n") * 64),
        ("```\n", " " * 4096),
        ("```\n", "`" * 4096),
    ],
    ids=["a line", "whole lines", "short lines", "a line of code", "code", "spaces in code", "a fence in code"],
)
def test_an_answer_without_end_is_held_up_to_the_bound_and_no_further(opening, endless):
    fences = FenceFilter()
    fences.feed(opening, 0.0)
    fed = given_out = held = 0
    while fed < 5 * MAX_HELD // 4:
        given_out += sum(map(len, fences.feed(endless, 0.0)))
        fed += len(endless)
        held = max(held, fed - given_out)
    assert held <= MAX_HELD + len(endless)
    assert given_out + sum(map(len, fences.flush())) == fed


def test_what_follows_the_code_is_not_held():
    fences = FenceFilter()
    fences.feed("```\nx\n```\n", 0.0)
    tracemalloc.start()
    try:
        for number in range(1000):
            assert fences.feed("x" * number + "\n", 0.0) == []
        assert tracemalloc.get_traced_memory()[1] < 64 * 1024
    finally:
        tracemalloc.stop()
    assert fences.flush() == []


@pytest.mark.parametrize(
    ("received", "code"),
    [("Sure, here", ""), ("Sure:\n```", ""), ("Sure:\n```\nx = 1\ny", "x = 1\ny"), ("```\nx\n``", "x\n``"), ("", "")],
)
def test_of_an_answer_that_breaks_off_before_its_fence_nothing_is_code(received, code):
    fences = FenceFilter()
    pieces = fences.feed(received, 0.0)
    fences.abort()
    assert "".join([*pieces, *fences.flush()]) == code
    assert fences.flush() == []


def test_past_the_bound_an_answer_is_taken_for_bare_code_and_flows():
    fences = FenceFilter()
    held = "x" * (MAX_HELD + 1)
    assert [fences.feed(text, 0.0) for text in (held, "\n```\n", "y")] == [[held], ["\n```\n"], ["y"]]
    assert fences.flush() == []
