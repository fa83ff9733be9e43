"""Errors as GitHub's workflow commands: a runner shows them beside the line that they are about.

After "Workflow commands for GitHub Actions": what would end a command, or one of its properties, is percent-encoded.
"""

_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


def github_error(message: str, file: str | None, line: int | None, column: int | None) -> str:
    """One line, without its newline. `line` and `column` count from 1."""
    properties = {"file": file, "line": line, "col": column, "title": "streamcli gen"}
    given = ",".join(f"{name}={str(value).translate(_PROPERTY)}" for name, value in properties.items() if value)
    return f"::error {given}::{message.translate(_DATA)}"
