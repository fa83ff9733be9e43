"""Names of files as they are typed in a conversation, where no shell has read them before."""

import os
import shlex
from collections.abc import Sequence
from contextlib import suppress


def typed_path(typed: str) -> str:
    """The path that is meant: ~ is the home; quotes and backslashes are a shell's where no file has such a name.

    Terminals insert a file that is dropped on them so.
    """
    plain = os.path.expanduser(typed)
    if os.path.lexists(plain.replace("\0", "")):
        return plain
    with suppress(ValueError):  # a quote that is not closed
        words = shlex.split(typed)
        if len(words) == 1 and words[0]:
            return os.path.expanduser(words[0])
    return plain


def paths_beginning(typed: str) -> Sequence[str]:
    """The files and folders whose paths begin so, folders with a slash; hidden ones only where a dot is typed."""
    folder, begun = os.path.split(typed)
    try:
        with os.scandir(os.path.expanduser(folder) or ".") as entries:
            names = sorted(
                entry.name + "/" * entry.is_dir()
                for entry in entries
                if entry.name.startswith(begun) and entry.name.startswith(".") == begun.startswith(".")
            )
    except (OSError, ValueError):
        return []
    return [os.path.join(folder, name) for name in names if name.isprintable()]
