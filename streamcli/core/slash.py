"""What is typed in a conversation: a message, or a command that begins with a slash."""

import difflib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Slash:
    """A command as the user sees it: help and completion are made of these. `argument` is "" where it takes none."""

    name: str
    argument: str
    help: str


SLASHES = (
    Slash("help", "", "these commands"),
    Slash("model", "[NAME]", "which model answers, or another one from now on"),
    Slash("system", "[TEXT|@FILE|-]", "the system prompt, another one, or the usual one again"),
    Slash("attach", "[FILE|-]", "a file goes along with the next message; or none"),
    Slash("save", "[NAME]", "keep the conversation as a session from now on"),
    Slash("export", "FILE", "write the conversation to a new file, as Markdown"),
    Slash("retry", "", "ask the last question again"),
    Slash("undo", "", "take the last question and its answer back"),
    Slash("clear", "", "forget the conversation, and begin anew"),
    Slash("usage", "", "tokens and cost so far"),
    Slash("exit", "", "leave; so does ^D"),
)
# Other names that people try.
ALIASES = {"quit": "exit", "bye": "exit", "reset": "clear", "again": "retry", "cost": "usage"}

HELP = (
    *((f"/{slash.name} {slash.argument}".rstrip(), slash.help) for slash in SLASHES),
    ("//text", "a message that begins with a slash"),
    ("Alt-Enter", "a new line; so does \\ at the end of one"),
    ("^X ^E", "edit the message in $VISUAL or $EDITOR"),
    ("^C", "stop the answer, and keep what came of it"),
    ("^R, arrows", "what was typed before, but after a space"),
)
"""What can be typed, and what it does."""


@dataclass(frozen=True, slots=True)
class Message:
    """Something for the model."""

    text: str


@dataclass(frozen=True, slots=True)
class Command:
    """One of SLASHES by name, and what stands after it."""

    name: str
    argument: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """A command that there is not: `word` as it was typed, with its slash; the `nearest` name, if one is near."""

    word: str
    nearest: str | None


@dataclass(frozen=True, slots=True)
class Surplus:
    """A command with words after it, which it does not take: `word` as it was typed, with its slash."""

    word: str


# What people type alone who do not know of the slash, or forget it.
BARE = {"help": "help", "/": "help", "/?": "help", "?": "help", "exit": "exit", "quit": "exit"}

# A path has a second slash, a dot or a digit in it, most often.
_WORD = re.compile(r"/([A-Za-z]+)(?:\s+|$)")
_NEAR = 0.6  # difflib's measure of likeness


def parse(text: str) -> Message | Command | Unknown | Surplus:
    """What was typed. "/tmp what is this" is a message, and "/hlep" is not: it is near enough to a command.

    "/exit code 137 means what?" is neither: it is not carried out, as what it would do cannot be taken back.
    """
    stripped = text.strip()
    if name := BARE.get(stripped.lower()):
        return Command(name, "")
    if stripped.startswith("//"):
        return Message(stripped[1:])
    found = _WORD.match(stripped)
    if found is None:
        return Message(text)
    word, argument = found[1].lower(), stripped[found.end() :]
    name = ALIASES.get(word, word)
    if slash := next((slash for slash in SLASHES if slash.name == name), None):
        return Command(name, argument) if slash.argument or not argument else Surplus(f"/{found[1]}")
    if nearest := _nearest(word):
        return Unknown(f"/{found[1]}", ALIASES.get(nearest, nearest))
    # Alone it is a command of another program's; with words after it, it is rather a folder that is asked about.
    return Message(text) if argument else Unknown(f"/{found[1]}", None)


def _nearest(word: str) -> str | None:
    """The name that it begins, or is like."""
    names = [*(slash.name for slash in SLASHES), *ALIASES]
    begun = [name for name in names if name.startswith(word)]
    return next(iter(begun or difflib.get_close_matches(word, names, 1, _NEAR)), None)


def _no_paths(begun: str) -> Sequence[str]:
    return ()


def completions(
    before_cursor: str, models: Sequence[str] = (), paths: Callable[[str], Sequence[str]] = _no_paths
) -> list[tuple[str, str, int]]:
    """How what is typed may go on: text, what it means, and how many characters before the cursor it replaces.

    `paths` gives those that begin with what is typed of one.
    """
    if re.fullmatch(r"/[A-Za-z]*", before_cursor):
        typed = before_cursor[1:].lower()
        return [(f"/{s.name}", s.help, len(before_cursor)) for s in SLASHES if s.name.startswith(typed)]
    if found := re.fullmatch(r"/model\s+(\S*)", before_cursor):
        return [(model, "", len(found[1])) for model in models if model.startswith(found[1])]
    if found := re.fullmatch(r"/(?:attach\s+|export\s+|system\s+@)(|\S.*)", before_cursor):
        return [(path, "", len(found[1])) for path in paths(found[1])]
    return []


def goes_on(text: str) -> bool:
    """Whether the message has another line: its last one ends with a backslash that is not one itself."""
    return (len(text) - len(text.rstrip("\\"))) % 2 == 1


def is_remembered(text: str) -> bool:
    """Whether it goes into the history: as in shells, a space before it keeps it out."""
    return bool(text.strip()) and not text.startswith(" ")
