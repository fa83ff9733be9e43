"""A transform that is not ours, held to the shape that it promised."""

import json
import math
from collections.abc import Callable, Iterable

from streamcli.core.events import Remark
from streamcli.core.pipeline import Stage
from streamcli.core.sanitize import one_line
from streamcli.core.surrogates import mend_surrogates
from streamcli.errors import TransformFailed

# Seconds that a transform waits for the clock at least: one that asks for less would keep the process busy.
SHORTEST_WAIT = 0.005


class Guarded:
    """Calls `transform`, which goes by `name`; once it has failed, nothing more comes of it.

    What it gives is made safe to encode. `failure` says what went wrong: whoever writes the text raises it, when all
    that came before is written.
    """

    def __init__(self, name: str, transform: Stage) -> None:
        self._name = name
        self._transform = transform
        self._fed_at = -math.inf
        self.failure: TransformFailed | None = None

    def feed(self, text: str, now: float) -> list[str | Remark]:
        self._fed_at = now
        return self._tried(lambda: self._transform.feed(text, now))

    def deadline(self) -> float | None:
        """A time that has come already is none."""
        if self.failure is not None:
            return None
        try:
            at = self._transform.deadline()
            if at is None or not self._fed_at < at < math.inf:
                return None
            return max(float(at), self._fed_at + SHORTEST_WAIT)
        except BaseException as error:
            self._fail(error)
            return None

    def flush(self) -> list[str | Remark]:
        return self._tried(self._transform.flush)

    def _tried(self, action: Callable[[], Iterable[object]]) -> list[str | Remark]:
        out: list[str | Remark] = []
        if self.failure is None:
            try:
                pieces = action()
                if isinstance(pieces, str | bytes):
                    raise TypeError("a list was expected, not a string")
                out.extend(piece for piece in map(_checked, pieces) if piece != "")
            except BaseException as error:  # nothing of ours raises there: it is its own, whatever it is
                self._fail(error)
        return out

    def _fail(self, error: BaseException) -> None:
        self.failure = TransformFailed(
            f"the transform {self._name} failed: {described(error)}",
            f"without --transform {self._name} the answer comes as it is",
        )


def described(error: BaseException) -> str:
    """An error of foreign code on one line, even one that cannot say what it is."""
    name = type(error).__name__
    try:
        return one_line(f"{name}: {error}" if str(error) else name)
    except BaseException:
        return name


def _checked(piece: object) -> str | Remark:
    """Raises TypeError, or ValueError, for what is neither text nor a remark that can be written as JSON."""
    if isinstance(piece, str):
        return mend_surrogates(piece)
    if isinstance(piece, Remark):
        json.dumps({**piece.values}, allow_nan=False)
        return Remark(str(piece.transform), str(piece.text), piece.values)
    raise TypeError(f"it gave {type(piece).__name__}, which is neither text nor a remark")
