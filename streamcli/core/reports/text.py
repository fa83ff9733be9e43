"""Foreign text, numbers and times as they stand in a report's HTML."""

import unicodedata
from datetime import datetime, tzinfo
from html import escape

# Two that show nothing themselves, but that Persian, Hindi and emoji are not written without.
_JOINERS = "\u200c\u200d"


def html(text: str) -> str:
    """Foreign text for an element or an attribute: no markup, and nothing that hides or turns around what it says.

    Controls, bidirectional overrides, zero-width characters, tags, lone surrogates become \\xNN, \\uNNNN, \\UNNNNNNNN.
    """
    return escape(text if text.isprintable() else text.translate(_Visible()))


def counted(count: int, what: str) -> str:
    """ "1 line", "1,200 lines"."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def line_range(first: int | None, last: int | None) -> str:
    """ "L12-L40"; "" where it is not known."""
    if first is None:
        return ""
    return f"L{first}" if last is None or last == first else f"L{first}-L{last}"


class Clock:
    """Seconds since the epoch -> date and time in a time zone."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone

    def __call__(self, at: float) -> str:
        return self._format(at, "%Y-%m-%d %H:%M:%S")

    def zone_name(self, at: float) -> str:
        return self._format(at, "%Z")

    def _format(self, at: float, form: str) -> str:
        try:
            return datetime.fromtimestamp(at, self._zone).strftime(form)
        except (ValueError, OverflowError, OSError):  # a clock gone astray is no reason to be without a report
            return "no date"


class _Visible(dict[int, str]):
    """A table for str.translate, of the characters of one text: one that hides them all costs no more than another."""

    def __missing__(self, code: int) -> str:
        self[code] = shown = _visible(chr(code))
        return shown


def _visible(character: str) -> str:
    if character in "\n\t" + _JOINERS or character.isprintable() or unicodedata.category(character) == "Zs":
        return character
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
