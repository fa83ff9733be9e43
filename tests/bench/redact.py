"""How fast lines are masked, beside plainly reading them: python tests/bench/redact.py [LOG...]

Without a LOG it makes 200,000 lines of its own, of which one in ten speaks of a password or a token and none shows one.
"""

import random
import sys
import time
from pathlib import Path

from streamcli.core.lines import LineSplitter
from streamcli.core.redact import Redactor, summary
from streamcli.core.secrets.regexes import is_linear

CHUNK_BYTES = 256 * 1024
ROUNDS = 3
WORDS = (
    "GET",
    "/api/v1/items",
    "200",
    "took",
    "worker",
    "INFO",
    "connection",
    "closed",
    "retry",
    "cache",
    "miss",
    "ok",
)
REMARKS = ("password reset for bob", "token expired", "session opened for user root", "key=42", "Failed password for x")


def made() -> bytes:
    chance = random.Random(1)
    lines = []
    for number in range(200_000):
        words = " ".join(chance.choices(WORDS, k=10))
        remark = chance.choice(REMARKS) if number % 10 == 0 else f"from 10.0.{number % 256}.{number // 256 % 256}"
        lines.append(
            f"2031-05-04T12:{number // 60 % 60:02}:{number % 60:02}Z host app[{number % 999}]: {words} {remark}"
        )
    return "\n".join(lines).encode() + b"\n"


def seconds(content: bytes, redactor: Redactor | None) -> float:
    splitter = LineSplitter()
    started = time.perf_counter()
    for start in range(0, len(content), CHUNK_BYTES):
        lines = splitter.feed(content[start : start + CHUNK_BYTES], 0.0)
        if redactor:
            redactor.feed(lines, 0.0)
    return time.perf_counter() - started


def main(paths: list[str]) -> None:
    content = b"".join(Path(path).read_bytes() for path in paths) or made()
    lines = content.count(b"\n")
    print(f"{lines:,} lines, {len(content) / 1e6:.1f} MB, best of {ROUNDS}; by {'RE2' if is_linear() else 're'}")
    for name, make in (
        ("reading and splitting", lambda: None),
        ("... and masking secrets", lambda: Redactor(bytes(32))),
        ("... and personal details", lambda: Redactor(bytes(32), pii=True)),
    ):
        redactor = make()
        best = min(seconds(content, redactor) for _ in range(ROUNDS))
        told = (summary(redactor.counts, redactor.nouns) or "nothing was masked") if redactor else ""
        print(f"{name:26}{lines / best:12,.0f} lines/s {len(content) / best / 1e6:8.1f} MB/s  {told}")


if __name__ == "__main__":
    main(sys.argv[1:])
