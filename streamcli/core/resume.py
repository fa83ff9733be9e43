"""An answer that broke off -> the request for its rest, and the seam between what is there and what comes.

There is no way to ask a server for the rest of a stream. What can be had is a new answer that goes on from the text so
far: as a prefill (the text stands as the assistant's own beginning, and the model continues it to the character), or,
where a model takes none, by the user turn that the API's documentation gives under "Error recovery".
"""

import re
from dataclasses import replace
from typing import Literal, Protocol

from streamcli.core.prompt import Request

How = Literal["prefill", "turn"]

# UTF-8 bytes of an answer that are held for a continuation: about a million tokens, more than any context window.
MAX_RESUMABLE_BYTES = 4_000_000
# The newest Claude (major, minor) that takes a prefill: the later ones answer 400 (facts of the API, 2026-09).
LAST_WITH_PREFILL = (4, 5)
# How much of the end of an answer, in characters, is quoted to the model, and compared with what it begins with.
QUOTED = 200
COMPARED = 4096
# Characters of a repetition at least: that the true continuation begins with the last twenty is unlikely by chance.
MIN_OVERLAP = 20

_CLAUDE = re.compile(r"claude-(?:[a-z]+-)?(\d+)(?:[-.](\d{1,2}))?(?!\d)")
_CONTINUE = (
    "Your previous response was interrupted and ended with:\n\n{quoted}\n\nContinue from where you left off. Begin "
    "with the very next character: repeat nothing, open no new code block, and say nothing about the interruption."
)


def prefers_prefill(model: str) -> bool:
    """Whether a prefill is worth trying: for Claude by its version, for any other model until a server refuses it."""
    if "claude" not in model:
        return True
    version = _CLAUDE.search(model)
    return version is not None and (int(version[1]), int(version[2] or 0)) <= LAST_WITH_PREFILL


class Seam(Protocol):
    """A filter of core's shape for the text of a continuation; `repeated` counts the characters left out."""

    repeated: int

    def feed(self, text: str, now: float) -> list[str]: ...

    def deadline(self) -> float | None: ...

    def flush(self) -> list[str]: ...


class Resumption:
    """The text of one answer so far, and how to ask for the rest. Bounded by MAX_RESUMABLE_BYTES."""

    def __init__(self, request: Request, text: bytes = b"") -> None:
        self._request = request
        self._text = bytearray()
        self._is_whole = True
        self._how: How = "prefill" if prefers_prefill(request.model) else "turn"
        self.size = 0
        """UTF-8 bytes of the answer so far."""
        self._keep(text)

    @property
    def how(self) -> How:
        return self._how

    @property
    def is_possible(self) -> bool:
        """Whether the text so far is still at hand."""
        return self._is_whole

    def received(self, text: str) -> None:
        """More of the answer, as it was passed on."""
        self._keep(text.encode())

    def restart(self) -> None:
        """The answer begins anew: what came of it is void."""
        self._text.clear()
        self._is_whole = True
        self.size = 0

    def prefill_refused(self) -> bool:
        """The server answered 400: whether there is another way to ask, which is taken from now on."""
        if self._how == "turn" or not self._text.strip():
            return False
        self._how = "turn"
        return True

    def next_request(self) -> tuple[Request, Seam]:
        """The request for the rest of the answer (all of it, where there is nothing yet), and the seam before it."""
        text = self._text.decode()
        prefill = text.rstrip()
        if not prefill:
            return self._request, PrefillSeam(text)
        said = (*self._request.messages, ("assistant", prefill if self._how == "prefill" else text))
        if self._how == "prefill":
            return replace(self._request, messages=said), PrefillSeam(text[len(prefill) :])
        go_on = _CONTINUE.format(quoted=text[-QUOTED:])
        return replace(self._request, messages=(*said, ("user", go_on))), OverlapSeam(text)

    def _keep(self, text: bytes) -> None:
        self.size += len(text)
        if self.size > MAX_RESUMABLE_BYTES:
            self._is_whole = False
            self._text.clear()
        elif self._is_whole:
            self._text += text


class PrefillSeam:
    """After a prefill the model goes on exactly; but the white space at its end, which a prefill may not carry, comes
    again from the model. What of it comes again is left out, and nothing else."""

    def __init__(self, white_space: str) -> None:
        self._expected = white_space
        self.repeated = 0

    def feed(self, text: str, now: float) -> list[str]:
        if self._expected:
            same = _common_prefix(self._expected, text)
            self.repeated += same
            ends_here = same < len(text)
            self._expected = "" if ends_here else self._expected[same:]
            text = text[same:]
        return [text] if text else []

    def deadline(self) -> float | None:
        return None

    def flush(self) -> list[str]:
        return []


class OverlapSeam:
    """After a user turn the model may repeat the end of what it had said, before it goes on.

    Its beginning is held while it may be such a repetition (it occurs in the end of the text), COMPARED characters at
    most. A repetition is left out if it is long, and cannot be the text's own way: not periodic, and not found in the
    text a second time. A short one is more likely the true continuation.
    """

    def __init__(self, text: str) -> None:
        self._end = text[-COMPARED:]
        self._held = ""
        self._is_open = True
        self.repeated = 0

    def feed(self, text: str, now: float) -> list[str]:
        if not self._is_open:
            return [text] if text else []
        self._held += text
        return [] if self._held in self._end else self.flush()

    def deadline(self) -> float | None:
        return None

    def flush(self) -> list[str]:
        if not self._is_open:
            return []
        self._is_open = False
        self.repeated = _overlap(self._end, self._held)
        text, self._held = self._held[self.repeated :], ""
        return [text] if text else []


def _overlap(end: str, beginning: str) -> int:
    """Characters of `beginning` that repeat the end of `end`; 0 where that is short, or may be meant."""
    for size in range(min(len(end), len(beginning)), MIN_OVERLAP - 1, -1):
        repeated = beginning[:size]
        if end.endswith(repeated):
            is_unique = end.find(repeated) == len(end) - size
            # All that there is may be one time and a bit of something that goes round.
            goes_round = len(end) - size > 0 and end.startswith(end[size:])
            return size if is_unique and not goes_round and not _is_periodic(repeated) else 0
    return 0


def _is_periodic(text: str) -> bool:
    """Whether it is some shorter text at least twice over (the last time perhaps cut off).

    By the prefix function of Knuth, Morris and Pratt, "Fast Pattern Matching in Strings", 1977.
    """
    border = [0] * len(text)
    for position in range(1, len(text)):
        size = border[position - 1]
        while size and text[position] != text[size]:
            size = border[size - 1]
        border[position] = size + (text[position] == text[size])
    return 2 * (len(text) - border[-1]) <= len(text)


def _common_prefix(one: str, other: str) -> int:
    for position, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return position
    return min(len(one), len(other))
