"""What stands behind `password=`: where it ends, and what of it is secret. Whether it says anything: remarks.py.

Logs speak of passwords more often than they show one: `password: authentication failure`, `token=null`. A finder
takes a text and the place where a value begins, and gives the spans of what is secret there, in order. None looks
beyond the line, and what is looked at and then left is always short: a text may be one long line made to slow us down.
"""

import base64
import binascii
import functools
import re
from collections.abc import Callable

from streamcli.core.secrets.remarks import LONGEST_REMARK, NO_DIGIT, NUMBER, is_password, is_token, says_nothing

Span = tuple[int, int]
"""Where something begins in a text, and where it ends."""
Finder = Callable[[bytes, int], list[Span]]

_CARRIAGE_RETURN = 0x0D

_OPENING = re.compile(rb"[bBuUrRfF$@]{0,2}(\\{0,7})([\"'`])|(&quot;|&#0?3[49];|%22|%27|\\u0022)")
_NAME = rb"[ \t]?[\"']?[A-Za-z_][\w.\[\]-]{0,40}[\"']?[ \t]?(?:[=:]|%3[Dd])"
# A value without quotes ends at white space, at a quote that closes one around it, where another field begins, and at a
# placeholder.
_BARE_END = re.compile(
    rb"\s|\\*[\"'`](?![\w<])|&quot;|</|<br|<[A-Z][A-Z0-9_]{0,60}:[0-9a-f]{6}|;(?:\s|\Z)|;[A-Za-z][A-Za-z ]{0,40}="
    rb"|(?:&amp;|[&,;|]|\\+[nrt]|\\+u0026|%26)" + _NAME + rb"|\\+[nr](?![\w!-/])"
)
_PLAIN_REST = re.compile(rb"[\w!@#$^*.-]{4,}")  # other rests before a placeholder were no value when it was made
_NO_BEGINNING = b",;&)]}>|<{="
_SCHEME = re.compile(rb"\{[A-Za-z][\w-]{1,15}\}(?=[^\s{}])")  # {SSHA}..., {bcrypt}...
_CALL = re.compile(rb"\([A-Za-z][\w-]*[ \t]")  # an expression, or a remark: (known after apply)
_ARROW = re.compile(rb"\\{0,7}[\"'`]?[ \t]{1,4}(?:->|=>|\xe2\x86\x92)[ \t]{1,4}")
_TO = re.compile(rb"[\"']?[ \t]+to:?[ \t]+")
_BRACKETS = {ord(")"): b"(", ord("]"): b"[", ord("}"): b"{"}
_CREDENTIAL = re.compile(rb"[^\s\"'`,;\\&<>(){}\[\]]+")
_PLAIN_WORD = re.compile(rb"[A-Za-z]?[a-z]+\Z")
_COOKIE = re.compile(rb";?[ \t]*([^\s=;,\"'\\<>]+)(?:=(\"[^\"\n]*\"|[^;\s\"',\\]*))?")
_COOKIE_ATTRIBUTES = frozenset(
    (b"path", b"domain", b"expires", b"max-age", b"samesite", b"secure", b"httponly", b"partitioned", b"priority")
)
_SWITCHED = frozenset((b"true", b"false", b"yes", b"no", b"on", b"off"))
_EXPIRES = re.compile(rb"[^;\"'\n]*")

_SMALL = re.compile(rb"[0-9]{1,2}\Z")
_ONE_TIME_CODE = re.compile(rb"[0-9]{3}[ -]?[0-9]{0,7}\Z")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{6,}={0,2}")


def password(text: bytes, at: int) -> list[Span]:
    """Almost anything that is no remark: people choose words."""
    return _checked(text, at, is_password)


def bare_pass(text: bytes, at: int) -> list[Span]:
    """Behind `pass` and `pwd`, which often tell how many tests passed, or a directory."""
    return [
        (start, end)
        for start, end in password(text, at)
        if not text[start:end].isdigit() and text[start : start + 1] not in b"/~"
    ]


