"""core/transcript.py: an exchange as Markdown."""

from __future__ import annotations

import pytest

from streamcli.core.history import Exchange
from streamcli.core.transcript import as_markdown

FENCE = "`" * 3


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("Words.", ""),
        (f"{FENCE}py\nx = 1", f"\n{FENCE}"),
        (f"{FENCE}py\nx = 1\n``", f"\n{FENCE}"),
        (f"Look:\n\n{FENCE}py", f"\n{FENCE}"),
        (f"{FENCE}py\nx = 1\n{FENCE}", ""),
        (f"{FENCE}py\nx = 1\n{FENCE}\nSo.", ""),
        ("~~~~\n~~~\nx", "\n~~~~"),
        (f"{FENCE}\na\n{FENCE}\n\n~~~sh\nb", "\n~~~"),
        (f"- one\n\n  {FENCE}\n  x", ""),  # the next heading ends the item
        (f"> {FENCE}\n> x", ""),
    ],
)
def test_a_fence_that_is_open_is_closed(text, missing):
    shown = as_markdown(Exchange(text, text, is_cut=True), ending="[cut off]")
    assert shown == f"## You\n\n{text}{missing}\n\n## Answer\n\n{text}{missing}\n\n*[cut off]*\n"
