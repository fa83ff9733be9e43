"""What Markdown looks like: the one place that knows SGR sequences.

Only attributes and those of the 16 colours are used that can be read on a dark and on a light background.
"""

from functools import cache
from itertools import compress

Segment = tuple[str, int]
"""Text and its style, a sum of the bits below; 0 is plain. A newline in the text ends a line of the source."""

STRONG = 1
EMPHASIS = 2
STRIKE = 4
CODE = 8
LINK = 16
DIM = 32
TITLE = 64
BULLET = 128

_PARAMETERS = ("1", "3", "9", "35", "4", "2", "1;4", "36")
_BITS = tuple(1 << place for place in range(len(_PARAMETERS)))

RESET = "\x1b[0m"

# Code, by what a token is.
COMMENT = "\x1b[2m"
STRING = "\x1b[32m"
NUMBER = "\x1b[36m"
KEYWORD = "\x1b[35m"
NAME = "\x1b[94m"
HEAD = "\x1b[1m"
ADDED = "\x1b[32m"
REMOVED = "\x1b[31m"

QUOTE_BAR = "│ "
BULLETS = ("• ", "◦ ", "▪ ")
UNDONE = "☐ "
DONE = "☑ "
RULE = "─"
COLUMN_RULE = " │ "
CROSSING = "─┼─"
CODE_INDENT = "  "


@cache
def sgr(style: int) -> str:
    """The sequence that turns a style on; "" for 0."""
    parameters = list(compress(_PARAMETERS, (style & bit for bit in _BITS)))
    return f"\x1b[{';'.join(parameters)}m" if parameters else ""


def paint(text: str, style: int) -> str:
    """`text` in its style: it ends with a reset, so that pieces stand in any order."""
    return f"{sgr(style)}{text}{RESET}" if style and text else text


def heading_style(level: int) -> int:
    return TITLE if level == 1 else STRONG if level < 4 else STRONG | EMPHASIS
