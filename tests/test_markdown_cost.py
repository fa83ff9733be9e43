"""What rendering costs: work is counted, not timed. Twice the text is at most twice the work, whatever the text is."""

import inspect
import sys
import tracemalloc

import pytest

from streamcli.core.markdown.render import INTERVAL, MarkdownRenderer

WIDTH, HEIGHT = 80, 24
LENGTH = 20_000
# What is repeated, behind what comes before it.
TEXTS = {
    "paragraphs": ("", "Some *text* with `code` and a [link](x) in it.\n\n"),
    "a paragraph without a newline": ("", "word **strong** "),
    "a word": ("", "x"),
    "a paragraph of lines": ("", "a line of a poem\n"),
    "a list": ("", "- an item\n"),
    "a loose list": ("", "- an item\n\n  and more\n\n"),
    "lists in lists": ("", "- " * 20 + "x\n"),
    "quotes in quotes": ("", "> " * 20 + "x\n"),
    "a table": ("| a | b |\n|---|---|\n", "| cell | another |\n"),
    "a table of large cells": ("| a |\n|---|\n", "| " + "word " * 700 + "|\n"),
    "a fence": ("```python\n", "x = f(1)  # y\n"),
    "a line of code": ("```python\n", "f(1); "),
    "a quote": ("", "> a line\n"),
    "an item that goes on": ("- a\n", "lazy\n"),
    "html": ("<!--\n", "a\n"),
    "openers": ("", "*a _b ~~c "),
    "closers": ("", "a* b_ c~~ "),
    "brackets": ("", "["),
    "targets": ("", '[a](b "'),
    "backticks": ("", "`a``b```"),
    "mathematics": ("", "\\( $"),
    "blank lines": ("", "\n"),
    "spaces": ("", " "),
    "pipes": ("", "|"),
    "ideographs": ("", "\u6f22\u5b57"),
    "combining marks": ("", "\u0301"),
    "families": ("", "\U0001f468\u200d\U0001f469\u200d"),
    "escapes": ("", "\x1b[2J"),
}


def text_of(kind, length):
    before, unit = TEXTS[kind]
    return before + unit * (length // len(unit) + 1)


class Work:
    """Calls of functions, and the characters that the costly ones are given."""

    def __init__(self):
        self.count = 0

    def __call__(self, frame, event, argument):
        if event == "call":
            self.count += 1
            if frame.f_code.co_flags & inspect.CO_GENERATOR:  # called for each item
                return
            for value in frame.f_locals.values():
                if type(value) is str:
                    self.count += len(value) // 16
                elif type(value) is list:
                    self.count += len(value)


def work(text, rate):
    """How much is done for a text that comes in deltas of 3 characters, and how many characters come out."""
    renderer = MarkdownRenderer(width=WIDTH, height=HEIGHT, colour=True)
    counter = Work()
    out = 0
    sys.setprofile(counter)
    try:
        for start in range(0, len(text), 3):
            out += sum(map(len, renderer.feed(text[start : start + 3], start / rate)))
        out += sum(map(len, renderer.flush()))
    finally:
        sys.setprofile(None)
    return counter.count, out


@pytest.mark.parametrize("kind", TEXTS)
def test_twice_the_text_is_twice_the_work(kind):
    once, out = work(text_of(kind, LENGTH), 100_000)
    twice, out_twice = work(text_of(kind, 2 * LENGTH), 100_000)
    assert twice < 2.3 * once
    assert out_twice < 2.3 * out + 1000


@pytest.mark.parametrize("kind", TEXTS)
def test_no_redraw_costs_more_than_a_screen(kind):
    """However slowly the text comes: with each delta the open block is drawn anew."""
    renderer = MarkdownRenderer(width=WIDTH, height=HEIGHT, colour=True)
    text = text_of(kind, 10_000)
    most = 0
    for number, start in enumerate(range(0, len(text), 80)):
        counter = Work()
        sys.setprofile(counter)
        try:
            out = renderer.feed(text[start : start + 80], number * INTERVAL * 2)
        finally:
            sys.setprofile(None)
        most = max(most, counter.count)
        assert sum(map(len, out)) < 12 * WIDTH * HEIGHT
    assert most < 150_000


@pytest.mark.parametrize("kind", TEXTS)
def test_memory_does_not_grow_with_the_text(kind):
    renderer = MarkdownRenderer(width=WIDTH, height=HEIGHT, colour=True)
    before, unit = TEXTS[kind]
    renderer.feed(before, 0.0)
    piece = unit * (1000 // len(unit) + 1)
    now = 0.0
    held = []
    tracemalloc.start()
    try:
        for rounds in (40, 120):
            for _ in range(rounds):
                now += 1
                renderer.feed(piece, now)
            held.append(tracemalloc.get_traced_memory()[0])
        assert held[1] < held[0] + 120 * 1000 // 2
    finally:
        tracemalloc.stop()


def test_what_is_final_does_not_wait_without_bound_for_a_clock_that_stands_still():
    for before, unit in (TEXTS[kind] for kind in TEXTS if kind not in ("blank lines", "spaces")):
        renderer = MarkdownRenderer(width=WIDTH, height=HEIGHT, colour=True)
        renderer.feed(before + unit, 0.0)
        assert any(renderer.feed(unit * (2_000 // len(unit) + 1), 0.0) for _ in range(10))
