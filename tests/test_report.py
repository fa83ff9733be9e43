"""The page of a run: what is on it, that it is bounded, and that its data is never more than text."""

import pickle
import re
from collections import Counter
from datetime import timedelta, timezone
from html.parser import HTMLParser

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from streamcli.core.report import (
    MAX_FAILURES,
    MAX_LINE,
    MAX_LOG_LINES,
    MAX_MESSAGE,
    MAX_TEXT,
    MAX_TITLE,
    Report,
    TemplateCount,
    Totals,
)
from streamcli.core.reports.chart import WIDTH
from streamcli.core.reports.facts import LEVELS, Bucket, Finding
from streamcli.core.reports.keep import MAX_FINDINGS, MAX_TEMPLATES, FindingShelf, TemplateTally
from streamcli.core.reports.style import DARK, LIGHT
from streamcli.core.reports.timeline import MAX_BUCKETS, Timeline

START = 1_700_000_000.0  # 2023-11-14 22:13:20 UTC
NOTHING = Totals(0, 0, 0, None, {}, 0)
VOID = {"meta"}


class Parsed(HTMLParser):
    """The tags of a page in order, with their attributes, and the text in each; every tag has to be closed."""

    def __init__(self, page):
        super().__init__()
        self.tags = []
        self.texts = []  # (the path of tags to it, text)
        self._open = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, attrs))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, attrs))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag
        self.tags.append((f"/{tag}", []))

    def handle_data(self, data):
        self.texts.append((tuple(self._open), data))

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data!r}")

    def handle_pi(self, data):
        raise AssertionError(f"a processing instruction: {data!r}")

    def unknown_decl(self, data):
        raise AssertionError(f"a declaration: {data!r}")

    def text_in(self, *tags):
        return ["".join(text for path, text in self.texts if path[-1:] == (tag,)) for tag in tags]

    @property
    def text(self):
        """What is read on it, with single blanks."""
        return " ".join(" ".join(text for path, text in self.texts if not {"style", "title"} & set(path)).split())


def text_of(report, now=START + 60, totals=NOTHING, ended=True):
    return Parsed(report.page(now, totals, ended=ended)).text


def full(title="", text="", line="", example_="", message="", kind=""):
    """A report in which there is one of everything."""
    report = Report(title, START)
    report.add_window(START + 1, 6, 3, 2, 1, [TemplateCount(3, example_)])
    report.again(report.add_finding(START + 1, "ERROR", 1, 3, text, [line, line]), START + 2, 5, 6)
    report.add_finding(START + 1, "INFO", None, None, text, [line])
    report.add_failure(START + 3, 4, 6, message)
    return report.page(START + 4, Totals(1, 2, 3, 0.5, {kind: 7}, 1), ended=False)


# --- what is foreign stays text ---

HOSTILE = st.one_of(
    st.text(max_size=40),
    st.text(alphabet="<>&\"'`=/!-?[]{}%;:# \n\tabxs\x00\x1b\ud800\u202e\ufeff", max_size=40),
    st.sampled_from(
        [
            "</pre><script>alert(1)</script>",
            "</title></style><img src=x onerror=alert(1)>",
            "]]><!-- ",
            "&lt;b&gt; &#60;b&#62; &NewLine;",
            '" onmouseover="alert(1)" x="',
            "{style} {0} {title.__class__} %s %(x)s",
            "https://evil.example/ javascript:alert(1)",
        ]
    ),
)


@settings(max_examples=150, deadline=None)
@given(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE)
def test_no_tag_and_no_attribute_comes_from_data(title, text, line, sample, message, kind):
    page = full(title, text, line, sample, message, kind)
    assert Parsed(page).tags == Parsed(full()).tags
    page.encode("utf-8")


PRINTABLE = st.text(st.characters(min_codepoint=0x20, exclude_categories=["C", "Zl", "Zp"]))


