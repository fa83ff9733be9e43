"""The lines of a window's text that a finding cites by their numbers."""

import re
from itertools import zip_longest

# "L12 text", "L13-L20 text", "[x812 L3-L1990] text": what an entry of the text begins with.
_ENTRY = re.compile(r"^(?P<many>\[x\d+ )?L(?P<first>\d+)(?:-L(?P<last>\d+))?(?(many)\]) ", re.MULTILINE)


def cited(text: str, first: int | None, last: int | None) -> list[str]:
    """The lines of the entries that are about stream lines `first` to `last`; counted ones only if there are no others.

    None of them where no line is cited.
    """
    if first is None or last is None:
        return []
    single: list[str] = []
    many: list[str] = []
    entries = list(_ENTRY.finditer(text))
    for entry, following in zip_longest(entries, entries[1:]):
        begin, end = int(entry["first"]), int(entry["last"] or entry["first"])
        if begin <= last and end >= first:
            lines = text[entry.start() : following.start() if following else len(text)].rstrip("\n").split("\n")
            (many if entry["many"] else single).extend(lines)
    return single or many
