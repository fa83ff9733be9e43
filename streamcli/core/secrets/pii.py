"""What tells of people, masked on demand: addresses, card and account numbers. In an answer it can be put back.

A number is told from others like it by its check digits where it has some.
"""

import re
from collections.abc import Callable

from streamcli.core.secrets.rules import Rule
from streamcli.core.secrets.values import Span

# What is kept to turn placeholders back: at most so many values, and so many bytes of them. What comes later is masked
# as well, but stays so in the answer.
MAX_PSEUDONYMS = 100_000
MAX_PSEUDONYM_BYTES = 4_000_000

_DIGITS = 6
# A hash that is another value's already is made longer, up to so many digits.
_MOST_DIGITS = 16

_OCTET = rb"(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
_IPV4 = _OCTET + rb"(?:\." + _OCTET + rb"){3}"
_GROUP = rb"[0-9A-Fa-f]{1,4}"
_CARDS = re.compile(  # of Visa, Mastercard, American Express, Discover, JCB, Diners Club, UnionPay
    rb"4[0-9]{15}|(?:5[1-5]|2[2-7])[0-9]{14}|3[47][0-9]{13}|6(?:011|5[0-9]{2}|4[4-9][0-9])[0-9]{12}|35[0-9]{14}"
    rb"|3(?:0[0-5]|[68][0-9])[0-9]{11}|62[0-9]{14,17}"
)


def _is_ipv4(text: bytes, match: Span, value: Span) -> bool:
    if value[0] and (text[value[0] - 1] in b".-"):
        return False
    return not (text[value[1] : value[1] + 1] == b"." and text[value[1] + 1 : value[1] + 2].isdigit())


def _is_ipv6(text: bytes, match: Span, value: Span) -> bool:
    start, end = value
    if start and (text[start - 1] in b".:" or text[start - 1 : start].isalnum()):
        return False
    if (
        text[end : end + 1] == b":"
        or text[end : end + 1].isalnum()
        or not any(48 <= char <= 57 for char in text[start:end])
    ):
        return False
    import ipaddress  # it takes a while, and most runs do not need it

    try:
        ipaddress.IPv6Address(text[start:end].decode())
    except ValueError:
        return False
    return True


def _is_card(text: bytes, match: Span, value: Span) -> bool:
    start, end = value
    if start and (text[start - 1] in b"-_.+"):
        return False
    if text[end : end + 1] in (b"-", b"_", b".") and text[end + 1 : end + 2].isalnum():
        return False
    digits = text[start:end].translate(None, b" -")
    return _CARDS.fullmatch(digits) is not None and _luhn(digits)


def _luhn(digits: bytes) -> bool:
    """ISO/IEC 7812-1, annex B."""
    total = 0
    for position, char in enumerate(reversed(digits)):
        digit = (char - 48) * (1 + position % 2)
        total += digit - 9 if digit > 9 else digit
    return total % 10 == 0


def _is_iban(text: bytes, match: Span, value: Span) -> bool:
    """ISO 13616: the number made of it is 1 modulo 97."""
    account = text[value[0] : value[1]].translate(None, b" ").decode()
    if not 15 <= len(account) <= 34:
        return False
    return int("".join(str(int(char, 36)) for char in account[4:] + account[:4])) % 97 == 1


def _is_mac(text: bytes, match: Span, value: Span) -> bool:
    start, end = value
    return not (start and (text[start - 1] in b":-.")) and text[end : end + 1] not in (b":", b"-")


def _is_phone(text: bytes, match: Span, value: Span) -> bool:
    start, end = value
    if start and (text[start - 1] in b"+-.:/=_" or text[start - 1 : start].isalnum()):
        return False
    return 9 <= sum(48 <= char <= 57 for char in text[start:end]) <= 15 and not text[end : end + 1].isalnum()


