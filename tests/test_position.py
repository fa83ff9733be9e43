"""How far inputs have been given out in whole lines."""

import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamcli.core import position
from streamcli.core.position import ANCHOR_BYTES, Piece, Position, Progress, digest


def pieces_of(text: bytes, cuts: list[int], *, number: int = 0, offset: int = 0, inode: int = 2) -> list[Piece]:
    """`text`, which begins at `offset`, cut at those places; before it is a file of dots."""
    ends = sorted({cut % (len(text) + 1) for cut in cuts} - {0} | {len(text)})
    whole = b"." * offset + text
    pieces = []
    at = offset
    for end in ends:
        until = Position(1, inode, offset + end, 0, "", digest(whole[: offset + end][-ANCHOR_BYTES:]))
        pieces.append(Piece(number, whole[at : offset + end], until, not pieces, whole[max(0, at - ANCHOR_BYTES) : at]))
        at = offset + end
    return pieces


def known(progress: Progress, number: int = 0) -> tuple[int, str]:
    at = progress.given_out[number]
    return at.offset, at.anchor


def test_nothing_is_given_out_of_what_was_only_read():
    progress = Progress()
    assert progress.given_out == {}
    (piece,) = pieces_of(b"one\ntwo\n", [], offset=1000)
    progress.read(piece)
    assert progress.given_out == {0: piece.start()}
    assert known(progress) == (1000, digest(b"." * ANCHOR_BYTES))


@pytest.mark.parametrize("cuts", [[], [2], [1, 2, 3, 4, 5]])
def test_each_line_that_is_given_out_is_behind_us(cuts):
    progress = Progress()
    for piece in pieces_of(b"one\ntwo\nthr", cuts):
        progress.read(piece)
    progress.give_out(0, 1)
    assert known(progress) == (4, digest(b"one\n"))
    progress.give_out(0, 1)
    assert known(progress) == (8, digest(b"one\ntwo\n"))


def test_inputs_do_not_mix_and_a_mark_stays_what_it_was():
    progress = Progress()
    for number in (0, 1):
        for piece in pieces_of(b"one\ntwo\n", [], number=number):
            progress.read(piece)
    progress.give_out(1, 2)
    before = progress.given_out
    progress.give_out(0, 1)
    assert [known(progress, number)[0] for number in (0, 1)] == [4, 8]
    assert [before[number].offset for number in (0, 1)] == [0, 8]


def test_an_unfinished_line_can_be_given_out_and_what_comes_of_it_is_another():
    progress = Progress()
    one, two = pieces_of(b"one\nhalf a\nline\n", [8])
    progress.read(one)
    progress.end_line(0)
    progress.give_out(0, 2)
    assert known(progress) == (8, digest(b"one\nhalf"))
    progress.end_line(0)  # there is nothing
    progress.read(two)
    progress.give_out(0, 1)
    assert known(progress)[0] == 11


def test_another_file_begins_anew():
    progress = Progress()
    for inode in (2, 3):
        for piece in pieces_of(b"one\nhalf", [], inode=inode):
            progress.read(piece)
        progress.end_line(0)
        progress.give_out(0, 1)
        assert (progress.given_out[0].inode, known(progress)[0]) == (inode, 4)
        progress.give_out(0, 1)
        assert (progress.given_out[0].inode, known(progress)[0]) == (inode, 8)


def test_an_input_without_positions_has_none():
    progress = Progress()
    progress.read(Piece(0, b"one\n"))
    progress.end_line(0)
    progress.give_out(0, 1)
    assert progress.given_out == {}


lines = st.lists(st.binary(max_size=300).map(lambda line: line.replace(b"\n", b"")), min_size=1, max_size=12)


@settings(max_examples=300, deadline=None)
@given(lines, st.lists(st.integers(0, 4000), max_size=8), st.lists(st.integers(1, 5)), st.integers(0, 100), st.data())
def test_wherever_it_is_cut_and_however_much_is_given_out(lines, cuts, steps, offset, data):
    """The position is the end of the last line that was given out, and its anchor what is before that."""
    max_open = data.draw(st.sampled_from([ANCHOR_BYTES, ANCHOR_BYTES + 16, 64 * 1024]))
    text = b"\n".join(lines)  # the last has no end
    ends = [sum(len(line) + 1 for line in lines[:count]) for count in range(len(lines))]
    progress = Progress()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(position, "_MAX_OPEN", max_open)
        given, read = 0, 0
        for piece in pieces_of(text, cuts, offset=offset):
            if not piece.data:
                return
            progress.read(piece)
            read += piece.data.count(b"\n")
            step = min(steps.pop(), read - given) if steps else 0
            progress.give_out(0, step)
            given += step
            at = ends[given]
            assert known(progress) == (offset + at, digest((b"." * offset + text[:at])[-ANCHOR_BYTES:]))
        progress.end_line(0)
        progress.give_out(0, read - given + bool(lines[-1]))
        assert known(progress) == (offset + len(text), digest((b"." * offset + text)[-ANCHOR_BYTES:]))


def test_memory_does_not_grow_with_a_line():
    progress = Progress()
    data = b"x" * 64 * 1024
    tracemalloc.start()
    for number in range(1, 201):
        progress.read(Piece(0, data, Position(1, 2, number * len(data), 0, "")))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * len(data)
    progress.read(Piece(0, b"\n", Position(1, 2, 200 * len(data) + 1, 0, "")))
    progress.give_out(0, 1)
    assert known(progress) == (200 * len(data) + 1, digest(b"x" * (ANCHOR_BYTES - 1) + b"\n"))
