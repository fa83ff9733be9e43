"""What a run may cost, in tokens and in dollars: looked at before each request, so that the next one is not sent."""

from collections.abc import Callable

from streamcli.core.events import Usage

CostOf = Callable[[str, Usage], float | None]
"""US dollars for what a model (by name) used; None where the price is not known."""


class Budget:
    """The sum over all requests of a run, and its limits: None is no limit, 0 forbids any request.

    An answer may pass the limit: how long it is, nobody knows before.
    """

    def __init__(self, max_tokens: int | None, max_cost: float | None, cost_of: CostOf) -> None:
        self._max_tokens = max_tokens
        self._max_cost = max_cost
        self._cost_of = cost_of
        self._known_cost = 0.0
        self._all_known = True
        self.usage = Usage()

    @property
    def tokens(self) -> int:
        """Of all kinds: read, read from the cache, written to it, and answered."""
        return self.usage.tokens

    @property
    def cost(self) -> float | None:
        """US dollars; None once there was a model without a known price."""
        return self._known_cost if self._all_known else None

    def add(self, model: str, usage: Usage) -> None:
        """What one request used, whether or not its answer was complete."""
        self.usage += usage
        cost = self._cost_of(model, usage)
        if cost is None:
            self._all_known = False
        else:
            self._known_cost += cost

    def spent(self) -> str | None:
        """Which limit is reached, as a clause for a message; None while another request may go out.

        Where a price is not known, the dollars are those that are.
        """
        if self._max_tokens is not None and self.tokens >= self._max_tokens:
            return f"{self.tokens:,} of --max-total-tokens {self._max_tokens:,} are used"
        if self._max_cost is not None and self._known_cost >= self._max_cost:
            return f"{dollars(self._known_cost)} of --max-cost {dollars(self._max_cost)} is spent"
        return None


def dollars(amount: float) -> str:
    """With cents, and with more digits where there are: "$12.50", "$0.0123", "$0.000208"."""
    whole, _, fraction = f"{amount:,.{4 if amount >= 0.01 else 6}f}".partition(".")
    return f"${whole}.{fraction.rstrip('0'):0<2}"
