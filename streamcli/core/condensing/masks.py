"""Which lines of a log say the same thing: what varies in a line is masked, and the masked lines are compared.

Done in two steps, because a stream has many lines and few kinds of them. `keys_of` makes each run of digits a 0, for a
whole batch in a few calls. `Masks` then looks at the words of each distinct key, and remembers what it saw.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import NamedTuple, TypeVar

VARYING = b"\x01"
"""Stands in a masked word for a number, a time, an address, an identifier. Which of them it was is not told apart: an
identifier in hexadecimal is a number now and then.
"""
HASHED = b"\x03"
"""Stands before the hash of something too long to be kept."""
ADDRESS_RUNS = 4
"""Runs of digits of an IPv4 address, without its port. No other number has so many."""

# Beyond so many words of a record, or bytes of a word, only a hash is compared: a record may be 64 KiB of either.
MAX_WORDS = 64
MAX_WORD = 200
# The numbers of a record that are looked at. Each costs time for every line.
MAX_NUMBERS = 6
# How many keys, and words, are remembered, and the longest key that is. Both caches are emptied when they are full.
MAX_CACHED = 4096
MAX_CACHED_KEY = 512

_ZEROS = bytes.maketrans(b"123456789", b"0" * 9)
# These replacements, in this order, make one 0 of any run of up to 40 (found by trying all of them).
_RUNS = (b"0" * 6, b"0" * 4, b"0" * 3, b"0" * 2)
_DIGITS_ONLY = bytes.maketrans(bytes(set(range(256)) - set(b"0123456789")), b" " * 246)
# Besides white space, what separates the words: the commas of JSON and CSV, the bars of other formats, what stands
# between a path and its query. Bytes that have a meaning in a masked word must not be there before.
_SEPARATORS = bytes.maketrans(b",;|?" + VARYING + HASHED, b"    ??")

_MONTHS = b"Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_DAYS_AND_MONTHS = frozenset(
    opening + name for name in (_MONTHS + b"|Mon|Tue|Wed|Thu|Fri|Sat|Sun").split(b"|") for opening in (b"", b"[", b'"')
)
# So many letters are no word.
_HEXADECIMAL_LETTERS = re.compile(rb"(?<![A-Za-z])(?:[a-f]{8}|[A-F]{8})")
_LETTER = re.compile(rb"[A-Za-z\x80-\xff]")
# The characters before a number that make it part of a name: rdd_0, sshd[0], /0/, eth0.
_NAME = re.compile(rb"[A-Za-z_\-\[/@#.]$")
_RUN = re.compile(rb"0+")
_PATTERN = re.compile(
    rb"""
    (?= [0A-Za-z:+-] ) (?! (?<=[0A-Za-z]) [A-Za-z] )    # nothing begins elsewhere: said once, it need not be tried
    (?: (?P<secret> (?<=:) [0a-f]+ (?=>) )                                      # <PASSWORD:a3f90c>
    | (?P<address> (?<![0A-Za-z.]) 0\.0\.0\.0 (?![.]0) (?::0)? )
    | (?P<opaque>
        (?<![0A-Za-z]) [0a-fA-F]+ (?: - [0a-fA-F]+ ){4} (?![0A-Za-z])         # a UUID
      | 0 (?: [-/.] (?:0|MONTHS) ){2} (?: [T:_-] 0 [:.] 0 (?:[:.]0)* )? (?: Z | [+-]0 (?::0)? )?    # a date
      | 0 (?: [:.] 0 ){2,} Z?                                                 # a time, a version
      | 0 : 0
      | (?<![0A-Za-z:]) (?= [a-fA-F:]* 0 ) [0a-fA-F]* (?: : [0a-fA-F]* ){2,7} (?![0A-Za-z:])    # MAC, IPv6
      | 0x [0a-fA-F]+
      | (?<![0A-Za-z]) (?: 0[a-fA-F] | [a-fA-F]+0 ) [0a-fA-F]* (?![0A-Za-z])    # any other hexadecimal
      | (?<![0A-Za-z]) (?: [a-f]{8,} | [A-F]{8,} ) (?![0A-Za-z])
      | (?<![0A-Za-z]) [A-Za-z]* 0 [A-Za-z]+ 0 [0A-Za-z]*                     # digits and letters in turn
      )
    | (?P<number> (?: (?<![0A-Za-z)\]]) [-+] )? 0+ (?: \.0+ (?!\.) )? )
    )
    """.replace(b"MONTHS", _MONTHS),
    re.VERBOSE,
)

# In a record as it came: what has a digit and a letter in hexadecimal, or is a UUID. Written so that the search begins
# with a set of characters, which is several times as fast. After a dot it may be a number and its unit.
_IDENTIFIER = re.compile(
    rb"""
    [0-9a-fA-F] (?<! [0-9A-Za-z.] [0-9a-fA-F] )
    (?: [0-9a-fA-F]* (?: - [0-9a-fA-F]+ ){4}
      | (?<=0) x [0-9a-fA-F]+
      | (?: (?<=[0-9]) [0-9]* [a-fA-F] | (?<=[a-fA-F]) [a-fA-F]* [0-9] ) [0-9a-fA-F]*
    ) (?! [0-9A-Za-z] )
    """,
    re.VERBOSE,
)
# Begins with a letter: after a number and a colon it would be taken for a part of a time.
_SOME_IDENTIFIER = b"a0"


def keys_of(records: Sequence[bytes]) -> list[bytes]:
    """Each record with every run of digits as one 0 (a run of more than 40 as a few). Records have no NUL in them."""
    joined = b"\0".join(records).translate(_ZEROS)
    for run in _RUNS:
        joined = joined.replace(run, b"0")
    return joined.split(b"\0")


Slot = tuple[int, int, bool]
"""Which number of a kind of line: its word, its order in that, and whether it is an address."""


class Number(NamedTuple):
    """A number in a kind of line: in its word the `order`th thing that varies. In the line it is `runs` runs of digits
    from the `run`th on. `is_measure`: whether it may be a quantity, and not a part of a name or an address.
    """

    word: int
    order: int
    run: int
    runs: int
    is_measure: bool

    @property
    def slot(self) -> Slot:
        return self.word, self.order, self.runs == ADDRESS_RUNS


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Where the numbers of a record are. `runs`: of digits, in all."""

    runs: int
    numbers: tuple[Number, ...]
    slots: tuple[Slot, ...]
    """Of the numbers."""

    def columns(self, records: Sequence[bytes]) -> list[list[bytes]]:
        """For each number its values in `records`, which are all laid out like this."""
        digits = b" ".join(records).translate(_DIGITS_ONLY).split()
        return [self._column(number, digits) for number in self.numbers]

    def _column(self, number: Number, digits: list[bytes]) -> list[bytes]:
        if number.runs == 1:
            return digits[number.run :: self.runs]
        parts = [digits[number.run + further :: self.runs] for further in range(number.runs)]
        return [b".".join(value) for value in zip(*parts, strict=True)]


