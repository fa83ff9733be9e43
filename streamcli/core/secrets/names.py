"""The rules for names that no list has: what ends in key, auth or the like is a secret if its value looks like one.

And for a header, or a field of a form, that is an element of a list beside its value: ("x-api-key", "...").
"""

import re

from streamcli.core.secrets import values
from streamcli.core.secrets.remarks import changes_case, says_nothing
from streamcli.core.secrets.rules import Rule
from streamcli.core.secrets.surroundings import IS, SUFFIX
from streamcli.core.secrets.values import Span

_LAST_WORDS = (
    rb"key|pat|auth|salt|creds?|seed|cookie|pass|pass[_-]?key|bearer|licen[cs]e|webhook|access|otp|ticket|nonce|dsn"
    rb"|dockerconfigjson|dockercfg"
)
_KEYWORDS = (
    *(b"key", b"pat", b"auth", b"salt", b"cred", b"seed", b"cookie", b"pass", b"bearer", b"licen", b"webhook"),
    *(b"access", b"otp", b"ticket", b"nonce", b"dsn", b"dockerc"),
)
# With the case of a name: at the beginning of a word of it (tls_key, tls.key, tlsKey), or written together (tlskey).
_GENERIC = (
    rb"(?i:(?:\b|[_0-9])(?:" + _LAST_WORDS + rb")|[a-z]{2}key)|[a-z](?:Key|Pat|Auth|Salt|Creds?|Seed|Cookie|License)"
)
_MADE = rb"([A-Za-z0-9+/_.~-]{16,}={0,2})"
_NO_SECRET = re.compile(
    rb"(?i)(?:cache|partition|primary|foreign|sort|row|object|idempotency|dedup\w{0,8}|public|pub|unique|shard|lookup"
    rb"|index|group|message|lock|publishable|site|s3|map|composite|hash|range|request|trace|etag)"
    rb"s?[ _.-]?key\w{0,12}\W"
)
_BARE_KEY = re.compile(rb"(?i)key\W")
_SAYS_SECRET = re.compile(rb"(?i)secret|auth|pass|cred|instrumentation|licen[cs]e|pat\b")
_UUID = re.compile(rb"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
_SEPARATORS = re.compile(rb"[/_.~+=-]+")
_HEX = re.compile(rb"[0-9a-f]{12,}\Z|[0-9A-F]{12,}\Z")
_CHANGES = re.compile(rb"[0-9](?=[A-Za-z])|[A-Za-z](?=[0-9])")
# So much before a match is looked at for the rest of its name.
_LONGEST_NAME = 60
_REST_OF_NAME = re.compile(rb"[A-Za-z0-9_.-]*[ _]?[A-Za-z0-9_.-]*\Z")


def _looks_made(text: bytes, match: Span, value: Span) -> bool:
    """Whether a generator made it, and the name does not say that it is none."""
    named = _REST_OF_NAME.search(text, max(0, match[0] - _LONGEST_NAME), match[0])
    name = text[named.start() if named else match[0] : value[0]]
    what = text[value[0] : min(value[1], value[0] + 1000)]
    if _NO_SECRET.search(name) or says_nothing(what):
        return False
    if _UUID.match(what):
        return _SAYS_SECRET.search(name) is not None
    if _BARE_KEY.match(name) and _HEX.match(what):
        return False  # of a cache, more often
    return is_made(what)


def is_made(value: bytes) -> bool:
    """Whether some part of it changes between letters and digits, or between their cases, as no name does.

    Names and paths are words and numbers with signs between them: items-2031-05-04, v1/users/42/avatar.png.
    """
    if not any(48 <= char <= 57 for char in value) or not any(chr(char).isalpha() for char in value):
        return False
    return any(_is_made_part(part) for part in _SEPARATORS.split(value))


def _is_made_part(part: bytes) -> bool:
    if len(part) < 8:
        return False
    return len(_CHANGES.findall(part)) >= max(2, len(part) // 12) or changes_case(part)


GENERIC = (
    Rule(
        "SECRET",
        "secret",
        rb"(?:" + _GENERIC + rb")(?i:" + SUFFIX + IS + rb")\\{0,7}[\"']?" + _MADE,
        _KEYWORDS,
        accept=_looks_made,
    ),
    # Of Vault, which numbers them.
    Rule("SECRET", "secret", rb"(?i:\bkey[ \t][0-9]{1,2}):[ \t]*" + _MADE, (b"key",), accept=_looks_made),
    Rule(
        "SECRET",
        "secret",
        rb"(?i:(?:^|[\s\"'(=])--?(?:\w{1,20}-){0,4}(?:set)?(?:"
        + _LAST_WORDS
        + rb")(?:[ \t]+|[\"'],[ \t]*))[\"']?"
        + _MADE,
        _KEYWORDS,
        accept=_looks_made,
    ),
    Rule(
        "PASSWORD",
        "password",
        rb"(?i:(?:_|\b)(?:auth|creds?|credentials?)" + IS + rb"[\"']?[a-z][\w.@-]{0,60}:)",
        (b"auth", b"cred"),
        values.told,
    ),
)

# Between the elements of a list: of Python's bytes too.
_NEXT = rb"\\{0,7}[\"'],[ \t]*"
ELEMENTS = (
    Rule(
        "TOKEN",
        "token",
        rb"(?i:[\"'](?:proxy-)?authorization" + _NEXT + rb"b?\\{0,7}[\"'](?:[a-z][\w-]{1,30}[ \t]+)?)([^\s\"'\\]{6,})",
        (b"authorization",),
    ),
    Rule("COOKIE", "cookie", rb"(?i:[\"'](?:set-)?cookie" + _NEXT + rb")", (b"cookie",), values.cookies),
    Rule(
        "TOKEN",
        "token",
        rb"(?i:[\"'][\w-]{0,40}(?:token|secret|api-?key|-key|x-auth|signature|session)(?:-256)?" + _NEXT + rb")",
        (b"token", b"secret", b"key", b"x-auth", b"signature", b"session"),
        values.session,
    ),
    Rule(
        "PASSWORD",
        "password",
        rb"(?i:[\[({]b?[\"'][\w-]{0,40}(?:password|passwd|pwd|passphrase)" + _NEXT + rb")",
        (b"passw", b"pwd", b"passphrase"),
        values.element_of_list,
    ),
)

BY_NAME = (*ELEMENTS, *GENERIC)