def in_quotes(text: bytes, at: int) -> list[Span]:
    """A password, where what has no quotes is prose."""
    return [span for span in password(text, at) if span[0] > at]


def element_of_list(text: bytes, at: int) -> list[Span]:
    """A password in quotes, which may as well be the next of some names: only one with a digit is told from those."""
    return [(start, end) for start, end in in_quotes(text, at) if not NO_DIGIT.match(text, start, end)]


def secret(text: bytes, at: int) -> list[Span]:
    """Behind `secret`: as free as a password, but `secret: name` is the name of one."""
    is_loose = text[at - 1 : at] in (b" ", b"\t") and _OPENING.match(text, at) is None
    return token(text, at) if is_loose else password(text, at)


def token(text: bytes, at: int) -> list[Span]:
    """What a program made: no word, no small number."""
    return _checked(text, at, is_token)


def told(text: bytes, at: int) -> list[Span]:
    """In a sentence, `the password is ...`: no word, unless it is in quotes."""
    return [
        (start, end)
        for start, end in password(text, at)
        if end - start >= 4 and (start > at or not NO_DIGIT.match(text, start, min(end, start + 64)))
        if not NUMBER.match(text, start, end)
    ]


def changed(text: bytes, at: int) -> list[Span]:
    """Behind `password changed from`: the old one and the new one."""
    old = read(text, at)
    to = _TO.match(text, old[1]) if old else None
    return told(text, at) + (told(text, to.end()) if to else [])


def key(text: bytes, at: int) -> list[Span]:
    """A token that is more than a number."""
    return [(start, end) for start, end in token(text, at) if not text[start:end].isdigit()]


def argument(text: bytes, at: int) -> list[Span]:
    """A word of a command line: what follows it says nothing about it."""
    span = read(text, at)
    if span is None or text[at : at + 1] in (b"-", b"/") or _SMALL.match(text, *span):
        return []
    return [] if says_nothing(text[span[0] : min(span[1], span[0] + 1000)]) else [span]


def passing(text: bytes, at: int) -> list[Span]:
    """A token in a sentence that has no sign before it: long, and with digits."""
    return [(start, end) for start, end in key(text, at) if end - start >= 12 and not NO_DIGIT.match(text, start, end)]


def session(text: bytes, at: int) -> list[Span]:
    """Long and with digits; neither a handle nor a Windows SID."""
    return [
        (start, end)
        for start, end in token(text, at)
        if end - start >= 8 and not NO_DIGIT.match(text, start, end) and text[start : start + 4] != b"S-1-"
    ]


def one_time_code(text: bytes, at: int) -> list[Span]:
    """Digits."""
    span = read(text, at)
    return [span] if span and _ONE_TIME_CODE.match(text, span[0], span[1]) else []


def credential(text: bytes, at: int) -> list[Span]:
    """Behind a scheme of HTTP's, such as Bearer: what is no word."""
    found = _CREDENTIAL.match(text, at)
    return [found.span()] if found and not _PLAIN_WORD.match(text, at, found.end()) else []


