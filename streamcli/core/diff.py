"""Two texts -> a unified diff as git prints it: for `patch -p1`, or for a terminal.

Lines end at LF only, as they do for git and patch: a form feed or U+2028 inside a line is a part of it.
"""

import difflib
import re

from streamcli.core.sanitize import sanitize

_BOLD, _RED, _GREEN, _CYAN, _PLAIN = "\x1b[1m", "\x1b[31m", "\x1b[32m", "\x1b[36m", "\x1b[m"
_COLOURS = {"@": _CYAN, "-": _RED, "+": _GREEN}
_NO_NEWLINE = "\\ No newline at end of file\n"
# What cannot stand in a header as it is, and how git writes it.
_SPECIAL = re.compile(r'[\x00-\x1f"\\\x7f]')
_ESCAPES = {"\t": "\\t", "\n": "\\n", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def unified(old: str | None, new: str, name: str, *, colour: bool) -> list[str]:
    """The lines, each with its newline; none if nothing differs. `old` is None for a file that is to be made.

    With `colour` they are for a terminal: what would drive it is shown instead (a CR as U+240D). Without, they are
    what patch and `git apply` take, byte for byte.
    """
    before, after = _lines(old or ""), _lines(new)
    hunks = list(difflib.unified_diff(before, after))[2:]  # less its own header
    if not hunks:
        return []
    header = [f"--- {_side('a/', name) if old is not None else '/dev/null'}\n", f"+++ {_side('b/', name)}\n"]
    if not colour:
        return header + [part for hunk in hunks for part in _ended(hunk)]
    painted = [_paint(line, _BOLD) for line in header]
    return painted + [_paint(part, _COLOURS.get(hunk[0], "")) for hunk in hunks for part in _ended(hunk)]


def _lines(text: str) -> list[str]:
    lines = text.split("\n")
    last = lines.pop()
    return [line + "\n" for line in lines] + ([last] if last else [])


def _ended(line: str) -> list[str]:
    """The line, and git's remark if it has no newline."""
    return [line] if line.endswith("\n") else [line + "\n", _NO_NEWLINE]


def _side(prefix: str, name: str) -> str:
    """A header's name, relative as patch wants it, quoted as git does where it must be."""
    path = prefix + name.lstrip("/")
    if _SPECIAL.search(path):
        return '"' + _SPECIAL.sub(lambda match: _ESCAPES.get(match[0]) or f"\\{ord(match[0]):03o}", path) + '"'
    return path + "\t" if " " in path else path  # the tab says where the name ends


def _paint(line: str, colour: str) -> str:
    text = sanitize(line.removesuffix("\n"))
    return f"{colour}{text}{_PLAIN}\n" if colour else f"{text}\n"
