"""Filters in a row: what one lets out, the next takes in."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from streamcli.core.events import Remark


class TextFilter(Protocol):
    """The shape of core's filters, for text. `feed` with no text is a look at the clock."""

    def feed(self, text: str, now: float) -> list[str]: ...

    def deadline(self) -> float | None: ...

    def flush(self) -> list[str]: ...


class Stage(Protocol):
    """The same, of what may say something beside the text. Every TextFilter is one."""

    def feed(self, text: str, now: float) -> Sequence[str | Remark]: ...

    def deadline(self) -> float | None: ...

    def flush(self) -> Sequence[str | Remark]: ...


class Pipeline:
    """One filter made of several; of none, it lets everything through. A remark passes the stages that follow."""

    def __init__(self, stages: Sequence[Stage]) -> None:
        self._stages = stages

    def feed(self, text: str, now: float) -> list[str | Remark]:
        """What comes out at the end for what goes in at the beginning."""
        return self._through(0, [text], now)

    def tick(self, now: float) -> list[str | Remark]:
        """What is due by the clock alone."""
        out: list[str | Remark] = []
        for position, stage in enumerate(self._stages):
            deadline = stage.deadline()
            if deadline is not None and now >= deadline:
                out += self._through(position, [""], now)
        return out

    def hurry(self, now: float) -> list[str | Remark]:
        """What the first stage keeps for the clock, before its time; the clock of the others goes on as it does."""
        for stage in self._stages[:1]:
            deadline = stage.deadline()
            if deadline is not None:
                return self._through(1, stage.feed("", max(now, deadline)), now)
        return []

    def deadline(self) -> float | None:
        """When to `tick`; None while nothing waits for the clock."""
        deadlines = [deadline for stage in self._stages if (deadline := stage.deadline()) is not None]
        return min(deadlines, default=None)

    def flush(self, now: float) -> list[str | Remark]:
        """The end: what each stage still holds goes through those behind it."""
        out: list[str | Remark] = []
        for position, stage in enumerate(self._stages):
            out += self._through(position + 1, stage.flush(), now)
        return out

    def _through(self, first: int, pieces: Iterable[str | Remark], now: float) -> list[str | Remark]:
        for stage in self._stages[first:]:
            passed: list[str | Remark] = []
            for piece in pieces:
                if isinstance(piece, str):
                    passed += stage.feed(piece, now)
                else:
                    passed.append(piece)
            pieces = passed
        return list(pieces)
