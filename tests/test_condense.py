"""A window that is too large: what is frequent is counted, what is rare stays, and nothing is lost uncounted."""

import random
import re
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamcli.core.condense import MAX_TEMPLATES, MIN_BUDGET, Condenser
from streamcli.core.condensing.excerpts import LINE_CUT
from streamcli.core.condensing.layout import LEGEND
from streamcli.core.condensing.masks import Masks
from streamcli.core.lines import show_line

PLENTY = 1_000_000
TEMPLATE = re.compile(r"\[x(\d+) L(\d+)-L(\d+)\] ")
SINGLE = re.compile(r"L(\d+)(?:-L(\d+))? ")


def lines_in(record):
    return record.count(b"\n") + 1


def condenser_of(records, budget=PLENTY, batches=None):
    """`batches`: how many records come together, again and again in turn."""
    condenser = Condenser(budget, Masks())
    line, at, turn = 1, 0, 0
    while at < len(records):
        size = batches[turn % len(batches)] if batches else len(records)
        batch = records[at : at + size]
        condenser.add(batch, line)
        line += sum(map(lines_in, batch))
        at, turn = at + size, turn + 1
    return condenser


def condensed(records, budget=PLENTY, batches=None, verbatim=False):
    return condenser_of(records, budget, batches).render(verbatim=verbatim)


def numbered(records):
    """All as they are shown while they fit."""
    line, texts = 1, []
    for record in records:
        last = line + lines_in(record) - 1
        prefix = f"L{line}" if last == line else f"L{line}-L{last}"
        texts.append(prefix + " " + "\n".join(map(show_line, record.split(b"\n"))))
        line = last + 1
    return "\n".join(texts)


def templates_in(text):
    """(count, first, last, the rest of the line) of each."""
    found = (TEMPLATE.match(line) for line in text.split("\n"))
    return [(int(one[1]), int(one[2]), int(one[3]), one.string[one.end() :]) for one in found if one]


def requests(count, seed=0):
    """An ordinary service log."""
    draw = random.Random(seed)
    users = ["".join(draw.choices("abcdefghijklmnop", k=5)) for _ in range(40)]
    for at in range(count):
        clock = f"2031-03-04T{at // 3600 % 24:02}:{at // 60 % 60:02}:{at % 60:02}.{draw.randrange(1000):03}Z"
        kind = draw.random()
        if kind < 0.7:
            yield (
                f"{clock} INFO api[{draw.randrange(9)}] id={draw.randrange(1 << 32):08x} user={draw.choice(users)} "
                f"GET /v1/orders/{draw.randrange(10_000)} status=200 took={draw.randrange(5, 60)}ms"
            ).encode()
        elif kind < 0.9:
            yield f"{clock} DEBUG cache hit for {draw.choice(users)} age={draw.randrange(300)}s".encode()
        else:
            yield f"{clock} INFO job {draw.getrandbits(64):016x} done in {draw.random():.3f} s".encode()


# --- while everything fits ---


def test_what_fits_is_there_verbatim_with_its_numbers():
    records = [b"started", b"Traceback\n  File x\nError", b"\x1b[2J \xff caf\xc3\xa9", b""]
    result = condensed(records, verbatim=True)
    assert result.text == "L1 started\nL2-L4 Traceback\n  File x\nError\nL5 \\x1b[2J \\xff café\nL6 "
    assert (result.lines, result.shown, result.condensed, result.dropped) == (6, 6, 0, 0)


def test_lines_are_numbered_as_they_are_in_the_stream():
    condenser = Condenser(PLENTY, Masks())
    condenser.add([b"a", b"b\nc"], 1000)
    condenser.add([b"d"], 1003)
    assert condenser.render().text == "L1000 a\nL1001-L1002 b\nc\nL1003 d"
    assert condenser.lines == 4


@pytest.mark.parametrize("records", [[], [b""]])
def test_nothing_is_nothing(records):
    result = condensed(records, verbatim=True)
    assert (result.text, result.lines, result.templates != ()) == (
        "L1 " if records else "",
        len(records),
        bool(records),
    )


