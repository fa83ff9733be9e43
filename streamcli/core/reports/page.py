"""A report as one HTML page that needs no network and no script, and whose data can be nothing but text in it.

In the order of what somebody who was woken wants to know: how bad it is, what was not looked at, the latest of the
worst, when it was, the rest.
"""

from collections.abc import Iterator
from datetime import tzinfo

from streamcli.core.limits import in_words
from streamcli.core.reports.chart import KINDS, Bars, describe, draw
from streamcli.core.reports.facts import LEVELS, Failure, Finding, Story
from streamcli.core.reports.style import STYLE
from streamcli.core.reports.text import Clock, counted, html, line_range

# Levels whose findings stand before everything else, with their log lines unfolded.
SEVERE = LEVELS[:2]
MAX_KINDS = 50
"""Kinds of secrets that are listed."""

# The policy forbids whatever a mistake of ours might let through: scripts, images, forms, frames, every request.
_HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="format-detection" content="telephone=no, date=no, address=no, email=no, url=no">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
"""


def render(story: Story, zone: tzinfo) -> str:
    """The page, with times in that zone."""
    clock = Clock(zone)
    severe = [finding for finding in story.findings if finding.level in SEVERE]
    others = [finding for finding in story.findings if finding.level not in SEVERE]
    title = f"{_verdict(story)}: {html(story.title)}"
    return "\n".join(
        [
            _HEAD.format(title=title, style=STYLE) + "<header>",
            *_header(story, clock),
            "</header>",
            "<main>",
            *_gaps(story),
            *_findings("severe", "Critical and errors, the latest first", severe, clock),
            *_timeline(story, clock),
            *_findings("others", "Warnings and remarks, the latest first", others, clock),
            *_fallen(story),
            *_failures(story, clock),
            *_templates(story),
            *_totals(story),
            "</main>",
            "</body>",
            "</html>\n",
        ]
    )


def _verdict(story: Story) -> str:
    found = ", ".join(f"{count:,} {level}" for level, count in story.levels.items() if count)
    return found or "No findings"


def _header(story: Story, clock: Clock) -> Iterator[str]:
    state = "Ended" if story.ended else "Still running when this was written,"
    renewed = "" if story.ended else " Reload the page for what has come since."
    yield f"<h1>{html(story.title)}</h1>"
    yield f'<p class="faint">{state} {clock(story.now)} (times are {html(clock.zone_name(story.now))}).{renewed}</p>'
    yield '<ul class="tiles">'
    for level, count in story.levels.items():
        yield f'<li class="{level.lower() if count else "none"}"><b>{count:,}</b> {level}</li>'
    yield "</ul>"
    if not any(story.levels.values()):
        yield '<p class="good">Nothing was found in what was looked at.</p>'
    yield (
        f'<p class="faint">{counted(story.lines, "line")} in {counted(story.windows, "window")} since'
        f" {clock(story.started)}, {in_words(story.now - story.started)} ago.</p>"
    )
    yield (
        '<nav><a href="#severe">Critical and errors</a> <a href="#timeline">Timeline</a> <a href="#others">Warnings'
        ' and remarks</a> <a href="#templates">Templates</a> <a href="#totals">Totals</a></nav>'
    )


def _gaps(story: Story) -> Iterator[str]:
    """What the findings do not speak of."""
    gaps = []
    if story.failed:
        gaps.append(f"{counted(story.failed, 'window')} failed: see below")
    if story.dropped:
        gaps.append(f"{counted(story.dropped, 'line')} of windows that were too large: dropped, only counted")
    if story.totals.unanalysed:
        gaps.append(f"{counted(story.totals.unanalysed, 'line')} read, but not analysed{'' if story.ended else ' yet'}")
    if gaps:
        yield '<section class="gaps"><strong>Not everything was looked at</strong>'
        yield "<ul>" + "".join(f"<li>{gap}</li>" for gap in gaps) + "</ul></section>"


def _findings(name: str, heading: str, findings: list[Finding], clock: Clock) -> Iterator[str]:
    yield f'<section id="{name}"><h2>{heading}</h2>'
    for finding in findings:
        yield _finding(finding, clock)
    if not findings:
        yield '<p class="faint">None.</p>'
    yield "</section>"


def _finding(finding: Finding, clock: Clock) -> str:
    level = finding.level.lower()
    return "".join(
        [
            f'<article class="{level}"><p><span class="badge {level}">{finding.level}</span> ',
            f'<span class="lines">{line_range(finding.first, finding.last)}</span> ',
            f'<span class="faint">{clock(finding.at)}{_again(finding, clock)}</span></p>',
            f"<p>{html(finding.text)}</p>",
            *_log(finding),
            "</article>",
        ]
    )


def _again(finding: Finding, clock: Clock) -> str:
    again = finding.again
    if again is None:
        return ""
    lines = line_range(again.first, again.last)
    where = f", {lines}" if lines else ""
    return f"; came again {counted(again.count, 'time')}, last {clock(again.at)}{where}"


def _log(finding: Finding) -> Iterator[str]:
    if finding.log:
        yield f"<details{' open' if finding.level in SEVERE else ''}><summary>"
        yield f"{counted(len(finding.log), 'line')} of the log</summary>"
        # A newline right after <pre> would be dropped, so one more is given away.
        yield '<pre translate="no">\n' + "\n".join(map(html, finding.log)) + "</pre>"
        if finding.log_cut:
            yield f'<p class="faint">and {counted(finding.log_cut, "more line")}</p>'
        yield "</details>"


def _fallen(story: Story) -> Iterator[str]:
    fallen = ", ".join(f"{count:,} {level}" for level, count in story.fallen.items() if count)
    if fallen:
        yield f'<p class="faint">Not on this page, for there are too many: {fallen}, the oldest ones.</p>'


def _timeline(story: Story, clock: Clock) -> Iterator[str]:
    bars = Bars(story)
    yield '<section id="timeline"><h2>Timeline</h2>'
    yield draw(bars, clock)
    yield '<p class="legend">' + "".join(f'<span><i class="{kind}"></i>{kind}</span>' for kind in KINDS)
    yield (
        f'<span class="faint">Each bar is {in_words(bars.width)}; a window\'s lines count where it closed. Condensed'
        " lines are in a request as counts of lines alike; dropped ones are in none.</span></p>"
    )
    yield "<details><summary>The numbers</summary><table><thead><tr><th>From</th><th>What came</th></tr></thead><tbody>"
    for position, bucket in enumerate(bars.buckets):
        if bucket.lines or bucket.findings or bucket.failures:
            yield f"<tr><td>{clock(bars.starts_at(position))}</td><td>{describe(bucket)}</td></tr>"
    yield "</tbody></table></details></section>"


def _failures(story: Story, clock: Clock) -> Iterator[str]:
    if not story.failed:
        return
    yield '<section id="failures"><h2>Windows without an answer, the latest first</h2>'
    for failure in story.failures:
        yield _failure(failure, clock)
    if older := story.failed - len(story.failures):
        yield f'<p class="faint">and {older:,} before these</p>'
    yield "</section>"


def _failure(failure: Failure, clock: Clock) -> str:
    return (
        '<article class="failed"><p><span class="badge failed">FAILED</span>'
        f' <span class="lines">{line_range(failure.first, failure.last)}</span>'
        f' <span class="faint">{clock(failure.at)}</span></p><p>{html(failure.message)}</p></article>'
    )


def _templates(story: Story) -> Iterator[str]:
    yield '<section id="templates"><h2>What the log is made of</h2>'
    if not story.templates:
        yield '<p class="faint">No templates were counted.</p></section>'
        return
    yield '<table><thead><tr><th class="number">Lines</th><th>Such as</th></tr></thead><tbody>'
    for template in story.templates:
        count = f"{'' if template.exact else 'at least '}{template.count:,}"
        example = f'<td class="example" translate="no">{html(template.example)}</td>'
        yield f'<tr><td class="number">{count}</td>{example}</tr>'
    yield "</tbody></table>"
    if story.unlisted_lines:
        yield f'<p class="faint">and {counted(story.unlisted_lines, "line")} of rarer templates</p>'
    yield "</section>"


def _totals(story: Story) -> Iterator[str]:
    totals = story.totals
    cost = "unknown" if totals.cost is None else f"${totals.cost:,.2f}"
    numbers = [
        ("Lines", f"{story.lines:,}"),
        ("shown", f"{story.shown:,}"),
        ("condensed", f"{story.condensed:,}"),
        ("dropped", f"{story.dropped:,}"),
        ("not analysed", f"{totals.unanalysed:,}"),
        ("Windows", f"{story.windows:,}"),
        ("failed", f"{story.failed:,}"),
        ("Requests", f"{totals.requests:,}"),
        ("Tokens in", f"{totals.input_tokens:,}"),
        ("Tokens out", f"{totals.output_tokens:,}"),
        ("Cost", cost),
        ("Secrets masked", f"{sum(totals.masked.values()):,}"),
    ]
    yield '<section id="totals"><h2>Totals</h2><dl>'
    for name, number in numbers:
        yield f"<div><dt>{name}</dt><dd>{number}</dd></div>"
    yield "</dl>"
    if kinds := _masked(story):
        yield f"<p>Secrets masked, by kind: {kinds}</p>"
    yield "</section>"


def _masked(story: Story) -> str:
    kinds = sorted(story.totals.masked.items(), key=lambda kind: (-kind[1], kind[0]))
    listed = [f"{html(name[:100])} {count:,}" for name, count in kinds[:MAX_KINDS] if count]
    rest = sum(count for _, count in kinds[MAX_KINDS:])
    return ", ".join(listed + ([f"others {rest:,}"] if rest else []))
