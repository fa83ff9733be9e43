"""What stands between a model's text and stdout, for each answer of a run.

coalesce -> written down -> sanitize (a terminal, and before what makes colours) -> transforms -> markdown
"""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from streamcli.commands.runtime import Runtime
from streamcli.config import MessageSettings, Settings
from streamcli.core.coalesce import Coalescer
from streamcli.core.events import Remark
from streamcli.core.pipeline import Pipeline, Stage
from streamcli.core.sanitize import Sanitizer
from streamcli.core.transforms import Guarded
from streamcli.edge.screen import Screen, is_dumb, takes_colour
from streamcli.errors import TransformFailed, UsageError

BUILT_IN = ("highlight", "markdown", "sentiment")
# Those that make escape sequences of their own.
_PAINTERS = ("highlight", "markdown")

Form = Literal["text", "markdown", "json"]


def form_of(settings: Settings, *, on_terminal: bool) -> Form:
    """What is written: what was asked for, or else what suits the output."""
    if settings.format is not None:
        return settings.format
    renders = settings.verb != "gen" and on_terminal and not is_dumb()
    return "markdown" if renders and not set(settings.transforms) & set(_PAINTERS) else "text"


@dataclass(frozen=True)
class Stages:
    """Those of one answer, which begin anew where it does."""

    pipeline: Pipeline
    guards: tuple[Guarded, ...]

    @property
    def failure(self) -> TransformFailed | None:
        """Of a transform: the text that comes after it is not written."""
        return next((guard.failure for guard in self.guards if guard.failure is not None), None)


@dataclass(frozen=True)
class Whole:
    """A whole answer behind its stages."""

    text: str
    remarks: list[Remark]
    failure: TransformFailed | None


class Staging:
    """Makes them, as the run's settings and its output want them. Raises UsageError, or TransformFailed, at once."""

    def __init__(self, runtime: Runtime, settings: Settings) -> None:
        self.form = form_of(settings, on_terminal=runtime.stdout_is_terminal)
        self._settings = settings
        self._on_terminal = runtime.stdout_is_terminal
        self._print = runtime.notes.passage
        self.screen = Screen(runtime.sink, is_terminal=runtime.stdout_is_terminal)
        names = settings.transforms
        painters = [name for name in names if name in _PAINTERS]
        if self.form == "markdown" and painters:
            raise UsageError(f"--format markdown and --transform {painters[0]} are too much of the same")
        if len(painters) > 1:
            raise UsageError(f"--transform {painters[0]} and --transform {painters[1]} are too much of the same")
        if painters and names[-1] != painters[0]:
            raise UsageError(f"--transform {painters[0]} makes what only a terminal reads", "let it be the last one")
        self._makers = [self._maker(name, is_last=place == len(names)) for place, name in enumerate(names, 1)]
        # Where records are answered, each is written when it is whole.
        self._is_live = not (isinstance(settings, MessageSettings) and settings.each)
        if self.draws:
            self.screen.watch(runtime.notes)

    @property
    def draws(self) -> bool:
        """Whether something is drawn on the terminal that will be drawn over."""
        last = self._settings.transforms[-1:] == ("markdown",) and self.form == "text"
        return self._is_live and self.screen.can_redraw and (self.form == "markdown" or last)

    def begin(self, commit: Callable[[], None], *, redraws: bool = True) -> Stages:
        """The stages of an answer; without `redraws` the cursor stays where it is.

        `commit` is called before any text that was fed may come out. What it has to say comes before what is drawn of
        that text, and is no part of it.
        """
        settings = self._settings
        stages: list[Stage] = [Coalescer(settings.coalesce, settings.coalesce_delay), Recorded(commit)]
        paints = self.form == "markdown" or not {*settings.transforms}.isdisjoint(_PAINTERS)
        if paints or (self._on_terminal and self.form == "text"):
            stages.append(Sanitizer())
        transforms = [make(redraws) for make in self._makers]
        stages += transforms
        if self.form == "markdown":
            stages.append(self._markdown(asked_for=self._on_terminal and not is_dumb(), redraws=redraws))
        return Stages(Pipeline(stages), tuple(stage for stage in transforms if isinstance(stage, Guarded)))

    def whole(self, text: str) -> "Whole":
        """An answer that is there already, as it is to be written."""
        stages = self.begin(lambda: None, redraws=False)
        pieces = [*stages.pipeline.feed(text, 0.0), *stages.pipeline.flush(0.0)]
        texts = [piece for piece in pieces if isinstance(piece, str)]
        return Whole("".join(texts), [piece for piece in pieces if isinstance(piece, Remark)], stages.failure)

    def _maker(self, name: str, *, is_last: bool) -> Callable[[bool], Stage]:
        asked_for = not (self._on_terminal and is_dumb())
        if name == "markdown":
            may_redraw = is_last and self.form == "text"
            return lambda redraws: self._markdown(asked_for=asked_for, redraws=redraws and may_redraw)
        make = self._plain_maker(name, asked_for=asked_for)
        return lambda _: make()

    def _plain_maker(self, name: str, *, asked_for: bool) -> Callable[[], Stage]:
        if name == "highlight":
            return _highlighter() if self._has_colour(asked_for=asked_for) else Same
        if name == "sentiment":
            return _sentiment()
        from streamcli.edge.plugins import load_transform

        return load_transform(name, BUILT_IN, self._print)

    def _has_colour(self, *, asked_for: bool) -> bool:
        return takes_colour(self._settings.color, asked_for=asked_for)

    def _markdown(self, *, asked_for: bool, redraws: bool) -> "Rendered":
        return Rendered(self.screen, colour=self._has_colour(asked_for=asked_for), redraws=redraws)