def test_it_is_verbatim_up_to_the_budget_and_condensed_beyond():
    records = [b"ping %d" % at for at in range(100)]
    length = len(numbered(records))
    condenser = condenser_of(records, length + 61)
    assert (condenser.render().text, condenser.is_full) == (numbered(records), False)
    condenser.add([b"ping 100"], 101)
    assert condenser.render().text.startswith("[x101 L1-L101] ping 0")


def test_a_budget_that_is_too_small_is_refused():
    with pytest.raises(ValueError, match="at least 200"):
        Condenser(MIN_BUDGET - 1, Masks())


# --- what is condensed ---


def test_a_kind_of_line_is_shown_once_and_counted():
    records = [b"10:00:%02d request %d done" % (at % 60, at) for at in range(500)]
    result = condensed([b"begin", *records, b"end"])
    assert result.text == (
        "L1 begin\n[x500 L2-L501] 10:00:00 request 0 done {request: ~p50 249, ~p95 474, max 499}\nL502 end"
    ) or re.fullmatch(
        r"L1 begin\n\[x500 L2-L501\] 10:00:00 request 0 done \{request: ~p50 \d+, ~p95 \d+, max 499\}\nL502 end",
        result.text,
    )
    assert (result.lines, result.shown, result.condensed, result.dropped) == (502, 3, 499, 0)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_what_occurs_up_to_three_times_is_verbatim(count):
    frequent = [b"tick %d" % at for at in range(200)]
    rare = [b"disk %d is failing" % at for at in range(count)]
    text = condensed([*frequent, *rare]).text
    assert text.split("\n")[1:] == [f"L{201 + at} disk {at} is failing" for at in range(count)]


def test_what_differs_in_one_word_in_many_ways_is_one_kind():
    users = [b"user %c%c logged in" % (97 + at // 26, 97 + at % 26) for at in range(40)]
    text = condensed(users * 3).text
    assert templates_in(text) == [(120, 1, 120, "user aa logged in {user: aa x3, ab x3, ac x3, ad x3, +36 more}")]


def test_what_differs_in_one_word_in_few_ways_is_not():
    records = [b"VM %b" % word for word in (b"started", b"paused", b"resumed", b"crashed")] * 50
    text = condensed(records).text
    assert [rest for _, _, _, rest in templates_in(text)] == ["VM started", "VM paused", "VM resumed", "VM crashed"]


@pytest.mark.parametrize("budget", [MIN_BUDGET, 300, PLENTY])
def test_two_events_are_never_taken_for_one(budget):
    text = condensed([b"%d VM started" % at for at in range(500)] + [b"9 VM paused"], budget).text
    assert text.endswith("VM paused")
    assert "L501" in text


def test_names_in_two_places_are_found_one_after_the_other():
    words = [bytes([97 + one, 97 + other]) for one in range(5) for other in range(4)]
    records = [b"copied %b to %b" % (one, other) for one in words for other in words]
    [(count, _, _, rest)] = templates_in(condensed(records).text)
    assert (count, rest.partition(" {")[0]) == (400, "copied aa to aa")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b"2031-01-02T03:04:05.678Z up", b"2032-11-12T13:14:15.1Z up"),
        (b"Jan  2 03:04:05 host up", b"Dec 31 23:59:59 host up"),
        (b"[Mon Jan 02 03:04:05 2031] up", b"[Tue Feb 03 04:05:06 2031] up"),
        (b'- - [02/Jan/2031:03:04:05 +0000] "GET', b'- - [12/Dec/2031:13:14:15 -0100] "GET'),
        (b"from 10.0.0.1:80 to 10.0.0.2", b"from 192.168.100.200:12345 to 8.8.8.8"),
        (b"from fe80::1ff:fe23:4567:890a", b"from 2001:db8:0:0:0:0:2:1"),
        (b"id 123e4567-e89b-12d3-a456-426614174000", b"id deadbeef-dead-4eef-9ead-beefdeadbeef"),
        (b"at 0x7fff5fbff8c0", b"at 0xdeadbeef"),
        (b"commit 3fa9c1d2e", b"commit deadbeefcafe"),
        (b"key <PASSWORD:3fa9c1>", b"key <PASSWORD:abcdef>"),
        (b"took 5 ms", b"took 1234.5 ms"),
        (b"at -5 degrees", b"at 12 degrees"),
        (b"block blk_-77 ok", b"block blk_9876543210 ok"),
    ],
)
def test_what_is_the_same_but_for_its_values_is_one_kind(one, other):
    assert len(condensed([one, other] * 4).templates) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b"took 5 ms", b"took 5 s"),
        (b"link up", b"link down"),
        (b"<PASSWORD:3fa9c1>", b"<TOKEN:3fa9c1>"),
        (b"cafe open", b"face open"),
        (b"a b", b"a b c"),
    ],
)
def test_what_is_said_in_other_words_is_another_kind(one, other):
    assert len(condensed([one, other] * 4).templates) == 2


