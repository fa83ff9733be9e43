"""What an answer cost: prices from a list that is part of a package."""

import socket
import subprocess
import sys
import warnings

import genai_prices
import pytest

from streamcli.commands.costs import cost_of, usage_line
from streamcli.core.events import Usage
from streamcli.core.models import DEFAULT_MODEL, DEFAULT_WATCH_MODEL

# Dollars a million tokens of claude-haiku-4-5: 1 in, 5 out, 0.10 from the cache, 1.25 to it.
HAIKU = "claude-haiku-4-5"


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refuse(*_):
        raise AssertionError("a price list has no business with the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        (Usage(), 0.0),
        (Usage(input_tokens=1_000_000), 1.0),
        (Usage(output_tokens=1_000_000), 5.0),
        (Usage(cache_read_tokens=1_000_000), 0.1),
        (Usage(cache_write_tokens=1_000_000), 1.25),
        (Usage(100_000, 10_000, 1_000_000, 100_000), 0.1 + 0.05 + 0.1 + 0.125),
    ],
)
def test_each_kind_of_token_has_its_price(usage, cost):
    assert cost_of(HAIKU, usage) == pytest.approx(cost)


@pytest.mark.parametrize(
    "model",
    [
        "claude-haiku-4-5-20251001",
        "claude-haiku-4-5@20251001",
        "anthropic.claude-haiku-4-5-20251001-v1:0",
        "us.anthropic.claude-haiku-4-5-20251001-v1:0",
        "gpt-4o",
        DEFAULT_MODEL,
        DEFAULT_WATCH_MODEL,
    ],
)
def test_a_model_may_have_the_name_that_its_provider_gives_it(model):
    assert 0.01 < cost_of(model, Usage(1_000_000, 1_000_000)) < 100


@pytest.mark.parametrize("model", ["local", "local:smollm2", "local:claude-haiku-4-5.gguf"])
def test_a_model_on_this_machine_costs_nothing(model):
    assert cost_of(model, Usage(1_000_000, 1_000_000)) == 0.0


@pytest.mark.parametrize("model", ["nonesuch", "claude-haiku-99", "claude", "", "a/b:c\x00", "x" * 10_000])
def test_a_model_that_has_no_price_has_none(model):
    assert cost_of(model, Usage(1, 1)) is None


def test_usage_that_cannot_be_priced_has_no_price():
    assert cost_of(HAIKU, Usage(-5, 1)) is None


def test_a_fault_of_the_price_list_stays_inside(monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("broken")

    monkeypatch.setattr(genai_prices, "calc_price", fail)
    assert cost_of(HAIKU, Usage(1, 1)) is None


def test_a_warning_of_the_price_list_stays_inside(monkeypatch):
    calc_price = genai_prices.calc_price

    def warn(*arguments, **options):
        warnings.warn("old prices", stacklevel=1)
        return calc_price(*arguments, **options)

    monkeypatch.setattr(genai_prices, "calc_price", warn)
    assert cost_of(HAIKU, Usage(1_000_000)) == pytest.approx(1.0)


def test_without_the_price_list_there_is_no_price(monkeypatch):
    monkeypatch.setitem(sys.modules, "genai_prices", None)
    assert cost_of(HAIKU, Usage(1, 1)) is None


def test_the_price_list_is_imported_only_when_it_is_asked():
    code = "import sys, streamcli.commands.costs; sys.exit('genai_prices' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("usage", "cost", "line"),
    [
        (Usage(200, 350, 1000), 0.0123, "1,200 tokens in (1,000 of them from the cache), 350 out, $0.0123"),
        (Usage(12, 3), 0.0, "12 tokens in, 3 out, $0.00"),
        (Usage(12, 3), None, "12 tokens in, 3 out, cost unknown (no price for m)"),
        (Usage(2, 3, 0, 10), 0.5, "12 tokens in (10 of them written to the cache), 3 out, $0.50"),
        (Usage(2, 3, 20, 10), 0.5, "32 tokens in (20 of them from the cache, 10 written to it), 3 out, $0.50"),
    ],
)
def test_usage_for_a_person(usage, cost, line):
    assert usage_line("m", usage, cost) == line
