"""The timeline of a report, as SVG: lines over time, and above them what was found when."""

from collections.abc import Iterator, Sequence

from streamcli.core.reports.facts import LEVELS, Bucket, Story
from streamcli.core.reports.text import Clock, counted
from streamcli.core.reports.timeline import merged

KINDS = ("shown", "condensed", "dropped")

# Of the drawing, in its own units. It is scaled to the page.
WIDTH = 960
_LEFT, _RIGHT = 90, 60
_LANE, _MARK = 22, 14
_VOLUME, _AXIS = 130, 24
_AREA = WIDTH - _LEFT - _RIGHT
# What is there at all can be seen, be it one line of a million.
_LEAST = 2.0
# Bars: no more than can be told apart, and where windows are few no more than there are, or most would be empty.
_MOST_BARS, _FEW_BARS = 120, 30


class Bars:
    """The buckets of a story as they are drawn: `width` seconds each."""

    def __init__(self, story: Story) -> None:
        self.buckets = list(story.buckets)
        self.width = story.width
        self.now = story.now
        self._started = story.started
        most = min(_MOST_BARS, max(_FEW_BARS, story.windows))
        while len(self.buckets) > most:
            self.buckets = merged(self.buckets)
            self.width *= 2

    def starts_at(self, position: int) -> float:
        return self._started + position * self.width

    def position(self, at: float) -> float:
        """Where a moment is, in bars from the start."""
        return max(0.0, at - self._started) / self.width

    def lanes(self) -> Iterator[tuple[str, list[int]]]:
        """For each level that occurs, and for failures, how many there are in each bar."""
        for level in LEVELS:
            counts = [bucket.findings.get(level, 0) for bucket in self.buckets]
            if any(counts):
                yield level, counts
        failures = [bucket.failures for bucket in self.buckets]
        if any(failures):
            yield "FAILED", failures


def draw(bars: Bars, clock: Clock) -> str:
    """The SVG element. Colours are those of the classes that are named for levels and kinds."""
    lanes = list(bars.lanes())
    top = len(lanes) * _LANE + 8
    height = top + _VOLUME + _AXIS
    step = _AREA / max(len(bars.buckets), _FEW_BARS // 2)
    return "".join(
        [
            f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="chart-title">',
            '<title id="chart-title">Lines over time, and what was found when: as numbers in the table below</title>',
            *(_lane(name, counts, row * _LANE, step) for row, (name, counts) in enumerate(lanes)),
            *_volume(bars.buckets, top, step),
            *_axis(bars, clock, top + _VOLUME, step),
            *_hints(bars, clock, top + _VOLUME, step),
            "</svg>",
        ]
    )


def describe(bucket: Bucket) -> str:
    """ "120 lines, 20 of them dropped; 2 ERROR"."""
    parts = [f"{getattr(bucket, kind):,} of them {kind}" for kind in KINDS[1:] if getattr(bucket, kind)]
    found = [f"{bucket.findings[level]:,} {level}" for level in LEVELS if bucket.findings.get(level)]
    if bucket.failures:
        found.append(counted(bucket.failures, "failed window"))
    lines = ", ".join([counted(bucket.lines, "line"), *parts])
    return "; ".join([lines, ", ".join(found)] if found else [lines])


def _lane(name: str, counts: list[int], y: int, step: float) -> str:
    middle = y + _LANE / 2
    shape = f'y="{middle - _MARK / 2:g}" width="{max(step, 4):.1f}" height="{_MARK}" rx="2"'
    marks = "".join(f'<rect x="{_x(position, step)}" {shape}/>' for position, count in enumerate(counts) if count)
    return (
        f'<g class="{name.lower()}"><text x="{_LEFT - 8}" y="{middle + 4:g}" text-anchor="end">{name}</text>'
        f'<line class="rule" x1="{_LEFT}" y1="{middle:g}" x2="{WIDTH - _RIGHT}" y2="{middle:g}"/>{marks}'
        f'<text x="{WIDTH - _RIGHT + 8}" y="{middle + 4:g}">{sum(counts):,}</text></g>'
    )


def _volume(buckets: Sequence[Bucket], top: int, step: float) -> Iterator[str]:
    most = max((bucket.lines for bucket in buckets), default=0)
    if not most:
        return
    for position, bucket in enumerate(buckets):
        y = float(top + _VOLUME)
        for kind in KINDS:
            if count := getattr(bucket, kind):
                height = max(_LEAST, count / most * (_VOLUME - 10))
                y -= height
                yield (
                    f'<rect class="{kind}" x="{_x(position, step)}" y="{y:.1f}"'
                    f' width="{max(step - 1, 1):.1f}" height="{height:.1f}"/>'
                )
    yield f'<text x="{_LEFT - 8}" y="{top + 14}" text-anchor="end">{most:,}</text>'


def _axis(bars: Bars, clock: Clock, y: int, step: float) -> Iterator[str]:
    yield f'<line class="axis" x1="{_LEFT}" y1="{y}" x2="{WIDTH - _RIGHT}" y2="{y}"/>'
    yield f'<text x="{_LEFT - 8}" y="{y}" text-anchor="end">0 lines</text>'
    yield f'<text x="{_LEFT}" y="{y + 18}">{clock(bars.starts_at(0))}</text>'
    end = bars.position(bars.now)
    if end * step > _AREA / 2:  # else the two would run into each other
        yield f'<text x="{_x(end, step)}" y="{y + 18}" text-anchor="end">{clock(bars.now)}</text>'


def _hints(bars: Bars, clock: Clock, height: int, step: float) -> Iterator[str]:
    """What a pointer shows, over the whole height of a bar."""
    for position, bucket in enumerate(bars.buckets):
        if bucket.lines or bucket.findings or bucket.failures:
            place = f'x="{_x(position, step)}" y="0" width="{step:.1f}" height="{height}"'
            yield (
                f'<rect class="hint" fill-opacity="0" {place}>'
                f"<title>{clock(bars.starts_at(position))}: {describe(bucket)}</title></rect>"
            )


def _x(position: float, step: float) -> str:
    return f"{_LEFT + position * step:.1f}"
