"""Rules of the user's, in the form of gitleaks: TOML with [[rules]] and allowlists.

Read are id, description, regex, secretGroup, keywords, entropy and allowlists, by gitleaks' README of version 8.28. A
log has no paths and no commits, so what is about those is left out. The rules come beside the built-in ones, which no
allowlist of a file loosens.
"""

import math
import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from streamcli.core.secrets.go_syntax import for_re
from streamcli.core.secrets.regexes import BadPattern, Pattern, compile_pattern, is_linear
from streamcli.core.secrets.rules import Rule
from streamcli.core.secrets.values import Span
from streamcli.errors import ConfigError

MAX_RULES = 2000
_MAX_KIND = 60


@dataclass(frozen=True)
class RuleFile:
    """What a file has, and what to tell the user of what was left out."""

    rules: tuple[Rule, ...]
    notices: tuple[str, ...]


@dataclass(frozen=True)
class _Allowlist:
    """What is no secret after all: any of it, or with `needs_all` all of it."""

    regexes: tuple[Pattern, ...]
    stopwords: tuple[bytes, ...]
    target: str
    needs_all: bool

    def allows(self, text: bytes, match: Span, value: Span) -> bool:
        target = _target(self.target, text, match, value)
        by_regex = any(regex.search(target) for regex in self.regexes)
        secret = text[slice(*value)].lower()
        by_word = any(word in secret for word in self.stopwords)
        if self.needs_all:
            return (by_regex or not self.regexes) and (by_word or not self.stopwords)
        return by_regex or by_word


class _Unusable(Exception):
    """A part of the file that makes no sense, and why."""


class _NotForRe(Exception):
    """A pattern that `re` does not take. RE2 might."""


_Shared = tuple[frozenset[str], _Allowlist]
"""For which rules (none means all), and what."""


def parse(content: bytes, name: str) -> RuleFile:
    """Rules from the text of file `name`. Raises ConfigError, which names the file and the rule."""
    try:
        data = tomllib.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{name} is not TOML: {error}") from error
    tables = data.get("rules", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise ConfigError(f"{name}: rules is no array of tables")
    if len(tables) > MAX_RULES:
        raise ConfigError(f"{name} has more than {MAX_RULES} rules")
    notices: list[str] = []
    if "extend" in data:
        notices.append(f"{name}: extend is ignored; these rules come beside the built-in ones")
    shared: list[_Shared] = []
    rules: list[Rule] = []
    with _part(name, "allowlist", notices):
        shared = _allowlists(data)
    for number, table in enumerate(tables, 1):
        label = table["id"] if isinstance(table.get("id"), str) and table["id"] else f"number {number}"
        if not table.get("regex"):
            notices.append(f"{name}: rule {label} has no regex, and is ignored")
            continue
        with _part(name, f"rule {label}", notices):
            rules.append(_rule(table, label, shared))
    return RuleFile(tuple(rules), tuple(notices))


@contextmanager
def _part(name: str, what: str, notices: list[str]) -> Iterator[None]:
    """Makes of what is wrong with a part of the file an error, or a notice where only `re` is to blame."""
    try:
        yield
    except _NotForRe as error:
        notices.append(f"{name}: {what} is ignored, as it needs google-re2: {error}")
    except _Unusable as error:
        raise ConfigError(f"{name}: {what}: {error}") from error


def _rule(table: Mapping[str, Any], label: str, shared: Sequence[_Shared]) -> Rule:
    pattern, compiled = _pattern(_text(table, "regex"), "regex")
    group = table.get("secretGroup", 0)
    if type(group) is not int or not 0 <= group <= compiled.groups:
        raise _Unusable(f"secretGroup is {group!r}, and regex has {compiled.groups} groups")
    entropy = table.get("entropy", 0)
    if isinstance(entropy, bool) or not isinstance(entropy, int | float):
        raise _Unusable("entropy is no number")
    allowlists = [allowlist for _, allowlist in _allowlists(table)]
    allowlists += [allowlist for rules, allowlist in shared if not rules or label in rules]

    def accept(text: bytes, match: Span, value: Span) -> bool:
        if entropy and shannon(text[slice(*value)]) <= entropy:
            return False
        return not any(allowlist.allows(text, match, value) for allowlist in allowlists)

    keywords = tuple(word.lower().encode() for word in _texts(table, "keywords") if word)
    return Rule(_kind(label), label, pattern, keywords, accept=accept, group=group, alone=True)


def shannon(value: bytes) -> float:
    """Bits a byte; 0 for what is empty."""
    size = len(value)
    return -sum(count / size * math.log2(count / size) for count in Counter(value).values())


def _kind(label: str) -> str:
    kind = re.sub(r"[^A-Z0-9]+", "_", label.upper()).strip("_")[:_MAX_KIND]
    return kind if kind[:1].isalpha() else f"RULE_{kind}"[:_MAX_KIND]


def _allowlists(table: Mapping[str, Any]) -> list[_Shared]:
    """Those of a rule, or of the file."""
    found = []
    for key in ("allowlist", "allowlists"):
        value = table.get(key, [])
        each = value if isinstance(value, list) else [value]
        if not all(isinstance(one, dict) for one in each):
            raise _Unusable(f"{key} is no table")
        found += each
    return [(frozenset(_texts(one, "targetRules")), made) for one in found if (made := _allowlist(one)) is not None]


def _allowlist(table: Mapping[str, Any]) -> _Allowlist | None:
    needs_all = str(table.get("condition", "OR")).upper() in ("AND", "&&")
    regexes = tuple(_pattern(regex, "allowlist")[1] for regex in _texts(table, "regexes"))
    stopwords = tuple(word.lower().encode() for word in _texts(table, "stopwords"))
    if needs_all and (table.get("paths") or table.get("commits")):
        return None  # a log is in no path
    if not regexes and not stopwords:
        return None
    return _Allowlist(regexes, stopwords, str(table.get("regexTarget", "secret")), needs_all)


def _target(name: str, text: bytes, match: Span, value: Span) -> bytes:
    if name == "match":
        return text[slice(*match)]
    if name == "line":
        end = text.find(b"\n", match[1])
        return text[text.rfind(b"\n", 0, match[0]) + 1 : len(text) if end < 0 else end]
    return text[slice(*value)]


def _pattern(source: str, what: str) -> tuple[bytes, Pattern]:
    pattern = (source if is_linear() else for_re(source)).encode()
    try:
        return pattern, compile_pattern(pattern)
    except BadPattern as error:
        if not is_linear():
            raise _NotForRe(str(error)) from error
        raise _Unusable(f"{what}: {error}") from error


def _text(table: Mapping[str, Any], key: str) -> str:
    value = table.get(key)
    if not isinstance(value, str):
        raise _Unusable(f"{key} is no string")
    return value


def _texts(table: Mapping[str, Any], key: str) -> list[str]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise _Unusable(f"{key} is no array of strings")
    return value
