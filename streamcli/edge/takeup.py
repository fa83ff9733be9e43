"""Where reading goes on with a position that an earlier run has left."""

from collections.abc import Sequence
from dataclasses import dataclass

from streamcli.core.position import Kept, Position
from streamcli.edge import siblings
from streamcli.edge.logfile import Identity, LogFile
from streamcli.edge.siblings import Sibling

# Nanoseconds by which a file's time may be behind the clock: the kernel takes that of its last tick.
_TICK = 10_000_000
_NOBODY: Identity = (-1, -1)


@dataclass(frozen=True, slots=True)
class Beginning:
    """A file, open where reading goes on. `lost` says why something is lost before that; "" if nothing is."""

    log: LogFile
    is_another: bool = False
    lost: str = ""


def take_up(found: Sequence[Sibling], log: str, kept: Kept) -> Beginning | None:
    """Goes on in the file that was read, or a copy; else in what was the log after it. None if there is nothing yet.

    `found` are the files that there are of `log`. Raises OSError.
    """
    file = siblings.open_at(found, log, kept.position) or siblings.open_renamed(log, kept.position)
    if file is not None:
        return Beginning(file)
    later = _written_after(found, log, kept)
    first = next((each for each in later if not each.is_compressed), None)
    file = siblings.open_same(first) if first else None
    if first is None or file is None:
        return None
    return Beginning(file, is_another=True, lost=_why(found, later[: later.index(first)], kept.position))


def _written_after(found: Sequence[Sibling], log: str, kept: Kept) -> list[Sibling]:
    """The files that were written to after the position was kept, the oldest first, and the log itself."""
    later = list(siblings.newer(found, log, _NOBODY, int(kept.at * 1e9) - _TICK))
    # One that was truncated, or was given the number of ours, came after ours in any case.
    identity = (kept.position.device, kept.position.inode)
    same = next((each for each in found if each.identity == identity and not each.is_compressed), None)
    return [same, *later] if same is not None and same not in later else later


def _why(found: Sequence[Sibling], passed: Sequence[Sibling], position: Position) -> str:
    """Why something is lost; "" if nothing is. `passed` are files that cannot be read."""
    if any(siblings.is_packed(each, position.offset) for each in found):
        return ""  # all of it was read
    if passed:
        return f"was compressed to {passed[0].path} since it was followed last"
    return "is another file, or was truncated, since it was followed last"