@settings(max_examples=100, deadline=None)
@given(st.lists(PRINTABLE, min_size=1, max_size=MAX_LOG_LINES), PRINTABLE)
@example(["", "\tindented", ""], "two\nlines")
def test_what_can_be_seen_is_there_as_it_was(lines, text):
    report = Report("log", START)
    report.add_finding(START, "ERROR", 1, 2, text, lines)
    parsed = Parsed(report.page(START, NOTHING, ended=True))
    (quoted,) = parsed.text_in("pre")
    # A newline right after <pre> is not content (HTML, "in body" insertion mode).
    assert quoted.removeprefix("\n").split("\n") == lines
    assert text in [found for path, found in parsed.texts if path[-2:] == ("article", "p")] or not text


@pytest.mark.parametrize(
    ("character", "shown"),
    [
        ("\x00", r"\x00"),
        ("\x1b", r"\x1b"),
        ("\r", r"\x0d"),
        ("\x7f", r"\x7f"),
        ("\x9b", r"\x9b"),
        ("\u202e", r"\u202e"),
        ("\u2066", r"\u2066"),
        ("\u200b", r"\u200b"),
        ("\u2028", r"\u2028"),
        ("\ufeff", r"\ufeff"),
        ("\ud800", r"\ud800"),
        ("\ufffe", r"\ufffe"),
        ("\U000e0041", r"\U000e0041"),
    ],
)
def test_what_cannot_be_seen_is_made_visible(character, shown):
    page = full(*[f"a{character}b"] * 6)
    assert character not in page
    assert page.count(f"a{shown}b") == 10  # title twice, two findings, three lines, template, message, kind


@pytest.mark.parametrize(
    "text",
    [
        "\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "👩\u200d🚒",
        "日本語\u3000ログ",
        "prix\u00a0: 5\u00a0€",
    ],
)
def test_scripts_keep_what_they_are_written_with(text):
    assert full(text=text).count(text) == 2


def test_it_needs_no_network_and_no_script():
    page = full(text="https://evil.example/")
    tags = Parsed(page).tags
    names = {tag for tag, _ in tags}
    assert not names & {"script", "link", "img", "iframe", "object", "embed", "form", "base", "use", "image"}
    for _, attributes in tags:
        assert not [name for name, _ in attributes if name.startswith("on") or name in ("src", "srcset", "style")]
        assert all(value.startswith("#") for name, value in attributes if name == "href")
    assert not re.search(r"url\(|@import|expression", page)
    policy = [("http-equiv", "Content-Security-Policy"), ("content", "default-src 'none'; style-src 'unsafe-inline'")]
    assert ("meta", policy) in tags
    # In force before anything that it is about.
    assert tags.index(("meta", policy)) < tags.index(("style", []))


def test_its_links_lead_somewhere():
    attributes = [attribute for _, attributes in Parsed(full()).tags for attribute in attributes]
    ids = [value for name, value in attributes if name == "id"]
    assert len(ids) == len(set(ids))
    wanted = {value[1:] for name, value in attributes if name == "href"} | {
        value for name, value in attributes if name == "aria-labelledby"
    }
    assert wanted <= set(ids)


# --- what is on it ---


def test_a_quiet_run():
    text = text_of(Report("app.log", START))
    assert "app.log Ended 2023-11-14 22:14:20 (times are UTC)." in text
    assert "0 CRITICAL 0 ERROR 0 WARNING 0 INFO Nothing was found in what was looked at." in text
    assert "0 lines in 0 windows since 2023-11-14 22:13:20, 60 s ago." in text
    assert "Not everything" not in text


def test_how_bad_it_is_stands_in_the_title_and_first():
    report = Report("app.log", START)
    for level in ("ERROR", "INFO", "ERROR"):
        report.add_finding(START, level, 1, 1, "x", [])
    parsed = Parsed(report.page(START, NOTHING, ended=False))
    assert parsed.text_in("title")[0].startswith("2 ERROR, 1 INFO: app.log")
    assert "0 CRITICAL 2 ERROR 0 WARNING 1 INFO 0 lines" in parsed.text
    assert "Still running when this was written, 2023-11-14 22:13:20" in parsed.text
    assert "Nothing was found" not in parsed.text


