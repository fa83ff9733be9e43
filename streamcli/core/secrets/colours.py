"""A text without the sequences that colour it, and where each place of it is in the coloured one.

Loggers put them between a name and its value, and within both. Some are written out: \\u001b[36m in JSON, #033[36m by
syslog, ^[[36m by what shows control characters.
"""

import re
from bisect import bisect_right

# Control sequences of ECMA-48 (5.4), and the choice of a character set that `tput sgr0` sends with them. The longest
# that is met sets two colours of 24 bits.
_SEQUENCE = re.compile(
    rb"\x1b\[[0-?]{0,64}[ -/]{0,2}[@-~]|\x1b\([0-9A-Z]"
    rb"|(?:\\{1,4}(?:u001[bB]|x1[bB]|033|e)|#033|\^\[)\[[0-9;:]{0,64}[mK]"
)
# Something of it is in every sequence.
SIGN = rb"\x1b|(?:1[bB]|33|\^\[|\\e)\["
_SIGN = re.compile(SIGN)


def is_coloured(text: bytes) -> bool:
    """Whether there may be sequences in it."""
    return _SIGN.search(text) is not None


def without_colours(text: bytes) -> bytes:
    return _SEQUENCE.sub(b"", text)


class Uncoloured:
    """`text` is the plain one."""

    def __init__(self, coloured: bytes) -> None:
        self._starts = [0]
        self._origins = [0]
        pieces: list[bytes] = []
        size = position = 0
        for found in _SEQUENCE.finditer(coloured):
            pieces.append(coloured[position : found.start()])
            size += found.start() - position
            position = found.end()
            self._starts.append(size)
            self._origins.append(position)
        pieces.append(coloured[position:])
        self.text = b"".join(pieces)

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """Where a span of the plain text, which is not empty, is in the coloured one: without the colours around it."""
        return self._place(start), self._place(end - 1) + 1

    def _place(self, position: int) -> int:
        piece = bisect_right(self._starts, position) - 1
        return self._origins[piece] + position - self._starts[piece]