def basic(text: bytes, at: int) -> list[Span]:
    """Base64 of user:password, where nothing but the word Basic announces it."""
    found = _BASE64.match(text, at)
    if found is None:
        return []
    # Whether there is a colon can be told by the beginning.
    head = found[0][:400].rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
    try:
        plain = base64.b64decode(head[: len(head) // 4 * 4])
    except (binascii.Error, ValueError):
        return []
    return [found.span()] if b":" in plain else []


def cookies(text: bytes, at: int) -> list[Span]:
    """The value of each cookie of a header; a name alone may be a session."""
    opening = _OPENING.match(text, at)
    start = opening.end() if opening else at
    spans: list[Span] = []
    position = start
    while found := _COOKIE.match(text, position):
        position = found.end()
        name = found[1].lower()
        if name in _COOKIE_ATTRIBUTES:
            if name == b"expires" and (date := _EXPIRES.match(text, position)):
                position = date.end()
        elif found[2] and found[2].lower() not in _SWITCHED:
            spans.append(found.span(2))
        elif found[2] is None:
            break
        if text[position : position + 1] != b";":
            break
    return spans or session(text, at)


def element(text: bytes, at: int) -> list[Span]:
    """Between the tags of XML."""
    found = _ELEMENT_END.search(text, at)
    end = found.start() if found else len(text)
    return [(at, end)] if end > at and is_password(text, at, at, end) else []


_ELEMENT_END = re.compile(rb"<|&lt;|\]\]>|\n")


def read(text: bytes, at: int) -> Span | None:
    """A value of whatever form, without the quotes around it; None for an empty one."""
    opening = _OPENING.match(text, at)
    start, end = _quoted(text, opening) if opening else _bare(text, at)
    while end > start and text[end - 1] == _CARRIAGE_RETURN:
        end -= 1
    return (start, end) if end > start else None


def _quoted(text: bytes, opening: "re.Match[bytes]") -> Span:
    """To the quote that closes it, or to the end of the line: it may have been cut."""
    content = _within_entities(opening[3]) if opening[3] else _within_quotes(len(opening[1]), opening[2])
    found = content.match(text, opening.end())
    return opening.end(), found.end() if found else opening.end()


@functools.lru_cache(maxsize=64)
def _within_quotes(escapes: int, quote: bytes) -> "re.Pattern[bytes]":
    """Up to a quote with no more backslashes before it than the opening one had; two of SQL's are one."""
    doubled = b"|''" if quote == b"'" and not escapes else b""
    if not escapes:
        return re.compile(rb"(?:[^\\\n" + quote + rb"]|\\[^\n]" + doubled + rb")*")
    return re.compile(rb"(?:[^\\\n" + quote + rb"]|\\+(?![\\" + quote + rb"])|\\{%d,}" % (escapes + 1) + quote + rb")*")


@functools.lru_cache(maxsize=8)
def _within_entities(entity: bytes) -> "re.Pattern[bytes]":
    others = rb"[^\s\"&]" if entity.startswith(b"%") else rb"[^\n]"
    return re.compile(rb"(?:(?!" + re.escape(entity) + rb")" + others + rb")*")


def _bare(text: bytes, at: int) -> Span:
    scheme = _SCHEME.match(text, at)
    if scheme is None and (text[at : at + 1] in _NO_BEGINNING or _CALL.match(text, at)):
        return at, at
    found = _BARE_END.search(text, scheme.end() if scheme else at)
    end = found.start() if found else len(text)
    if text[end : end + 1] == b"<" and not _PLAIN_REST.fullmatch(text, at, end):
        return at, at
    while end > at and text[end - 1] in b",;\\":
        end -= 1
    for _ in range(4):  # (password=x), {a=b, password=x}
        opening = _BRACKETS.get(text[end - 1]) if end > at else None
        if opening is None or text.count(opening, at, end) >= text.count(text[end - 1 : end], at, end):
            break
        end -= 1
    return at, end


def _checked(text: bytes, at: int, is_secret: Callable[[bytes, int, int, int], bool]) -> list[Span]:
    span = read(text, at)
    if span is None:
        return []
    start, end = span
    found = [span] if end - start > LONGEST_REMARK or is_secret(text, at, start, end) else []
    return found + _successor(text, end, is_secret)


def _successor(text: bytes, end: int, is_secret: Callable[[bytes, int, int, int], bool]) -> list[Span]:
    """The new value of what was changed: "old" -> "new"."""
    arrow = _ARROW.match(text, end)
    span = read(text, arrow.end()) if arrow else None
    if arrow is None or span is None:
        return []
    return [span] if is_secret(text, arrow.end(), *span) else []
