"""How fast Markdown is rendered as it streams, in CPU time: `python tests/bench/markdown.py [KILOBYTES]`

The text is that of a long answer: prose with emphasis and links, lists, tables, quotes, and a sixth of it code. It
comes in deltas of 4 characters, coalesced as the command does it; only the renderer's time is counted.
"""

import sys
import time

from streamcli.core.coalesce import Coalescer
from streamcli.core.markdown.highlight_stream import CodeHighlighter
from streamcli.core.markdown.render import MarkdownRenderer

ROUNDS = 5
DELTA = 4
SECTION = """\
## {n}. Reading the configuration

The loader looks for a file called `config.toml` in three places, **in this order**: the working directory, the \
user's configuration directory and `/etc`. The first one that exists wins; nothing is merged. That is a deliberate \
choice, and it is explained in [the design notes](https://example.com/docs/design#configuration) at some length.

If the file cannot be read, the *command* fails with status 78 and one line on stderr. A variable such as \
`STREAMCLI_TIMEOUT` has precedence over the file, and an option over the variable, so that a single run can always be \
changed without touching anything that other runs depend on.

There are a few things to keep in mind:

- **Names** are case-sensitive, and `max_tokens` is not the same as `maxTokens`.
- Unknown keys are an error, since a misspelt key would otherwise be ignored silently, which is about the worst thing \
that a configuration file can do.
- Values have a type:
  - numbers are written without quotes,
  - strings with them,
  - and lists in brackets.
- [x] Durations are in seconds.

```{language}
{code}```

Number {n} of the steps is easy to forget. After it, the settings look like this:

| Setting | Default | Meaning |
|:--------|--------:|---------|
| `timeout` | 600 | seconds for one whole answer |
| `retries` | 4 | failures in a row before giving up |
| `coalesce` | 32 | characters that are held before a write |

> Note that a *session* keeps the settings it was begun with. Changing the file later does not change what an older \
session does.

1. Write the file.
2. Check it with `streamcli --check`, which prints what it understood.
3. Commit it.

Caf\u00e9s, na\u00efve r\u00e9sum\u00e9s \u2013 and \u201cquoted\u201d text \u2013 take one column a character, of \
course; most lines have nothing special in them at all, and those should cost next to nothing.

"""
CODE = {
    "python": '''\
@dataclass(frozen=True)
class Settings:
    """What a run is told."""

    timeout: float = 600.0
    retries: int = 4  # failures in a row

    def check(self) -> None:
        if self.timeout < 0 or self.retries < 0:
            raise ValueError(f"negative: {self!r}")
''',
    "bash": """\
# Collect what the last hour has said.
for unit in nginx postgres "$@"; do
  journalctl -u "$unit" --since '1 hour ago' | streamcli analyze --fail-on error || status=$?
done
exit "${status:-0}"
""",
    "typescript": """\
export async function load(path: string): Promise<Settings> {
  // The first one that exists wins.
  const text = await readFile(path, { encoding: "utf-8" });
  return parse(text, (key, value) => (key === "timeout" ? Number(value) * 1000 : value));
}
""",
    "sql": """\
SELECT kind, count(*) AS n, max(seen_at) FROM findings
WHERE run_id = 42 AND level >= 'error' -- only what matters
GROUP BY kind ORDER BY n DESC LIMIT 10;
""",
    "json": """\
{
  "timeout": 600,
  "models": ["sonnet", "haiku"],
  "redact": true
}
""",
    "go": """\
func Load(path string) (*Settings, error) {
\tdata, err := os.ReadFile(path)
\tif err != nil {
\t\treturn nil, fmt.Errorf("load %s: %w", path, err)
\t}
\treturn Parse(data)
}
""",
}


def answer(size):
    sections = []
    length = number = 0
    languages = list(CODE)
    while length < size:
        language = languages[number % len(languages)]
        number += 1
        sections.append(SECTION.format(n=number, language=language, code=CODE[language]))
        length += len(sections[-1])
    return "".join(sections)[:size]


def timed_deltas(text, rate):
    """The coalesced deltas with the second at which each comes; `rate` is in characters a second."""
    coalescer = Coalescer(32, 0.04)
    for start in range(0, len(text), DELTA):
        now = start / rate
        for piece in coalescer.feed(text[start : start + DELTA], now):
            yield piece, now
    for piece in coalescer.flush():
        yield piece, len(text) / rate


def seconds(make, deltas):
    """The least CPU time of some rounds, and the characters that came out."""
    best = float("inf")
    for _ in range(ROUNDS):
        renderer = make()
        written = 0
        start = time.process_time()
        for piece, now in deltas:
            for out in renderer.feed(piece, now):
                written += len(out)
        for out in renderer.flush():
            written += len(out)
        best = min(best, time.process_time() - start)
    return best, written


def main():
    size = int(sys.argv[1]) * 1000 if sys.argv[1:] else 200_000
    cases = {
        "terminal, colour": lambda: MarkdownRenderer(width=100, height=40, colour=True),
        "terminal, plain": lambda: MarkdownRenderer(width=100, height=40, colour=False),
        "pipe, colour": lambda: MarkdownRenderer(width=100, height=None, colour=True),
        "highlight only": CodeHighlighter,
    }
    print(f"{'':18} {'chars/s':>8} {'MB/s':>6} {'of twice the length':>20} {'out/in':>7}")
    for name, make in cases.items():
        for rate in (1_000_000, 100_000, 2_000):
            once, twice = (list(timed_deltas(answer(length), rate)) for length in (size, 2 * size))
            spent, written = seconds(make, once)
            spent_twice, _ = seconds(make, twice)
            print(f"{name:18} {rate:8} {size / spent / 1e6:6.2f} {spent_twice / spent:19.2f}x {written / size:7.2f}")


if __name__ == "__main__":
    main()
