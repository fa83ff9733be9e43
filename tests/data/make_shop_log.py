"""Writes shop.log, the log of a shop that runs out of database connections: `python tests/data/make_shop_log.py`."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

LINES = 400
INCIDENT = 380  # the line with which the trouble begins


def lines() -> list[str]:
    """The same lines every time."""
    dice = random.Random(7)
    clock = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
    out = []
    for number in range(LINES):
        clock += timedelta(seconds=dice.randint(1, 4))
        out.append(f"{clock:%H:%M:%S} {_trouble(dice, number) if number >= INCIDENT else _health(dice)}")
    return out


def _health(dice: random.Random) -> str:
    path = dice.choice(["/", "/cart", "/search", "/item", "/checkout"])
    return f"web-{dice.randint(1, 3)} INFO GET {path} 200 {dice.randint(8, 90)}ms"


def _trouble(dice: random.Random, number: int) -> str:
    if number == INCIDENT:
        return "db-1 WARN connection pool 48 of 50 in use"
    if number % 4 == 0:
        return "db-1 ERROR connection pool exhausted: 50 of 50 in use, 17 waiting"
    if number % 4 == 2:
        return f"web-{dice.randint(1, 3)} ERROR GET /checkout 503 no database connection within 5000ms"
    return _health(dice)


if __name__ == "__main__":
    Path(__file__).with_name("shop.log").write_text("\n".join(lines()) + "\n", encoding="utf-8")
