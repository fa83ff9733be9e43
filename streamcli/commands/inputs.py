"""What analyze reads: standard input, or files as they grow."""

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from streamcli.commands.asking import Asking
from streamcli.commands.runtime import Runtime
from streamcli.config import AnalyzeSettings
from streamcli.core.position import Piece, Position

if TYPE_CHECKING:
    from streamcli.edge.follow import Follower


class StdinInput:
    """Standard input, as the one input of a watch."""

    def __init__(self, runtime: Runtime) -> None:
        self._stdin = runtime.stdin

    async def read(self) -> list[Piece]:
        data = await self._stdin.read()
        return [Piece(0, data)] if data else []

    def keep(self, mark: object, asked: Asking) -> None:
        """Standard input cannot be taken up again."""

    def close(self) -> None:
        """Nothing is held."""


class FollowedInput:
    """Files, each an input of its own. With `positions` they begin where that says that an earlier run ended.

    Made by nobody but `read`, for which the journal has to be open. Raises InputError.
    """

    def __init__(
        self,
        runtime: Runtime,
        paths: Sequence[str],
        *,
        from_start: bool,
        positions: Callable[[Sequence[str]], Awaitable[Mapping[str, Position]]],
    ) -> None:
        from streamcli.edge.follow import position_key

        self._notice = runtime.notes.notice
        self._paths = paths
        self._keys = [position_key(path) for path in paths]
        self._from_start = from_start
        self._positions = positions
        self._follower: Follower | None = None

    async def read(self) -> list[Piece]:
        from streamcli.edge.follow import Follower

        if self._follower is None:
            positions = await self._positions(self._keys)
            self._follower = Follower(self._paths, positions, from_start=self._from_start, notice=self._notice)
        return await self._follower.read()

    def keep(self, mark: object, asked: Asking) -> None:
        """All before `mark` is analysed: an input number -> Position."""
        if isinstance(mark, dict) and asked.desk is not None and asked.desk.journal is not None:
            positions = {self._keys[number]: at for number, at in mark.items()}
            asked.desk.journal.attempt(lambda answers: answers.positions().put(positions))

    def close(self) -> None:
        """Lets go of the files."""
        if self._follower is not None:
            self._follower.close()


def followed(settings: AnalyzeSettings) -> tuple[tuple[str, ...], str]:
    """The files to follow, and the question: of `--follow *.log` a shell makes one file, and words that name files."""
    paths, words = list(settings.follow), settings.prompt.split(" ")
    with suppress(ValueError):  # a NUL is in no name
        while paths and words and words[0] and os.path.isfile(words[0]):
            paths.append(words.pop(0))
    return tuple(paths), " ".join(words) if len(paths) > len(settings.follow) else settings.prompt