@dataclass(frozen=True, slots=True, eq=False)
class Mask:
    """A key with what varies masked."""

    words: tuple[bytes, ...]
    layout: Layout


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    """What a word means for the layout; of words that mean the same it is one object. Its numbers are counted from its
    own first run.
    """

    runs: int
    numbers: tuple[Number, ...]
    is_readable: bool


_Word = tuple[bytes, _Look]
"""A masked word."""


class Masks:
    """What is known of keys, kept across the windows of a run. What is forgotten is worked out again, the same."""

    def __init__(self) -> None:
        self._masks: dict[bytes, Mask] = {}
        self._words: dict[bytes, _Word] = {}
        self._looks: dict[tuple[int, tuple[Number, ...], bool], _Look] = {}
        self._letters = _Look(0, (), True)
        self._layouts: dict[tuple[_Look, ...], Layout] = {}

    def of_all(self, records: Sequence[bytes]) -> tuple[list[Mask], Sequence[bytes]]:
        """The mask of each record, of one at least, and the record as its layout means it: in that identifiers may be
        all the same.
        """
        keys = keys_of(records)
        known = self._masks
        unknown = [place for place, key in enumerate(keys) if key not in known]
        texts = records
        if unknown:
            # Almost each identifier has a key of its own; without them few keys are new.
            texts = list(records)
            joined = b"\0".join([records[place] for place in unknown])
            plain = _IDENTIFIER.sub(_SOME_IDENTIFIER, joined).split(b"\0")
            for place, text, key in zip(unknown, plain, keys_of(plain), strict=True):
                texts[place], keys[place] = text, key
        masks = {key: self._of(key) for key in dict.fromkeys(keys)}
        return [masks[key] for key in keys], texts

    def _of(self, key: bytes) -> Mask:
        mask = self._masks.get(key)
        if mask is None:
            mask = self._mask_of(key)
            if len(key) <= MAX_CACHED_KEY:
                _remember(self._masks, key, mask)
        return mask

    def _mask_of(self, key: bytes) -> Mask:
        if b"00" in key:
            key = _RUN.sub(b"0", key)
        texts = key.translate(_SEPARATORS).split(None, MAX_WORDS)
        known = self._words
        words = [known.get(text) or self._word_of(text) for text in texts[:MAX_WORDS]]
        for place in _dates(texts[:MAX_WORDS]):
            words[place] = self._looking(VARYING, words[place][1].runs)
        if len(texts) > MAX_WORDS:
            words.append(self._looking(_hashed(texts[MAX_WORDS]), len(_RUN.findall(texts[MAX_WORDS]))))
        if not words:
            return _BLANK
        masked, looks = zip(*words, strict=True)
        layout = self._layouts.get(looks)
        if layout is None:
            numbers = tuple(islice(_numbers(looks), MAX_NUMBERS))
            layout = Layout(sum(look.runs for look in looks), numbers, tuple(number.slot for number in numbers))
            _remember(self._layouts, looks, layout)
        return Mask(masked, layout)

    def _word_of(self, text: bytes) -> _Word:
        is_plain = len(text) < 8 and text.isalpha()
        word = (text, self._letters) if is_plain else self._looking(*_mask_word(text))
        if len(text) <= MAX_WORD:
            _remember(self._words, text, word)
        return word

    def _looking(self, text: bytes, runs: int, numbers: tuple[Number, ...] = ()) -> _Word:
        is_readable = text.isalpha() or bool(_LETTER.search(text))
        if is_readable and not runs:
            return text, self._letters
        look = self._looks.get((runs, numbers, is_readable))
        if look is None:
            look = _Look(runs, numbers, is_readable)
            _remember(self._looks, (runs, numbers, is_readable), look)
        return text, look


