"""Private keys, which are many lines long: the first pass of redaction, with state from line to line.

It comes before the rules, as they would take `"private_key": "-----BEGIN` for a name and its value and leave the rest.
The lines that say where a key begins and ends stay; what is between them goes, whatever a logger put around each line.
"""

import re
from collections.abc import Callable

from streamcli.core.secrets.colours import is_coloured, without_colours
from streamcli.core.secrets.rules import KEY_MARKER

# A key of 16,384 bits, the largest that is made, has some 200 lines.
MAX_KEY_LINES = 400
# After so many lines without any of the key in a row its end is missing, or other writers came between: from there only
# what looks random is masked.
MAX_OTHER_LINES = 8
# A run of base64 is a line of a key if it is so long. PEM's lines have 64 characters, OpenPGP's at least 60.
_LONG = 40
# Where a line is shown with more around it than this, it is searched for long runs only.
_MAX_SHAPE = 4096

_BEGIN = re.compile(KEY_MARKER % rb"BEGIN" + rb"|\bPrivate-Lines: ?[0-9]{1,3}")
_END = re.compile(KEY_MARKER % rb"END" + rb"|\bPrivate-MAC:")
# What is shorter is one only if it looks random: some print 30 to a line, and a last line is as short as it gets.
_SHORT_RUN = re.compile(rb"[A-Za-z0-9+/]{16,}={0,2}|(?<![A-Za-z0-9+/=])[A-Za-z0-9+/]{2,}={1,2}(?=[\s\"'\\]|\Z)")
_PATH = re.compile(rb"/?[A-Za-z]+[a-z0-9]*(?:/[A-Za-z]*[a-z]{2,}[a-z0-9]*){2}")
_RUN = re.compile(rb"[A-Za-z0-9+/=]+")
_LONG_RUN = re.compile(rb"[A-Za-z0-9+/]{%d,}={0,2}" % _LONG)
# The rest of a key on the line of its beginning, its line ends written out: \n, \\r\n, #012 (syslog's).
_INLINE = re.compile(rb"(?<![A-Za-z0-9+/=])[A-Za-z0-9+/=]{16}[A-Za-z0-9+/=\\# \t]*")
_BEFORE_END = re.compile(rb"[A-Za-z0-9+/=][A-Za-z0-9+/=\\#]*\Z")
_HEADER = re.compile(rb"\A[^:]{0,200}\b(?:Proc-Type|DEK-Info|Version|Comment|Hash|Charset):")
_DIGITS = re.compile(rb"[0-9]+")
_LETTERS = re.compile(rb"[A-Za-z]+")
_WORD = re.compile(rb"[A-Za-z]?[a-z]+[0-9]{0,2}\Z|[A-Z]+\Z|[0-9]+\Z")


