"""How far inputs have been given out in whole records."""

import pytest

from streamcli.core.position import Position, Progress


def at(offset: int) -> Position:
    return Position(1, 2, offset, 0, "")


def test_back_is_earlier_in_the_same_file():
    assert at(10).back(3) == at(7)
    for size in (-1, 11):
        with pytest.raises(ValueError, match="back from 10"):
            at(10).back(size)


def test_what_was_given_out_in_whole_is_behind_us():
    progress = Progress()
    progress.advance(0, at(10), gave=True, all_given=True)
    progress.advance(1, at(5), gave=True, all_given=True)
    assert progress.given_out == {0: at(10), 1: at(5)}


def test_a_record_that_waits_is_not():
    progress = Progress()
    progress.advance(0, at(10), gave=False, all_given=False)
    assert progress.given_out == {}
    progress.advance(0, at(20), gave=True, all_given=False)  # it ended, and another began
    assert progress.given_out == {0: at(10)}
    progress.advance(0, at(30), gave=False, all_given=False)
    assert progress.given_out == {0: at(10)}
    progress.settle(0)
    assert progress.given_out == {0: at(30)}


def test_positions_of_another_file_do_not_count():
    progress = Progress()
    progress.advance(0, at(10), gave=True, all_given=True)
    before = progress.given_out
    progress.restart(0)
    progress.advance(0, at(3), gave=True, all_given=False)
    progress.settle(1)
    assert progress.given_out == {0: at(10)}
    progress.settle(0)
    assert (progress.given_out, before) == ({0: at(3)}, {0: at(10)})