_BLANK = Mask((), Layout(0, (), ()))
_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


def _remember(cache: dict[_Key, _Value], key: _Key, value: _Value) -> None:
    if len(cache) >= MAX_CACHED:
        cache.clear()
    cache[key] = value


def _hashed(text: bytes) -> bytes:
    return b"%b%x" % (HASHED, hash(text) & 0xFFFF_FFFF_FFFF_FFFF)


def _mask_word(text: bytes) -> tuple[bytes, int, tuple[Number, ...]]:
    if len(text) > MAX_WORD:
        return text[:20] + _hashed(text), len(_RUN.findall(text)), ()
    if b"0" not in text and b">" not in text and not (len(text) >= 8 and _HEXADECIMAL_LETTERS.search(text)):
        return text, 0, ()
    numbers: list[Number] = []
    runs = order = 0

    def masked(match: re.Match[bytes]) -> bytes:
        nonlocal runs, order
        own = len(_RUN.findall(match[0]))
        if match.lastgroup == "number":
            numbers.append(Number(0, order, runs, own, not _NAME.search(text[: match.start()])))
        elif match.lastgroup == "address":
            numbers.append(Number(0, order, runs, ADDRESS_RUNS, False))
        runs += own
        order += 1
        return VARYING

    return _PATTERN.sub(masked, text), runs, tuple(numbers)


def _dates(texts: list[bytes]) -> Iterator[int]:
    """The places of words that are a day or a month of a date, written as a name, or the day's number after it."""
    if _DAYS_AND_MONTHS.isdisjoint(texts):
        return
    for place, (text, following) in enumerate(pairwise(texts)):
        if text in _DAYS_AND_MONTHS:
            if following == b"0":
                yield from (place, place + 1)
            elif following in _DAYS_AND_MONTHS:
                yield place


def _numbers(looks: Sequence[_Look]) -> Iterator[Number]:
    """The numbers that may tell something: those before the first letter of a line are times and process numbers."""
    heading = next((place for place, look in enumerate(looks) if look.is_readable), 0)
    runs = 0
    for place, look in enumerate(looks):
        for number in look.numbers:
            if place >= heading or number.runs == ADDRESS_RUNS:
                yield number._replace(word=place, run=runs + number.run)
        runs += look.runs