class PrivateKeys:
    """Lines -> the same lines, those of keys masked. `mask` makes a placeholder of what is taken away."""

    def __init__(self, mask: Callable[[bytes], bytes], is_masked: Callable[[bytes], bool]) -> None:
        self._mask = mask
        self._is_masked = is_masked
        self.keys = 0
        """So many keys were masked so far."""
        self._is_inside = False

    def concern(self, block: bytes) -> bool:
        """Whether lines have to be fed at all."""
        return self._is_inside or b"PRIVATE KEY" in block or b"Private-Lines:" in block

    def feed(self, lines: list[bytes]) -> list[bytes]:
        """As many lines as there were."""
        return [self._masked_line(line) for line in lines]

    def _masked_line(self, line: bytes) -> bytes:
        """A line that something is masked of loses its colours: they may go through the middle of the key."""
        plain = without_colours(line) if is_coloured(line) else line
        if not self._is_inside and not _BEGIN.search(plain):
            return line
        masked = self._line(plain)
        return line if masked == plain else masked

    def _enter(self) -> None:
        self._is_inside = True
        self._is_counted = False
        self._lines = self._others = 0
        self._shape: tuple[bytes, bytes] | None = None
        self._width = 0
        self._is_at_last = False

    def _line(self, line: bytes) -> bytes:
        pieces: list[bytes] = []
        rest = line
        began_here = False
        while True:
            begin = _BEGIN.search(rest)
            end = _END.search(rest, 0, begin.start() if begin else len(rest)) if self._is_inside else None
            if begin is not None and end is None:
                # Inside a key too: the end of that one is missing.
                before = rest[: begin.start()]
                pieces += (self._first(before) if self._is_inside else before, begin[0])
                rest = rest[begin.end() :]
                self._enter()
                began_here = True
            elif end is not None:
                pieces += (self._last(rest[: end.start()], began_here), end[0])
                rest = rest[end.end() :]
                self._is_inside = False
            elif not self._is_inside:
                return b"".join((*pieces, rest))
            else:
                return b"".join((*pieces, self._first(rest) if began_here else self._body(rest)))

    def _first(self, rest: bytes) -> bytes:
        """What follows the beginning on its line."""
        return _INLINE.sub(lambda found: self._masked(found[0]), rest)

    def _last(self, before: bytes, is_whole: bool) -> bytes:
        """What precedes the end on its line: the whole key, or the end of its last line."""
        if self._is_masked(before):
            return before
        if not is_whole:
            return _BEFORE_END.sub(lambda found: self._masked(found[0]), before)
        return self._masked(before) if _INLINE.search(before) else before

    def _body(self, line: bytes) -> bytes:
        masked = line
        if self._others < MAX_OTHER_LINES:
            masked = self._by_shape(masked) or masked
            masked = self._by_length(masked) or masked
        masked = self._by_look(masked)
        if masked != line:
            self._others = 0
            line = masked
        elif line.strip() and not _HEADER.match(line):
            self._others += 1
        if self._others == 0:
            self._lines += 1
        if self._lines >= MAX_KEY_LINES or self._others >= MAX_KEY_LINES:
            self._is_inside = False
        return line

    def _by_look(self, line: bytes) -> bytes:
        """Masks what looks random, whatever is around it."""
        return _SHORT_RUN.sub(lambda found: self._masked(found[0]) if _looks_random(found[0]) else found[0], line)

    def _by_length(self, line: bytes) -> bytes | None:
        """Masks long runs. What is around the first one is taken to be around all lines of the key."""
        first = _LONG_RUN.search(line)
        if first is None:
            return None
        if self._shape is None and len(line) <= _MAX_SHAPE:
            self._shape = _shape(line[: first.start()]), _shape(line[first.end() :])
            self._width = len(first[0])
        return _LONG_RUN.sub(lambda found: self._masked(found[0]), line)

    def _by_shape(self, line: bytes) -> bytes | None:
        """Masks a run of any length where the rest of the line looks as it did around the first one.

        The last line of a key is shorter than the others; after it comes OpenPGP's check sum, or none.
        """
        if self._shape is None or len(line) > _MAX_SHAPE:
            return None
        for run in _RUN.finditer(line):
            before, after = line[: run.start()], line[run.end() :]
            is_due = not self._is_at_last or run[0].startswith(b"=")
            if is_due and self._is_around((_shape(before), _shape(after)), run[0]):
                self._is_at_last = len(run[0]) < self._width
                return before + self._masked(run[0]) + after
        return None

    def _is_around(self, shape: tuple[bytes, bytes], run: bytes) -> bool:
        """As around the first run; but for the words there, such as the level, if this one is no word itself."""
        if self._shape is None or shape == self._shape:
            return self._shape is not None
        return not _WORD.match(run) and all(map(_is_alike, shape, self._shape))

    def _masked(self, body: bytes) -> bytes:
        if not self._is_counted:
            self._is_counted = True
            self.keys += 1
        return self._mask(body)


def _shape(text: bytes) -> bytes:
    """What stays the same from line to line: a time changes in its digits only."""
    return _DIGITS.sub(b"0", text)


def _is_alike(shape: bytes, other: bytes) -> bool:
    return _LETTERS.sub(b"a", shape) == _LETTERS.sub(b"a", other)


def _looks_random(run: bytes) -> bool:
    """Letters of both cases and digits, and no path; or base64 that ends in a =."""
    if run.endswith(b"="):
        return len(run) % 4 == 0 and not _WORD.match(run.rstrip(b"="))
    has_digits = any(48 <= char <= 57 for char in run)
    return has_digits and not run.islower() and not run.isupper() and not _PATH.match(run)