def test_what_was_not_looked_at_is_said():
    report = Report("app.log", START)
    report.add_window(START, 10, 1, 2, 7, [])
    report.add_failure(START, 1, 10, "overloaded")
    totals = Totals(1, 2, 3, None, {}, 1)
    assert (
        "Not everything was looked at 1 window failed: see below 7 lines of windows that were too large: dropped,"
        " only counted 1 line read, but not analysed Critical"
    ) in text_of(report, totals=totals)
    assert "1 line read, but not analysed yet" in text_of(report, totals=totals, ended=False)
    assert "FAILED L1-L10 2023-11-14 22:13:20 overloaded" in text_of(report)


def test_a_finding_with_its_lines():
    report = Report("app.log", START)
    number = report.add_finding(START + 5, "CRITICAL", 12, 40, "The disk is full.", ["ENOSPC /a", "ENOSPC /b"])
    assert ("CRITICAL L12-L40 2023-11-14 22:13:25 The disk is full. 2 lines of the log ENOSPC /a ENOSPC /b") in text_of(
        report
    )
    report.again(number, START + 6, 50, 50)
    report.again(number, START + 7, 61, 62)
    assert "22:13:25; came again 2 times, last 2023-11-14 22:13:27, L61-L62 The disk" in text_of(report)
    report.again(number, START + 8, None, None)
    assert "came again 3 times, last 2023-11-14 22:13:28 The disk" in text_of(report)


def test_the_most_severe_first_and_of_those_the_latest():
    report = Report("app.log", START)
    numbers = [
        report.add_finding(START, level, 1, 1, f"{level}-{number}", [])
        for number in range(3)
        for level in ("INFO", "ERROR", "CRITICAL", "WARNING")
    ]
    report.again(numbers[1], START, 2, 2)  # ERROR-0
    assert re.findall(r"[A-Z]+-\d", text_of(report)) == [
        *("CRITICAL-2", "CRITICAL-1", "CRITICAL-0", "ERROR-0", "ERROR-2", "ERROR-1"),
        *("WARNING-2", "WARNING-1", "WARNING-0", "INFO-2", "INFO-1", "INFO-0"),
    ]


def test_a_level_that_is_none_is_refused():
    with pytest.raises(ValueError, match="no level: 'FATAL<'"):
        Report("app.log", START).add_finding(START, "FATAL<", 1, 1, "x", [])


def test_the_totals():
    report = Report("app.log", START)
    report.add_window(START, 1000, 700, 250, 50, [])
    report.add_window(START, 234, 234, 0, 0, [])
    text = text_of(report, totals=Totals(3, 45_210, 1_200, 0.125, {"EMAIL": 7, "JWT": 1_000, "NONE": 0}, 12))
    assert (
        "Lines 1,234 shown 934 condensed 250 dropped 50 not analysed 12 Windows 2 failed 0 Requests 3 Tokens in 45,210"
        " Tokens out 1,200 Cost $0.12 Secrets masked 1,007 Secrets masked, by kind: JWT 1,000, EMAIL 7"
    ) in text
    assert text.endswith("EMAIL 7")
    assert "Cost unknown" in text_of(report)


def test_times_are_of_the_zone_that_is_asked_for():
    report = Report("app.log", START, timezone(timedelta(hours=-3), "BRT"))
    assert "Ended 2023-11-14 19:14:20 (times are BRT)." in text_of(report)


@pytest.mark.parametrize("at", [0.0, START - 1e6, START + 1e18])
def test_a_clock_gone_astray_costs_no_report(at):
    report = Report("app.log", START)
    report.add_window(at, 1, 1, 0, 0, [])
    report.add_finding(at, "ERROR", 1, 1, "found", [])
    report.add_window(START + 1, 1, 1, 0, 0, [])
    assert "2 lines in 2 windows" in text_of(report, now=at)


# --- templates ---


