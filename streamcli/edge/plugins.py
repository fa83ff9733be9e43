"""Transforms that other packages bring, by the entry point group `streamcli.transforms`."""

import io
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points

from streamcli.core.pipeline import Stage
from streamcli.core.sanitize import one_line
from streamcli.core.transforms import Guarded, described
from streamcli.errors import TransformFailed, UsageError

GROUP = "streamcli.transforms"


class Aside(io.TextIOBase):
    """Takes what is printed, and passes it on in whole lines: the last one when it is."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._line = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        *lines, self._line = (self._line + text).split("\n")
        for line in lines:
            self._say(line)
        return len(text)


def load_transform(name: str, built_in: tuple[str, ...], say: Callable[[str], None]) -> Callable[[], Guarded]:
    """What makes the transform `name`, one for each answer. Raises UsageError if nobody brings it.

    What it prints goes to `say`, line by line. Raises TransformFailed where it cannot be loaded, or is none.
    """
    found = entry_points(group=GROUP)
    points = [point for point in found if point.name == name]
    if not points:
        there = ", ".join(sorted({*built_in, *(one_line(point.name, 60) for point in found)}))
        raise UsageError(f"there is no transform {one_line(name, 60)}", f"there is {there}")
    # stdout is for the answer, byte for byte.
    sys.stdout = Aside(say)
    make = _loaded(points[0])

    def made() -> Guarded:
        try:
            transform = make()
            if missing := [part for part in ("feed", "deadline", "flush") if not callable(getattr(transform, part, 0))]:
                raise TypeError(f"it has no {', no '.join(missing)}")
        except BaseException as error:
            raise _failure(name, error) from error
        return Guarded(name, transform)

    made()  # what is wrong with it is said before anything is paid for
    return made


def _loaded(point: EntryPoint) -> Callable[[], Stage]:
    try:
        make: Callable[[], Stage] = point.load()
    except BaseException as error:
        raise _failure(point.name, error) from error
    return make


def _failure(name: str, error: BaseException) -> TransformFailed:
    return TransformFailed(f"the transform {name} cannot be loaded: {described(error)}")
