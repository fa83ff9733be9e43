"""Regular expressions in Go's syntax, which is RE2's, for `re`: what differs of what rules use."""

import re

_POSIX = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "ascii": r"\x00-\x7f",
    "blank": r"\t ",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\t\n\v\f\r ",
    "upper": "A-Z",
    "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}
_FLAGS = re.compile(r"\(\?([ims]*(?:-[ims]+)?)\)")
_ESCAPE = re.compile(r"\\(?:x\{([0-9A-Fa-f]{1,2})\}|.)", re.DOTALL)
_POSIX_CLASS = re.compile(r"\[:(\w+):\]")


def for_re(pattern: str) -> str:
    """The same for `re`. In Go, flags in the middle hold to the end of their group; `re` has none."""
    out: list[str] = []
    flags: list[list[str]] = [[]]  # of each open group, those that were switched in it
    position = 0
    while position < len(pattern):
        char = pattern[position]
        if escape := _ESCAPE.match(pattern, position):
            out.append(_escaped(escape))
            position = escape.end()
        elif char == "[":
            piece, position = _character_class(pattern, position)
            out.append(piece)
        elif switch := _FLAGS.match(pattern, position):
            flags[-1].append(f"(?{switch[1]}:")
            out.append(flags[-1][-1])
            position = switch.end()
        else:
            if char == "|":
                out += [")" * len(flags[-1]), "|", *flags[-1]]
            elif char == "(":
                flags.append([])
                out.append(char)
            elif char == ")":
                out.append(")" * len(flags.pop() if len(flags) > 1 else []) + ")")
            else:
                out.append(char)
            position += 1
    return "".join(out) + ")" * sum(map(len, flags))


def _escaped(escape: "re.Match[str]") -> str:
    if escape[1]:
        return f"\\x{int(escape[1], 16):02x}"
    return r"\Z" if escape[0] == r"\z" else escape[0]


def _character_class(pattern: str, start: int) -> tuple[str, int]:
    """[...] from `start` on, and where it ends."""
    out = ["["]
    position = start + 1
    if pattern[position : position + 1] == "^":
        out.append("^")
        position += 1
    first = position
    while position < len(pattern) and (pattern[position] != "]" or position == first):
        if posix := _POSIX_CLASS.match(pattern, position):
            out.append(_POSIX.get(posix[1], ""))
            position = posix.end()
        elif escape := _ESCAPE.match(pattern, position):
            out.append(_escaped(escape))
            position = escape.end()
        else:
            out.append("\\" + pattern[position] if pattern[position] in "[]&~|" else pattern[position])
            position += 1
    return "".join(out) + "]", position + 1