def test_templates_of_all_windows_are_one_list():
    report = Report("app.log", START)
    report.add_window(START, 9, 9, 0, 0, [TemplateCount(5, "10:00:01 GET /a 200"), TemplateCount(4, "VM Started")])
    report.add_window(START, 9, 9, 0, 0, [TemplateCount(1, "VM Paused"), TemplateCount(6, "10:07:59 GET /a 404")])
    assert "Lines Such as 11 10:00:01 GET /a 200 4 VM Started 1 VM Paused Totals" in text_of(report)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(st.tuples(st.integers(1, 9), st.sampled_from("abcdefghijkl")), max_size=6)))
def test_of_too_many_templates_the_frequent_stay_and_no_line_is_lost(windows):
    tally, true = TemplateTally(most=3), Counter()
    for window in windows:
        tally.add([TemplateCount(count, text) for count, text in window], 100)
        for count, text in window:
            true[text] += count
    listed = tally.listed()
    assert len(listed) <= 3
    assert sum(template.count for template in listed) + tally.unlisted_lines() == true.total()
    for template in listed:
        assert template.count == true[template.example] if template.exact else template.count <= true[template.example]
    if len(true) <= 6:
        assert [template.count for template in listed] == sorted(true.values(), reverse=True)[:3]


def test_what_is_not_listed_is_counted():
    report = Report("app.log", START)
    for number in range(2 * MAX_TEMPLATES + 1):
        name = f"{number:b}".translate(str.maketrans("01", "ab"))
        report.add_window(START, 1, 1, 0, 0, [TemplateCount(2 if number == 7 else 1, f"line {name}")])
    report.add_window(START, 1, 1, 0, 0, [TemplateCount(9, "newcomer")])
    text = text_of(report)
    assert "Such as at least 9 newcomer 2 line bbb 1 line" in text
    assert f"and {MAX_TEMPLATES + 2} lines of rarer templates" in text


# --- bounds ---


def kept(shelf):
    return [finding.text for finding in shelf.in_order()]


def finding_of(level, text="", log=()):
    return Finding(START, level, 1, 1, text, tuple(log), 0)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(LEVELS), st.integers(1, 20)), max_size=20))
def test_what_falls_out_is_the_least_severe_that_came_longest_ago(steps):
    """A level is a new finding, a number one that came again."""
    shelf, expected, levels = FindingShelf(most=4), [], []
    for step in steps:
        if isinstance(step, str):
            levels.append(step)
            expected.append(shelf.add(finding_of(step, str(len(levels)))))
            if len(expected) > 4:
                expected.remove(
                    max(expected, key=lambda number: (LEVELS.index(levels[number - 1]), -expected.index(number)))
                )
        else:
            assert (shelf.again(step, START, 1, 1) is not None) == (step in expected)
            if step in expected:
                expected.append(expected.pop(expected.index(step)))
    by_level = [[number for number in expected if levels[number - 1] == level] for level in LEVELS]
    assert kept(shelf) == [str(number) for numbers in by_level for number in reversed(numbers)]
    assert shelf.counts == {level: levels.count(level) for level in LEVELS}
    assert sum(shelf.fallen.values()) + len(expected) == len(levels)


def test_findings_have_room_for_so_many_characters():
    shelf = FindingShelf(most_characters=10)
    for level, text, log in (("ERROR", "abc", ["de"]), ("INFO", "fg", ["h", "ij"]), ("WARNING", "k", [])):
        shelf.add(finding_of(level, text, log))
    assert kept(shelf) == ["abc", "k"]
    shelf.add(finding_of("ERROR", "x" * 11))
    assert kept(shelf) == []
    shelf.add(finding_of("INFO", "y" * 10))
    assert kept(shelf) == ["y" * 10]


def test_what_fell_out_is_said():
    report = Report("app.log", START)
    for number in range(MAX_FINDINGS):
        report.add_finding(START, "WARNING", 1, 1, f"warning-{number}.", [])
    report.add_finding(START, "ERROR", 1, 1, "severe", [])
    report.add_finding(START, "WARNING", 1, 1, "latest", [])
    text = text_of(report)
    assert "Not on this page, for there are too many: 2 WARNING, the oldest ones." in text
    assert f"1 ERROR {MAX_FINDINGS + 1:,} WARNING" in text
    assert ["warning-0." in text, "warning-1." in text, "warning-2." in text] == [False, False, True]


