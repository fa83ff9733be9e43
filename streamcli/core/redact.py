"""Secrets -> <KIND:hash>, before anything else sees them.

A placeholder has the first digits of an HMAC of what it stands for, by a key that is new in each run: equal values are
seen to be equal within a run, and nothing can be found out about them. Only the value goes: password=<PASSWORD:3f9a1c>.
What is a placeholder already stays as it is, so that redacting twice is redacting once.
"""

import functools
import hmac
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from streamcli.core.secrets.announced import ANNOUNCING, Announced
from streamcli.core.secrets.colours import SIGN, Uncoloured, is_coloured
from streamcli.core.secrets.commands import COMMANDS
from streamcli.core.secrets.forms import FORMS
from streamcli.core.secrets.names import BY_NAME
from streamcli.core.secrets.pii import PII, Pseudonyms
from streamcli.core.secrets.places import BY_PLACE
from streamcli.core.secrets.private_keys import PrivateKeys
from streamcli.core.secrets.regexes import Pattern, alternation, is_linear
from streamcli.core.secrets.rules import PLACEHOLDER, Finding, LoneScanner, Rule, Scanner
from streamcli.core.secrets.surroundings import BY_CONTEXT
from streamcli.core.secrets.tokens import BY_FORM

BUILT_IN: tuple[Rule, ...] = (*BY_FORM, *BY_CONTEXT, *BY_PLACE, *BY_NAME, *FORMS, *COMMANDS)
PRIVATE_KEY = Rule("PRIVATE_KEY", "private key", b"")

# 24 bits: equal hashes of different secrets are rarer than one in a thousand among 180 of them.
_DIGITS = 6
_PLACEHOLDER = re.compile(r"<([A-Z][A-Z0-9_]{0,60}):[0-9a-f]{6,16}>")


@dataclass(frozen=True, slots=True)
class _Input:
    """What is remembered of the lines of one input."""

    keys: PrivateKeys
    announced: Announced = field(default_factory=Announced)


class LineRedactor:
    """Masks the lines of one input; made by a Redactor."""

    def __init__(self, masked: Callable[[list[bytes]], list[bytes]]) -> None:
        self._masked = masked

    def feed(self, lines: list[bytes], now: float) -> list[bytes]:
        """As many lines as there were."""
        return self._masked(lines)


