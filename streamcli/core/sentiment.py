"""How an answer sounds, as it streams: a score from -1 (bad) to 1 (good), for the answer so far.

A sentence goes up to a full stop, a question or exclamation mark, or the line's end. Each is scored once, when it has
ended, so that the work is linear in the text and little is held. The score of the answer is the mean of its sentences,
each weighed by its length in characters. Code blocks have no mood, and are left out, with the lines that open them.
"""

import re
from collections.abc import Callable, Iterable

from streamcli.core.blocks import MAX_LINE, BlockScanner, Kind
from streamcli.core.events import Remark

# The least between two remarks: characters of text, and seconds.
REMARK_CHARS = 1000
REMARK_SECONDS = 1.0
# A sentence that is longer, in characters, is scored in parts: scorers can take quadratic time.
MAX_SENTENCE = 400

_END = re.compile(r"[.!?\u2026][\"')\]*_\u201d\u2019]*(?=\s)|\n|[\u3002\uff01\uff1f]")
# The beginning of a line that a fence may stand on, or come to stand on.
_MAY_OPEN = re.compile(r"[ \t*+0-9.)-]*(?:```|~~~|[`~]{0,2}\Z)")


class Sentiment:
    """A stage that lets the text through as it is, and remarks on it. `score` rates one sentence, from -1 to 1."""

    def __init__(self, score: Callable[[str], float]) -> None:
        self._score = score
        self._scanner = BlockScanner()
        self._line = ""  # the beginning of one that may open a block
        self._is_midline = False
        self._sentence = ""
        self._sentences = 0
        self._weight = 0
        self._sum = 0.0
        self._chars = 0  # since the last remark
        self._remarked_at: float | None = None

    def feed(self, text: str, now: float) -> list[str | Remark]:
        if not text:
            return []
        if self._remarked_at is None:
            self._remarked_at = now
        self._take(self._scanner.feed(text))
        self._chars += len(text)
        if self._chars < REMARK_CHARS or now < self._remarked_at + REMARK_SECONDS or not self._sentences:
            return [text]
        self._chars = 0
        self._remarked_at = now
        return [text, self._remark(final=False)]

    def deadline(self) -> float | None:
        return None

    def flush(self) -> list[str | Remark]:
        """The score of all; nothing where there was nothing to score."""
        self._take(self._scanner.flush())
        self._release()
        self._rate(self._sentence)
        self._sentence = ""
        return [self._remark(final=True)] if self._sentences else []

    def _take(self, pieces: Iterable[tuple[Kind, str]]) -> None:
        for kind, piece in pieces:
            if kind is Kind.OPENED:
                self._line = ""
            elif kind is Kind.TEXT:
                self._piece(piece)

    def _piece(self, piece: str) -> None:
        """Takes a line of text, or a part of one. That a line opens a block is known when it has ended."""
        if self._line.endswith("\n"):
            self._release()
        if self._is_midline and not self._line:
            self._read(piece)
        else:
            self._line += piece
            if len(self._line) > MAX_LINE or not _MAY_OPEN.match(self._line):
                self._release()
        self._is_midline = not piece.endswith("\n")

    def _release(self) -> None:
        line, self._line = self._line, ""
        self._read(line)

    def _read(self, text: str) -> None:
        text = self._sentence + text
        start = 0
        while (end := _sentence_end(text, start)) is not None:
            self._rate(text[start:end])
            start = end
        self._sentence = text[start:]

    def _rate(self, sentence: str) -> None:
        sentence = sentence.strip()
        if any(map(str.isalpha, sentence)):
            self._sum += self._score(sentence) * len(sentence)
            self._weight += len(sentence)
            self._sentences += 1

    def _remark(self, *, final: bool) -> Remark:
        score = round(self._sum / self._weight, 3)
        of = f"{self._sentences} sentence{'' if self._sentences == 1 else 's'}{'' if final else ' so far'}"
        values = {"score": score, "sentences": self._sentences, "final": final}
        return Remark("sentiment", f"sentiment {score:+.2f} ({of})", values)


def _sentence_end(text: str, start: int) -> int | None:
    """Where the sentence ends that begins at `start`; None if that is not known yet."""
    if found := _END.search(text, start, start + MAX_SENTENCE):
        return found.end()
    if len(text) - start < MAX_SENTENCE:
        return None
    return text.rfind(" ", start, start + MAX_SENTENCE) + 1 or start + MAX_SENTENCE
