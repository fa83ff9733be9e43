"""The error tree and the table of exit statuses."""

from itertools import combinations

import pytest

from streamcli import errors
from streamcli.errors import StreamcliError, worst_status

# The order of the README's table: the worst comes first.
WORST_FIRST = [74, 70, 78, 77, 73, 76, 75, 69, 124, 6, 66, 65, 5, 4, 1, 3, 0]

STATUSES = {
    "StreamcliError": 70,
    "RequestRefused": 1,
    "UsageError": 2,
    "ModelRefused": 4,
    "Truncated": 5,
    "BudgetSpent": 6,
    "InputError": 66,
    "InvalidCode": 65,
    "CannotCreate": 73,
    "Unavailable": 69,
    "InternalError": 70,
    "OutputError": 74,
    "RateLimited": 75,
    "StreamBroken": 76,
    "KeyRefused": 77,
    "ConfigError": 78,
    "DeadlineExceeded": 124,
}


@pytest.mark.parametrize(("name", "status"), STATUSES.items())
def test_each_error_has_the_status_of_the_table(name, status):
    assert getattr(errors, name)("what happened").status == status


def test_no_two_kinds_of_error_share_a_status():
    statuses = [kind.status for kind in StreamcliError.__subclasses__() if kind.__module__ == errors.__name__]
    assert sorted(statuses) == sorted(set(statuses))


def test_an_error_is_its_message_and_keeps_hint_and_request_id():
    error = StreamcliError("what happened", "what to do", request_id="req_1")
    assert (
        str(error),
        error.message,
        error.hint,
        error.request_id,
    ) == ("what happened", "what happened", "what to do", "req_1")


def test_hint_and_request_id_may_be_missing():
    error = StreamcliError("what happened")
    assert (error.hint, error.request_id) == (None, None)


@pytest.mark.parametrize(
    ("statuses", "worst"),
    [
        ([], 0),
        ([0, 0], 0),
        ([0, 3], 3),
        ([3, 1], 1),
        ([1, 4], 4),
        ([4, 5], 5),
        ([69, 75], 75),
        ([75, 76], 76),
        ([76, 77], 77),
        ([124, 69], 69),
        ([70, 74], 74),
        ((status for status in (5, 0, 66)), 66),
    ],
)
def test_the_status_of_several_answers_is_the_worst_of_theirs(statuses, worst):
    assert worst_status(statuses) == worst


def test_of_any_two_statuses_the_one_that_stands_first_in_the_table_is_the_worse():
    pairs = list(combinations(WORST_FIRST, 2))
    assert [worst_status([better, worse]) for worse, better in pairs] == [worse for worse, _ in pairs]


def test_a_status_that_is_not_in_the_table_is_still_no_success():
    assert [worst_status([2]), worst_status([0, 2])] == [2, 2]