class Redactor:
    """Masks lines, or whole texts. `key` is random, from the caller; `counts` has what was masked so far, by kind.

    With `pii`, addresses and the like are pseudonyms, which `pseudonyms` can turn back.
    """

    def __init__(self, key: bytes, rules: Sequence[Rule] = BUILT_IN, *, pii: bool = False) -> None:
        self._key = key
        self._scanners: list[Scanner | LoneScanner] = [
            Scanner([rule for rule in rules if not rule.alone]),
            LoneScanner([rule for rule in rules if rule.alone]),
        ]
        if pii:
            self._scanners.append(Scanner(PII))
        self.pseudonyms = Pseudonyms(lambda value: self._digest(value))
        self._counts: Counter[str] = Counter()
        self._nouns = {rule.kind: rule.noun for rule in (*reversed(rules), *PII, PRIVATE_KEY)}
        self._input = self._new_input()

    @property
    def counts(self) -> Mapping[str, int]:
        """Kind -> how often it was masked."""
        return self._counts

    @property
    def nouns(self) -> Mapping[str, str]:
        """Kind -> what to call one of it."""
        return self._nouns

    def feed(self, lines: list[bytes], now: float) -> list[bytes]:
        """As many lines as there were, each without its line end."""
        return self._masked(lines, self._input) if lines else []

    def deadline(self) -> float | None:
        return None

    def flush(self) -> list[bytes]:
        return []

    def apart(self) -> "LineRedactor":
        """The same for one input among several: a private key in it is in no other."""
        own = self._new_input()
        return LineRedactor(lambda lines: self._masked(lines, own) if lines else [])

    def text(self, text: str) -> str:
        """The same for one text, which has nothing to do with any other."""
        lines = text.encode("utf-8", "surrogatepass").split(b"\n")
        masked = b"\n".join(self._masked(lines, self._new_input()))
        try:
            return masked.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:  # a rule of the user's went through the middle of a character
            return masked.decode("utf-8", "replace")

    def _masked(self, lines: list[bytes], source: _Input) -> list[bytes]:
        keys = source.keys
        block = b"\n".join(lines)
        if keys.concern(block):
            before = keys.keys
            lines = keys.feed(lines)
            self._counts["PRIVATE_KEY"] += keys.keys - before
            block = b"\n".join(lines)
        is_simple = not source.announced.is_waiting and _apart_from_rules(is_linear()).search(block) is None
        coloured = Uncoloured(block) if not is_simple and is_coloured(block) else None
        plain = coloured.text if coloured else block
        findings = self._find(plain)
        if not is_simple:
            findings += source.announced.findings(plain)
        return self._replaced(block, plain, findings, coloured).split(b"\n") if findings else lines

    def _find(self, block: bytes) -> list[Finding]:
        return [found for scanner in self._scanners for found in scanner.scan(block)]

    def _replaced(self, block: bytes, plain: bytes, findings: list[Finding], coloured: Uncoloured | None) -> bytes:
        """The block with placeholders for what was found in its plain text."""
        pieces: list[bytes] = []
        position = 0
        for start, end, kind in _merged(findings):
            placeholder = self._placeholder(kind, plain[start:end])
            start, end = coloured.origin(start, end) if coloured else (start, end)
            pieces += (block[position:start], placeholder)
            self._counts[kind] += 1
            position = end
        pieces.append(block[position:])
        return b"".join(pieces)

    def _placeholder(self, kind: str, value: bytes) -> bytes:
        if kind in _PERSONAL:
            return self.pseudonyms.of(kind, value)
        return b"<%s:%s>" % (kind.encode(), self._digest(value)[:_DIGITS].encode())

    def _digest(self, value: bytes) -> str:
        return hmac.digest(self._key, value, "sha256").hex()

    def _new_input(self) -> _Input:
        keys = PrivateKeys(
            lambda body: self._placeholder("PRIVATE_KEY", body), lambda body: PLACEHOLDER.search(body) is not None
        )
        return _Input(keys)


@functools.cache
def _apart_from_rules(is_linear: bool) -> Pattern:
    """Colours and announcements: one search for both costs as much as for either. By engine, to keep both apart."""
    return alternation([SIGN, *ANNOUNCING])


_PERSONAL = frozenset(rule.kind for rule in PII)


def summary(counts: Mapping[str, int], nouns: Mapping[str, str]) -> str | None:
    """What was masked, in a line for people; None for nothing.

    "3 secrets were masked: 2 passwords, 1 AWS key".
    """
    secrets = {kind: count for kind, count in counts.items() if count and kind not in _PERSONAL}
    personal = {kind: count for kind, count in counts.items() if count and kind in _PERSONAL}
    parts = [_told(some, nouns, what) for some, what in ((secrets, "secret"), (personal, "personal detail")) if some]
    return "; ".join(parts) or None


def _told(counts: Mapping[str, int], nouns: Mapping[str, str], what: str) -> str:
    total = sum(counts.values())
    by_noun: Counter[str] = Counter()
    for kind, count in counts.items():
        by_noun[nouns.get(kind, kind)] += count
    each = ", ".join(_counted(count, noun) for noun, count in by_noun.most_common())
    return f"{_counted(total, what)} {'was' if total == 1 else 'were'} masked: {each}"


def _counted(count: int, noun: str) -> str:
    plural = noun + ("es" if noun.endswith(("sh", "ss")) else "s")
    return f"{count:,} {noun if count == 1 else plural}"


def _merged(findings: Iterable[Finding]) -> list[tuple[int, int, str]]:
    """In order; what overlaps is one, and named by what began first, the longest of those."""
    merged: list[tuple[int, int, str]] = []
    last = 0
    for start, end, rule in sorted(findings, key=_by_place):
        if start < last:
            begun, _, kind = merged.pop()
            start, end = begun, max(last, end)
        else:
            kind = rule.kind
        merged.append((start, end, kind))
        last = end
    return merged


def _by_place(found: Finding) -> tuple[int, int]:
    return found.start, -found.end


def without_hashes(text: str) -> str:
    """A redacted text as any run redacts it: of a placeholder only the kind stays, as the hash is the run's own."""
    return _PLACEHOLDER.sub(r"<\1>", text)
