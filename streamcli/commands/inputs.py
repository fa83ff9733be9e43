"""What analyze reads: standard input, or files as they grow."""

import asyncio
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from streamcli.commands.asking import Asking
from streamcli.commands.message import read_system
from streamcli.commands.runtime import Runtime
from streamcli.config import AnalyzeSettings
from streamcli.core.position import Kept, Mark, Piece, Position

if TYPE_CHECKING:
    from streamcli.commands.journal import Journal
    from streamcli.edge.follow import Follower

# Names that a notice has at most, before it counts.
_NAMES = 3


class StdinInput:
    """Standard input, as the one input of a watch."""

    def __init__(self, runtime: Runtime) -> None:
        self._stdin = runtime.stdin

    async def read(self) -> list[Piece]:
        data = await self._stdin.read()
        return [Piece(0, data)] if data else []

    def keep(self, mark: Mark) -> None:
        """Standard input cannot be taken up again."""

    def close(self) -> None:
        """Nothing is held."""


class FollowedInput:
    """Files, each an input of its own. How far they have been analysed is kept in the journal, and with --resume they
    begin where an earlier run with the same question has got.
    """

    def __init__(
        self, runtime: Runtime, settings: AnalyzeSettings, paths: Sequence[str], asked: "asyncio.Future[Asking]"
    ) -> None:
        """`asked` will be there once reading has begun. Raises InputError for a system prompt that cannot be read."""
        from streamcli.edge.followable import position_key

        self._notice = runtime.notes.notice
        self._settings = settings
        self._paths = paths
        self._asked = asked
        command = command_key(settings.prompt, read_system(settings))
        self._logs = [position_key(path) for path in paths]
        self._keys = [f"{log}\0{command}" for log in self._logs]
        self._journal: Journal | None = None
        self._kept: Mapping[str, Kept] = {}
        self._begun: set[int] = set()  # inputs of which something was read
        self._follower: Follower | None = None

    async def read(self) -> list[Piece]:
        """Raises InputError for what cannot be followed."""
        if self._follower is None:
            self._follower = await self._begin()
        pieces = await self._follower.read()
        self._keep_starts(pieces)
        return pieces

    def keep(self, mark: Mark) -> None:
        """All before `mark` is analysed."""
        positions = {self._keys[number]: at for number, at in mark.items()}
        if self._journal is not None and positions:
            self._journal.attempt(lambda answers: answers.positions().put(positions))

    def close(self) -> None:
        """Lets go of the files."""
        if self._follower is not None:
            self._follower.close()

    async def _begin(self) -> "Follower":
        from streamcli.edge.follow import Follower

        self._journal = await self._open_journal()
        resumes = self._settings.resume and self._journal is not None
        kept = self._look_up(self._journal) if resumes and self._journal is not None else {}
        follower = Follower(
            self._paths,
            {log: kept[key] for log, key in zip(self._logs, self._keys, strict=True) if key in kept},
            from_start=self._settings.from_start,
            notice=self._notice,
        )
        self._kept = kept
        return follower

    async def _open_journal(self) -> "Journal | None":
        """None where nothing is asked: then nothing is analysed either."""
        desk = (await self._asked).desk
        if desk is None or desk.journal is None:
            return None
        await desk.journal.ready()
        return desk.journal

    def _look_up(self, journal: "Journal") -> Mapping[str, Kept]:
        kept = journal.attempt(lambda answers: answers.positions().get(self._keys))
        if kept is None:
            self._notice("--resume has no effect: how far the files were analysed cannot be read")
            return {}
        unknown = [path for path, key in zip(self._paths, self._keys, strict=True) if key not in kept]
        if unknown:
            where = "first line" if self._settings.from_start else "last lines"
            self._notice(
                f"--resume: with this question nothing has been analysed yet of {_named(unknown)}: "
                f"reading begins with the {where}"
            )
        return kept

    def _keep_starts(self, pieces: Sequence[Piece]) -> None:
        """A run whose first windows fail, too, can be taken up where it began."""
        starts: dict[int, Position] = {}
        for piece in pieces:
            if piece.input not in self._begun and (start := piece.start()) is not None:
                self._begun.add(piece.input)
                starts[piece.input] = start
        kept = {number: self._kept.get(self._keys[number]) for number in starts}
        self.keep({number: at for number, at in starts.items() if (one := kept[number]) is None or one.position != at})


def followed(runtime: Runtime, settings: AnalyzeSettings) -> tuple[tuple[str, ...], str]:
    """The files to follow, and the question: of `--follow *.log` a shell makes one file, and words that name files."""
    words = list(settings.words)
    paths = list(settings.follow)
    while paths and words and os.path.lexists(words[0]):
        paths.append(words.pop(0))
    if len(paths) == len(settings.follow):
        return settings.follow, settings.prompt
    question = " ".join(words)
    runtime.notes.notice(f"following {_named(paths)}" + (f", and asking: {question}" if question else ""))
    return tuple(paths), question


def command_key(question: str, system: str | None) -> str:
    """What tells apart those who ask something else of the same file."""
    return hashlib.sha256(json.dumps([question, system]).encode()).hexdigest()


def _named(paths: Sequence[str]) -> str:
    """Their names, if they are few."""
    if len(paths) > _NAMES + 1:
        return f"{', '.join(paths[:_NAMES])} and {len(paths) - _NAMES} more"
    return " and ".join(filter(None, [", ".join(paths[:-1]), paths[-1]]))
