"""Which files were a log after the one that is open."""

from collections.abc import Sequence
from dataclasses import dataclass

from streamcli.edge import siblings
from streamcli.edge.logfile import Identity, LogFile
from streamcli.edge.siblings import Sibling


@dataclass(frozen=True, slots=True)
class Succession:
    """`files` can be read, the oldest first; `compressed` cannot. `has_gaps` says that there may have been others."""

    files: Sequence[Sibling]
    compressed: Sequence[Sibling]
    has_gaps: bool


def succession(found: Sequence[Sibling], opened_as: str, log: LogFile, elsewhere: Sibling | None) -> Succession:
    """`found` are the files that there are of the name `opened_as`, under which `log` was opened and read to its end.

    `elsewhere` is where a link leads by now, if that is another name. Raises OSError.
    """
    ours = _ours(found, log)
    later = list(siblings.newer(found, opened_as, ours or log.identity, log.modified()))
    if ours is None:
        later = _without_copies(later, opened_as, log)
    if elsewhere is not None:
        later.append(elsewhere)
    return Succession(
        [each for each in later if not each.is_compressed],
        [each for each in later if each.is_compressed],
        has_gaps=ours is None and len(later) > 1,
    )


def _ours(found: Sequence[Sibling], log: LogFile) -> Identity | None:
    """The file among those found that is ours, or what it was compressed to; None if it is gone."""
    size = log.position().offset
    is_there = any(each.identity == log.identity for each in found)
    packed = next((each.identity for each in found if not is_there and siblings.is_packed(each, size)), None)
    return log.identity if is_there else packed


def _without_copies(later: Sequence[Sibling], opened_as: str, log: LogFile) -> list[Sibling]:
    """Without rotated files that are copies of what was read; a log that is replaced by a copy of itself goes on."""
    position = log.position()
    return [each for each in later if each.path == opened_as or not siblings.is_copy(each, position)]
