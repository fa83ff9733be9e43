"""Our own bug: one line for the user, the traceback in a file, and no secret from the environment in either."""

import os
import tempfile
import traceback

from streamcli.edge.secrets import mask
from streamcli.errors import InternalError


def report(error: Exception) -> InternalError:
    """Writes the traceback to a new file of mode 0600; returns what to tell the user."""
    text = mask("".join(traceback.format_exception(error)))
    what = f"a bug in streamcli: {type(error).__name__}"
    try:
        fd, path = tempfile.mkstemp(prefix="streamcli-", suffix=".traceback")
        with os.fdopen(fd, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError as failure:
        return InternalError(what, f"its traceback could not be saved: {failure.strerror}")
    return InternalError(what, f"please report it, with {path}")
