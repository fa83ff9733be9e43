"""An answer on its way out: its findings are taken note of, what is known already or says only OK can be left out."""

import re

from streamcli.core.findings import MAX_LINE, Again, Finding, may_be_marked, read_finding
from streamcli.core.known import Known

# Characters that are held at most before it is clear that an answer is more than an OK.
_MAX_OK = 200
_PIECE = re.compile(r"[^\n]*\n|[^\n]+")
_FENCE = re.compile(r" {0,3}(```|~~~)")
_ONLY_OK = re.compile(r"\s*(?:[^\w\n]|_)*ok(?:ay)?(?:[^\w\n]|_)*\s*", re.IGNORECASE)  # on one line
_MAY_BE_OK = re.compile(r"[\W_]*(?:o|ok|oka|okay)?[\W_]*", re.IGNORECASE)


class FindingFilter:
    """A filter of core's shape: the text passes as it comes, and `take` gives the findings that ended in it.

    `first` and `last` are the window's lines. Where findings are remembered, a line that may be one is held to its end
    (of at most MAX_LINE characters): if it is known, it is left out. With `skip_ok` an answer that is only an OK is
    left out too; what is not understood is shown.
    """

    def __init__(self, first: int, last: int, known: Known, *, skip_ok: bool = False) -> None:
        self._window = first, last
        self._known = known
        self._skip_ok = skip_ok
        self._found: list[Finding | Again] = []
        self.is_understood = False
        """Whether there was a finding, or all of it is an OK, as far as it has come."""
        self._line: list[str] = []
        self._length = 0
        self._passes = not known.windows
        self._fence = ""
        self._only: str | None = ""  # what has passed so far, while it may come to no more than an OK

    def feed(self, text: str, now: float) -> list[str]:
        return self._unless_ok("".join(map(self._add, _PIECE.findall(text))))

    def deadline(self) -> float | None:
        return None

    def flush(self) -> list[str]:
        out = self._unless_ok(self._end_line() if self._line else "")
        only, self._only = self._only, None
        if not only:
            return out
        is_ok = _ONLY_OK.fullmatch(only) is not None
        self.is_understood = self.is_understood or is_ok
        return [*out, only] if self._skip_ok and not is_ok and only.strip() else out

    def take(self) -> list[Finding | Again]:
        """The findings since the last call, in their order."""
        found, self._found = self._found, []
        return found

    def _add(self, piece: str) -> str:
        """What passes of a piece of a line, which may be its end."""
        ended = piece.endswith("\n")
        if self._length < MAX_LINE:
            self._line.append(piece)
        self._length += len(piece)
        if self._passes:
            if ended:
                self._end_line()
            return piece
        if ended:
            return self._end_line()
        held = "".join(self._line)
        if self._length < MAX_LINE and may_be_marked(held):
            return ""
        self._passes = True
        return held

    def _end_line(self) -> str:
        """What passes of the line that was held; of one that passed already, nothing."""
        line, held = "".join(self._line), not self._passes
        # Only such a line was held to its end, however it came.
        may_go = self._length <= MAX_LINE and may_be_marked(line)
        self._line.clear()
        self._length = 0
        self._passes = not self._known.windows
        found = self._finding(line)
        if found is not None:
            self._found.append(found)
            self.is_understood = True
        return "" if not held or (may_go and isinstance(found, Again) and not found.text) else line

    def _finding(self, line: str) -> Finding | Again | None:
        fence = _FENCE.match(line)
        if fence and (not self._fence or fence[1] == self._fence):
            self._fence = "" if self._fence else fence[1]
            return None
        found = read_finding(line, self._window, in_code=bool(self._fence))
        if isinstance(found, Again):
            return found if found.number in self._known else None
        number = self._known.number_of(found) if found is not None else None
        return found if found is None or number is None else Again(number, found.first, found.last)

    def _unless_ok(self, text: str) -> list[str]:
        """The text that may be shown: with `skip_ok`, none while it may come to no more than an OK."""
        if self._only is None:
            return [text] if text else []
        held = self._only if self._skip_ok else ""
        self._only += text
        if len(self._only) > _MAX_OK or not _MAY_BE_OK.fullmatch(self._only):
            self._only = None
            return [held + text]
        return [] if self._skip_ok or not text else [text]