def test_a_record_of_several_lines_is_one():
    traces = [b"Traceback %d\n  File a, line %d\nKeyError: %d" % (at, at, at) for at in range(50)]
    result = condensed([b"begin", *traces])
    assert result.text.startswith("L1 begin\n[x50 L2-L151] Traceback 0\n  File a, line 0\nKeyError: 0 {")
    assert (result.lines, result.shown, result.condensed) == (151, 4, 147)


def test_the_order_is_that_of_the_stream():
    text = condensed([b"a %d" % (at % 3) if at % 2 else b"b %d" % (at % 5) for at in range(100)] + [b"c"]).text
    assert [line.split("] ")[-1][0] for line in text.split("\n")] == ["b", "a", "L"]


# --- values ---


def test_a_value_that_occurs_once_among_few_is_shown():
    records = [b"GET /a status=200" for _ in range(1000)]
    records[700] = b"GET /a status=500"
    text = condensed(records).text
    assert "{status: 200 x999, 500 x1}" in text
    assert "\nL701 GET /a status=500" in text


def test_a_line_that_is_shown_as_the_first_is_not_shown_again():
    text = condensed([b"GET /a status=500", *[b"GET /a status=200"] * 100]).text
    assert text == "[x101 L1-L101] GET /a status=500 {status: 200 x100, 500 x1}"


def test_an_identifier_that_happens_to_be_a_number_is_no_quantity():
    records = [b"id=12345678 ok", *[b"id=%x ok" % (0xABC00000 + at) for at in range(100)], b"id=87654321 ok"]
    assert condensed(records).text == "[x102 L1-L102] id=12345678 ok"


def test_a_value_far_beyond_the_others_is_shown():
    records = [b"took %d ms" % (10 + at % 50) for at in range(1000)]
    records[300] = b"took 9000 ms"
    text = condensed(records).text
    assert "\nL301 took 9000 ms" in text
    assert "max 9000}" in text


@pytest.mark.parametrize("batch", [1, 7, 1000])
def test_percentiles_are_those_of_the_values(batch):
    draw = random.Random(5)
    values = [draw.randrange(1000) for _ in range(100)]
    text = condensed([b"took %d ms" % value for value in values], batches=[batch]).text
    ordered = sorted(values)
    assert f"{{took: p50 {ordered[50]}, p95 {ordered[95]}, max {ordered[-1]}}}" in text


def test_percentiles_of_many_values_are_from_a_sample_and_say_so():
    text = condensed([b"took %d ms" % (at * 7919 % 10_000) for at in range(20_000)]).text
    p50, p95, greatest = map(int, re.search(r"~p50 (\d+), ~p95 (\d+), max (\d+)", text).groups())
    assert (greatest, 3500 < p50 < 6500, 8500 < p95 < 10_000) == (9999, True, True)


