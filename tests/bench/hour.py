"""What an hour of analyze costs with its defaults: requests, and tokens in at most. Simulated: core has no clock.

    python tests/bench/hour.py

A model that takes 4 s for an answer, the default model's window. Tokens are counted as analyze does: two characters
of log each, which is about what logs have; 400 more for the prompt. Answers cost what the model writes: --max-tokens
at most.
"""

import random
from collections.abc import Iterator

from streamcli.config import AnalyzeSettings
from streamcli.core.allowance import HOUR, Allowance
from streamcli.core.window import CHARS_PER_TOKEN, WindowBuilder, WindowPolicy

ANSWER = 4.0
PROMPT = 400
STEP = 0.05
LOGS = {"quiet, a line a minute": 1 / 60, "busy, 10 lines/s": 10.0, "flooding, 5,000 lines/s": 5000.0}


def lines() -> Iterator[bytes]:
    """A service's log: a hundred kinds of lines, some of them rare."""
    random.seed(1)
    kinds = [f"{random.choice(['INFO', 'WARN', 'ERROR'])} part{n % 17} did thing{n} for" for n in range(100)]
    weights = [1 / (n + 1) ** 1.5 for n in range(100)]
    while True:
        for kind in random.choices(kinds, weights, k=1000):
            yield f"2026-11-25 08:00:00.000 {kind} user{random.randrange(10**6)} in {random.randrange(900)} ms".encode()


def hour(rate: float, seconds: float) -> tuple[float, float]:
    """Requests and tokens in an hour."""
    defaults = AnalyzeSettings(verb="analyze", model="claude")
    budget = defaults.window_limit * CHARS_PER_TOKEN
    builder = WindowBuilder(WindowPolicy(defaults.lines, defaults.every, defaults.idle, budget))
    allowance = Allowance(defaults.max_requests_per_minute, None)
    source, now, due, free_at, requests, tokens = lines(), 0.0, 0.0, 0.0, 0, 0
    while now < seconds:
        now += STEP
        due += rate * STEP
        if due >= 1:
            builder.add([next(source) for _ in range(int(due))], now)
            due -= int(due)
        if now < max(free_at, allowance.next_at(now)):
            continue
        if (window := builder.take(now)) is not None:
            requests += 1
            tokens += len(window.content.text) // CHARS_PER_TOKEN + PROMPT
            allowance.begin(now)
            free_at = now + ANSWER
    return requests * HOUR / seconds, tokens * HOUR / seconds


if __name__ == "__main__":
    for name, rate in LOGS.items():
        requests, tokens = hour(rate, HOUR if rate < 1000 else HOUR / 12)
        print(f"{name}: {requests:.0f} requests, {tokens:,.0f} tokens in")
