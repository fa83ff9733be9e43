"""How much condensing leaves of log files, and what gets lost: `python tests/bench/condense.py LOG...`

Beside NAME.log there may be NAME.events: line i is the kind of event of line i of the log. Event recall is the share of
kinds of which at least one line is in the text verbatim, rare recall that of the kinds seen at most three times.
"""

import re
import sys
import time
from collections import Counter
from pathlib import Path

from streamcli.core.condense import Condenser
from streamcli.core.excerpts import LINE_CUT
from streamcli.core.lines import show_line
from streamcli.core.masks import Masks

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


def speed(records):
    """Lines a second, of windows as they close."""
    many = list(varied(records))
    start = time.process_time()
    count = sum(1 for _ in windows(many, BUDGETS[1], True))
    return len(many) / (time.process_time() - start), count


def main(paths):
    print(f"{'log':12} {'budget':>9} {'windows':>7} {'bytes %':>7} {'events':>7} {'rare':>7}")
    totals = Counter()
    for path in map(Path, paths):
        records = [line.replace(b"\0", b"?") for line in path.read_bytes().replace(b"\r\n", b"\n").splitlines()]
        events_file = path.with_suffix(".events")
        for budget in BUDGETS:
            results = list(windows(records, budget, verbatim=budget < BUDGETS[0]))
            left = 100 * sum(len(result.text) for result in results) / path.stat().st_size
            row = [left]
            if events_file.exists():
                row += [
                    100 * share
                    for share in recall(events_file.read_text().split(), seen([r.text for r in results], records))
                ]
            totals.update({(budget, at): value for at, value in enumerate(row)})
            print(f"{path.stem:12} {budget:9} {len(results):7} " + " ".join(f"{value:7.1f}" for value in row))
        rate, count = speed(records)
        print(f"{path.stem:12} {rate:9,.0f} lines/s in {count} windows")
    for budget in BUDGETS:
        print(
            f"{'mean':12} {budget:9} {'':7} " + " ".join(f"{totals[budget, at] / len(paths):7.1f}" for at in range(3))
        )


if __name__ == "__main__":
    main(sys.argv[1:])