def test_addresses_are_counted():
    records = [b"refused %d.1.2.3:%d" % (9 if at % 4 else at % 7, at + 1000) for at in range(100)]
    assert "{refused: 9.1.2.3 x75, " in condensed(records).text


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (b"a status=%d b", "status"),
        (b"a status: %d b", "status"),
        (b"a status = %d b", "status"),
        (b'{"a": 1, "status": %d, "b": 2}', "status"),
        (b'{"a":1,"status":%d,"b":2}', "status"),
        (b"a statusCode='%d' b", "statusCode"),
        (b"a job.status:(%d) b", "job.status"),
        (b"a status %d b", "status"),
        (b"a status [%d] b", "status"),
        (b'"GET /a HTTP/1.1" %d b', "word 4"),
        (b"a Status %d b", "word 3"),
        (b'"probe/1.27" %d b', "word 2"),
        (b"status ok/%d b", "word 2"),
        (b"at /status/%d b", "word 2"),
    ],
)
def test_a_value_has_a_name_only_if_it_is_certain(line, name):
    values = [200, 200, 200, 500]
    text = condensed([line % values[at % 4] for at in range(100)]).text
    assert f"{name}: 200 x75, 500 x25" in text


@pytest.mark.parametrize(
    ("line", "name"),
    [(b"user %b in", "user"), (b"by user=%b in", "user"), (b"Hello /%b in", "word 2"), (b"open /a%b now", "open")],
)
def test_a_word_that_differs_has_a_name_only_if_it_is_certain(line, name):
    words = [bytes([97 + at // 5, 97 + at % 5]) for at in range(20)]
    assert f" {{{name}: " in condensed([line % word for word in words]).text


def test_the_query_of_a_path_does_not_make_one_kind_of_many_paths():
    words = [bytes([97 + at // 26, 97 + at % 26]) for at in range(200)]
    queries = [b'"GET /search?q=%b HTTP/1.1" 200' % word for word in words]
    others = [b'"GET /%b.html HTTP/1.1" 200' % word for word in words]
    text = condensed([line for both in zip(queries, others, strict=True) for line in both]).text
    assert [(count, rest.partition(" HTTP")[0]) for count, _, _, rest in templates_in(text)] == [
        (200, '"GET /search?q=aa'),
        (200, '"GET /aa.html'),
    ]


# --- incidents ---

INCIDENTS = [
    b"2031-03-04T01:00:00.000Z INFO api[1] id=00c0ffee user=abcde GET /v1/orders/77 status=500 took=31ms",
    b"2031-03-04T01:00:00.000Z INFO job 00000000deadbee1 done in 93.250 s",
    b"2031-03-04T01:00:00.000Z ERROR connection to 10.0.0.7:5432 refused",
    b"2031-03-04T01:00:00.000Z WARN cache is 99% full",
    b"2031-03-04T01:00:00.000Z FATAL killed process 4411\n  out of memory",
]


@pytest.mark.parametrize(("lines", "budget"), [(2000, 16_000), (20_000, 16_000), (20_000, PLENTY), (20_000, 4000)])
def test_incidents_among_many_lines_stay_verbatim(lines, budget):
    records = list(requests(lines))
    for at, incident in enumerate(INCIDENTS, 1):
        records.insert(at * lines // 7, incident)
    result = condensed(records, budget, [500])
    assert [incident for incident in INCIDENTS if incident.decode() not in result.text] == []
    assert result.dropped == 0
    assert len(result.text) < 0.05 * sum(map(len, records))


def test_an_incident_is_the_last_to_go():
    draw = random.Random(8)
    noise = [bytes(draw.choices(b"abcdefgh ", k=60)) for _ in range(5000)]
    noise[4000] = b"ERROR connection refused"
    text = condensed(noise, 2000, [500]).text
    assert "L4001 ERROR connection refused" in text


# --- more than there is room for ---


def test_what_is_left_out_is_counted():
    draw = random.Random(3)
    records = [bytes(draw.choices(b"abcdefgh ", k=80)) for _ in range(1000)]
    result = condensed(records, 3000)
    assert result.text.endswith(f"\n[{result.dropped} lines are left out]")
    assert (result.condensed, result.shown) == (0, result.text.count("\n"))
    assert 2500 < len(result.text) <= 3000


@pytest.mark.parametrize("budget", [MIN_BUDGET, 2000, 16_000])
@pytest.mark.parametrize("character", [b"x", b"\x1b", b"\xff", "é".encode(), "😀".encode()])
def test_a_long_line_is_cut_and_marked(budget, character):
    result = condensed([b"before", character * 60_000, b"after"], budget, verbatim=True)
    before, long, after = result.text.split("\n")
    assert (before, after) == ("L1 before", "L3 after")
    assert long.endswith(LINE_CUT)
    kept = long.removesuffix(LINE_CUT).removeprefix("L2 ")
    assert show_line(character * 60_000).startswith(kept)
    assert budget // 9 <= len(kept) <= budget // 4
    assert (result.shown, result.dropped) == (3, 0)


def test_of_a_long_record_the_lines_are_condensed_and_the_rare_ones_stay():
    frames = [b"  File a, line %d" % at for at in range(300)]
    frames[150] = b"    raise KeyError from None"
    trace = b"\n".join([b"Traceback", *frames, b"KeyError: 'x'"])
    result = condensed([b"before", trace, b"after"], 2000, verbatim=True)
    assert result.text.startswith("L1 before\nL2 Traceback\n[x299 L3-L302]   File a, line 0 {line: ")
    assert result.text.endswith("\nL153     raise KeyError from None\nL303 KeyError: 'x'\nL304 after")
    assert (result.lines, result.shown, result.condensed, result.dropped) == (304, 6, 298, 0)


@pytest.mark.parametrize("character", [b"x", b"\x1b", b"\xff", "é".encode()])
def test_a_record_is_whole_up_to_a_quarter_of_the_budget_as_it_is_shown(character):
    budget, size = 2000, len(show_line(character))
    fitting = character * (400 // size) + b"\n" + b"y" * 99
    assert condensed([fitting], budget, verbatim=True).text.startswith("L1-L2 ")
    assert condensed([fitting + b"y"], budget, verbatim=True).text.startswith("L1 ")


def test_the_most_frequent_kinds_are_told_for_a_report():
    records = [b"%b happened" % (bytes([97 + kind]) * 3) for kind in range(7) for _ in range(kind + 1)]
    templates = condensed(records, verbatim=True).templates
    assert [(one.count, one.example) for one in templates][:2] == [(7, "ggg happened"), (6, "fff happened")]
    assert (templates[0].first, templates[0].last) == (22, 28)
    many = [b"%b %b" % (b"ab" * kind, b"cd " * kind) for kind in range(1, 40)]
    assert len(condensed(many, verbatim=True).templates) == MAX_TEMPLATES


def test_the_legend_explains_each_notation():
    for notation in ("L12 text", "L13-L20 text", "[x812 L3-L1990]", "x811", "more", "3 to 45", "p50", "~"):
        assert notation in LEGEND


# --- when it is full ---


def test_it_is_full_when_even_condensed_it_does_not_fit():
    condenser = Condenser(4000, Masks())
    condenser.add(list(requests(5000)), 1)
    assert not condenser.is_full
    draw = random.Random(1)
    for at in range(400):
        condenser.add([bytes(draw.choices(b"abcdefgh ", k=80))], 5001 + at)
        if condenser.is_full:
            break
    assert 20 < at < 60


def test_more_can_come_after_it_was_rendered():
    records = list(requests(3000))
    condenser = Condenser(16_000, Masks())
    condenser.add(records[:1500], 1)
    assert condenser.render().lines == 1500
    condenser.add(records[1500:], 1501)
    assert condenser.render() == condensed(records, 16_000, verbatim=True)


# --- how much it takes ---


def test_any_number_of_different_lines_needs_bounded_memory():
    draw = random.Random(4)
    noise = draw.randbytes(1 << 20).translate(bytes(b"abcdefghijklmnopqrstuvwxyz     "[at % 31] for at in range(256)))
    masks = Masks()
    condenser = Condenser(16_000, masks)
    line = 1
    tracemalloc.start()
    try:
        for _ in range(16):
            starts = [draw.randrange(len(noise) - 70_000) for _ in range(500)]
            records = [noise[start : start + 60 + start % 90] for start in starts]
            records[7] = noise[starts[7] : starts[7] + 65_536]
            records[8] = b"\n".join([noise[starts[8] : starts[8] + 50]] * 1000)
            condenser.add(records, line)
            line += sum(map(lines_in, records))
            assert tracemalloc.get_traced_memory()[1] < 25 << 20
    finally:
        tracemalloc.stop()
    result = condenser.render()
    assert result.lines == line - 1 == result.shown + result.condensed + result.dropped


@pytest.mark.parametrize(
    "make",
    [
        lambda at: b"user %x opened %x" % (at * 7919 % 1999, at * 104729 % 2003),
        lambda at: (b"%d %d %d %d %d %d %d %d " % ((at,) * 8)) + b"a" * (at % 900),
        lambda at: b"\n".join([b"trace %d" % (at % 3)] * (at % 100)),
        lambda at: b"%d.%d.%d.%d" % (at % 251, at % 13, at % 17, at % 255),
        lambda at: b"took %d x" % at + b"y" * 3000,
    ],
    ids=["pairs of names", "lengths", "traces", "addresses", "long lines of one kind"],
)
def test_many_lines_of_some_kinds_need_bounded_memory(make):
    condenser = Condenser(16_000, Masks())
    line = 1
    tracemalloc.start()
    try:
        for start in range(0, 10_000, 500):
            records = [make(at) for at in range(start, start + 500)]
            condenser.add(records, line)
            line += sum(map(lines_in, records))
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
    finally:
        tracemalloc.stop()
    assert len(condenser.render().text) <= 16_000


def test_names_that_are_more_than_can_be_held_become_one_kind():
    """None of them is lost, though each pair of them occurs once."""
    draw = random.Random(6)
    names = ["".join(draw.choices("ghijklmnop", k=6)) for _ in range(300)]
    records = [f"user {draw.choice(names)} opened {draw.choice(names)} today".encode() for _ in range(20_000)]
    result = condensed(records, 16_000, [500])
    assert (result.dropped, len(result.templates)) == (0, 1)
    assert result.templates[0].count == 20_000


def test_merged_names_that_come_again_are_of_the_same_kind_again():
    """What is merged for good takes in what comes later, and what was a group of its own beside it."""
    names = [bytes([97 + at // 676, 97 + at // 26 % 26, 97 + at % 26]) for at in range(6000)]
    stream = [b"user %b in" % name for name in [*names, *names, *names[:2], names[0]]]
    result = condensed([*stream, b"user one out"], 16_000, [500])
    assert [(one.count, one.last) for one in result.templates] == [(12_003, 12_003), (1, 12_004)]


def test_a_value_that_occurs_again_is_not_shown_as_the_only_one():
    records = [b"GET /a status=200" for _ in range(1000)]
    records[100] = records[900] = b"GET /a status=500"
    result = condensed(records, batches=[300])
    assert (result.text.count("\n"), "{status: 200 x998, 500 x2}" in result.text) == (0, True)


def test_the_first_of_equal_values_is_shown():
    records = [b"took %d ms" % (10 + at % 50) for at in range(1000)]
    for at in (300, 400, 500, 600, 700):
        records[at] = b"took 9000 ms"
    shown = re.findall(r"^L(\d+)", condensed(records, batches=[150]).text, re.MULTILINE)
    assert shown == ["301", "401", "501"]


# --- any records, in any batches ---

WORDS = [
    b"a",
    b"user",
    b"x=1",
    b"took",
    b"ERROR",
    b"\xff",
    "é".encode(),
    b"\x1b[m",
    b"",
    b"{",
    b"Jan",
    b"10.0.0.1",
    b"-7",
]
words = st.one_of(
    st.sampled_from(WORDS),
    st.integers(0, 2000).map(lambda number: b"%d" % number),
    st.integers(0, 1 << 32).map(lambda number: b"%08x" % number),
    st.floats(0, 100).map(lambda number: b"took=%.2f" % number),
    st.sampled_from([b"n%c" % at for at in range(97, 120)]),
    st.binary(max_size=5).map(lambda data: data.translate(None, b"\0\n")),
)
lines = st.lists(words, max_size=6).map(b" ".join) | st.integers(0, 300).map(lambda size: b"z" * size)
records = lines | st.lists(lines, min_size=1, max_size=5).map(b"\n".join)
streams = st.lists(st.tuples(records, st.integers(1, 6)), max_size=40).map(
    lambda repeated: [record for record, times in repeated for _ in range(times)]
)
budgets = st.sampled_from([MIN_BUDGET, 300, 1000, 3000, PLENTY])


@settings(max_examples=150, deadline=None)
@given(streams, budgets, st.booleans(), st.lists(st.integers(1, 9), min_size=1, max_size=4))
def test_each_line_is_counted_just_once_and_batches_do_not_show(stream, budget, verbatim, batches):
    result = condensed(stream, budget, verbatim=verbatim)
    other = condensed(stream, budget, batches, verbatim)
    assert (other, other.templates) == (result, result.templates)
    assert len(result.text) <= budget
    assert result.lines == sum(map(lines_in, stream)) == result.shown + result.condensed + result.dropped
    assert min(result.shown, result.condensed, result.dropped) >= 0
    assert (f"[{result.dropped} lines are left out]" in result.text) == (result.dropped > 0)
    if len(numbered(stream)) <= budget - 61 and all(len(record) <= budget // 20 for record in stream):
        assert not verbatim or result.text == numbered(stream)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(lines, st.integers(1, 6)), max_size=40), budgets)
def test_what_is_shown_is_verbatim_and_what_is_counted_is_exact(repeated, budget):
    stream = [line for line, times in repeated for _ in range(times)]
    result = condensed(stream, budget)
    found = {int(one[1]): one.string[one.end() :] for line in result.text.split("\n") if (one := SINGLE.match(line))}
    for number, text in found.items():
        whole = show_line(stream[number - 1])
        assert text == whole or (text.endswith(LINE_CUT) and whole.startswith(text.removesuffix(LINE_CUT)))
    templates = templates_in(result.text)
    for count, first, last, text in templates:
        whole = show_line(stream[first - 1])
        assert text.startswith(whole) or (LINE_CUT in text and whole.startswith(text.partition(LINE_CUT)[0]))
        assert count <= last - first + 1
    assert len(found) + len(templates) == result.shown
    inside = sum(count for count, _, _, _ in templates) - len(templates)
    assert inside >= result.condensed  # those that stand out are counted there, and shown


def test_batches_do_not_show_where_room_is_made_for_new_kinds():
    draw = random.Random(2)
    stream = [bytes(draw.choices(b"abcdefgh ", k=30)) for _ in range(6000)]
    stream[1::3] = [b"user %b in" % bytes(draw.choices(b"ijk", k=7)) for _ in stream[1::3]]
    whole = condensed(stream, 8000)
    assert whole.dropped > 2000
    for batches in ([1000], [1, 700, 13]):
        assert condensed(stream, 8000, batches) == whole


def test_what_is_known_of_keys_does_not_change_what_is_written():
    masks = Masks()
    stream = list(requests(2000))
    texts = []
    for _ in range(2):
        condenser = Condenser(16_000, masks)
        condenser.add(stream, 1)
        texts.append(condenser.render().text)
    assert texts == [condensed(stream, 16_000, verbatim=True).text] * 2


@pytest.mark.parametrize(("budget", "verbatim"), [(PLENTY, True), (PLENTY, False), (300, True)])
def test_templates_are_those_of_the_window_when_it_was_rendered(budget, verbatim):
    """Though they may be worked out only when they are asked for."""
    condenser = condenser_of([b"ping %d" % at for at in range(50)], budget)
    before = condenser.render(verbatim)
    condenser.add([b"ping 7"] * 9, 51)
    assert [(one.count, one.last) for one in before.templates] == [(50, 50)]
    assert [(one.count, one.last) for one in condenser.render(verbatim).templates] == [(59, 59)]


def test_names_of_a_known_kind_do_not_fill_a_window_and_other_lines_do():
    condenser = Condenser(4000, Masks())
    for at in range(2000):
        name = bytes([97 + at // 676, 97 + at // 26 % 26, 97 + at % 26])
        condenser.add([b"user %b in the queue of orders" % name], at + 1)
        assert not condenser.is_full
    draw = random.Random(1)
    for at in range(200):
        condenser.add([bytes(draw.choices(b"abcdefgh ", k=80))], 2001 + at)
    assert condenser.is_full
