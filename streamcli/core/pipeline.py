"""Filters in a row: what one lets out, the next takes in."""

from collections.abc import Iterable, Sequence
from typing import Protocol


class TextFilter(Protocol):
    """The shape of core's filters, for text. `feed` with no text is a look at the clock."""

    def feed(self, text: str, now: float) -> list[str]: ...

    def deadline(self) -> float | None: ...

    def flush(self) -> list[str]: ...


class Pipeline:
    """One filter made of several; of none, it lets everything through."""

    def __init__(self, stages: Sequence[TextFilter]) -> None:
        self._stages = stages

    def feed(self, text: str, now: float) -> list[str]:
        """What comes out at the end for what goes in at the beginning."""
        return self._through(0, [text], now)

    def tick(self, now: float) -> list[str]:
        """What is due by the clock alone."""
        out: list[str] = []
        for position, stage in enumerate(self._stages):
            deadline = stage.deadline()
            if deadline is not None and now >= deadline:
                out += self._through(position, [""], now)
        return out

    def deadline(self) -> float | None:
        """When to `tick`; None while nothing waits for the clock."""
        deadlines = [deadline for stage in self._stages if (deadline := stage.deadline()) is not None]
        return min(deadlines, default=None)

    def flush(self, now: float) -> list[str]:
        """The end: what each stage still holds goes through those behind it."""
        out: list[str] = []
        for position, stage in enumerate(self._stages):
            out += self._through(position + 1, stage.flush(), now)
        return out

    def _through(self, first: int, texts: Iterable[str], now: float) -> list[str]:
        for stage in self._stages[first:]:
            texts = [piece for text in texts for piece in stage.feed(text, now)]
        return list(texts)