class Rendered:
    """The renderer, as a stage: it is told how large the terminal is, which is told what it draws."""

    def __init__(self, screen: Screen, *, colour: bool, redraws: bool) -> None:
        from streamcli.core.markdown.render import MarkdownRenderer

        self._screen = screen
        self._redraws = redraws
        columns, self._rows = self._size()
        self._renderer = MarkdownRenderer(width=columns, height=self._rows, colour=colour)

    def feed(self, text: str, now: float) -> list[str]:
        out = self._fit() + self._renderer.feed(text, now)
        self._screen.drawn_by(self)
        return out

    def let_go(self) -> list[str]:
        """For Screen."""
        return self._renderer.let_go()

    def deadline(self) -> float | None:
        return self._renderer.deadline()

    def flush(self) -> list[str]:
        out = self._fit() + self._renderer.flush()
        self._screen.drawn_by(None)
        return out

    def _size(self) -> tuple[int, int | None]:
        columns, rows = self._screen.size()
        return columns, rows if self._redraws else None

    def _fit(self) -> list[str]:
        columns, rows = self._size()
        # Sent to the background meanwhile: what is drawn is not to be drawn over.
        out = self._renderer.let_go() if rows is None and self._rows is not None else []
        self._rows = rows
        self._renderer.resize(columns, rows)
        return out


class Recorded:
    """Lets through what is written down by then: one commit for each text that the coalescer lets go."""

    def __init__(self, commit: Callable[[], None]) -> None:
        self._commit = commit

    def feed(self, text: str, now: float) -> list[str]:
        if text:
            self._commit()
        return [text]

    def deadline(self) -> float | None:
        return None

    def flush(self) -> list[str]:
        return []


class Same:
    """A stage that changes nothing."""

    def feed(self, text: str, now: float) -> list[str]:
        return [text]

    def deadline(self) -> float | None:
        return None

    def flush(self) -> list[str]:
        return []


def _highlighter() -> Callable[[], Stage]:
    from streamcli.core.markdown.highlight_stream import CodeHighlighter

    return CodeHighlighter


def _sentiment() -> Callable[[], Stage]:
    """Raises UsageError where the package that rates sentences is missing."""
    if importlib.util.find_spec("vaderSentiment") is None:
        raise UsageError("--transform sentiment needs vaderSentiment", "pip install 'streamcli[sentiment]'")
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer  # type: ignore[import-untyped]

    from streamcli.core.sentiment import Sentiment

    rate = SentimentIntensityAnalyzer().polarity_scores
    return lambda: Sentiment(lambda sentence: float(rate(sentence)["compound"]))
