"""What a run may cost."""

import pytest

from streamcli.core.budget import Budget, dollars
from streamcli.core.events import Usage


def by_tokens(model, usage):
    """A dollar a thousand tokens; the price of "new" is not known."""
    return None if model == "new" else usage.tokens / 1000


def budget_of(max_tokens=None, max_cost=None):
    return Budget(max_tokens, max_cost, by_tokens)


def test_without_limits_it_only_counts():
    budget = budget_of()
    budget.add("m", Usage(10, 20, 30, 40))
    budget.add("m", Usage(1000, 0, 0, 900))
    assert (budget.usage, budget.tokens, budget.cost) == (Usage(1010, 20, 30, 940), 2000, 2.0)
    assert budget.spent() is None


@pytest.mark.parametrize("usage", [Usage(2104), Usage(0, 2104), Usage(0, 0, 2104), Usage(0, 0, 0, 2104)])
def test_tokens_of_each_kind_count(usage):
    budget = budget_of(max_tokens=2000)
    budget.add("m", usage)
    assert budget.spent() == "2,104 of --max-total-tokens 2,000 are used"


def test_dollars_count():
    budget = budget_of(max_cost=0.5)
    budget.add("m", Usage(520))
    assert budget.spent() == "$0.52 of --max-cost $0.50 is spent"


@pytest.mark.parametrize("limit", [{"max_tokens": 1000}, {"max_cost": 1.0}])
def test_a_limit_that_is_reached_is_spent(limit):
    budget = budget_of(**limit)
    budget.add("m", Usage(999))
    assert budget.spent() is None
    budget.add("m", Usage(1))
    assert budget.spent() is not None


@pytest.mark.parametrize(
    ("limit", "clause"),
    [
        ({"max_tokens": 0}, "0 of --max-total-tokens 0 are used"),
        ({"max_cost": 0.0}, "$0.00 of --max-cost $0.00 is spent"),
    ],
)
def test_a_limit_of_nothing_forbids_any_request(limit, clause):
    assert budget_of(**limit).spent() == clause


def test_one_unknown_price_makes_the_cost_unknown_and_what_is_known_still_counts():
    budget = budget_of(max_cost=1.0)
    budget.add("m", Usage(900))
    budget.add("new", Usage(5000))
    assert (budget.cost, budget.tokens, budget.spent()) == (None, 5900, None)
    budget.add("m", Usage(100))
    assert (budget.cost, budget.spent()) == (None, "$1.00 of --max-cost $1.00 is spent")


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0.0, "$0.00"),
        (0.5, "$0.50"),
        (0.0123, "$0.0123"),
        (0.01234567, "$0.0123"),
        (0.0002075, "$0.000208"),
        (12.0, "$12.00"),
        (1234.5, "$1,234.50"),
        (100.0, "$100.00"),
    ],
)
def test_an_amount_in_dollars(amount, text):
    assert dollars(amount) == text
