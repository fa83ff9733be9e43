"""The rules for secrets in a form of their own: protocols, addresses without a scheme, links, tables, code."""

import re

from streamcli.core.secrets import values
from streamcli.core.secrets.names import is_made
from streamcli.core.secrets.remarks import says_nothing
from streamcli.core.secrets.rules import Rule
from streamcli.core.secrets.surroundings import IS, PASSWORD, PASSWORD_KEYWORDS, SUFFIX
from streamcli.core.secrets.values import Span

_NO_USER = re.compile(rb"(?i)(?:sips?|mailto|xmpp|e?mail|to|from|cc|by|image|git|tag)\Z")
_DIGIT = re.compile(rb"[0-9]")


def _is_of_user(text: bytes, match: Span, value: Span) -> bool:
    """Not sip:bob1@host:5060, and no image:tag@sha256:..."""
    name = text[match[0] : value[0] - 1].strip(b" \t\"'=(,[")
    host = text[value[1] + 1 : value[1] + 8]
    return not _NO_USER.search(name) and not host.startswith((b"sha256", b"sha512")) and _is_told(text, match, value)


def _is_told(text: bytes, match: Span, value: Span) -> bool:
    """With a digit, and more than a number: no word, no path, no remark."""
    what = text[value[0] : value[1]]
    return bool(_DIGIT.search(what)) and not what.isdigit() and not says_nothing(what)


def _is_link(text: bytes, match: Span, value: Span) -> bool:
    return is_made(text[value[0] : value[1]])


FORMS = (
    Rule(
        "PASSWORD",
        "password",
        rb"(?:^|[\s\"'=(,\[])[A-Za-z][\w.-]*:([^\s:/@\"'<>]{4,})@[\w.-]+:[0-9]{2,5}\b",
        (b"@",),
        accept=_is_of_user,
        alone=True,
    ),
    Rule(
        "PASSWORD",
        "password",
        rb"(?i:\b(?:dsn|connect\w{0,6}(?:[ \t]to)?|broker|dial\w{0,4}|login|db|database)[:=]?[ \t]*[\"']?[a-z][\w.-]*:)"
        rb"([^\s:/@\"'<>]{4,})@[\w-]",
        (b"@",),
        accept=_is_of_user,
        alone=True,
    ),
    Rule(
        "PASSWORD",
        "password",
        rb"[>:][ \t]*(?:PASS|AUTH)[ \t]+([^\s/\"']{4,})[ \t\r]*$",
        (b"pass", b"auth"),
        accept=_is_told,
    ),
    Rule(
        "PASSWORD",
        "password",
        rb"(?i:login attempt[ \t]*\[b?[\"']?[^\s/\]\"']+[\"']?/b?[\"']?)([^\]\"'\n]+)",
        (b"attempt",),
    ),
    Rule(
        "TOKEN",
        "token",
        rb"(?i:/(?:[\w-]*(?:reset|invit|verif|confirm|activat|magic|join|recover)[\w-]*)/)([\w.~-]{16,})",
        (b"reset", b"invit", b"verif", b"confirm", b"activat", b"magic", b"join", b"recover"),
        accept=_is_link,
    ),
    # Of tables, and of Lisp.
    Rule(
        "PASSWORD",
        "password",
        rb"(?i:(?:" + PASSWORD + rb")" + SUFFIX + rb"[ \t]*(?:\||\t|[ \t]\.[ \t]|[ \t]{2})[ \t]*)\"?([^\s|\"]{4,})",
        PASSWORD_KEYWORDS,
        accept=_is_told,
    ),
    # Perl's quotes; types that hold a secret; entries of Java's XML.
    Rule(
        "PASSWORD",
        "password",
        rb"(?i:(?:" + PASSWORD + rb")" + SUFFIX + IS + rb")q[qw]?(?:\(([^)\n]+)\)|\{([^}\n]+)\})",
        PASSWORD_KEYWORDS,
    ),
    Rule(
        "SECRET",
        "secret",
        rb"\b(?:Secret|SecretStr|SecretString|Password|Sensitive)\(\\?[\"']([^\"'\\\n]{4,})",
        (b"secret", b"password", b"sensitive"),
        accept=_is_told,
    ),
    Rule(
        "PASSWORD",
        "password",
        rb"(?i:<[\w:]{1,40}[ \t](?:key|name)=[\"'][\w.-]*(?:" + PASSWORD + rb")[\w.-]*[\"'][^>\n]*>(?:<value>)?)",
        PASSWORD_KEYWORDS,
        values.element,
    ),
)