PII = (
    Rule("IP", "IP address", rb"\b" + _IPV4 + rb"\b", accept=_is_ipv4, is_apart=True),
    Rule(
        "EMAIL",
        "e-mail address",
        rb"\b[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,5}\.[A-Za-z]{2,24}\b",
        (b"@",),
        is_apart=True,
    ),
    Rule(
        "MAC",
        "MAC address",
        rb"\b[0-9A-Fa-f]{2}(?:(?::[0-9A-Fa-f]{2}){5}|(?:-[0-9A-Fa-f]{2}){5})\b",
        accept=_is_mac,
        is_apart=True,
    ),
    Rule(
        "IP",
        "IP address",
        _GROUP
        + rb"(?::"
        + _GROUP
        + rb"){7}|(?:"
        + _GROUP
        + rb"(?::"
        + _GROUP
        + rb"){0,6})?::(?:(?:"
        + _GROUP
        + rb":){0,6}(?:"
        + _IPV4
        + rb"|"
        + _GROUP
        + rb"))?",
        (b":",),
        accept=_is_ipv6,
        is_apart=True,
    ),
    Rule("CARD", "card number", rb"\b[2-6][0-9](?:[ -]?[0-9]){12,17}\b", accept=_is_card, is_apart=True),
    Rule(
        "IBAN",
        "account number",
        rb"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b",
        accept=_is_iban,
        is_apart=True,
    ),
    Rule(
        "PHONE",
        "phone number",
        rb"\+[1-9][0-9]{0,2}[ .-]?(?:\([0-9]{1,4}\)[ .-]?)?[0-9]{1,4}(?:[ .-]?[0-9]{2,4}){2,4}"
        rb"|\([2-9][0-9]{2}\) ?[0-9]{3}-[0-9]{4}",
        accept=_is_phone,
        is_apart=True,
    ),
)


class Pseudonyms:
    """Which placeholder stands for which value. `digest` is a keyed hash, in hexadecimal."""

    def __init__(self, digest: Callable[[bytes], str]) -> None:
        self._digest = digest
        self._placeholders: dict[tuple[str, bytes], bytes] = {}
        self._values: dict[bytes, bytes] = {}
        self._bytes = 0
        self.forgotten = 0
        """So many values were masked that cannot be put back."""

    def of(self, kind: str, value: bytes) -> bytes:
        """The placeholder: <IP:3f9a1c>."""
        placeholder = self._placeholders.get((kind, value))
        if placeholder is not None:
            return placeholder
        digest = self._digest(value)
        digits = _DIGITS
        placeholder = _placeholder(kind, digest, digits)
        while placeholder in self._values and digits < _MOST_DIGITS:
            digits += 2
            placeholder = _placeholder(kind, digest, digits)
        self._remember(kind, value, placeholder)
        return placeholder

    def value(self, placeholder: str) -> str | None:
        """What it stands for, if that is known."""
        value = self._values.get(placeholder.encode())
        return None if value is None else value.decode("utf-8", "replace")

    def restored(self, text: str) -> str:
        """`text` with what its placeholders stand for, as far as that is known."""
        return _WHOLE.sub(lambda found: self.value(found[0]) or found[0], text)

    def _remember(self, kind: str, value: bytes, placeholder: bytes) -> None:
        if len(self._values) >= MAX_PSEUDONYMS or self._bytes + len(value) > MAX_PSEUDONYM_BYTES:
            self.forgotten += 1
            return
        self._placeholders[kind, value] = placeholder
        self._values[placeholder] = value
        self._bytes += len(value)


def _placeholder(kind: str, digest: str, digits: int) -> bytes:
    return f"<{kind}:{digest[:digits]}>".encode()


_KINDS = sorted({rule.kind for rule in PII})
_WHOLE = re.compile(rf"<(?:{'|'.join(_KINDS)}):[0-9a-f]{{{_DIGITS},{_MOST_DIGITS}}}>")
_BEGINNINGS = sorted({kind[:size] for kind in _KINDS for size in range(len(kind) + 1)})
# What may become a placeholder yet.
_PARTIAL = re.compile(rf"<(?:(?:{'|'.join(_BEGINNINGS)})|(?:{'|'.join(_KINDS)}):[0-9a-f]{{0,{_MOST_DIGITS}}})\Z")
_LONGEST = len("<:>") + max(map(len, _KINDS)) + _MOST_DIGITS


class Restorer:
    """A model's answer -> the same with what placeholders stand for. One may be cut by deltas: its beginning waits."""

    def __init__(self, pseudonyms: Pseudonyms) -> None:
        self._pseudonyms = pseudonyms
        self._held = ""

    def feed(self, text: str, now: float) -> list[str]:
        text = self._held + text
        partial = _PARTIAL.search(text, max(0, len(text) - _LONGEST))
        self._held = text[partial.start() :] if partial else ""
        text = text[: len(text) - len(self._held)]
        return [self._pseudonyms.restored(text)] if text else []

    def deadline(self) -> float | None:
        return None

    def flush(self) -> list[str]:
        text, self._held = self._held, ""
        return [text] if text else []
