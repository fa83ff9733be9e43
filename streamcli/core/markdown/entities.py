"""HTML entities in text and in the targets of links -> the characters that they stand for, made harmless."""

import re

from streamcli.core.sanitize import sanitize

# The semicolon is a must. HTML does without it for some names, but then `?a=1&copy=2` would be another address.
ENTITY = r"&(?:[A-Za-z][A-Za-z0-9]{1,31}|#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6});"
_ENTITY = re.compile(ENTITY)


def replaced(text: str) -> str:
    """The text with its entities replaced; unknown ones stay."""
    return _ENTITY.sub(_char_of, text)


def _char_of(entity: re.Match[str]) -> str:
    name = entity[0][1:]
    if name[0] == "#":
        char = _numbered(name[1:-1])
    else:
        from html.entities import html5  # a large table: most answers need none

        if name not in html5:
            return entity[0]
        char = html5[name]
    return " " if char in "\n\t" else sanitize(char)


def _numbered(digits: str) -> str:
    """What a number stands for: a space or a sign for what is no character, as a browser shows it."""
    from html import unescape

    return unescape(f"&#{digits};") or "\ufffd"