def test_every_text_is_cut_and_says_so():
    long = "x" * 1_000_000
    report = Report(long, START)
    report.add_window(START, 1, 1, 0, 0, [TemplateCount(1, long)])
    report.add_finding(START, "ERROR", 1, 100, long, [long] * 100)
    report.add_failure(START, 1, 1, long)
    page = report.page(START, Totals(1, 1, 1, None, {long: 1}, 0), ended=True)
    bounds = [MAX_TITLE] * 2 + [MAX_TEXT, MAX_MESSAGE] + [MAX_LINE] * (MAX_LOG_LINES + 1)
    assert sorted(len(run) + len(" [cut]") for run in re.findall("x{101,}(?= .cut)", page)) == sorted(bounds)
    assert f"and {100 - MAX_LOG_LINES} more lines" in page
    assert len(page) < 40_000


def test_of_failures_the_latest_stay():
    report = Report("app.log", START)
    for number in range(MAX_FAILURES + 5):
        report.add_failure(START, 1, 1, f"failure-{number}.")
    text = text_of(report)
    assert ["failure-4." in text, "failure-5." in text, f"failure-{MAX_FAILURES + 4}." in text] == [False, True, True]
    assert ("105 windows failed" in text, "and 5 before these" in text) == (True, True)


def add_much(report, windows, start):
    for number in range(start, start + windows):
        at = START + number
        report.add_window(at, 100, 50, 40, 10, [])
        if number % 50 == 0:
            report.add_window(at, 100, 50, 40, 10, [TemplateCount(5, chr(0x4E00 + number // 50 % 20_000) * 30)])
            report.again(report.add_finding(at, LEVELS[number // 50 % 4], 1, 9, "é" * 200, ["è" * 80] * 20), at, 1, 2)
            report.add_failure(at, 1, 9, "ê" * 300)


def test_a_million_windows_take_no_more_room_than_a_hundred_thousand():
    report = Report("app.log", START)
    add_much(report, 100_000, 0)
    before = len(pickle.dumps(report))
    add_much(report, 900_000, 100_000)
    assert len(pickle.dumps(report)) < before * 1.02
    assert len(report.page(START + 1e6, NOTHING, ended=True)) < 6_000_000


# --- the timeline ---

PASSED = st.floats(-100, 1e7, allow_nan=False)


@settings(max_examples=200, deadline=None)
@given(st.lists(PASSED, max_size=50))
def test_every_event_is_in_the_bucket_of_its_time_however_they_merge(times):
    timeline = Timeline(START)
    for passed in times:
        timeline.at(START + passed).shown += 1
    assert len(timeline.buckets) <= MAX_BUCKETS
    expected = Counter(int(max(0.0, START + passed - START) / timeline.width) for passed in times)
    assert {position: bucket.shown for position, bucket in enumerate(timeline.buckets) if bucket.shown} == expected


def test_buckets_are_as_fine_as_there_is_room_for():
    timeline = Timeline(START)
    timeline.at(START + MAX_BUCKETS - 0.5)
    assert (timeline.width, len(timeline.buckets)) == (1.0, MAX_BUCKETS)
    timeline.at(START + MAX_BUCKETS)
    assert (timeline.width, len(timeline.buckets)) == (2.0, MAX_BUCKETS // 2 + 1)


def test_buckets_add_up_all_that_is_in_them():
    bucket = Bucket(1, 2, 3, 4, {"ERROR": 5})
    bucket.take_in(Bucket(10, 20, 30, 40, {"ERROR": 50, "INFO": 60}))
    assert bucket == Bucket(11, 22, 33, 44, {"ERROR": 55, "INFO": 60})


def busy(seconds, every):
    report = Report("app.log", START)
    for passed in range(0, seconds, every):
        report.add_window(START + passed, 1000, 990, 9, 1, [])
    return report


def rects(page, kind):
    return [
        dict(attributes) for tag, attributes in Parsed(page).tags if tag == "rect" and ("class", kind) in attributes
    ]


def test_one_dropped_line_of_many_can_be_seen_and_bars_stay_on_the_drawing():
    report = busy(200, 1)
    report.add_window(START, 1_000_000, 999_998, 1, 1, [])
    page = report.page(START + 199, NOTHING, ended=True)
    for kind in ("shown", "condensed", "dropped"):
        bars = rects(page, kind)
        assert len(bars) == 100
        assert all(float(bar["height"]) >= 2 and float(bar["y"]) >= 0 for bar in bars)
        assert all(float(bar["x"]) >= 0 and float(bar["x"]) + float(bar["width"]) <= WIDTH for bar in bars)


@pytest.mark.parametrize(("seconds", "every", "most"), [(3600, 1, 120), (3600, 60, 60), (3600, 900, 30), (3, 1, 4)])
def test_there_are_no_more_bars_than_windows_or_than_can_be_told_apart(seconds, every, most):
    page = busy(seconds, every).page(START + seconds, NOTHING, ended=True)
    assert 1 <= len(rects(page, "shown")) <= most


def test_the_timeline_goes_on_to_the_present_when_nothing_comes():
    page = busy(60, 10).page(START + 3600, NOTHING, ended=False)
    assert re.findall(r'<text [^>]*text-anchor="end">(2023[^<]*)<', page) == ["2023-11-14 23:13:20"]
    assert all(float(bar["x"]) < WIDTH / 2 for bar in rects(page, "shown"))


def test_findings_stand_on_the_timeline_by_level_as_often_as_they_came():
    report = busy(100, 10)
    number = report.add_finding(START + 1, "ERROR", 1, 1, "x", [])
    report.again(number, START + 90, 2, 2)
    report.add_finding(START + 90, "ERROR", 3, 3, "y", [])
    report.add_failure(START + 90, 1, 1, "z")
    page = report.page(START + 99, NOTHING, ended=True)
    lanes = re.findall(r'<g class="(\w+)">(.*?)</g>', page)
    assert [(name, lane.count("<rect")) for name, lane in lanes] == [("error", 2), ("failed", 1)]
    text = Parsed(page).text
    assert "ERROR 3 FAILED 1" in text
    assert "22:14:48 1,000 lines, 9 of them condensed, 1 of them dropped; 2 ERROR, 1 failed window" in text


def test_the_numbers_below_the_chart_are_those_of_the_run():
    page = busy(3600, 7).page(START + 3600, NOTHING, ended=True)
    rows = re.findall(r"<td>([\d,]+) lines, ([\d,]+) of them condensed, ([\d,]+) of them dropped</td>", page)
    windows = len(range(0, 3600, 7))
    sums = [sum(int(number.replace(",", "")) for number in column) for column in zip(*rows, strict=True)]
    assert sums == [windows * 1000, windows * 9, windows]


# --- how it looks ---


def luminance(colour):
    """Relative luminance as WCAG 2 defines it."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
def test_colours_can_be_told_from_what_is_behind_them(scheme):
    for text in ("ink", "faint", "info", "good"):
        assert contrast(scheme[text], scheme["page"]) >= 4.5
    for text in ("ink", "faint"):
        assert contrast(scheme[text], scheme["box"]) >= 4.5
    for level in LEVELS:
        assert contrast(scheme[level.lower()], scheme["on-level"]) >= 4.5
        assert contrast(scheme[level.lower()], scheme["page"]) >= 3
    for kind in ("shown", "condensed", "dropped"):
        assert contrast(scheme[kind], scheme["page"]) >= 3


def test_both_schemes_have_all_colours_that_are_used():
    page = full()
    used = set(re.findall(r"var\(--([\w-]+)\)", page))
    assert used == set(LIGHT) == set(DARK)
    light, dark = page.index(":root { color-scheme: light"), page.index(":root { color-scheme: dark")
    assert light < page.index("(prefers-color-scheme: dark)") < dark
