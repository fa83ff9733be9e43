"""What an answer cost, for `--usage` and `--max-cost`."""

import warnings
from typing import TYPE_CHECKING

from streamcli.core.budget import dollars
from streamcli.core.events import Usage
from streamcli.core.models import is_embedded

if TYPE_CHECKING:
    import genai_prices

# Whose price list has the name: the API's own, that of whoever the name fits, Bedrock's ("us.anthropic.claude-...").
PROVIDERS = ("anthropic", None, "aws")


def cost_of(model: str, usage: Usage) -> float | None:
    """US dollars for what one request used; None where no price is known. No network: the list is in the package.

    The first call takes about 0.25 s: it imports the list.
    """
    if is_embedded(model):
        return 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # An answer that is whole must not be lost to whatever is wrong with a price list.
        try:
            import genai_prices

            used = _for_pricing(usage)
        except Exception:
            return None
        for provider in PROVIDERS:
            try:
                return float(genai_prices.calc_price(used, model, provider_id=provider).total_price)
            except Exception:  # LookupError: the list does not have the name
                continue
    return None


def usage_line(model: str, usage: Usage, cost: float | None) -> str:
    """What was used, for a person: "1,200 tokens in (1,000 of them from the cache), 350 out, $0.0123"."""
    read = usage.tokens - usage.output_tokens
    from_cache, to_cache = usage.cache_read_tokens, usage.cache_write_tokens
    parts = [f"{from_cache:,} of them from the cache"] if from_cache else []
    if to_cache:
        parts.append(f"{to_cache:,} written to it" if parts else f"{to_cache:,} of them written to the cache")
    cached = f" ({', '.join(parts)})" if parts else ""
    price = f"cost unknown (no price for {model})" if cost is None else dollars(cost)
    return f"{read:,} tokens in{cached}, {usage.output_tokens:,} out, {price}"


def _for_pricing(usage: Usage) -> "genai_prices.Usage":
    """The API counts what it read from a cache or wrote to one beside its input tokens, genai-prices within them."""
    import genai_prices

    return genai_prices.Usage(
        input_tokens=usage.tokens - usage.output_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        output_tokens=usage.output_tokens,
    )
