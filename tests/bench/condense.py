"""How much condensing leaves of log files, and what gets lost: `python tests/bench/condense.py LOG...`

Beside NAME.log there may be NAME.events: line i is the kind of event of line i of the log. Event recall is the share of
kinds of which at least one line is in the text verbatim, rare recall that of the kinds seen at most three times.
"""

import random
import re
import sys
import time
from collections import Counter
from math import nan
from pathlib import Path

from streamcli.core.condense import Condenser
from streamcli.core.condensing.excerpts import LINE_CUT
from streamcli.core.condensing.masks import Masks
from streamcli.core.lines import show_line

BATCH = 500  # records that come together: 64 KiB of a log
PREFIX = re.compile(r"^(?:L(\d+) |\[x\d+ L(\d+)-L\d+\] )")
BUDGETS = (1_000_000, 16_000)
REPEATED = 200_000


def windows(records, budget, verbatim):
    """The condensed windows of a log. One closes when it is full."""
    masks = Masks()
    condenser = Condenser(budget, masks)
    for start in range(0, len(records), BATCH):
        condenser.add(records[start : start + BATCH], start + 1)
        if condenser.is_full:
            yield condenser.render(verbatim)
            condenser = Condenser(budget, masks)
    if condenser.lines:
        yield condenser.render(verbatim)


def seen(texts, records):
    """The numbers of the lines that are there verbatim."""
    numbers = set()
    for text in texts:
        for line in text.split("\n"):
            match = PREFIX.match(line)
            if match:
                number = int(match[1] or match[2])
                shown = show_line(records[number - 1])
                if line[match.end() :].startswith((shown, shown[:80])) and (shown in line or LINE_CUT in line):
                    numbers.add(number)
    return numbers


def recall(events, numbers):
    kinds = Counter(events)
    found = {events[number - 1] for number in numbers}
    rare = [kind for kind, count in kinds.items() if count <= 3]
    rare_recall = sum(kind in found for kind in rare) / len(rare) if rare else 1.0
    return len(found) / len(kinds), rare_recall


def varied(records):
    """The log again and again, with other numbers."""
    for at in range(REPEATED):
        record = records[at % len(records)]
        yield record[:20] + re.sub(rb"\d\d\b", b"%02d" % (at * 37 % 100), record[20:])


def service_log():
    """A synthetic one, with an identifier and names in most lines."""
    draw = random.Random(1)
    names = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=6)) for _ in range(60)]
    for at in range(REPEATED):
        clock = f"2031-03-04T{at // 3600 % 24:02}:{at // 60 % 60:02}:{at % 60:02}.{draw.randrange(1000):03}Z"
        if at % 10 < 7:
            yield (
                f"{clock} INFO api[{draw.randrange(9)}] id={draw.getrandbits(32):08x} user={draw.choice(names)} "
                f"GET /v1/orders/{draw.randrange(10_000)} status=200 took={draw.randrange(5, 60)}ms"
            ).encode()
        else:
            yield f"{clock} DEBUG cache hit for {draw.choice(names)} age={draw.randrange(300)}s".encode()


def loss(path, budget):
    """(windows, percent of the bytes left, event recall, rare recall); the recalls are NaN where nobody knows."""
    records = records_of(path)
    texts = [result.text for result in windows(records, budget, verbatim=budget != BUDGETS[0])]
    left = sum(map(len, texts)) / path.stat().st_size
    events_file = path.with_suffix(".events")
    shares = recall(events_file.read_text().split(), seen(texts, records)) if events_file.exists() else (nan, nan)
    return len(texts), 100 * left, *(100 * share for share in shares)


def records_of(path):
    return [
        line.removesuffix(b"\r").replace(b"\0", b"?") for line in path.read_bytes().removesuffix(b"\n").split(b"\n")
    ]


def speed(name, records):
    """Lines a second of processor time: with windows that close when they are full, and in one window."""
    start = time.process_time()
    count = sum(1 for _ in windows(records, BUDGETS[1], True))
    closing = len(records) / (time.process_time() - start)
    start = time.process_time()
    condenser = Condenser(BUDGETS[1], Masks())
    for at in range(0, len(records), BATCH):
        condenser.add(records[at : at + BATCH], at + 1)
    condenser.render()
    whole = len(records) / (time.process_time() - start)
    print(f"{name:12} {closing:9,.0f} lines/s in {count} windows, {whole:,.0f} in one")


def main(paths):
    for budget in BUDGETS:
        print(f"\n{budget} characters: windows, bytes left %, events shown %, rare events shown %")
        rows = [loss(path, budget) for path in paths]
        for path, row in zip(paths, rows, strict=True):
            print(f"{path.stem:12} {row[0]:5} " + " ".join(f"{value:6.1f}" for value in row[1:]))
        if rows:
            means = [sum(column) / len(rows) for column in zip(*rows, strict=True)]
            print(f"{'mean':12} {means[0]:5.1f} " + " ".join(f"{value:6.1f}" for value in means[1:]))
    print()
    for path in paths:
        speed(path.stem, list(varied(records_of(path))))
    speed("service log", list(service_log()))


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]])
