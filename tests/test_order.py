"""Results that come in any order leave in the order of their input."""

from hypothesis import given
from hypothesis import strategies as st

from streamcli.core.order import Reorder


@given(st.permutations(range(9)))
def test_each_leaves_once_in_order_and_as_soon_as_it_may(arrivals):
    order = Reorder(as_they_come=False)
    out = []
    for count, position in enumerate(arrivals, 1):
        out += order.put(position, f"item {position}")
        arrived = set(arrivals[:count])
        due = next((at for at in range(9) if at not in arrived), 9)
        assert out == [f"item {at}" for at in range(due)]


@given(st.permutations(range(9)))
def test_or_as_it_comes(arrivals):
    order = Reorder(as_they_come=True)
    assert [order.put(position, position) for position in arrivals] == [[position] for position in arrivals]
